"""The command evolution."""

import numpy as np
import pytest
import small
from PIL import Image

from minicnn import images, vis
from minicnn.cli import main
from minicnn.files import hdf5
from minicnn.report import evolution as sheets
from minicnn.train import snapshots

SOME = ["--layers", "relu1,relu2", "--channels", "0..1"]


@pytest.fixture
def folder(tmp_path):
    """Two snapshots and two photos."""
    for epoch in (1, 12):
        (tmp_path / "kept").mkdir(exist_ok=True)
        hdf5.save(small.network(seed=epoch), snapshots.path(tmp_path / "kept", epoch))
    for k in range(2):
        images.save(tmp_path / f"{k}.png", small.photo(seed=k))
    return tmp_path


@pytest.mark.thorough
def test_the_figure_the_animation_and_the_plot(folder, capsys):
    photos, out = [folder / "0.png", folder / "1.png"], folder / "e.png"
    assert main(list(map(str, [
        "evolution", folder / "kept", *photos, *SOME, "--out", out, "--frames", folder / "e.gif",
        "--plot", folder / "p.png"]))) == 0
    said = capsys.readouterr().out.splitlines()
    found = vis.evolution(folder / "kept", photos, ["relu1", "relu2"], [0, 1])
    np.testing.assert_array_equal(images.load(out), sheets.figure(found))
    np.testing.assert_array_equal(images.load(folder / "p.png"), sheets.draw(found))
    with Image.open(folder / "e.gif") as animation:
        assert animation.n_frames == 2 and animation.info["duration"] == 700
    assert said[:-3] == f"{out}: {found.caption}".split("\n")
    assert said[-3].endswith(f"own size: {folder / 'e'}/")
    assert said[-2:] == [f"  steps: {folder / 'e.gif'}", f"  plot: {folder / 'p.png'}"]
    assert (folder / "e" / "relu1_channel_0_epoch_12.png").exists()


def test_projections_alone_at_some_epochs(said, folder):
    said("evolution", folder / "kept", folder / "0.png", "--at", 12, *SOME, "--projections",
         "--out", folder / "e.png")
    found = vis.evolution(folder / "kept", [folder / "0.png"], ["relu1", "relu2"], [0, 1], at=[12])
    np.testing.assert_array_equal(images.load(folder / "e.png"), sheets.figure(found, False))


def test_what_cannot_be_done(complaint, folder):
    out = ["--out", folder / "e.png"]
    assert "no snapshots here; expected a folder with files such as epoch_010.h5" in complaint(
        "evolution", folder, folder / "0.png", *out)
    assert "none after epoch 2; there are 1, 12" in complaint(
        "evolution", folder / "kept", folder / "0.png", "--at", "1,2", *out)
    assert "cannot tell the file format" in complaint(
        "evolution", folder / "kept", folder / "0.png", "--out", folder / "e.txt")

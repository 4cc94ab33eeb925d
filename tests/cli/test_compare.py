"""The command compare."""

import numpy as np
import pytest
import small

from minicnn import images, load
from minicnn.cli import main
from minicnn.files import hdf5
from minicnn.network import Network
from minicnn.report import comparison
from minicnn.vis.compare import compare


@pytest.fixture
def other(tmp_path):
    network = small.network(seed=3)
    network.name = "other"
    hdf5.save(network, tmp_path / "other.h5")
    return tmp_path / "other.h5"


def photos(folder):
    files = [folder / "a.png", folder / "b.png"]
    for k, file in enumerate(files):
        images.save(file, small.photo(30, 26, k))
    return files


def test_the_figure_is_saved_and_the_figures_are_printed(said, weights, other, tmp_path):
    files, out = photos(tmp_path), tmp_path / "c.png"
    text = said("compare", "--weights", weights, "--against", other, *files, "--size", 24,
                "--faint", 0.5, "--out", out)
    found = compare(load(weights), load(other), files, size=24, faint=0.5)
    np.testing.assert_array_equal(images.load(out), comparison.figure(found))
    assert text == f"{out}:\n{found.caption}\n"
    assert "network small conv1" in text and "network other conv1" in text


def test_a_broken_photo_is_told(weights, other, tmp_path, capsys):
    files, broken = photos(tmp_path), tmp_path / "broken.png"
    broken.write_bytes(b"")
    assert main(["compare", "--weights", str(weights), "--against", str(other), str(broken),
                 *map(str, files), "--out", str(tmp_path / "c.png")]) == 0
    out, err = capsys.readouterr()
    assert "silent in 2 photos" in out
    assert err.startswith("minicnn: skipped ") and "broken.png" in err and err.count("\n") == 1


def test_ctrl_c_keeps_what_was_seen(weights, other, tmp_path, monkeypatch, capsys):
    """It comes at the second photo."""
    restore, calls, out = Network.restore, [], tmp_path / "c.png"

    def interrupted(network, x):
        calls.append(network.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return restore(network, x)

    monkeypatch.setattr(Network, "restore", interrupted)
    assert main(["compare", "--weights", str(weights), "--against", str(other),
                 *map(str, photos(tmp_path)), "--out", str(out)]) == 130
    assert out.exists() and capsys.readouterr().out.count("silent in 1 photo;") == 2


def test_nothing_to_compare_with_or_over(complaint, weights, tmp_path):
    out = ["--out", tmp_path / "c.png"]
    assert "nope: neither a shipped network" in complaint(
        "compare", "--weights", weights, "--against", "nope", "a.png", *out)
    assert "no.png: no such file" in complaint(
        "compare", "--weights", weights, "--against", weights, tmp_path / "no.png", *out)
    assert not (tmp_path / "c.png").exists()
    with pytest.raises(SystemExit) as end:
        main(["compare", "a.png"])
    assert end.value.code == 2

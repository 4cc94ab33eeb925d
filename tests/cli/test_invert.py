"""The command invert."""

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import invert as sheets

NETWORK = small.network()


def test_one_layer_is_its_picture(said, weights, photo, tmp_path):
    out = tmp_path / "i.png"
    text = said("invert", "--weights", weights, photo, "--layers", "relu1", "--steps", 3, "--size",
                "keep", "--basis", "pixels", "--optimizer", "momentum", "--rate", 0.002,
                "--momentum", 0.8, "--variation", 2, "--beta", 1.5, "--alpha", 4, "--level", 130,
                "--noise", 20, "--seed", 4, "--out", out)
    record = vis.invert(NETWORK, photo, "relu1", steps=3, size="keep", basis="pixels", rate=0.002,
                        optimizer="momentum", momentum=0.8, variation=2.0, beta=1.5, alpha=4.0,
                        level=130.0, noise=20.0, seed=4)
    itself = out.with_suffix("") / "i.png"
    np.testing.assert_array_equal(images.load(itself), record.image)
    assert text.splitlines()[0] == f"{out}: {record.caption}"


@pytest.mark.parametrize("layers, starts", [(["relu1", "mix"], 1), (None, 1), ("all", 1),
                                            ("relu1", 2)], ids=str)
def test_several_are_a_sheet_and_a_line_each(said, weights, photo, tmp_path, layers, starts):
    out = tmp_path / "i.png"
    given = [] if layers is None else ["--layers", layers if isinstance(layers, str)
                                       else ",".join(layers)]
    text = said("invert", "--weights", weights, photo, *given, "--starts", starts, "--steps", 1,
                "--out", out)
    found = vis.invert(NETWORK, photo, layers, steps=1, starts=starts)
    *lines, where = text.splitlines()
    assert lines == [f"{out}:", *(f"  {one.caption}" for one in found)]
    assert len(list(out.with_suffix("").iterdir())) == len(found) and "i/" in where
    np.testing.assert_array_equal(images.load(out), sheets.sheet(found))


def test_frames_and_a_plot_of_several_layers(said, weights, photo, tmp_path):
    said("invert", "--weights", weights, photo, "--layers", "relu1,mix", "--steps", 2, "--out",
         tmp_path / "i.png", "--frames", tmp_path / "i.gif", "--every", 1, "--plot",
         tmp_path / "p.png")
    files = sorted(file.name for file in tmp_path.iterdir() if file.suffix)
    assert [name for name in files if name[0] in "ip"] == ["i.gif", "i.png", "p.png"]


def test_settings_are_kept_of_one_layer_only(weights, photo, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["invert", "--weights", str(weights), str(photo), "--keep-settings"])
    assert end.value.code == 2 and "ask for one layer" in capsys.readouterr().err


def test_momentum_needs_pixels(complaint, weights, photo):
    assert "add basis='pixels'" in complaint("invert", "--weights", weights, photo, "--layers",
                                             "relu1", "--optimizer", "momentum")


def test_interrupted_it_saves_the_picture_so_far(weights, photo, tmp_path, monkeypatch):
    out, original = tmp_path / "i.png", vis.invert._inverted

    def at_the_second(*arguments):
        if arguments[2] == "mix":
            raise KeyboardInterrupt
        return original(*arguments)
    monkeypatch.setattr(vis.invert, "_inverted", at_the_second)
    status = main(["invert", "--weights", str(weights), str(photo), "--layers", "relu1,mix",
                   "--steps", "2", "--out", str(out)])
    assert status == 130
    monkeypatch.undo()
    np.testing.assert_array_equal(
        images.load(out), sheets.sheet([vis.invert(NETWORK, photo, "relu1", steps=2)]))

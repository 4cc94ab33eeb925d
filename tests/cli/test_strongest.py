"""The command strongest."""

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.files import patches
from minicnn.files.unfinished import Unfinished
from minicnn.report import strongest as sheets

NETWORK = small.network()
SOME = ["--layers", "relu1,mix/relu_3x3", "--channels", "3,0", "--count", "2"]


@pytest.fixture
def folder(tmp_path):
    """Five photos, two of them further in."""
    path = tmp_path / "photos"
    (path / "in").mkdir(parents=True)
    for k in range(5):
        images.save(path / ("in" if k % 2 else ".") / f"{k}.png", small.photo(seed=k))
    return path


def test_a_file_and_a_picture_for_each_layer(said, weights, folder, tmp_path):
    out = tmp_path / "out"
    printed = said("strongest", "--weights", weights, folder, *SOME, "--out", out, "--batch", 2)
    expected = vis.strongest(NETWORK, folder, tmp_path / "expected", ["relu1", "mix/relu_3x3"],
                             [3, 0], count=2).patches
    assert (out / "strongest.h5").read_bytes() == expected.path.read_bytes()
    assert printed == (f"{out / 'strongest.h5'}: strongest patches of 5 photos\n"
                       f"{out / 'relu1.png'}\n{out / 'mix_relu_3x3.png'}\n")
    np.testing.assert_array_equal(images.load(out / "relu1.png"),
                                  sheets.figure(expected, "relu1"))


def test_pictures_drawn_again_need_no_photos(said, weights, folder, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    said("strongest", "--weights", weights, folder, *SOME, "--out", out)
    for photo in folder.rglob("*.png"):
        photo.unlink()
    printed = said("strongest", "--redraw", out / "strongest.h5", "--out", again)
    assert printed == f"{again / 'relu1.png'}\n{again / 'mix_relu_3x3.png'}\n"
    for name in ("relu1.png", "mix_relu_3x3.png"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_a_range_of_channels(said, weights, folder, tmp_path):
    said("strongest", "--weights", weights, folder, "--layers", "relu1", "--channels", "1..3,5",
         "--count", "1", "--out", tmp_path / "out")
    assert patches.read(tmp_path / "out" / "strongest.h5").layers == {"relu1": [1, 2, 3, 5]}


def test_some_channels_drawn_again_in_another_way(said, weights, folder, tmp_path):
    out = tmp_path / "out"
    said("strongest", "--weights", weights, folder, *SOME, "--out", out)
    said("strongest", "--redraw", out / "strongest.h5", "--layers", "mix/relu_3x3",
         "--channels", "0", "--zoom", "--out", out)
    found = patches.read(out / "strongest.h5")
    np.testing.assert_array_equal(images.load(out / "mix_relu_3x3.png"),
                                  sheets.figure(found, "mix/relu_3x3", [0], view="zoom"))


def test_broken_photos_are_listed_at_the_end(weights, folder, tmp_path, capsys):
    (folder / "in" / "bad.jpg").write_text("no picture")
    assert main(["strongest", "--weights", str(weights), str(folder), *SOME,
                 "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert "6 photos" in out
    assert err.startswith(f"minicnn: skipped {folder / 'in' / 'bad.jpg'}: not a picture")
    assert err.count("\n") == 1


def test_ctrl_c_says_that_the_same_command_goes_on(weights, folder, tmp_path, capsys, monkeypatch):
    arguments = ["strongest", "--weights", str(weights), str(folder), *SOME,
                 "--out", str(tmp_path / "out")]

    def press(self, number, **arrays):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(Unfinished, "save_part", press)
        assert main(arguments) == 130
    assert capsys.readouterr().err == "minicnn: interrupted; the same command goes on from here\n"
    assert main(arguments) == 0
    assert len(patches.read(tmp_path / "out" / "strongest.h5").channel("relu1", 3).values) == 2


@pytest.mark.parametrize("arguments, words", [
    (["{tmp}/empty"], "empty: no photos in this folder"),
    (["{tmp}/nowhere"], "nowhere: no such file or folder"),
    (["{tmp}/photos", "--layers", "rellu2"], "no layer 'rellu2'; near it: relu2"),
    (["{tmp}/photos", "--layers", "relu2", "--channels", "5"], "relu2 has 5 channels"),
    (["{tmp}/photos", "--out", "{tmp}/photos/0.png"], "0.png"),
    (["--redraw", "{tmp}/photos/0.png"], "0.png: cannot be read as HDF5"),
    (["--redraw", "{weights}"], "not a file of patches")])
def test_what_cannot_be_done(complaint, weights, folder, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()
    given = [a.format(tmp=tmp_path, weights=weights) for a in arguments]
    assert words in complaint("strongest", "--weights", weights, "--out", tmp_path / "out", *given)


@pytest.mark.parametrize("arguments", [
    [], ["a.png", "--redraw", "b.h5"], ["a.png", "--channels", "1,x"], ["a.png", "--count", "0"],
    ["a.png", "--workers", "0"], ["a.png", "--shifts", "4"], ["a.png", "--channels", "3..1"],
    ["a.png", "--zoom", "--whole"], ["a.png", "--size", "keep"], ["a.png", "--relu", "leaky"]],
    ids=" ".join)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["strongest", *arguments])
    assert end.value.code == 2 and "see minicnn strongest --help" in capsys.readouterr().err

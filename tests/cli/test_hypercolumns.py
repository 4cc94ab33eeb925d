"""The command hypercolumns."""

import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import hypercolumns as sheets

NETWORK = small.network()


@pytest.mark.parametrize("arguments, settings", [
    (["--layers", "1,4,relu2"], {"layers": [1, 4, "relu2"]}),
    (["--view", "similarity", "--pixel", "3,7", "--size", "keep"],
     {"view": "similarity", "pixel": (3, 7), "size": "keep"}),
    (["--view", "segments", "--clusters", "4", "--seed", "5"],
     {"view": "segments", "clusters": 4, "seed": 5})])
def test_hypercolumns(said, weights, tmp_path, arguments, settings):
    photo, out = small.picture_file(tmp_path, size=(26, 33)), tmp_path / "h.png"
    size = settings.get("size")
    if size == "keep":
        arguments = [*arguments, "--layers", "relu1,mix"]
        settings = settings | {"layers": ["relu1", "mix"]}
    text = said("hypercolumns", "--weights", weights, photo, "--out", out, *arguments)
    record = vis.hypercolumns(NETWORK, photo, **settings)
    np.testing.assert_array_equal(record.photo, NETWORK.restore(NETWORK.prepare(photo, size))[0])
    np.testing.assert_array_equal(images.load(out), sheets.sheet(record))
    assert text == f"{out}: {record.caption}{shown.of_sheet(out)}"


@pytest.mark.parametrize("arguments, words", [
    (["--layers", "1,17"], "there is no 17"),
    (["--view", "similarity", "--pixel", "16,0"], "there is no pixel 16,0"),
    (["--pixel", "1,1"], "pixel is for the view similarity"),
    (["--view", "segments", "--clusters", "21"], "a whole number of at least 2 and at most 20"),
    (["--out", "h.webp"], "cannot tell the file format")])
def test_what_cannot_be_done(complaint, weights, photo, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in complaint("hypercolumns", "--weights", weights, photo, *arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["RGB.png"]


@pytest.mark.parametrize("arguments", [["--view", "median"], ["--pixel", "3"], ["--clusters", "1"]])
def test_wrong_usage(capsys, weights, photo, arguments):
    with pytest.raises(SystemExit) as end:
        main(["hypercolumns", "--weights", str(weights), str(photo), *arguments])
    assert end.value.code == 2 and "see minicnn hypercolumns --help" in capsys.readouterr().err

"""The command activations: into a folder, into one picture, over many photos."""

from dataclasses import replace

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import activations as sheets
from minicnn.vis.survey import statistics

NETWORK = small.network()


def test_into_a_folder(said, weights, photo, tmp_path):
    out = tmp_path / "sheets"
    text = said("activations", "--weights", weights, photo, "--layers", "relu1,2:4", "--out", out)
    found = vis.activations(NETWORK, photo, ["relu1", "norm1"])
    assert text == f"{out / 'index.html'}\n{sheets.table(statistics(found.maps))}\n"
    np.testing.assert_array_equal(images.load(out / "2_norm1.png"), sheets.sheet(found, "norm1"))
    assert sorted(p.name for p in out.iterdir()) == ["1_relu1.png", "2_norm1.png", "index.html",
                                                     "photo.png"]
    assert (f"minicnn activations {photo} --weights {weights} --scale deviation --layers norm1 "
            "--out 2_norm1.png") in (out / "index.html").read_text()


def test_into_a_folder_that_is_there_whatever_its_name(said, weights, photo, tmp_path):
    (tmp_path / "v1.5").mkdir()
    said("activations", "--weights", weights, photo, "--layers", "fc", "--out", tmp_path / "v1.5")
    assert (tmp_path / "v1.5" / "index.html").is_file()


def test_into_one_picture(said, weights, photo, tmp_path):
    out = tmp_path / "a.png"
    text = said("activations", "--weights", weights, photo, "--layers", "0:3", "--maps", 3,
                "--scale", "range", "--size", "keep", "--out", out)
    found = vis.activations(NETWORK, photo, ["0:3"], maps=3, scale="range", size="keep")
    np.testing.assert_array_equal(images.load(out), sheets.first_maps(found))
    assert text == f"{out}\n{sheets.table(statistics(found.maps))}\n"


def test_over_photos_and_folders(capsys, weights, photo, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        images.save(folder / f"{seed}.png", small.photo(seed=seed))
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not looked at")
    out = tmp_path / "a.png"
    assert main(["activations", "--weights", str(weights), str(photo), "--layers", "relu1", "--out",
                 str(out), "--over", str(folder), str(photo)]) == 0
    text, skipped = capsys.readouterr()
    photos = [small.photo(seed=seed) for seed in range(3)] + [photo]
    table = sheets.table(vis.survey(NETWORK, photos, "relu1").statistics, 4)
    assert text == f"{out}\n{table}\n"
    assert skipped.startswith("minicnn: skipped ") and "broken.jpg: not a picture" in skipped
    assert skipped.count("\n") == 1


@pytest.mark.parametrize("arguments, words", [
    (["--out", "a.gif"], "a.gif: cannot tell the file format"),
    (["--out", "nowhere/a.png"], "the folder nowhere does not exist"),
    (["--layers", "rellu2"], "no layer 'rellu2'; near it: relu2"),
    (["--layers", "0:99"], "there is no 0:99"),
    (["--over", "empty"], "empty: no photos in this folder"),
    (["--layers", ","], "no layers were named")])
def test_what_cannot_be_done(complaint, weights, photo, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert words in complaint("activations", "--weights", weights, photo, *arguments)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["RGB.png", "empty"]


def test_too_many_channels_for_one_picture(complaint, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_CHANNELS", 9)
    line = complaint("activations", "--weights", weights, photo, "--out", tmp_path / "a.png")
    assert "channels of 16 layers are too many for one picture (at most 9)" in line


def test_interrupted_over_photos_prints_the_figures_so_far(monkeypatch, capsys, weights, photo,
                                                           tmp_path):
    result = vis.survey(NETWORK, [photo], "relu1")
    cut = replace(result, interrupted=True)
    monkeypatch.setattr(vis, "survey", lambda *a, **k: cut)
    assert main(["activations", "--weights", str(weights), str(photo), "--layers", "relu1", "--out",
                 str(tmp_path / "a.png")]) == 130
    assert sheets.table(result.statistics, 1) in capsys.readouterr().out

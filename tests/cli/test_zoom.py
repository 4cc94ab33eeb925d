"""The command zoom."""

import interrupted
import numpy as np
import pytest
import small
from PIL import Image

from minicnn import images, vis
from minicnn.ascent.optimizers import SGD
from minicnn.cli import main
from minicnn.report import zoom as sheets

NETWORK = small.network()
QUICK = ["--frames", 3, "--steps", 1, "--octaves", 1, "--layers", "relu2", "--jitter", 1]


def test_zoom_from_a_photo(said, weights, photo, tmp_path):
    out = tmp_path / "z.gif"
    text = said("zoom", "--weights", weights, photo, *QUICK, "--scale", 0.2, "--rate", 9, "--size",
                "keep", "--seed", 2, "--milliseconds", 60, "--out", out,
                "--turn", -2, "--contrast", "free")
    found = vis.zoom(NETWORK, photo, {"relu2": 1.0}, frames=3, scale=0.2, octaves=1, steps=1,
                     rate=9.0, jitter=1, size="keep", seed=2, turn=-2.0, contrast="free")
    assert text == f"{out}, {out.with_suffix('.png')}: {found.caption}\n"
    np.testing.assert_array_equal(images.load(out.with_suffix(".png")), sheets.sheet(found))
    with Image.open(out) as picture:
        assert (picture.n_frames, picture.size, picture.info["loop"]) == (3, (260, 208), 0)
        assert picture.info["duration"] == 60


def test_zoom_from_noise(said, weights, tmp_path):
    out = tmp_path / "z.gif"
    said("zoom", "--weights", weights, *QUICK, "--size", 24, "--out", out)
    with Image.open(out) as picture:
        assert picture.size == (264, 264)  # a small picture is enlarged


def test_another_suffix_is_told_before_the_work(complaint, weights, monkeypatch):
    monkeypatch.setattr(SGD, "step", None)  # no step is taken
    assert ".gif, .mp4" in complaint("zoom", "--weights", weights, *QUICK, "--out", "z.avi")


def test_a_video_without_ffmpeg_is_told_before_the_work(complaint, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(SGD, "step", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    told = complaint("zoom", "--weights", weights, *QUICK, "--out", tmp_path / "z.mp4")
    assert "ffmpeg" in told and "install" in told
    told = complaint("maximize", "--weights", weights, "--frames", tmp_path / "f.mp4", "--out",
                     tmp_path / "m.png")
    assert "ffmpeg" in told and list(tmp_path.iterdir()) == []


def test_wrong_usage(weights, capsys):
    for chosen in (["--frames", "0"], ["--scale", "1"], ["--milliseconds", "5"]):
        with pytest.raises(SystemExit) as end:
            main(["zoom", "--weights", str(weights), *chosen])
        assert end.value.code == 2 and "expected" in capsys.readouterr().err


def test_ctrl_c_saves_the_finished_dreams(weights, tmp_path, monkeypatch):
    interrupted.at_step(monkeypatch, 3)
    out = tmp_path / "z.gif"
    arguments = ["zoom", "--weights", weights, *QUICK, "--rate", "20", "--out", out]
    assert main([str(a) for a in arguments]) == 130
    with Image.open(out) as picture:
        assert picture.n_frames == 2

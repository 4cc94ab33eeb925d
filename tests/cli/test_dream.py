"""The command dream."""

import interrupted
import numpy as np
import pytest
import shown
import small

from minicnn import vis
from minicnn.cli import main
from minicnn.cli.dream import tile, weighted
from minicnn.report import saved

NETWORK = small.network()


def test_dream(said, weights, photo, tmp_path):
    out = tmp_path / "d.png"
    text = said("dream", "--weights", weights, photo, "--layers", "mix,relu2:1=2.5", "--octaves", 2,
                "--octave-scale", 1.2, "--steps", 2, "--rate", 3, "--jitter", 1, "--size", 30,
                "--tile", 20, "--overlap", 4, "--seed", 6, "--out", out)
    record = vis.dream(NETWORK, photo, {"mix": 1.0, "relu2:1": 2.5}, octaves=2, octave_scale=1.2,
                       steps=2, rate=3.0, jitter=1, size=30, tile=20, overlap=4, seed=6)
    np.testing.assert_array_equal(shown.itself(out), record.image)
    assert text == f"{out}: {record.caption}{shown.of_picture(out, '30x30')}"


def test_a_guide(said, weights, photo, tmp_path):
    text = said("dream", "--weights", weights, photo, "--octaves", 1, "--steps", 1, "--guide",
                photo, "--tile", "none", "--out", tmp_path / "d.jpg")
    assert "dream at relu2, with a guide: " in text


def test_settings_kept_make_the_same_again(said, weights, photo, tmp_path):
    said("dream", "--weights", weights, photo, "--octaves", 1, "--steps", 1, "--out",
         tmp_path / "d.png", "--keep-settings")
    record = saved.replay(tmp_path / "d.json")
    assert record.settings["octaves"] == 1 and not record.interrupted


@pytest.mark.parametrize("chosen, words", [
    (["--layers", "relu2:9"], "relu2 has 5 channels"), (["--octaves", 12], "take fewer octaves"),
    (["--layers", "rellu2"], "near it: relu2"), (["--guide", "none.png"], "no such file")])
def test_what_cannot_be_done(complaint, weights, photo, chosen, words):
    assert words in complaint("dream", "--weights", weights, photo, *chosen)


@pytest.mark.parametrize("chosen", [
    ["--layers", "relu2=strong"], ["--layers", "relu2:3..1"], ["--layers", ","],
    ["--layers", "=2"], ["--tile", "0"], ["--octave-scale", "1"], ["--steps", "0"]])
def test_wrong_usage(weights, photo, chosen, capsys):
    with pytest.raises(SystemExit) as end:
        main(["dream", "--weights", str(weights), str(photo), *chosen])
    assert end.value.code == 2 and "expected" in capsys.readouterr().err


def test_kinds():
    assert weighted("a/b, c:3 = -2") == {"a/b": 1.0, "c:3": -2.0}
    assert weighted("c:1..3=2,d:0..0") == {"c:1": 2.0, "c:2": 2.0, "c:3": 2.0, "d:0": 1.0}
    assert (tile("none"), tile("64")) == (None, 64)


def test_ctrl_c_saves_the_photo_so_far(weights, photo, tmp_path, monkeypatch):
    interrupted.at_step(monkeypatch, 2)
    out = tmp_path / "d.png"
    assert main(["dream", "--weights", str(weights), str(photo), "--octaves", "1", "--out",
                 str(out)]) == 130
    monkeypatch.undo()
    expected = vis.dream(NETWORK, photo, octaves=1, steps=1)
    np.testing.assert_array_equal(shown.itself(out), expected.image)

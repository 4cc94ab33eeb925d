"""The command deepdream-image."""

import interrupted
import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.cli.deepdream_image import channels
from minicnn.report import deepdream_image as sheets
from minicnn.report import saved

NETWORK = small.network()


def test_deepdream_image(said, weights, photo, tmp_path):
    out = tmp_path / "d.png"
    text = said("deepdream-image", "--weights", weights, "--layer", "conv2", "--channels", "0..2,4",
                "--initial-image", photo, "--size", "keep", "--pyramid-levels", 2,
                "--pyramid-scale", 1.2, "--iterations", 2, "--output-scaling", "none", "--tile", 18,
                "--thumbnail", 40, "--seed", 3, "--out", out)
    found = vis.deepdream_image(NETWORK, "conv2", [0, 1, 2, 4], initial_image=photo, size="keep",
                                pyramid_levels=2, pyramid_scale=1.2, iterations=2,
                                output_scaling="none", tile=18, seed=3)
    np.testing.assert_array_equal(images.load(out), sheets.sheet(found, 40))
    assert text == f"{out}: {found.caption}{shown.of_sheet(out)}"
    assert shown.names(out) == [f"conv2_{k}.png" for k in (0, 1, 2, 4)]
    for k, picture in zip((0, 1, 2, 4), sheets.shown(found), strict=True):
        np.testing.assert_array_equal(images.load(tmp_path / "d" / f"conv2_{k}.png"), picture)


def test_classes_by_name_and_layers_by_number(said, weights, tmp_path):
    text = said("deepdream-image", "--weights", weights, "--channels", "tree frog,1",
                "--iterations", 1, "--out", tmp_path / "d.png")
    assert "small fc, each channel" in text
    assert text.endswith("\none after the other: tree frog, grey fox\n")
    assert shown.names(tmp_path / "d.png") == ["fc_1_grey_fox.png", "fc_2_tree_frog.png"]
    text = said("deepdream-image", "--weights", weights, "--layer", 2, "--iterations", 1,
                "--out", tmp_path / "d.png")
    assert "small conv1, each channel" in text


def test_verbose_prints_the_table(said, weights, tmp_path):
    text = said("deepdream-image", "--weights", weights, "--layer", "conv2", "--pyramid-levels", 2,
                "--iterations", 4, "--verbose", "--verbose-frequency", 2, "--out",
                tmp_path / "d.png")
    lines = []
    vis.deepdream_image(NETWORK, "conv2", pyramid_levels=2, iterations=4, verbose=lines.append,
                        verbose_frequency=2)
    assert text.splitlines()[:-2] == lines and len(lines) == 4 + 4 + 1


def test_settings_kept_make_the_same_again(said, weights, tmp_path):
    said("deepdream-image", "--weights", weights, "--channels", "frog,0", "--iterations", 1,
         "--out", tmp_path / "d.png", "--keep-settings")
    record = saved.replay(tmp_path / "d.json")
    assert record.settings["iterations"] == 1 and not record.interrupted


@pytest.mark.parametrize("chosen, words", [
    (["--channels", "9"], "fc has 4 channels"), (["--channels", "wolf"], "no class 'wolf'"),
    (["--layer", "99"], "there is no layer 99"), (["--layer", "convv2"], "near it: conv2"),
    (["--initial-image", "none.png"], "no such file")])
def test_what_cannot_be_done(complaint, weights, chosen, words):
    assert words in complaint("deepdream-image", "--weights", weights, *chosen)


@pytest.mark.parametrize("chosen", [
    ["--channels", "5..2"], ["--channels", "a..b"], ["--pyramid-scale", "1"],
    ["--iterations", "0"]])
def test_wrong_usage(weights, chosen, capsys):
    with pytest.raises(SystemExit) as end:
        main(["deepdream-image", "--weights", str(weights), *chosen])
    assert end.value.code == 2 and "expected" in capsys.readouterr().err


def test_channels():
    assert channels("0..3, 7,hen") == [0, 1, 2, 3, 7, "hen"]


def test_ctrl_c_saves_the_sheet_so_far(weights, tmp_path, monkeypatch):
    interrupted.at_step(monkeypatch, 3)
    out = tmp_path / "d.png"
    assert main(["deepdream-image", "--weights", str(weights), "--layer", "conv2",
                 "--out", str(out)]) == 130
    monkeypatch.undo()
    found = vis.deepdream_image(NETWORK, "conv2", pyramid_levels=1, iterations=2)
    assert images.load(out).shape[0] > 128 and found.trace.shape == (3, 1)

"""The command maximize."""

import numpy as np
import pytest
import shown
import small
from PIL import Image

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import filters as sheets

NETWORK = small.network()


def test_maximize(said, weights, tmp_path):
    out = tmp_path / "m.png"
    text = said("maximize", "--weights", weights, "--layer", "relu2", "--channel", 1, "--steps", 3,
                "--start", "noise", "--rate", 4, "--momentum", 0.2, "--jitter", 1, "--diffuse", 0.1,
                "--seed", 5, "--size", 24, "--measure", "squares", "--settle", 0.5, "--normalize",
                "std", "--out", out)
    record = vis.maximize(NETWORK, "relu2", 1, steps=3, start="noise", size=24, rate=4.0,
                          momentum=0.2, jitter=1, diffuse=0.1, seed=5, measure="squares",
                          settle=0.5, normalize="std")
    np.testing.assert_array_equal(shown.itself(out), record.image)
    assert text == f"{out}: {record.caption}{shown.of_picture(out, '24x24')}"


def test_a_preset_and_what_is_given_besides_it(said, weights, tmp_path):
    out = tmp_path / "m.png"
    said("maximize", "--weights", weights, "--channel", "1", "--preset", "lucid", "--steps", 2,
         "--rate", 0.1, "--out", out)
    record = vis.maximize(NETWORK, channel=1, preset="lucid", steps=2, rate=0.1)
    np.testing.assert_array_equal(shown.itself(out), record.image)


def test_maximize_a_class_by_name(said, weights, tmp_path):
    text = said("maximize", "--weights", weights, "--target", "tree frog", "--steps", 2, "--out",
                tmp_path / "m.jpg")
    assert "fc class tree frog: score" in text
    with Image.open(tmp_path / "m.jpg") as picture:
        assert picture.format == "JPEG" and picture.size == (13 * 20, 13 * 16)


def test_several_classes_are_a_sheet_and_a_line_each(said, weights, tmp_path):
    out = tmp_path / "m.png"
    text = said("maximize", "--weights", weights, "--target", "tree frog", 0, "--steps", 2,
                "--out", out)
    records = vis.maximize(NETWORK, channel=[2, 0], steps=2)
    told = [f"{out}:", *(f"  {record.caption}" for record in records)]
    assert text == "\n".join(told) + shown.of_sheet(out)
    assert shown.names(out) == ["fc_0_red_fox.png", "fc_2_tree_frog.png"]
    np.testing.assert_array_equal(images.load(tmp_path / "m" / "fc_2_tree_frog.png"),
                                  records[0].image)
    np.testing.assert_array_equal(images.load(out), sheets.side_by_side(NETWORK, records))
    said("maximize", "--weights", weights, "--channel", "0..1,3", "--steps", 2, "--out", out)
    records = vis.maximize(NETWORK, channel=[0, 1, 3], steps=2)
    np.testing.assert_array_equal(images.load(out), sheets.side_by_side(NETWORK, records))


def test_settings_are_kept_of_one_picture_only(weights, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["maximize", "--weights", str(weights), "--channel", "0", "1", "--keep-settings",
              "--out", str(tmp_path / "m.png")])
    assert end.value.code == 2 and "ask for one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_photo_to_start_from(said, weights, photo, tmp_path, capsys):
    out = tmp_path / "m.png"
    said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1, "--start", photo,
         "--rate", 1e-6, "--diffuse", 0, "--out", out)
    np.testing.assert_array_equal(shown.itself(out), small.photo())
    with pytest.raises(SystemExit) as end:
        main(["maximize", "--start", "no.png"])
    assert end.value.code == 2
    assert "expected zeros, mean, noise, grey-noise, or the path" in capsys.readouterr().err


def test_without_out_the_picture_has_the_command_s_name(said, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["maximize", "maximize.png"]


def test_a_picture_that_is_not_small_is_the_file_itself(said, weights, tmp_path):
    out = tmp_path / "m.png"
    text = said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1, "--size", 224,
                "--out", out)
    assert text.count("\n") == 1 and [file.name for file in tmp_path.iterdir()] == ["m.png"]
    record = vis.maximize(NETWORK, "relu2", steps=1, size=224)
    np.testing.assert_array_equal(images.load(out), record.image)

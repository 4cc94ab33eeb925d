"""The command maximize."""

import numpy as np
import small
from PIL import Image

from minicnn import images, vis

NETWORK = small.network()


def test_maximize(said, weights, tmp_path):
    out = tmp_path / "m.png"
    text = said("maximize", "--weights", weights, "--layer", "relu2", "--channel", 1, "--steps", 3,
                "--start", "noise", "--rate", 4, "--momentum", 0.2, "--jitter", 1, "--diffuse", 0.1,
                "--seed", 5, "--size", 24, "--out", out)
    record = vis.maximize(NETWORK, "relu2", 1, 3, "noise", 24, 4.0, 0.2, 1, 0.1, 5)
    np.testing.assert_array_equal(images.load(out), record.image)
    assert text == f"{out}: {record.caption}\n"


def test_maximize_a_class_by_name(said, weights, tmp_path):
    text = said("maximize", "--weights", weights, "--channel", "tree frog", "--steps", 2, "--out",
                tmp_path / "m.jpg")
    assert "fc channel 2" in text
    with Image.open(tmp_path / "m.jpg") as picture:
        assert picture.format == "JPEG" and picture.size == (20, 16)


def test_without_out_the_picture_has_the_command_s_name(said, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1)
    assert [file.name for file in tmp_path.iterdir()] == ["maximize.png"]

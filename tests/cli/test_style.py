"""The command style."""

import numpy as np
import pytest
import shown
import small
from PIL import Image

from minicnn import images, vis
from minicnn.cli import main

NETWORK = small.network()


@pytest.fixture
def painted(capsys):
    """Run a command that shall succeed and warn of a small picture: (what it printed, warning)."""
    def run(*arguments):
        assert main([str(a) for a in arguments]) == 0
        out, err = capsys.readouterr()
        assert err.startswith("minicnn: warning: ") and err.count("\n") == 1
        return out, err
    return run


def test_style(painted, said, weights, photo, tmp_path):
    out, painting = tmp_path / "s.png", tmp_path / "painting.png"
    Image.fromarray(small.photo(30, 24, seed=3)).save(painting)
    text, _ = painted("style", "--weights", weights, photo, painting, photo, "--content-layers",
                      "mix", "--style-layers", "relu1=1,pool1=3", "--steps", 2, "--size", 20,
                      "--blend", "3,1", "--frames", tmp_path / "f.gif", "--every", 1, "--plot",
                      tmp_path / "p.png", "--keep-settings", "--folder", tmp_path / "kept",
                      "--out", out)
    record = vis.style(NETWORK, photo, [painting, photo], ["mix"], {"relu1": 1, "pool1": 3},
                       steps=2, size=20, blend=(3, 1))
    np.testing.assert_array_equal(shown.itself(out), record.image)
    assert text.splitlines()[0] == f"{out}: {record.caption}"
    with Image.open(tmp_path / "f.gif") as frames:
        assert frames.n_frames == 3 and (tmp_path / "p.png").is_file()
    again = tmp_path / "again.png"
    said("replay", tmp_path / "s.json", "--out", again)
    np.testing.assert_array_equal(shown.itself(again), record.image)


def test_masks_and_the_other_method(painted, said, complaint, weights, photo, tmp_path):
    pixels = images.load(photo)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[:, 10:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(small.photo(30, 24, seed=3)).save(tmp_path / "b.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "many.png")
    out, masks = tmp_path / "s.png", ("--mask", tmp_path / "mask.png")
    given = ("style", "--weights", weights, photo, photo, tmp_path / "b.png", "--steps", 1,
             "--size", 20, "--style-layers", "relu1", *masks, "--out", out)
    _, warning = painted(*given, "--method", "strotss", "--keep-settings")
    assert warning.startswith("minicnn: warning: 20x16 pixels have little room")  # sizes fit
    record = vis.style(NETWORK, photo, [photo, tmp_path / "b.png"], style_layers=["relu1"], size=20,
                       mask=tmp_path / "mask.png", method="strotss", steps=1)
    np.testing.assert_array_equal(shown.itself(out), record.image)
    said("replay", tmp_path / "s.json", "--out", tmp_path / "again.png")
    np.testing.assert_array_equal(shown.itself(tmp_path / "again.png"), record.image)
    painted(*given, "--content-layers", "mix", "--style-mask",
            f"{tmp_path / 'mask.png'},{tmp_path / 'b.png'}")
    line = complaint(*given, "--style-mask", tmp_path / "mask.png")
    assert "1 style_mask for 2 paintings" in line
    line = complaint(*given[:5], *given[6:], "--style-mask", tmp_path / "many.png")
    assert "many.png has" in line and "draw it with at most 8" in line


def test_a_painting_that_is_not_there(weights, photo, capsys):
    assert main(["style", "--weights", str(weights), str(photo), "nowhere.png"]) == 1
    error = capsys.readouterr().err
    assert "nowhere.png" in error and error.count("\n") == 1


def test_the_same_command_twice_may_replace_its_own_pictures(painted, weights, photo, tmp_path,
                                                              monkeypatch):
    """The folder style/ is its own, though words such as `--colours style` are its name."""
    monkeypatch.chdir(tmp_path)
    for _ in "ab":
        text, _ = painted("style", "--weights", weights, photo, photo, "--content-layers", "mix",
                          "--style-layers", "relu1", "--steps", 1, "--size", 20, "--colours",
                          "style", "--out", "style.png")
        assert text.startswith("style.png: ") and (tmp_path / "style" / "style.png").is_file()


@pytest.mark.parametrize("size, words", [
    (60, ["made at 60x48 only, not at 2 sizes: none has a side below 32 pixels",
          "60x48 pixels have little room for a style; add --size 192 to see one"]),
    (100, ["100x80 pixels have little room for a style; add --size 192 to see one"])])
def test_a_small_picture_says_what_is_left_out_and_what_to_do(painted, weights, photo, tmp_path,
                                                              size, words):
    _, warning = painted("style", "--weights", weights, photo, photo, "--content-layers", "mix",
                         "--style-layers", "relu1", "--steps", 1, "--size", size, "--out",
                         tmp_path / "s.png")
    assert warning == f"minicnn: warning: {'; '.join(words)}\n"


def test_a_large_picture_needs_no_words(said, weights, photo, tmp_path):
    said("style", "--weights", weights, photo, photo, "--content-layers", "mix", "--style-layers",
         "relu1", "--steps", 1, "--size", 128, "--out", tmp_path / "s.png")

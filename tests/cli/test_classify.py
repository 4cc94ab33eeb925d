"""The command classify, on photos of every kind."""

import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import images

NETWORK = small.network()


def test_classify(said, weights, photo):
    lines = said("classify", "--weights", weights, photo).splitlines()
    assert lines == [f"{p:.4f}  {label}" for label, p in NETWORK.classify(photo)]
    assert len(lines) == 4  # of four classes
    assert said("classify", "--weights", weights, photo, "--top", 2).splitlines() == lines[:2]


def test_classify_of_several_photos_names_each(said, weights, photo):
    lines = said("classify", "--weights", weights, "--top", "1", photo, photo).splitlines()
    assert lines[0] == lines[2] == str(photo) and lines[1] == lines[3]


def test_classify_with_the_shipped_network(said, photo):
    lines = said("classify", photo).splitlines()
    expected = minicnn.load("minivgg").classify(photo)
    assert lines == [f"{p:.4f}  {label}" for label, p in expected] and len(lines) == 5


def test_googlenet_on_coffee(said, shared_data):
    """The golden logits come from an independent implementation."""
    logits = np.load(shared_data / "golden" / "googlenet_coffee.npz")["logits"].ravel()
    shares = np.exp(logits - logits.max())
    golden = shares / shares.sum()
    first = said("classify", "--weights", shared_data / "weights" / "googlenet_bvlc.h5",
                 shared_data / "photos" / "coffee.png").splitlines()[0]
    probability, _, label = first.partition("  ")
    assert label == "espresso"
    assert abs(float(probability) - golden.max()) < 0.0005  # three decimals


def test_a_label_file_gives_the_names(said, weights, photo, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\nn01440764 d, e\n")
    lines = said("classify", "--weights", weights, "--labels", tmp_path / "names.txt", photo)
    assert {line.partition("  ")[2] for line in lines.splitlines()} == {"a", "b", "c", "d, e"}


# ---- photos of every kind

@pytest.mark.parametrize("kind", ["grey", "palette", "RGBA", "16 bits"])
def test_a_photo_of_another_kind_is_seen_as_what_it_shows(said, weights, tmp_path, kind):
    path = small.picture_file(tmp_path, kind)
    with Image.open(path) as picture:
        assert picture.mode == {"grey": "L", "palette": "P", "16 bits": "I;16"}.get(kind, kind)
    grey = np.asarray(Image.fromarray(small.photo()).convert("L"))
    shown = {
        "grey": np.dstack([grey] * 3), "16 bits": np.dstack([grey] * 3), "RGBA": small.photo(),
        "palette": np.asarray(Image.fromarray(small.photo()).quantize(16).convert("RGB")),
    }[kind]
    expected = [f"{p:.4f}  {label}" for label, p in NETWORK.classify(shown)]
    assert said("classify", "--weights", weights, path).splitlines() == expected


def test_a_photo_of_one_pixel(said, tmp_path):
    Image.new("RGB", (1, 1), (200, 30, 90)).save(tmp_path / "dot.png")
    flat = np.full((64, 64, 3), (200, 30, 90), np.uint8)
    expected = [f"{p:.4f}  {label}" for label, p in minicnn.load("minivgg").classify(flat)]
    assert said("classify", tmp_path / "dot.png").splitlines() == expected
    said("texture", tmp_path / "dot.png", "--steps", 1, "--out", tmp_path / "t.png")
    assert images.load(tmp_path / "t.png").shape == (64, 64, 3)

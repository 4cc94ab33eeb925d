"""The command classify, on photos of every kind."""

import warnings

import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import images, vis
from minicnn.cli import main
from minicnn.network import Network
from minicnn.report import probabilities

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


def test_a_plot_of_all_probabilities(said, weights, photo, tmp_path, monkeypatch):
    seen, draw = [], probabilities.draw
    monkeypatch.setattr(probabilities, "draw", lambda *given: seen.append(given) or draw(*given))
    plain = said("classify", "--weights", weights, photo, photo)
    assert said("classify", "--weights", weights, photo, photo, "--top", 3, "--plot",
                tmp_path / "p.png").splitlines()[1:4] == plain.splitlines()[1:4]
    (photos, name, top), = seen
    assert (len(photos), name(2), top) == (2, NETWORK.label(2), 3)
    x = NETWORK.prepare(photo)
    np.testing.assert_array_equal(photos[1].probabilities, NETWORK.probabilities(x)[0])
    np.testing.assert_array_equal(photos[0].photo, NETWORK.restore(x)[0])
    assert photos[0].title == photo.name and images.load(tmp_path / "p.png").shape[1] == 704


@pytest.mark.parametrize("name, words", [
    ("p.gif", "end the name in one of"), ("n/p.png", "folder")])
def test_where_no_plot_can_be_is_told_before_the_work(complaint, weights, photo, tmp_path,
                                                      monkeypatch, name, words):
    monkeypatch.setattr(Network, "probabilities", None)
    assert words in complaint("classify", "--weights", weights, photo, "--plot", tmp_path / name)
    assert "room for 1 to 20 photos" in complaint("classify", "--weights", weights, *[photo] * 21,
                                                  "--plot", tmp_path / "p.png")


def test_what_the_network_sees_of_an_enlarged_picture_is_told(said, weights, tmp_path, capsys):
    """The picture itself is classified as the result was; of the enlarged one there is a warning.
    """
    said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1, "--out",
         tmp_path / "m.png")
    record = vis.maximize(NETWORK, "relu2", steps=1)
    expected = [f"{p:.4f}  {label}" for label, p in NETWORK.classify(record.image)]
    assert said("classify", "--weights", weights,
                tmp_path / "m" / "m.png").splitlines() == expected
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # which the tests make errors
        assert main(["classify", "--weights", str(weights), str(tmp_path / "m.png")]) == 0
    told = capsys.readouterr().err
    assert told.startswith(f"minicnn: warning: {tmp_path / 'm.png'}: enlarged by minicnn for")
    assert told.count("\n") == 1


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
    assert images.load(tmp_path / "t" / "t.png").shape == (64, 64, 3)

"""The tour: every picture the page names is there, computed from what was given."""

import re

import nets
import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import images
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, ReLU, Softmax
from minicnn.report import tour as pages
from minicnn.report.tour import tour

PICTURES = ["photo.png", "filters.png", "classes.png", "deconvnet.png", "texture.png"]


@pytest.fixture
def short(monkeypatch):
    """Fewer pictures and fewer steps of each: the tour's own numbers take half a minute."""
    full = {name: getattr(pages.vis, name) for name in ("maximize", "texture")}

    class Short:
        deconvnet = staticmethod(pages.vis.deconvnet)

        @staticmethod
        def maximize(network, layer, channel, steps=9, **more):
            return full["maximize"](network, layer, channel, steps=min(steps, 3), **more)

        @staticmethod
        def texture(network, image, **more):
            return full["texture"](network, image, steps=3, **more)

    monkeypatch.setattr(pages, "vis", Short)
    monkeypatch.setattr(pages, "CLASSES", 3)
    monkeypatch.setattr(pages, "FILTERS", 2)


def read(index):
    return index.read_text(encoding="utf-8")


def test_every_file_the_page_names_is_a_picture_and_there_are_no_others(short, tmp_path):
    index = tour(small.network(), small.photo(), tmp_path / "new" / "tour")
    assert index == tmp_path / "new" / "tour" / "index.html"
    named = re.findall(r'src="([^"]+)"', read(index))
    assert named == PICTURES
    assert sorted(file.name for file in index.parent.iterdir()) == sorted([*named, "index.html"])
    for name in named:
        with Image.open(index.parent / name) as picture:
            picture.load()
            pixels = np.asarray(picture)
        assert picture.format == "PNG" and pixels.shape[2] == 3
        assert pixels.std() > 5  # not a blank sheet


def test_the_page_stands_alone_and_tells_the_commands(short, tmp_path):
    text = read(tour(small.network(), small.photo(), tmp_path))
    assert "http:" not in text and "https:" not in text
    for command in ("classify", "maximize", "deconvnet", "texture"):
        assert f"<pre>minicnn {command} " in text
    assert "How small sees" in text


def test_the_shipped_network_with_the_photo_that_comes_along(short, tmp_path):
    """Its numbers are those of the methods: the five classes and their probabilities."""
    from matplotlib import cbook

    network = minicnn.load("minivgg")
    text = read(tour(network, folder=tmp_path))
    best = network.classify(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    assert len(best) == 5
    for label, probability in best:
        assert f"{label} {probability:.1%}" in text
    assert "grace_hopper.jpg</pre>" in text  # the commands name the photo that was taken
    for name in ("conv1_1", "relu4_1"):  # a row of filters; the unit that was projected
        assert name in network.names
    assert "minivgg relu4_1 channel" in text


def test_a_photo_given_is_the_photo_shown(short, tmp_path):
    path = small.picture_file(tmp_path)
    text = read(tour(small.network(), path, tmp_path / "t"))
    assert f"minicnn classify {path}" in text and f"minicnn texture {path}" in text
    shown, expected = images.load(tmp_path / "t" / "photo.png"), small.photo()
    inside = shown[8:-8, 8:-8]  # without the margin: 16 x 20, enlarged to 205 x 256
    back = images.resize(inside, (16, 20), "box").astype(int)
    assert np.abs(back - expected).mean() < 6  # of 255: enlarged smoothly, reduced by means


def test_an_array_given_works_and_its_numbers_are_not_printed(short, tmp_path):
    text = read(tour(small.network(), small.photo(), tmp_path))
    assert "[[" not in text


def test_the_same_seed_gives_the_same_bytes(short, tmp_path):
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, seed in zip(folders, (0, 0, 1), strict=True):
        tour(small.network(), small.photo(), folder, seed)
    one, two, other = ({name: (folder / name).read_bytes() for name in PICTURES}
                       for folder in folders)
    assert one == two
    assert one["filters.png"] != other["filters.png"] and one["photo.png"] == other["photo.png"]


def test_an_older_tour_is_replaced_and_other_files_stay(short, tmp_path):
    (tmp_path / "index.html").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    index = tour(small.network(), small.photo(), tmp_path)
    assert read(index) != "old" and (tmp_path / "mine.txt").read_text() == "mine"


def test_a_photo_that_is_not_there(short, tmp_path):
    with pytest.raises(images.ImageError, match="no such file"):
        tour(small.network(), tmp_path / "missing.png", tmp_path / "t")


def without(what):
    network = small.network()
    if what == "labels":
        network.labels = None
        return network
    layers = [("fc", Dense(4)), ("prob", Softmax())]
    if what == "a second convolution":
        layers = [("conv", Conv(4, 3)), ("relu", ReLU()), *layers]
    return nets.trained(Network("plain", layers, (16, 20, 3), network.preprocessing, small.LABELS),
                        dtype=np.float32)


@pytest.mark.parametrize("what", ["labels", "a second convolution", "convolutions"])
def test_a_network_that_lacks_something_gets_a_tour_or_a_clear_error(short, what, tmp_path):
    try:
        index = tour(without(what), small.photo(), tmp_path)
    except ValueError as error:
        assert "tour" in str(error) and "\n" not in str(error)
    else:
        assert index.is_file()

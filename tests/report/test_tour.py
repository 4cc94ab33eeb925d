"""The tour: the page of what its stops made."""

import re
import shlex
from html import unescape

import nets
import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import images
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, ReLU, Softmax
from minicnn.report import claims, stops
from minicnn.report import tour as pages
from minicnn.report.tour import tour

QUICK = ("kernels.png", "deconvnet.png", "gradcam.png")
FIGURES = ("figure-windows.html", "figure-way-down.html", "figure-pooling.html")
CLAIMS = (claims.parameter_totals, claims.pelican, claims.blank_with_depth,
          claims.mass_on_the_thing, claims.new_impressions)


@pytest.fixture
def short(monkeypatch):
    """Three quick stops, and five claims: `test_stops` and `test_claims` go to all of them."""
    monkeypatch.setattr(pages, "STOPS", [s for s in stops.STOPS if s.picture in QUICK])
    monkeypatch.setattr(pages, "CLAIMS", [c for c in claims.CLAIMS if c.measure in CLAIMS])


def read(index):
    return index.read_text(encoding="utf-8")


def test_every_file_the_page_names_is_a_picture_and_there_are_no_others(short, tmp_path):
    index = tour(small.network(), small.photo(), tmp_path / "new" / "tour")
    assert index == tmp_path / "new" / "tour" / "index.html"
    named = set(re.findall(r'(?:src|href)="([^"#]+)"', read(index)))
    assert named == {*QUICK, *FIGURES}
    assert {file.name for file in index.parent.iterdir()} == {*named, "index.html", "photo.png"}
    assert named <= set(pages.FILES)
    for name in QUICK:
        with Image.open(index.parent / name) as picture:
            picture.load()
            pixels = np.asarray(picture)
        assert picture.format == "PNG" and pixels.shape[2] == 3
        assert pixels.std() > 5  # not a blank sheet


def test_the_page_stands_alone_and_tells_commands_code_and_lessons(short, tmp_path):
    text = read(tour(small.network(), small.photo(), tmp_path))
    assert "http:" not in text and "https:" not in text and "How small sees" in text
    for stop in pages.STOPS:
        name = stop.make.__name__
        assert f"<pre>minicnn {stop.command.split()[0]}" in text and f'id="{name}"' in text
        assert "--weights small" in text
        assert f"def {name}(net, photo, seed):\n    " in text
        assert f"minicnn lesson {stop.lesson}" in text
    assert text.count('alt=""') == 0 and '"""' not in text


@pytest.mark.thorough
def test_the_shipped_network_knows_the_picture_that_is_drawn(short, tmp_path):
    pages.STOPS.insert(0, stops.STOPS[0])
    text = read(tour(minicnn.load("minivgg"), folder=tmp_path))
    assert re.search(r"ladybug \d\d\.\d%", text)
    assert f"minicnn classify {tmp_path / 'photo.png'} --plot classify.png<" in text


def test_a_photo_given_is_the_photo_shown(short, tmp_path):
    path = small.picture_file(tmp_path)
    text = read(tour(small.network(), path, tmp_path / "t"))
    assert f"minicnn gradcam {path}" in text and not (tmp_path / "t" / "photo.png").exists()
    assert "needs the outline of the thing in the photo" in text


def test_commands_and_code_carry_what_the_tour_was_given(short, tmp_path):
    """Names that a shell would take apart, too."""
    text = read(tour(small.network(), small.photo(), tmp_path, 7, weights="my net.h5",
                     labels="names.txt"))
    for command in re.findall("<pre>(minicnn .*?)</pre>", text):
        words = shlex.split(unescape(command))
        assert words[-6:] == ["--weights", "my net.h5", "--labels", "names.txt", "--seed", "7"]
    assert "minicnn.load(&#x27;my net.h5&#x27;, label_file=&#x27;names.txt&#x27;)" in text


def test_the_table_of_claims(short, tmp_path):
    """What is measured, what comes from a record, what cannot be said here."""
    text = read(tour(small.network(), folder=tmp_path))
    rows = dict(re.findall('<tr id="(.*?)">(.*?)</tr>', text, re.S))
    assert list(rows) == [c.measure.__name__ for c in pages.CLAIMS]
    assert "93,322" in rows["parameter_totals"] and "Measured just now" in rows["parameter_totals"]
    assert "Confirmed" in rows["parameter_totals"] and "Kuan-Ting Lai" in rows["parameter_totals"]
    assert "From a record, made by <code>minicnn bench classes</code>" in rows["pelican"]
    assert re.search("minialex: [0-9]+% of the map&#x27;s mass", rows["mass_on_the_thing"])
    assert "Not measured" in rows["new_impressions"]
    assert "“Where does a dream lead?”" in rows["new_impressions"]
    assert "5 claims" in text and "seed doc" not in text


@pytest.mark.parametrize("when", ["gradcam.png", "blank_with_depth"])
def test_ctrl_c_keeps_what_is_done_and_says_so(short, tmp_path, monkeypatch, when):
    def stopped(one):
        if getattr(one, "picture", one[0]) == when:
            return one._replace(make=broken_stop)
        return one._replace(measure=broken_claim) if one[0].__name__ == when else one

    def broken_stop(net, photo, seed):
        """Interrupted"""
        raise KeyboardInterrupt

    def broken_claim(net):
        """Interrupted"""
        raise KeyboardInterrupt

    monkeypatch.setattr(pages, "STOPS", list(map(stopped, pages.STOPS)))
    monkeypatch.setattr(pages, "CLAIMS", list(map(stopped, pages.CLAIMS)))
    with pytest.raises(KeyboardInterrupt, match="shows what was done until then"):
        tour(small.network(), small.photo(), tmp_path)
    text = read(tmp_path / "index.html")
    assert "The tour was interrupted" in text and "deconvnet.png" in text
    assert ("What the sources say" in text) == (when != "gradcam.png")


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_bytes(short, tmp_path):
    one, two = ({name: (tour(small.network(), small.photo(), tmp_path / folder).parent
                        / name).read_bytes() for name in QUICK} for folder in "ab")
    assert one == two


def test_a_stop_that_cannot_be_made_says_why(short, tmp_path, monkeypatch):
    def broken(net, photo, seed):
        """A picture?

        There is none.
        """
        raise ValueError("no <ffmpeg> here")

    monkeypatch.setattr(pages, "STOPS", [*pages.STOPS,
                                         stops.Stop(broken, "x.png", "broken", 1, "")])
    text = read(tour(small.network(), small.photo(), tmp_path))
    assert "Left out: no &lt;ffmpeg&gt; here" in text and "x.png" not in text
    assert "minicnn broken" not in text


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
    if what == "class scores":
        layers = [("c1", Conv(4, 3)), ("r1", ReLU()), ("c2", Conv(4, 3)), ("r2", ReLU())]
        return nets.trained(Network("cut", layers, (16, 20, 3), network.preprocessing),
                            dtype=np.float32)
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


def test_without_class_scores_some_stops_are_left_out(short, tmp_path):
    """Each with its reason, and the claims that need them, too."""
    text = read(tour(without("class scores"), folder=tmp_path))
    assert text.count("Left out: ") == 1 and text.count("network cut ends at layer r2") == 1
    assert "this needs the pictures of “Where is the evidence?”, which were left out" in text
    assert "kernels.png" in text and "deconvnet.png" in text and "gradcam.png" not in text


@pytest.mark.thorough
def test_googlenet(shared_data, short, tmp_path):
    """Branches, LRN, classes with several names; its Grad-CAM lies on the beetle."""
    path = shared_data / "weights/googlenet_bvlc.h5"
    text = read(tour(minicnn.load(path), folder=tmp_path, weights=path))
    assert "Left out" not in text and f"--weights {path}" in text
    assert "--layer inception_5a/output" in text
    row = re.search('<tr id="mass_on_the_thing">.*?</tr>', text, re.S)[0]
    assert 'class="verdict yes"' in row and "covers 33%" in row


@pytest.mark.thorough
def test_a_vgg_that_was_cut_off(shared_data, short, tmp_path):
    path = shared_data / "weights/vgg16_blocks12.h5"
    text = read(tour(minicnn.load(path), folder=tmp_path, weights=path))
    assert text.count("Left out: ") == 1 and "kernels.png" in text
    assert f"minicnn deconvnet {tmp_path / 'photo.png'} --layer relu2_1 --weights {path}" in text


@pytest.mark.parametrize(("label", "called"), [
    ("cat", "cat"), ("--frames=over.gif", "0"), ("7", "0"), ("a..b", "0"), ("a\x1bb", "0")])
def test_a_class_that_would_be_read_as_something_else_is_called_by_its_number(label, called):
    network = small.network()
    network.labels = [label, "b", "c", "d"]
    assert pages._name(network, 0) == called


def test_a_path_that_would_be_read_as_an_option():
    assert pages._quoted("-d.png") == "./-d.png" and pages._quoted("my d.png") == "'my d.png'"

"""The HTML by which things show themselves in a notebook."""

import base64
import re
from html.parser import HTMLParser

import browser
import numpy as np
import pytest

from minicnn import images
from minicnn.images import display, markup

EVIL = '<script>alert("1")</script>\x1b[2J'


def pictures(page):
    """The pictures within some HTML, as arrays."""
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', page)
    return [images.decode(base64.b64decode(one)) for one in found]


def well_formed(page):
    """Raise unless every tag is closed in its order, and return the tags."""
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.seen = [], []

        def handle_starttag(self, tag, attributes):
            self.seen.append(tag)
            self.open += [] if tag in ("img", "br", "polyline") else [tag]

        def handle_endtag(self, tag):
            if tag not in ("polyline",):
                assert self.open.pop() == tag

    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader.seen


def test_words_are_escaped_once():
    shown = markup.text(EVIL)
    assert shown == "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\\x1b[2J"
    assert markup.text(shown) is shown and markup.text(3) == "3"
    page = markup.table([EVIL], [[EVIL, markup.paragraph(EVIL)]]) + markup.folded(EVIL, shown)
    assert well_formed(page).count("script") == 0 and page.count("&lt;script") == 5


def test_a_table():
    page = markup.table(("a", "b"), [("x", 1), ("y", 2)], right=(1,))
    assert well_formed(page).count("tr") == 3
    assert re.findall(r"text-align:(\w+)[^>]*>([^<]+)</td>", page) == [
        ("left", "x"), ("right", "1"), ("left", "y"), ("right", "2")]


def test_a_long_table_scrolls_and_a_shorter_one_is_there_as_a_whole():
    """What scrolls is lost where a notebook is printed."""
    assert "max-height" not in markup.table("a", [["x"]] * 40)
    assert "max-height" in markup.table("a", [["x"]] * 41)


JUPYTER = "img, svg {max-width: 100%; height: auto}"  # of JupyterLab and nbconvert


@pytest.mark.thorough
def test_pictures_have_their_size_in_a_notebook(tmp_path):
    bar, page = display.ColourBar(0, 1, "a unit"), tmp_path / "notebook.html"
    shown = markup.side_by_side([markup.View("a", "a", np.zeros((8, 16, 3), np.uint8), bar)])
    page.write_text(f"<style>{JUPYTER}</style><div style='width:100px'>{shown}"
                    f"{markup.heat(np.eye(3))}{markup.curve([1, 2])}</div>", encoding="utf-8")
    with browser.opened() as tab:
        tab.go(page)
        sizes = tab.value("[...document.querySelectorAll('img, svg')].map(one => "
                          "one.getBoundingClientRect()).map(one => [one.width, one.height])")
    assert sizes == [[192, 96], [120, 10], [40, 40], [120, 40]]


def test_a_small_picture_is_kept_and_shown_larger():
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    page = markup.picture(pixels, EVIL, blocks=True)
    np.testing.assert_array_equal(pictures(page)[0], pixels)
    assert 'width="192" height="128"' in page and "pixelated" in page and "<script" not in page


@pytest.mark.parametrize("among, side", [(1, 448), (2, 320), (5, 192), (12, 112), (99, 112)])
def test_a_large_picture_is_reduced_and_stays_small(among, side):
    noise = np.random.default_rng(0).integers(0, 256, (500, 1000, 3), dtype=np.uint8)
    page = markup.picture(noise, among=among)
    (found,) = pictures(page)
    assert found.shape[1] == side and abs(found.shape[0] - side / 2) <= 1
    assert among * len(page) < 300_000 or among > 16


def test_a_map_is_a_thumbnail_in_viridis():
    values = np.linspace(-1, 3, 12).reshape(3, 4)
    (found,) = pictures(markup.heat(values))
    np.testing.assert_array_equal(found, display.coloured(display.to_uint8(values)))
    large = markup.heat(np.random.default_rng(0).random((300, 200)))
    assert max(pictures(large)[0].shape) <= 40 and len(large) < 4000


def test_a_map_with_what_is_no_number():
    values = np.array([[np.nan, 1.0], [2.0, np.inf]])
    (found,) = pictures(markup.heat(values))
    assert (found[0, 0] == found[0, 1]).all()  # as the least
    assert pictures(markup.heat(np.full((2, 2), np.nan)))[0].shape == (2, 2, 3)


def test_views_with_labels_and_colour_bars():
    bar = display.ColourBar(-0.5, 12345.0, "score", "inferno")
    page = markup.side_by_side([
        markup.View("a", EVIL, np.zeros((8, 8, 3), np.uint8), bar),
        markup.View("b", "", np.zeros((8, 8, 3), np.uint8))])
    first, ramp, _ = pictures(page)
    np.testing.assert_array_equal(
        ramp, display.coloured(np.arange(256, dtype=np.uint8)[None], "inferno"))
    assert "-0.5" in page and "1.23e+04" in page and "score" in page
    assert "script" not in well_formed(page)


def test_some_are_spread_evenly():
    assert markup.some(range(10), 4) == [0, 3, 6, 9]
    assert markup.some("ab", 4) == ["a", "b"] and markup.some([], 4) == []


def test_a_sheet_of_pictures():
    tiles = np.zeros((5, 2, 2, 3), np.uint8)
    view = markup.sheet("a", tiles, 3, "words")
    np.testing.assert_array_equal(view.picture, display.tiled(tiles, 3))
    assert view.blocks and view.label == "words"


def test_a_curve():
    page = markup.curve([1.0, np.nan, *range(1000)], "objective:")
    well_formed(page)
    assert "objective: 1 to 999" in page and len(page) < 3000
    assert markup.curve([1.0]) == markup.curve([np.nan, np.inf]) == ""

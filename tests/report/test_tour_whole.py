"""The whole tour of the shipped network: its pictures, its commands, its code, in a browser."""

import re
import shlex
import time
from html import unescape

import browser
import numpy as np
import pytest

import minicnn
from minicnn import images
from minicnn.cli import main
from minicnn.report import canvas, claims, stops
from minicnn.report import tour as pages

pytestmark = pytest.mark.thorough

QUICK = {"classify", "kernels", "activations", "maximize", "deconvnet", "strongest", "saliency",
         "gradcam", "occlusion", "hypercolumns", "texture", "compare", "dream"}
AT_ITS_SIZE = {"classes.png": 8, "texture.png": 1}  # whose sheet the tour alone makes: its pictures
SLOW = {"dream.png", "zoom.png", "invert.png", "style.png", "train.png", "filters.png"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tour, about a minute of work; with a seed, which its commands and code have to carry."""
    return pages.tour(minicnn.load("minivgg"), None, tmp_path_factory.mktemp("a tour"), 1).parent


def page(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


def test_it_makes_all_pictures_and_measures_all_claims(folder):
    assert {file.name for file in folder.iterdir()} == set(pages.FILES)
    assert "Left out" not in page(folder) and page(folder).count("Not measured") == 1
    for stop in stops.STOPS:
        picture = images.load(folder / stop.picture)
        assert picture.std() > 5  # not blank
    rows = re.findall('<tr id="(.*?)">', page(folder))
    assert rows == [claim.measure.__name__ for claim in claims.CLAIMS]


def test_its_commands_make_its_pictures(folder, tmp_path, monkeypatch, capsys):
    """Sheets to the byte. Of those that the tour alone lays out, every picture is on them."""
    monkeypatch.chdir(tmp_path)
    commands = re.findall("<pre>(minicnn .*?)</pre>", page(folder))
    assert len(commands) == len(stops.STOPS)
    for stop, command in zip(stops.STOPS, commands, strict=True):
        _, name, *words = shlex.split(unescape(command))
        if name not in QUICK:
            continue
        assert main([name, *words]) == 0, command
        if name == "strongest":
            (made,) = (tmp_path / "strongest").glob("*.png")
        else:
            made = tmp_path / stop.picture
        if stop.picture not in AT_ITS_SIZE:
            assert made.read_bytes() == (folder / stop.picture).read_bytes(), command
            continue
        itself = sorted((tmp_path / made.stem).glob("*.png"))
        assert len(itself) == AT_ITS_SIZE[stop.picture]
        sheet = images.load(folder / stop.picture).astype(int)
        for one in map(images.load, itself):
            assert nearest(sheet, one) < 1.5, command  # rounding, grey levels


def nearest(sheet, picture):
    """The smallest mean difference of a picture, enlarged to a tile, from a place of a sheet."""
    side = 192 if sheet.shape[1] > 600 else 256
    tile = images.resize(picture, (side, side), "lanczos").astype(int)
    rows, columns = (range(8, n - side + 1, 1) for n in sheet.shape[:2])
    rough = [(np.abs(sheet[r : r + side : 16, c : c + side : 16] - tile[::16, ::16]).mean(), r, c)
             for r in rows for c in columns]
    _, r, c = min(rough)
    return np.abs(sheet[r : r + side, c : c + side] - tile).mean()


def test_its_code_makes_its_pictures(folder, tmp_path, monkeypatch):
    """Pasted as it stands; and the lines that measure a claim."""
    monkeypatch.chdir(tmp_path)
    codes = re.findall("<summary>in Python</summary><pre>(.*?)</pre>", page(folder), re.S)
    live = [claim for claim in claims.CLAIMS if not claim.record]
    assert len(codes) == len(stops.STOPS) + len(live)
    for stop, code in zip(stops.STOPS, codes, strict=False):
        if stop.picture not in SLOW:
            exec(unescape(code), {})  # noqa: S102 - what the page shows
            assert (tmp_path / stop.picture).read_bytes() == (folder / stop.picture).read_bytes()
    for code in codes[len(stops.STOPS) :]:
        if "stops.zoomed" not in code and "stops.inverted" not in code and "grown" not in code:
            exec(unescape(code), {})  # noqa: S102


EAGER = "document.querySelectorAll('img').forEach(one => one.loading = 'eager')"
LOADED = "[...document.images].every(one => one.complete)"
MISSING = "[...document.images].filter(one => !one.naturalWidth).map(one => one.src)"
ALT = "[...document.images].map(one => one.alt)"
SMALLEST = """Math.min(...[...document.querySelectorAll("body *")].filter(one =>
  [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
  && getComputedStyle(one).display !== "none")
  .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
SCALES = """[...document.querySelectorAll("figure img")].map(one =>
  [one.getAttribute("src"), one.getBoundingClientRect().width / one.naturalWidth])"""
WIDE = """[document.documentElement.scrollWidth, document.documentElement.clientWidth]"""
OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"
SHOW = "document.querySelector({!r}).scrollIntoView()"


def wait_for(tab, expression):
    end = time.monotonic() + browser.PATIENCE
    while not (expression() if callable(expression) else tab.value(expression)):
        tab.value("0")  # which reads what the browser tells
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def test_in_a_browser_wide_and_narrow(folder):
    with browser.opened() as tab:
        for width in (1280, 390):
            tab.size(width, 900)
            tab.requests.clear()
            tab.go(folder / "index.html")
            tab.value(EAGER)
            wait_for(tab, LOADED)
            assert tab.value(MISSING) == []
            alts = tab.value(ALT)
            assert len(alts) == len(stops.STOPS) + len(stops.BEST) + 1
            assert all(len(alt.split()) >= 4 for alt in alts) and len(set(alts)) == len(alts)
            full, seen = tab.value(WIDE)
            assert full <= seen, f"{full} pixels wide in {seen}"
            assert tab.value(SMALLEST) >= 12
            assert [name for name, scale in tab.value(SCALES) if scale < 0.999] == []
            assert canvas.TEXT_SIZE >= 12  # so a sheet's labels are as large, at scale 1
            tab.value(OPEN)
            full, seen = tab.value(WIDE)
            assert full <= seen and tab.value(SMALLEST) >= 12
            for figures in pages.FIGURES.values():
                for name in figures:
                    tab.value(SHOW.format(f"iframe[src='{name}']"))
                    wait_for(tab, lambda name=name: any(url.endswith(name) for url in tab.requests))
            time.sleep(0.5)  # for complaints of the figures
            assert {url.partition(":")[0] for url in tab.requests} <= {"file", "about", "data"}
        assert tab.complaints == []

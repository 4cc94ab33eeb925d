"""The book as Sphinx builds it: all lessons, every public name, nothing from a network."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minicnn

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "lessons" / "book"
COMMAND = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", str(BOOK)]


@pytest.fixture(scope="module")
def reference():
    """The module that makes the pages of the reference."""
    pytest.importorskip("jupytext", reason="the book's packages: pip install '.[book]'")
    spec = importlib.util.spec_from_file_location("reference", BOOK / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rest(reference, text):
    """A docstring as the book's reStructuredText."""
    lines = text.splitlines()
    reference.prepare(None, "function", "f", None, None, lines)
    return "\n".join(lines).strip()


def test_formulas_and_columns_stay_as_they_are_and_text_is_text(reference):
    made = rest(reference, "The sum a*b of `x` | y.\n\n    y = a * b\n\n    z = y_\n\n"
                           "one   first\ntwo   second, which\n      goes on\n\nThe end.")
    assert made == ("The sum a\\*b of `x` \\| y.\n\n::\n\n        y = a * b\n\n        z = y_\n\n"
                    "    one   first\n    two   second, which\n          goes on\n\nThe end.")


def test_a_titled_part_becomes_one_and_a_table_a_table(reference):
    made = rest(reference, "A page.\n\nForward\n    Take *x*.\n\n        y = 2 x\n\n"
                           "| file | what |\n|---|---|\n| a.py | one |")
    assert ".. rubric:: Forward\n\nTake \\*x\\*.\n\n::\n\n        y = 2 x" in made
    assert made.endswith("   * - file\n     - what\n   * - a.py\n     - one")


def test_numpydoc_s_sections_are_left_to_numpydoc(reference):
    made = rest(reference, "Do it.\n\nParameters\n----------\nx : (N,) array\n    A | B.")
    assert made == "Do it.\n\nParameters\n----------\nx : (N,) array\n    A \\| B."


def test_what_a_lesson_uses(reference):
    text = ("# %%\nimport minicnn\nfrom minicnn import vis\nfrom minicnn.ops import conv as c\n"
            "net = minicnn.load('minivgg')\nvis.texture(net)\ny = c.forward(net)\nnet.rows\n")
    assert reference.used(text) == {
        "minicnn", "minicnn.foreign.load.load", "minicnn.vis", "minicnn.vis.texture.texture",
        "minicnn.ops.conv", "minicnn.ops.conv.forward"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The book without the lessons' results, which `test_lessons_all` looks after."""
    for package in ("sphinx", "myst_nb", "numpydoc", "furo"):
        pytest.importorskip(package, reason="the book's packages: pip install '.[book]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([*COMMAND, "-D", "nb_execution_mode=off", str(ROOT / "lessons"),
                           str(folder)], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.mark.thorough
def test_the_site(site, reference):
    """Every lesson and every public name; each name leads to its source; nothing is fetched."""
    lessons = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
    assert [path.stem for path in lessons] == sorted(
        page.stem for page in site.glob("[0-9][0-9]_*.html"))
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    anchors = {name for text in pages.values()
               for name in re.findall(r'id="(?:module-)?(minicnn[\w.]*)"', text)}
    public = {reference.home(f"minicnn.{room}.{name}") for room in reference.rooms()
              for name in getattr(getattr(minicnn, room), "__all__", ())} - {None}
    assert len(public) > 100 and public - anchors == set()
    conv = next(text for page, text in pages.items() if page.name == "ops.conv.html")
    assert "_modules/minicnn/ops/conv.html" in conv and "02_convolution.html" in conv
    for page, text in pages.items():
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*?src="([^"]+)"|<link[^>]*?href="([^"]+)"',
                            text)
        assert not [one for one in map("".join, loaded)
                    if "//" in one and not one.startswith("data:")], page

"""The page of `minicnn check`."""

import json
import re
import time
import types
from html.parser import HTMLParser

import browser
import handed_in
import numpy as np
import pytest

from minicnn.gradcheck.cause.evidence import Cause
from minicnn.gradcheck.judge import files, record
from minicnn.gradcheck.judge.step_sizes import error_by_step
from minicnn.gradcheck.mistakes import known
from minicnn.report import check

ALONE = {"meta", "img", "rect"}


class Reader(HTMLParser):
    """Gathers words and attributes, and checks that every tag that opens closes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.attributes = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ALONE:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.words.append(data)


def written(path, *texts, change=lambda one: one, **how):
    """(the page's text, its Reader) of layers in a text."""
    module = types.ModuleType("mine")
    exec("\n".join(texts), vars(module))
    with files.opened(module) as layers:
        done = [change(files.judged(layers, one, quick=True, curve=error_by_step))
                for one in layers.found]
    check.write(path, record.as_dict("mine.py", done, len(done), **how), done)
    text = path.read_text(encoding="utf-8")
    return text, Reader(text)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("page") / "p.html", handed_in.CROPPED_CONV,
                   handed_in.RELU, handed_in.GREEDY_TANH, handed_in.WRONG_OWN)


def test_it_stands_alone(page):
    text, reader = page
    sources = [value for name, value in reader.attributes if name in ("src", "href")]
    assert all(value.startswith(("data:image/png;base64,", "#op")) for value in sources)
    assert "http" not in text and "@import" not in text
    assert re.findall("<script[^>]*>", text) == [  # of the step figure: numbers, script, its start
        '<script type="application/json" id="data">', '<script type="application/json" id="steps">',
        "<script>"]


def test_both_verdicts_and_points_are_in_the_overview(page):
    text, reader = page
    words = " ".join(" ".join(reader.words).split())
    assert "minicnn check mine.py" in words and "1 of 4 ops are right." in words
    assert re.search(r"conv \(naive\) wrong right \d\d% \(\d+ of \d+\) 100%", words)
    assert "relu right right 100%" in words and "tanh (Tanh) right wrong 100%" in words
    assert text.count("<svg") == 1 and text.count("data:image/png") == 2  # conv; conv and swish


def test_every_setting_is_in_a_table(page):
    words = page[1].words
    assert "plain 3x3, padded" in words and "settings" in " ".join(words)
    assert any("has no groups" in word for word in words)


def test_the_cause_and_the_smallest_input(tmp_path):
    def change(one):
        cause, found = Cause("padding", "dx is <shifted>", "cropped"), one.verdict.smallest
        found = found._replace(row=found.row._replace(words="dx[0] is <1>, expected 2"),
                               code="x = np.ones((1, 1))\nassert x < 2 & x > 1\n")
        return one._replace(verdict=one.verdict._replace(cause=cause, smallest=found))

    text, reader = written(tmp_path / "p.html", handed_in.CROPPED_CONV, change=change)
    assert "dx is <shifted>" in reader.words and "dx[0] is <1>, expected 2" in reader.words
    assert "<pre>x = np.ones((1, 1))\nassert x &lt; 2 &amp; x &gt; 1</pre>" in text


def figures(text):
    return [json.loads(one) for one in re.findall(
        '<script type="application/json" id="data">(.*?)</script>', text)]


def test_the_step_figure_of_the_smallest_input(page, tmp_path):
    """The course's images are N,C,H,W, the figure's H,W,C; what is right has none."""
    (data,) = figures(page[0])
    assert data["kind"] == "back" and data["opened"]["view"] == "dx"
    lines = next(one for one in page[1].words if one.startswith("import numpy"))
    given = {"np": np}
    exec("\n".join(re.findall("^(?:x|w|b|dy) = .*$", lines, re.M)), given)
    assert data["x"] == given["x"][0].transpose(1, 2, 0).tolist()
    assert data["w"] == given["w"].transpose(2, 3, 1, 0).tolist()
    assert data["dy"] == given["dy"][0].transpose(1, 2, 0).tolist()
    relu, right = (written(tmp_path / f"{index}.html", layer)[0] for index, layer in enumerate((
        handed_in.WRONG_RELU, handed_in.RELU)))
    assert [one["kind"] for one in figures(relu)] == ["relu"]
    assert "<script" not in right and "<details class" not in right


@pytest.mark.thorough
@pytest.mark.parametrize("op, kind", [("conv", "back"), ("pool", "pool"), ("relu", "relu"),
                                      ("lrn", "lrn")])
def test_each_op_with_a_figure(op, kind, tmp_path):
    wrong = next(one for one in known(op) if one.cause in ("missing", "overlap", "mask",
                                                           "cross term"))
    names = f"{op}_forward, {op}_backward, LAYOUT = forward, backward, 'NHWC'"
    text, _ = written(tmp_path / "p.html", wrong.source, names)
    (data,) = figures(text)
    assert data["kind"] == kind and "Your code gave <i>d" in text


@pytest.mark.thorough
def test_a_reader_unfolds_it(page, tmp_path):
    (tmp_path / "p.html").write_text(page[0], encoding="utf-8")
    with browser.opened(390) as tab:
        tab.go(tmp_path / "p.html")
        tab.value("document.querySelector('details.steps summary').click()")
        one = "document.querySelector('iframe').contentDocument.querySelector('td.one')"
        end = time.monotonic() + 20
        while not tab.value(f"Boolean({one})"):
            assert time.monotonic() < end, "the figure does not appear"
            time.sleep(0.05)
        assert tab.complaints == [] and {url.split(":")[0] for url in tab.requests} <= {
            "file", "about", "data"}


def test_what_has_no_verdict(tmp_path):
    text, reader = written(tmp_path / "p.html", handed_in.RELU, change=lambda one: one._replace(
        verdict=None, told="", error="mine.py: it ended <Python>"))
    assert "mine.py: it ended <Python>" in " ".join(reader.words) and "no answer" in text
    check.write(tmp_path / "e.html", record.as_dict("mine.py", [], 0, error="no <file>"), [])
    assert "no &lt;file&gt;" in (tmp_path / "e.html").read_text()

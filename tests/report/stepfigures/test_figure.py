"""The page of a step figure: it stands alone, and nothing in it can break out of its place."""

import json
import re

import pytest

from minicnn.report.stepfigures.figure import HERE, StepFigure, about

FIGURE = StepFigure(title="A <title>", lead="One sentence.", still=["<p>still</p>"],
                    data={"kind": "x", "label": "</script><script>alert(1)"}, text=about(
                        "minicnn.ops.conv", 3, "Words.", "<pre>y = x</pre>"))


def test_the_page_stands_alone(tmp_path):
    FIGURE.save(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page == FIGURE.html()
    assert "http:" not in page and "https:" not in page and "import(" not in page
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|<link|@import|url\(", page)
    assert "<p>still</p>" in page and "A &lt;title&gt;" in page
    assert "minicnn lesson 3<" in page and "minicnn explain conv<" in page
    assert "<p>Words.</p>" in page and "<pre>y = x</pre>" in page


def test_what_the_arrays_are_called_cannot_end_the_script():
    page = FIGURE.html()
    data = re.search('<script type="application/json" id="data">(.*?)</script>', page)[1]
    assert json.loads(data) == FIGURE.data and page.count("</script>") == 2


def test_a_notebook_shows_it_in_a_frame():
    shown = FIGURE._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "<script" not in shown
    assert repr(FIGURE) == "StepFigure('A <title>')"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="folder .*nowhere does not exist"):
        FIGURE.save(tmp_path / "nowhere" / "a.html")


def test_a_result_that_is_not_finite():
    figure = StepFigure(title="A", lead="", still=[], text=[], data={"y": [float("nan")]})
    with pytest.raises(ValueError, match="step figure 'A': a result is not finite; give smaller"):
        figure.html()


def test_the_script_and_the_style_are_short_lines():
    for name in ("steps.js", "steps.css"):
        lines = (HERE / name).read_text(encoding="utf-8").splitlines()
        assert max(map(len, lines)) <= 100

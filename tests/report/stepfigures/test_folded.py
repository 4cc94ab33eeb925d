"""Step figures folded away on a larger page."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import numpy as np

from minicnn.report.stepfigures import folded, step_gram, step_relu

FIGURE = step_relu([1.0, -2.0], [3.0, 4.0])


def test_a_figure_s_numbers_are_on_the_page():
    text = folded.details(FIGURE)
    (data,) = re.findall('<script type="application/json" id="data">(.*?)</script>', text)
    assert json.loads(data) == FIGURE.data
    outside = text[:text.index("<template>")]
    assert "<noscript>" in outside and "<td" in outside and "<script" not in outside


def test_no_figure():
    assert folded.details(None) == "" and folded.with_script(["<p>a</p>"]) == ["<p>a</p>"]


def test_the_script_is_there_once():
    two = folded.details(FIGURE) + folded.details(step_gram(np.ones((2, 2, 2))))
    page = "".join(folded.with_script(["<p>a</p>", two, two]))
    assert page.count("const FIGURES") == 1 and page.count("<template>") == 4
    assert page.startswith("<p>a</p><details") and len(page) < 110_000


def test_words_are_escaped():
    assert "<summary>&lt;b&gt;</summary>" in folded.details(FIGURE, "<b>")


def test_the_policy_allows_both_scripts():
    """The one that unfolds, and that of the frames, as they stand on the page."""
    *_, last = folded.with_script([folded.details(FIGURE)])
    shared = json.loads(re.search('id="steps">(.*?)</script>', last)[1])
    for script in (re.search(r"<script>(.*)</script>", last, re.S)[1],
                   re.search(r"<script>(.*)</script>", shared["after"], re.S)[1]):
        digest = b64encode(sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in folded.allowed()

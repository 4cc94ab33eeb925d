"""One student's page."""

import json
import re
import time

import a_class
import browser
import numpy as np
import pytest
from html_reader import Reader, check_harmless

from minicnn.course.assignments import assignment, planted
from minicnn.course.grader import by_op, student
from minicnn.course.handout.cut import solution
from minicnn.report.stepfigures.of_op import Answer

EVIL = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
        "</pre></section><h1>Points: 100</h1>", "&lt;b&gt;<b>", "</title><iframe src=//x>",
        "javascript:alert(1)", "\u202e\ud800\x00\x1b[2J<svg onload=alert(1)>", "<!-- ", "]]>"]


def page(result, tmp_path, **options):
    student.write(result, tmp_path / "s.html", **options)
    return (tmp_path / "s.html").read_text(encoding="utf-8")


def test_all_there_is_to_say(tmp_path):
    text = page(a_class.result(notes=["left out (a link): x.py"]), tmp_path)
    words = check_harmless(text)
    for part in ("Convolution, there and back: Ada", "12.5 of 25 points", "2.5 of 5 points,",
                 "y[0, 0] is 3, expected 4", "the kernel is flipped", "x = np.ones(3)\nprint(y)",
                 "--hint 2", "left out (a link): x.py", "wrong at: stride 2", "All 2 settings",
                 "difference: red too large"):
        assert part in words
    assert Reader(text).tags.count("img") == 3


def test_answers_in_words_are_shown(tmp_path):
    one = a_class.result()
    assert "There is no answer in words" in page(one, tmp_path)
    evil = "Because\n\n<script>alert(1)</script>"
    words = check_harmless(page(one._replace(answers={"convolution-4": evil}), tmp_path))
    assert "Your answer:" in words and evil in words


def test_inputs_and_pictures_of_answers_can_be_held_back(tmp_path):
    text = page(a_class.result(), tmp_path, inputs=False)
    assert "np.ones(3)" not in text and "<img" not in text


def test_the_network_s_picture(tmp_path):
    one = a_class.result()
    shown = one.outcomes[0]._replace(picture=np.zeros((8, 9, 3), np.uint8))
    text = page(one._replace(outcomes=[shown]), tmp_path)
    assert "made with your code" in check_harmless(text) and "<img" in text


@pytest.mark.parametrize("evil", EVIL)
def test_what_students_write_is_text(tmp_path, evil):
    one = a_class.result(evil, evil, [evil])
    check = one.outcomes[1].checks[1]._replace(name=evil, words=evil)
    bad = one.outcomes[1]._replace(words=evil, smallest=evil, checks=[check])
    text = page(one._replace(outcomes=[bad]), tmp_path)
    words = check_harmless(text)
    tags = [tag for tag in Reader(text).tags if tag in ("h1", "iframe", "svg", "b")]
    assert tags == ["h1", "b", "b"]
    if evil.isprintable():
        assert words.count(evil) >= 6


# ---- step figures

DATA = '<script type="application/json" id="data">(.*?)</script>'
FRAME = "document.querySelector('iframe').contentDocument"
GIVEN = re.compile(r"^(x|w|b|dy) = .*$", re.M)  # of the lines to paste
WRONG = [("convolution-2", "ignored"), ("convolution-5", "padding"), ("convolution-6", ""),
         ("convolution-7", "mean"), ("pooling-1", "mean"), ("pooling-4", ""), ("dense-2", ""),
         ("lrn-2", ""), ("lrn-5", "")]


def numbers(text):
    """The data of the figures on a page."""
    return [json.loads(one) for one in re.findall(DATA, text)]


def mistaken(question, words=""):
    """(assignment, source) with a planted mistake in a question."""
    one = assignment(question.rpartition("-")[0])
    found = [mistake for mistake in planted.mistakes(one.name) if question in mistake.questions
             and words in mistake.words and mistake.cause != "dtype"]
    return one, found[0].source


@pytest.mark.parametrize("question, words", [
    one if one[0] in ("convolution-5", "pooling-1") else pytest.param(
        *one, marks=pytest.mark.thorough) for one in WRONG])
def test_the_figure_has_the_very_numbers_of_the_smallest_input(question, words, graded, tmp_path,
                                                               monkeypatch):
    monkeypatch.setattr(by_op, "SEARCH", 0.3)
    result = graded(*reversed(mistaken(question, words)), questions=[question])
    text = page(result, tmp_path)
    check_harmless(text, scripts=3)  # the numbers, the script as data, what unfolds
    (data,), given = numbers(text), {"np": np}
    exec("\n".join(one[0] for one in GIVEN.finditer(result.outcomes[0].smallest)), given)
    assert "x" in given
    for name in {"x", "w", "b", "dy"} & {*given}:
        found = given[name] if name in "wb" or given[name].ndim < 4 else given[name][0]
        assert np.array(data[name]).ravel().tolist() == found.ravel().tolist(), name
    assert "Your code gave" in text or "has shape" in text


@pytest.mark.parametrize("question, words", [("pooling-2", ""), ("dense-3", ""), ("gram-1", "")])
def test_the_figure_of_calls(question, words, graded, tmp_path):
    text = page(graded(*reversed(mistaken(question, words)), questions=[question]), tmp_path)
    assert [one["kind"] for one in numbers(text)] == [
        {"p": "pool", "d": "relu", "g": "gram"}[question[0]]]


def test_right_answers_have_no_figure_and_no_script(graded, tmp_path):
    one = assignment("pooling")
    text = page(graded(solution(one), one, questions=["pooling-1", "pooling-2"]), tmp_path)
    check_harmless(text)
    assert "steps" not in text and "script-src" not in text


def with_figure(answer, name="Ada"):
    """A Result whose second question has an Answer at its smallest input."""
    one = a_class.result(name)
    return one._replace(outcomes=[one.outcomes[0], one.outcomes[1]._replace(shown=answer)])


def answer(got=((-2.0, 2.0),), **more):
    return Answer("conv", {"x": np.array([[[[2.0], [-1.0]]]]), "w": -np.ones((1, 1, 1, 1))}, more,
                  "y", None, np.array(got)[None, ..., None], np.array([[[[-2.0], [1.0]]]]))


@pytest.mark.parametrize("shown", [
    answer(groups=2), answer(stride="<script>"), answer(pad=99), answer(unknown=1),
    answer()._replace(op="<b>"), answer()._replace(inputs={"x": np.full((1, 1, 2, 1), np.inf),
                                                           "w": np.ones((1, 1, 1, 1))})])
def test_a_figure_that_cannot_be_made_leaves_the_page_as_it_is(shown, tmp_path):
    assert page(with_figure(shown), tmp_path) == page(with_figure(None), tmp_path)


def test_figures_are_held_back_with_inputs(tmp_path):
    assert numbers(page(with_figure(answer()), tmp_path))
    assert "steps" not in page(with_figure(answer()), tmp_path, inputs=False)


@pytest.mark.parametrize("got", [
    [["<script>alert(1)</script>", "</template>"]], [[np.nan, -np.inf]], [[1e308, 1]], [[1j, 2]],
    [["\ud800", "]]>"]]])
def test_odd_answers_do_no_harm(got, tmp_path):
    text = page(with_figure(answer(got), EVIL[1]), tmp_path)
    check_harmless(text, scripts=3)
    (data,) = numbers(text)
    assert data["library"]["y"] == [[[-2.0], [1.0]]] and "alert(1)</script>" not in text


@pytest.mark.thorough
@pytest.mark.parametrize("width", [1280, 390])
def test_a_student_unfolds_the_figure(width, tmp_path):
    """Its numbers are there, at the window that is wrong; nothing is asked of the network."""
    page(with_figure(answer(stride=(2, 1)), EVIL[0]), tmp_path)
    with browser.opened(width) as tab:
        tab.go(tmp_path / "s.html")
        assert tab.value("document.querySelectorAll('iframe').length") == 0
        tab.value("document.querySelector('details.steps summary').click()")
        end = time.monotonic() + 20
        while not tab.value(f"Boolean({FRAME}.querySelector('td.one'))"):
            assert time.monotonic() < end, "the figure does not appear"
            time.sleep(0.05)
        shown = {name: tab.value(f"[...{FRAME}.querySelectorAll('[data-panel={name}] td')].map("
                                 "one => +one.dataset.v)") for name in ("x", "y", "w")}
        assert shown == {"x": [2, -1], "y": [-2, 1], "w": [-1]}
        assert tab.value(f"{FRAME}.querySelector('td.one').dataset.v") == "1"
        assert "[[-2, 2]]" in tab.value(f"{FRAME}.querySelector('.lead').textContent")
        assert tab.value(f"{FRAME}.querySelector('[name=stride]').value") == "2x1"
        tab.value(f"{FRAME}.querySelector('button').click()")  # one step back
        assert tab.value(f"{FRAME}.querySelector('td.one').dataset.v") == "-2"
        time.sleep(0.2)  # the frame takes the height of what is in it
        assert tab.value(f"{FRAME}.documentElement.scrollHeight <= "
                         "document.querySelector('iframe').clientHeight")
        assert tab.value("document.documentElement.scrollWidth <= innerWidth")
        assert tab.value(f"{FRAME}.documentElement.scrollWidth <= "
                         "document.querySelector('iframe').clientWidth")
        assert tab.complaints == []
        assert {url.split(":")[0] for url in tab.requests} <= {"file", "about", "data"}

"""One student's page."""

import a_class
import numpy as np
import pytest
from html_reader import Reader, check_harmless

from minicnn.course.grader import student

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

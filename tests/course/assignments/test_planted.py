"""Planted mistakes, as they are listed."""

import pytest

from minicnn.course.assignments import assignments, planted
from minicnn.gradcheck.mistakes import CAUSES

NAMES = [one.name for one in assignments()]


@pytest.mark.parametrize("name", NAMES)
def test_mistakes_are_told_in_words_and_run(name):
    for mistake in planted.mistakes(name):
        assert {mistake.cause, *mistake.also} <= {*CAUSES} and len(mistake.words) > 12
        assert not mistake.words.endswith(".")
        compile(mistake.source, name, "exec")


@pytest.mark.parametrize("one", assignments(), ids=NAMES)
def test_every_question_has_four_mistakes(one):
    listed = [name for mistake in planted.mistakes(one.name) for name in mistake.questions]
    automatic = [question.id for question in one.questions if question.kind != "written"]
    assert {*listed} <= {*automatic}
    assert min(listed.count(name) for name in automatic) >= 4


def test_an_edit_has_to_be_found_once():
    mistake = {"words": "a mistake", "edits": [["a", "b"]]}
    assert planted._edited("xay", mistake) == "xby"
    for text in ("xay a", "x"):
        with pytest.raises(ValueError, match="planted mistake 'a mistake': an edit must be found"):
            planted._edited(text, mistake)


def test_none_are_listed_of_an_unknown_assignment():
    assert planted.mistakes("none") == ()

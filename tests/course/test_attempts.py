"""How often one has checked, and which hints were shown."""

import pytest

from minicnn.course import attempts
from minicnn.course.assignments import assignment

GRAM = assignment("gram")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The cache folder of the test."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))


def test_attempts_are_counted_for_each_assignment():
    assert [attempts.attempt(GRAM), attempts.attempt(GRAM)] == [1, 2]
    assert attempts.attempt(assignment("lrn")) == 1


def test_hints_come_one_after_the_other():
    question = GRAM.question(1)
    shown = [attempts.next_hint(GRAM, question) for _ in range(4)]
    assert [number for number, _ in shown] == [1, 2, 3, 3]
    assert [text for _, text in shown[:3]] == [*question.hints]
    assert attempts.next_hint(GRAM, GRAM.question(2))[0] == 1
    assert attempts.attempt(GRAM) == 1


def test_a_question_in_words_has_none():
    with pytest.raises(ValueError, match="has no hints"):
        attempts.next_hint(GRAM, GRAM.question(4))


@pytest.mark.filterwarnings("ignore:.*set aside as")
@pytest.mark.parametrize("text", ["", "[]", '{"gram": 3}', '{"gram": {"attempts": "x"}}',
                                  '{"gram": {"hints": {"gram-1": -5}}}'])
def test_a_damaged_file_is_begun_anew(text):
    attempts.path().parent.mkdir()
    attempts.path().write_text(text)
    assert attempts.next_hint(GRAM, GRAM.question(1))[0] == 1
    assert attempts.attempt(GRAM) == 1

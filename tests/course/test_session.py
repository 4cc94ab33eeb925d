"""A reader in a lesson, by what is typed."""

import pytest
import small_lesson

from minicnn.course import bookmark, lessons, session
from minicnn.course.lessons import LessonError
from minicnn.course.terminal import Screen

THROUGH = ["", "", "", "3", "", "", "21", "a", "", "", ""]  # with all answers right


@pytest.fixture
def go(lesson, tmp_path, capsys):
    """Go through the small lesson with some lines typed, then the end of input; what is shown."""
    def run(*typed, restart=False):
        left, prompts = list(typed), []

        def read(prompt):
            prompts.append(prompt)
            if not left:
                raise EOFError
            said = left.pop(0)
            if isinstance(said, BaseException):
                raise said
            return said

        try:
            session.Session(run.lesson, Screen(), tmp_path / "out", read, restart).go()
        finally:
            run.prompts = prompts
        assert not left, f"not read: {left}"
        return capsys.readouterr().out
    run.lesson = lesson
    return run


def test_what_draws_is_folded_and_can_be_seen(go, lesson):
    text = lesson.path.read_text(encoding="utf-8").replace("figure, axes =", (
        "def draw(x):\n    plt.plot(x)\n\ndef double(x):\n    return 2 * x\n\nfigure, axes ="))
    lesson.path.write_text(text, encoding="utf-8")
    go.lesson = lessons.lesson(str(lesson.path))
    shown = go("j 5", "v draw", "q")
    before, _, after = shown.partition("def draw(...): ...  # draws pictures; v draw shows it\n")
    assert "plt.plot" not in before and "    def double(x):" in after.partition("picture:")[0]
    assert "draw: function draw(x)\ndef draw(x):\n    plt.plot(x)\n" in after


def test_through_with_right_answers(go, lesson, tmp_path):
    shown = go(*THROUGH)
    assert go.prompts[0] == "[1/8] " and go.prompts[3].startswith("your answer")
    for part in ("07 · Sums\n", "What is a sum?\n", "    def backward(", "y[j] = Σ_{i}",
                 "Predict: What shape has the sum?\n+ Right: (3,).\ntotal = [3. 5. 7.]\n",
                 "  (a) it doubles\n  (b) it stays\n+ Right: it doubles.\n",
                 "x sums to 21.0\n1 claim checked: all hold.\n",
                 f"picture: {tmp_path / 'out' / small_lesson.PICTURE}\n",
                 "3 of 3 questions answered by the first prediction", "This was the last cell.\n"
                 f"To try: minicnn lesson {lesson.path} --notebook 07.ipynb, change a line"):
        assert part in shown
    assert 'ask("' not in shown and "Which axis" not in shown  # the hints stand in the code
    mark = bookmark.of(lesson)
    assert (mark.cell, mark.done, mark.at_once) == (8, True, 3)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [small_lesson.PICTURE]


def test_wrong_answers_and_hints(go, lesson):
    shown = go("j 4", "(2,)", "5", "five", "", "h", "h", "h", "h", "(3,)", "q")
    for part in ("- You summed over the columns.\n", "- Not (5,).\n",
                 "Expected a shape such as (1, 3, 3, 2), got 'five'.", "Write your answer;",
                 "Hint 1 of 3: Which axis is gone?\n", "Hint 2 of 3: (2, 3) without axis 0\n",
                 "Hint 3 of 3: (_,)\nHint 3 of 3: (_,)\n", "+ Right: (3,).\n"):
        assert part in shown
    assert bookmark.of(lesson).answers == {"What shape has the sum?": [3, 3, 0]}
    assert "0 of 1 questions" in shown and "You are at cell 4 of 8" in shown


def test_the_answer_is_shown_and_counted_as_such(go, lesson):
    assert "Answer: (3,)\ntotal = [3. 5. 7.]\n" in go("j4", "s", "q")
    assert bookmark.of(lesson).answers == {"What shape has the sum?": [0, 0, 1]}


def test_b_is_a_choice_where_there_are_some(go):
    shown = go("j 6", "21", "b", "back")
    assert "- A sum is linear.\n" in shown
    assert shown.count("\n5 of 8") == 1  # and the whole word goes back


def test_back_restores_the_state(go):
    shown = go("j 5", "v x.sum()", "b", "3", "v x.sum()", "b", "b", "b", "b", "q")
    assert shown.index("x.sum(): float64\n21.0") < shown.index("x.sum(): float64\n15.0")
    assert "This is the first cell." in shown


def test_a_question_can_be_left(go, lesson):
    shown = go("j 4", "b", "", "v total", "j 2", "q")
    assert "total: float64 (3,), from 3 to 7, mean 5\n[3. 5. 7.]\n" in shown
    assert bookmark.of(lesson).answers == {} and bookmark.of(lesson).cell == 1


def test_what_was_answered_is_not_asked_again(go):
    shown = go("j 4", "(2,)", "(3,)", "b", "", "q")
    assert shown.endswith("Predict: What shape has the sum?\nAnswer: (3,)\ntotal = [3. 5. 7.]\n\n"
                          "0 of 1 questions answered by the first prediction, without a hint.\n"
                          "You are at cell 4 of 8; the same command goes on here.\n")


def test_variables(go):
    shown = go("v", "j 2", "v", "v x[0]", "v relu.backward", "v y", "v 1 +", "v np", "q")
    assert "none yet" in shown and "x       float64 (2, 3), from 0 to 5, mean 2.5\n" in shown
    assert "x[0]: float64 (3,), from 0 to 2, mean 1\n[0. 1. 2.]\n" in shown
    assert "relu.backward: function backward(dy, cache" in shown
    assert "y: NameError: name 'y' is not defined" in shown and "1 +: SyntaxError" in shown


def test_looking_changes_nothing(go):
    shown = go("j 2", "v (x := 3)", "v x", "q")
    assert shown.count("x: float64 (2, 3)") == 1


@pytest.mark.parametrize(("typed", "words"), [
    ("j", "Write j and a number from 1 to 8."), ("j 9", "from 1 to 8"), ("j 0", "from 1 to 8"),
    ("h", "none is asked here"), ("x", "There is no key 'x'; ? lists the keys."),
    ("?", "j N     cell N\n"), ("s", "no key 's'")])
def test_other_keys(go, typed, words):
    assert words in go(typed, "q")


def test_it_goes_on_where_one_stopped(go, lesson):
    go(*THROUGH[:6], "q")
    shown = go("q")
    assert "You stopped at cell 6; --restart begins anew." in shown
    assert "The code of 3 earlier cells runs first." in shown and "total = " not in shown
    assert "Predict: What is the sum of all?" in shown and "1 of 1 questions" in shown
    shown = go("q", restart=True)
    assert "1 of 8" in shown and bookmark.of(lesson).answers == {}


def test_a_lesson_that_is_done_begins_anew(go, lesson):
    go(*THROUGH)
    shown = go(*THROUGH[:3], "q")
    assert "You stopped" not in shown and bookmark.of(lesson).done
    assert shown.endswith("You are at cell 4 of 8; the same command goes on here.\n")


def test_ctrl_c(go, lesson, capsys):
    with pytest.raises(KeyboardInterrupt):
        go("j 6", "21", KeyboardInterrupt())
    assert "You are at cell 6 of 8" in capsys.readouterr().out
    assert bookmark.of(lesson).cell == 5 and len(bookmark.of(lesson).answers) == 1


def test_an_error_of_the_lesson_keeps_the_place(go, lesson, monkeypatch, capsys):
    cells = [cell._replace(content=cell.content.replace("x += 1", "x += nothing"))
             for cell in lesson.cells]
    lesson.cells[:] = cells
    with pytest.raises(LessonError, match="lesson 7, 07_sums.py, line 3[0-9]: NameError"):
        go("j 5")
    assert bookmark.of(lesson).cell == 4


def test_a_place_that_cannot_be_kept_is_said_and_no_more(go, tmp_path):
    (tmp_path / "cache").write_text("a file in place of the folder")
    shown = go("", "q")
    assert "The place cannot be kept: " in shown and "2 of 8" in shown


def test_straight_through(lesson, tmp_path, capsys):
    session.straight(lesson, Screen(), tmp_path / "out")
    shown = capsys.readouterr().out
    assert "\033" not in shown and shown.count("Predict: ") == shown.count("Answer: ") == 3
    assert (tmp_path / "out" / small_lesson.PICTURE).is_file() and "8 of 8" in shown
    assert not bookmark.path().exists()

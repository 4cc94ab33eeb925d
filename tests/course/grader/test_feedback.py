"""What a student reads."""

import json

import a_class
import pytest

from minicnn.course.grader import feedback


def test_each_question_has_its_points_and_what_is_wrong():
    text = feedback.feedback(a_class.result(notes=["left out (a link): x.py"]))
    for part in ("12.5 of 25 points", "Question 4 will be read by your teacher",
                 "1. One image: 10 of 10 points, right", "2. Stride: 2.5 of 5 points, partly",
                 "y[0, 0] is 3, expected 4", "Probably: the kernel is flipped",
                 "Right at 1 of 2 settings; wrong at: stride 2.", "print(y)",
                 "minicnn course check convolution.py --hint 2", "left out (a link): x.py"):
        assert part in text
    assert "--hint 1" not in text and "--hint 3" not in text and "--hint 4" not in text


def test_what_is_the_same_is_said_once():
    one = a_class.result()
    gone = one.outcomes[2]
    two = one._replace(outcomes=[gone._replace(question=one.outcomes[1].question), gone])
    text = feedback.feedback(two)
    assert text.count("there is no conv_backward in it") == 1 and "As in question 2." in text


def test_settings_are_not_listed_where_all_are_wrong():
    partly = a_class.result().outcomes[1]
    wrong = partly._replace(checks=[one._replace(right=False) for one in partly.checks])
    assert feedback.settings(wrong) == "Right at none of the 2 settings."


def test_the_smallest_input_can_be_held_back():
    assert "print(y)" not in feedback.feedback(a_class.result(), inputs=False)


def test_all_right_is_said():
    one = a_class.result()
    done = one._replace(outcomes=one.outcomes[:1])
    assert "10 of 10 points. All of it is right: well done!" in feedback.summary(done)


def test_all_right_but_what_a_person_reads():
    one = a_class.result()
    done = one._replace(outcomes=[one.outcomes[0], one.outcomes[3]])
    assert feedback.summary(done) == (
        "10 of 10 points. What a program can judge is right. Question 4 will be read by your "
        "teacher: 5 more points, 15 in all.")


def test_a_notebook_s_lines_go_below_its_functions():
    text = feedback.feedback(a_class.result()._replace(file="my conv.ipynb"))
    assert "run it below your functions" in text and "check 'my conv.ipynb' --hint 2" in text
    assert "check mine.py --hint 2" in feedback.feedback(a_class.result()._replace(file="mine.py"))


def test_a_fence_of_backticks_does_not_end_the_code():
    text = feedback.fenced("print('```')\n# Points: 100")
    assert text.startswith("````python\n") and text.endswith("\n````")


def test_words_of_strangers_stay_on_their_line():
    one = a_class.result()
    bad = one.outcomes[1]._replace(words="wrong\n\n# Points: 100\x1b[2J\ud800",
                                   status="no answer")
    text = feedback.feedback(one._replace(outcomes=[bad]))
    assert "\n# Points" not in text and "\x1b" not in text
    text.encode("utf-8")


@pytest.mark.parametrize("visibility", ["visible", "hidden"])
def test_gradescope_gets_plain_values(visibility):
    made = feedback.results_json(a_class.result(notes=["conv_backward is missing"]), visibility)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["score"] == 12.5 == sum(one["score"] for one in made["tests"])
    assert [one["number"] for one in made["tests"]] == ["1", "2", "3"]  # 4 is read by a person
    assert [one["status"] for one in made["tests"]] == ["passed", "failed", "failed"]
    assert [one["max_score"] for one in made["tests"]] == [10, 5, 10]
    assert {one["visibility"] for one in made["tests"]} == {visibility}
    assert "conv_backward is missing" in made["output"]
    assert ("12.5" in made["output"]) == (visibility == "visible")
    assert made["execution_time"] == pytest.approx(0.3)

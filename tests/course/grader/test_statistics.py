"""What a class has found hard."""

import a_class
import pytest

from minicnn.course.grader.outcome import NOT_WRITTEN
from minicnn.course.grader.statistics import statistics, told


def test_shares_statuses_and_causes():
    found = statistics([a_class.result("Ada"), a_class.result("Ben"),
                        a_class.result("Eve", cause="the stride is ignored")])
    assert (found.students, found.mean, found.best) == (3, 0.5, 0.5)
    stride, why = found.questions[1], found.questions[3]
    assert stride.share == 0.5 and stride.statuses == {"partly": 3}
    assert stride.causes == [("the kernel is flipped", 2), ("the stride is ignored", 1)]
    assert stride.settings == [("stride", 3, 6)]
    assert why.share is None and why.statuses == {"by hand": 3}


def test_as_text():
    text = told(statistics([a_class.result()]))
    assert " 2. Stride (5 points): 50%; 1 partly\n      1 x the kernel is flipped\n" in text
    assert "4. Why? (5 points): by hand; 1 by hand" in text


def test_there_must_be_results_of_one_assignment():
    with pytest.raises(ValueError, match="none"):
        statistics([])
    with pytest.raises(ValueError, match="ascent, convolution"):
        statistics([a_class.result(), a_class.result()._replace(assignment=a_class.ASCENT)])


def test_what_is_not_written_is_wrong_nowhere():
    unwritten = a_class.result("Eve")
    outcomes = [one._replace(status=NOT_WRITTEN, points=0.0, cause="", checks=[
        check._replace(right=False) for check in one.checks]) for one in unwritten.outcomes]
    found = statistics([a_class.result("Ada"), unwritten._replace(outcomes=outcomes)])
    assert found.questions[1].settings == [("stride", 1, 2)]
    assert found.questions[1].statuses == {"partly": 1, "not written": 1}

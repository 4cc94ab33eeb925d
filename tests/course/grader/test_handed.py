"""A submission's function as an op: one part theirs, the rest the page's."""

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.assignments.trials import trials
from minicnn.course.grader.handed import Handed, as_array
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.judge.judge import RIGHT, run
from minicnn.gradcheck.own.sources import OwnError

CONV = assignment("convolution")
RIGHT_ONE = solution(CONV)
BACKWARD = CONV.question("convolution-5")


class Wrong(Local):
    """The right solution but for one function, which fails."""

    def __init__(self, name, error):
        super().__init__(RIGHT_ONE)
        self.name, self.error, self.asked = name, error, 0

    def call(self, target, *args, **kwargs):
        if target == self.name:
            self.asked += 1
            raise self.error
        return super().call(target, *args, **kwargs)


def rows(process, part, question=BACKWARD):
    form = Handed(process, "conv", "conv_", part, contract=question.contract)
    return [run(form, trial.case, trial.dtype) for trial in trials(question, 1)]


@pytest.mark.parametrize("part", ["y", "dx", "dw", "db"])
def test_the_page_itself_is_right(part):
    assert {row.status for row in rows(Local(RIGHT_ONE), part)} == {RIGHT}


@pytest.mark.parametrize("error", [OwnError("none"), Died("a", "it was stopped after 5 s")])
def test_a_forward_that_fails_costs_backward_nothing(error):
    process = Wrong("conv_forward", error)
    assert {row.status for row in rows(process, "dx")} == {RIGHT}
    assert process.asked == (1 if isinstance(error, Died) else len(trials(BACKWARD, 1)))


def test_a_backward_that_fails_costs_forward_nothing():
    assert {row.status for row in rows(Wrong("conv_backward", OwnError("none")), "y")} == {RIGHT}
    assert RIGHT not in {row.status for row in rows(Wrong("conv_backward", OwnError("none")),
                                                    "dx")}


def test_a_gradient_left_out_is_not_written_yet():
    class Short(Local):
        def call(self, target, *args, **kwargs):
            found = super().call(target, *args, **kwargs)
            return (found[0], None, None) if target == "conv_backward" else found

    assert {row.words for row in rows(Short(RIGHT_ONE), "dw")} == {
        "NotImplementedError: dw is None"}
    assert {row.status for row in rows(Short(RIGHT_ONE), "dx")} == {RIGHT}


def test_only_arrays_are_results():
    assert as_array(2.5, "y").shape == () and as_array(np.float32(1), "y").dtype == np.float32
    for value, words in ((None, "nothing"), ("text", "a str"), ([1, 2], "a list"), (True, "bool")):
        with pytest.raises(OwnError, match=words):
            as_array(value, "y")

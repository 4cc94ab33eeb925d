"""Calls of probes as lines."""

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader.local import Local
from minicnn.course.handout import probe_calls, solution

NAMES = [("pooling", 2), ("pooling", 6), ("checking", 1), ("checking", 6), ("ascent", 4),
         ("ascent", 6), ("deconvnet", 1), ("deconvnet", 4), ("gram", 3)]


@pytest.mark.parametrize("name, number", NAMES)
def test_the_lines_compute_what_the_probe_does(name, number):
    one = assignment(name)
    process = Local(solution(one))
    made = probe_calls.lines(process, one.question(number), np.random.default_rng(1), 0)
    names = Local(solution(one)).names
    exec("\n".join([made.text, *made.properties]), names)
    assert np.size(eval(made.shown, names)) or isinstance(eval(made.shown, names), tuple)
    assert "draw 1" in made.words


def test_results_have_names_and_functions_are_given():
    def text_of(name, number):
        one = assignment(name)
        return probe_calls.lines(Local(solution(one)), one.question(number),
                                 np.random.default_rng(1), 0).text

    text = text_of("ascent", 6)
    assert text.startswith("result1 = decay(") and "\nresult2 = result1(np.array(" in text
    text = text_of("checking", 1)
    assert text.startswith("def f(x):") and "slope(f, np.array(" in text

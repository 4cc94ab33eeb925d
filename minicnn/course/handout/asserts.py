"""Tests of a question as lines of Python that need NumPy only, for notebooks.

    tests = Asserts(assignment)
    print(tests.visible(question, seed), tests.hidden(question, seed))

The expected results stand there as digests: whoever reads a test learns no number. They are
computed by running the lines on the pages' own code.
"""

import hashlib

import numpy as np

from minicnn.course.assignments.trials import generator
from minicnn.course.grader.local import Local
from minicnn.course.handout import layers, op_calls, probe_calls
from minicnn.course.handout.cut import solution

FINE, COARSE, TRIES = 7919.37, 97.37, 200  # steps a unit: no simple number lies between two
COUNTS = {("op", "visible"): 3, ("op", "hidden"): 8, ("call", "visible"): 2, ("call", "hidden"): 6}
HELPERS = '''\
import hashlib


def digest(*results, steps=7919.37):
    """A word for some numbers, rounded: for other numbers another word."""
    word = hashlib.sha256()
    for one in results:
        if isinstance(one, (tuple, list)):
            word.update(digest(*one, steps=steps).encode())
        else:
            one = np.rint(np.asarray(one, float) * steps) + 0.0  # no minus zero
            word.update(f"{one.shape} {one.tolist()}".encode())
    return word.hexdigest()[:16]


def measure(f, x, dy, along, h=1e-5):
    """How sum(dy * f(x)) changes along a direction, measured."""
    return float(np.sum(dy * (f(x + h * along) - f(x - h * along)))) / (2 * h)'''


class Asserts:
    """The tests of an assignment's questions, not the written ones and those with a network.

    Parameters
    ----------
    assignment : Assignment
    """

    def __init__(self, assignment):
        self.code = f"{solution(assignment)}\n\n{HELPERS}"

    def visible(self, question, seed):
        """The lines of a test that students see."""
        return self._tests(question, seed, "visible")

    def hidden(self, question, seed):
        """The lines of a test that students do not see."""
        return self._tests(question, seed, "hidden")

    def _tests(self, question, seed, kind):
        rng = generator(seed, question.id, kind)
        if question.kind == "checker":
            return layers.tests(question, rng, kind)
        return "\n\n".join(self._sure(question, rng, index, kind)
                           for index in range(COUNTS[question.kind, kind]))

    def _sure(self, question, rng, index, kind):
        """One test, drawn until the right answer passes it whatever its rounding errors are."""
        tolerance = question.contract.get("tolerance", 1e-9)
        for _ in range(TRIES):
            if question.kind == "op":
                made = op_calls.lines(question, rng, index, kind)
            else:
                made = probe_calls.lines(Local(self.code), question, rng, index)
            try:
                found = self.result(made.text, made.shown)
                steps = _steps(found, tolerance)
                test = _test(made, found, kind, steps)
                self.result(test, "None")
            except AssertionError:  # a kink between the two points of a difference
                continue
            if _clear(found, steps, tolerance):
                return test
        raise ValueError(f"{question.id}: no numbers were found that can be rounded safely")

    def result(self, text, shown):
        """What an expression is after some lines have run on the pages' own code."""
        names = Local(self.code).names
        with np.errstate(all="ignore"):
            exec(text, names)
            return eval(shown, names)


def _steps(found, tolerance):
    """How finely to round: less where a result is less exact and has many numbers."""
    return FINE if _margin(FINE, tolerance) * _size(found) < 1 else COARSE


def _size(found):
    return sum(map(_size, found)) if isinstance(found, (tuple, list)) else np.size(found)


def _margin(steps, tolerance):
    """How far from the middle between two steps a number has to be, in steps."""
    return 1e-3 + 5 * tolerance * steps


def _clear(found, steps, tolerance):
    """Whether no number lies where rounding changes."""
    if isinstance(found, (tuple, list)):
        return all(_clear(one, steps, tolerance) for one in found)
    scaled = np.asarray(found, float) * steps
    scaled = scaled[~np.isinf(scaled)]
    off = np.abs(scaled - np.floor(scaled) - 0.5)
    return bool(np.all(off > _margin(steps, tolerance)))


def _test(made, found, kind, steps):
    """The lines with what they have to assert."""
    lines = [made.text, *(made.properties if kind == "visible" else [])]
    if not made.is_gradient or kind == "hidden":
        rounded = f", steps={steps}" * (steps != FINE)
        lines.append(f'assert digest({made.shown}{rounded}) == "{_digest(found, steps)}", (\n'
                     f'    "{made.words}: the numbers are not right")')
    return "\n".join(lines)


def _digest(found, steps):
    """As `digest` in HELPERS."""
    names = {"np": np, "hashlib": hashlib}
    exec(HELPERS, names)
    return names["digest"](found, steps=steps)

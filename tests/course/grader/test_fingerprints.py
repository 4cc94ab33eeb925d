"""Fingerprints of code: what a disguise changes, and what it does not."""

import a_class
import conv_solutions
import pytest

from minicnn.course.grader.fingerprints import fingerprints

CODE = '''\
import numpy as np


def f(x, w):
    """Words."""
    total = np.zeros(x.shape)  # of all
    for i in range(len(w)):
        shift = x[i + 1:] * w[i]
        total[i] += np.sum(shift, axis=0)
    return total
'''


def of(text):
    return set(fingerprints(text))


@pytest.mark.parametrize("old, new", [
    ("total", "t"), ("np", "numpy"), ('"""Words."""', "pass"), ("  # of all", ""),
    ("def f", "def g"),
    ("(x, w)", "(x: np.ndarray, w) -> None"), ("total = np", "total: object = np"),
    ("        shift = x", "\n        shift  =  x"), ("w", "kernel")])
def test_disguises(old, new):
    changed = CODE.replace(old, new).replace("import numpy as numpy", "import numpy")
    assert changed != CODE and of(changed) == of(CODE)


@pytest.mark.parametrize("old, new", [("+ 1", "+ 2"), ("*", "/"), ("np.sum", "np.max"),
                                      ("axis=0", "axis=1"),
                                      ("x[i + 1:] * w[i]", "x[i + 1:] * x[i]")])
def test_other_code_is_other_code(old, new):
    assert of(CODE.replace(old, new)) != of(CODE)


def test_order_of_statements_and_functions():
    first = "def f(a):\n    b = a.sum(axis=0) + 1\n    c = a.mean(axis=1) - 2\n    return b, c\n"
    second = "def f(a):\n    c = a.mean(axis=1) - 2\n    b = a.sum(axis=0) + 1\n    return b, c\n"
    assert of(first) == of(second) and of(first + CODE) == of(CODE + second)


def test_what_the_handout_gives_does_not_count():
    given = frozenset(fingerprints(CODE))
    assert fingerprints(CODE.replace("total", "t"), given) == {}


def test_lines():
    lines = {line for one in fingerprints(CODE).values() for line in one.lines}
    assert lines == {6, 7, 8, 9, 10}


@pytest.mark.parametrize("text", ["", "def f(:", a_class.STUB, "x = 1", "def f():\n  " + "+".join(
    "x" * 40000)])
def test_what_has_none(text):
    assert fingerprints(text) == {}


def test_long_expressions_take_no_long_time():
    fingerprints("".join(f"def f{k}(): return a{'.b' * 900}\n" for k in range(15)))


def test_a_disguised_copy_has_nearly_all():
    one, other = of(conv_solutions.LOOPS), of(conv_solutions.COPIED)
    assert len(one & other) > 0.9 * len(one)

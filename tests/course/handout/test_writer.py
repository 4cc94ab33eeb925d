"""Definitions under their new names, with the questions that ask for them."""

from minicnn.course.assignments import assignment
from minicnn.course.handout.gather import NUMPY, gather
from minicnn.course.handout.source import Import
from minicnn.course.handout.writer import Writer, docstring, imported


def writer(name):
    found = gather(assignment(name), solved=False)
    return Writer(assignment(name), found, found, solved=False)


def test_words_about_functions():
    prose = writer("pooling").prose
    assert prose("minicnn.ops.pool", "So `backward` is `unpool`") == (
        "So `pool_backward` is `pool_unpool`")
    assert prose("minicnn.ops.pool", "pool.unpool: as minicnn.ops.pool.forward, not minicnn.ops") \
        == "pool_unpool: as pool_forward, not minicnn.ops"
    assert prose("minicnn.ops.pool", "forward, `x.forward`") == "forward, `x.forward`"
    assert prose("minicnn.ops.pool", "minicnn.naive.pool_forward") == "minicnn.naive.pool_forward"


def test_examples():
    prose = writer("pooling").prose
    assert prose("minicnn.ops.pool", ">>> a = forward(x, forward=1).forward\nforward") == (
        ">>> a = pool_forward(x, forward=1).forward\nforward")
    assert prose("minicnn.ops.window", ">>> forward(x)") == ">>> forward(x)"


def test_questions_of_a_function():
    one = writer("pooling")
    thing = one.found.pages["minicnn.ops.pool"]
    (forward,) = [piece for piece in one.parts(thing) if piece[1] == "pool_forward"]
    first = one.assignment.questions[0]
    said = f"# {first.id}, {first.title}: {first.points} points, {first.minutes} minutes"
    assert forward[0] == "solution" and said in forward[2]
    assert forward[2].endswith("    raise NotImplementedError")


def test_texts_between_quotes():
    assert docstring("a") == '"""a\n"""' and docstring("a\\b") == 'r"""a\\b\n"""'


def test_imports():
    lines = imported([Import("typing", "Any", "Any"), NUMPY, Import("math", "", "math"),
                      Import("typing", "NamedTuple", "NamedTuple")], ["a = np.pi"])
    assert lines == "import math\nfrom typing import Any, NamedTuple\n\nimport numpy as np"
    assert imported([NUMPY], []).startswith("import numpy as np  # noqa: F401")

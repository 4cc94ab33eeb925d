"""nbgrader's marks."""

from minicnn.course.handout import marks

CUT = '''\
def f(x):
    """Twice."""
    # one-1
    raise NotImplementedError'''
SOLVED = '''\
def f(x):
    """Twice."""
    y = _twice(x)

    return sqrt(y)'''
HELPERS = {"_twice": 'def _twice(x):\n    """Two times."""\n    return _two() * x',
           "_two": "def _two():\n    return 2", "_other": "def _other():\n    pass"}


def test_a_body_between_marks_with_the_helpers_it_needs():
    text = marks.marked(CUT, SOLVED, HELPERS, ["from math import sqrt", "from math import pi"])
    assert text.startswith('def f(x):\n    """Twice."""\n    # one-1\n    ### BEGIN SOLUTION\n')
    assert text.endswith("    return sqrt(y)\n    ### END SOLUTION")
    assert "import sqrt" in text and "pi" not in text and "_other" not in text
    names = {}
    exec(text, names)
    assert names["f"](8) == 4 and "_twice" not in names


def test_students_get_a_stub():
    assert marks.stubbed(marks.marked(CUT, SOLVED)) == CUT.replace(
        "    raise NotImplementedError",
        "    # YOUR CODE HERE\n    raise NotImplementedError()")


def test_methods():
    cut = 'class A:\n    def step(self):\n        """Go."""\n        raise NotImplementedError\n'
    solved = cut.replace("raise NotImplementedError", "return 3")
    text = marks.marked(cut, solved)
    assert marks.without_marks(text) == solved.rstrip()
    assert "        # YOUR CODE HERE\n        raise" in marks.stubbed(text)


def test_hidden_tests():
    text = marks.hidden("assert a", "assert b")
    assert text == "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS"
    assert marks.without_hidden(text) == "assert a"
    assert marks.hidden("assert a", "") == "assert a"

"""Lines that show a mistake run as they stand."""

import sys
from types import ModuleType

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.assignments.probes import small_draws
from minicnn.course.grader.by_call import probed
from minicnn.course.grader.lines import Noted, head, of_calls, own_file, shows
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution


def run(name, source, text, monkeypatch):
    module = ModuleType(name)
    exec(source, vars(module))
    monkeypatch.setitem(sys.modules, name, module)
    exec(text, {})


@pytest.mark.parametrize("name, made", [
    ("mine.py", "mine.py"), ("gram-1.py", "gram.py"), ("a-b.py", "gram.py"), ("", "gram.py"),
    ("numpy.py", "gram.py"), ("class.py", "gram.py"), ("a b.ipynb", "a b.ipynb")])
def test_the_file_that_lines_import_from(name, made):
    assert own_file(name, assignment("gram")) == made


def test_below_a_notebook_nothing_of_its_own_is_imported():
    assert head("a.ipynb", ["f"], ["f(1)"]) == ["import numpy as np", ""]
    assert head("a.py", ["f"], ["f(1)"])[1] == "from a import f"


@pytest.mark.parametrize("name", ["gram-1", "gram-3", "checking-1", "checking-6",
                                  "ascent-1", "ascent-4", "ascent-6", "ascent-7", "pooling-2",
                                  "pooling-7", "deconvnet-2"])
def test_of_calls(name, monkeypatch, capsys):
    one = assignment(name.partition("-")[0])
    question, source = one.question(name), solution(one)
    noted = Noted(Local(source))
    expected = probed(question, noted, small_draws(question)[0])
    shown = expected[0] if isinstance(expected, tuple) else expected
    text = "\n".join(of_calls(f"{one.name}.py", noted, shown, shown))
    run(one.name, source, text, monkeypatch)
    printed = capsys.readouterr().out.split()
    said = text.partition("# expected ")[2].split()
    shown = [float(word.strip("[](),")) for word in printed if any(c.isdigit() for c in word)]
    wanted = [float(word.strip("[](),")) for word in said if any(c.isdigit() for c in word)]
    assert wanted and np.allclose(shown[:len(wanted)], wanted, 1e-3, 1e-4)


@pytest.mark.parametrize("got, expected, printed", [
    ([1.0], [2.0], "print(y)  # expected [2]"),
    (np.ones(2), np.ones(2, np.float32), "print(y.dtype)  # expected float32"),
    (1 + 1e-7, 1.0, "print(np.array2string(np.array(y), precision=12))  # expected 1.")])
def test_what_tells_a_result_from_what_is_expected(got, expected, printed):
    assert shows("y", got, expected) == printed
    exec(printed, {"np": np, "y": got})

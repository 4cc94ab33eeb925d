"""The names of a submission, by reading alone."""

import textwrap

import a_class
import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.grader import names
from minicnn.course.grader.names import look, wanted
from minicnn.course.handout import handout


def of(text, assignment=a_class.CONVOLUTION):
    return look(textwrap.dedent(text), assignment)


def test_what_is_wanted():
    assert wanted(a_class.CONVOLUTION) == ("conv_forward", "conv_backward")
    assert wanted(a_class.ASCENT) == ("SGD.step", "l2")


def test_nothing_to_say_of_what_is_complete():
    assert look(a_class.RIGHT, a_class.CONVOLUTION) == ((), {}, "", [])
    assert of("import numpy\ntry:\n    import matplotlib\nexcept ImportError:\n    pass\n"
              "conv_forward = conv_backward = lambda x: x\n") == ((), {}, "", [])


def test_missing_and_nearly_the_same():
    found = of("def conv_foward(x): pass\ndef helper(): pass\ndef ConvBackward(): pass\n")
    assert found.missing == ("conv_forward", "conv_backward")
    assert found.near == {"conv_forward": "conv_foward", "conv_backward": "ConvBackward"}
    assert found.notes[0] == ("conv_forward is missing; there is conv_foward, which is nearly the "
                              "same name: rename it to conv_forward")


def test_one_function_is_near_one_name_only_and_a_wanted_one_near_none():
    assert of("def conv_forwrd(): pass\ndef conv_backward(): pass").near == {
        "conv_forward": "conv_forwrd"}
    assert of("def conv_forward(): pass\ndef conv_check_backward(): pass").near == {}  # given


def test_methods():
    assert of("class SGD:\n    def step(self): pass\ndef l2(): pass\n", a_class.ASCENT)[:2] == (
        (), {})
    found = of("class SGD:\n    def stepp(self): pass\ndef l2(): pass\n", a_class.ASCENT)
    assert found.missing == ("SGD.step",) and found.near == {"SGD.step": "SGD.stepp"}
    assert of("def l2(): pass", a_class.ASCENT).missing == ("SGD.step",)
    assert of("class SGD: pass\ndef step(self): pass\nSGD.step = step\ndef l2(): pass\n",
              a_class.ASCENT).missing == ()
    assert "SGD.step" in of("class SGD:\n  def step(s): 1\n  def step(s): 2\ndef l2(): pass",
                            a_class.ASCENT).notes[0]


def test_defined_twice():
    found = look(a_class.RIGHT + a_class.STUB, a_class.CONVOLUTION)
    assert found.notes[0] == ("conv_forward is defined 2 times (lines 4, 16): the last counts, as "
                              "when Python runs the file. It is not written, an earlier one is.")
    assert "not written" not in look(a_class.RIGHT * 2, a_class.CONVOLUTION).notes[0]


def test_a_function_inside_another_is_named():
    found = of("def conv_forward(x):\n    return x\n\n    def conv_backward(dy):\n        pass\n")
    assert found.notes == ["conv_backward is defined inside conv_forward, where nothing can call "
                           "it: check its indentation"]


@pytest.mark.parametrize("line, word", [
    ("import scipy.signal", "scipy.signal"), ("from helpers import pad", "helpers"),
    ("from . import x", "a module beside the file"), ("import os, torch", "torch"),
    ("from minicnn.ops import conv", "minicnn.ops")])
def test_imports_in_vain(line, word):
    (note,) = look(f"{line}\n{a_class.RIGHT}", a_class.CONVOLUTION).notes
    assert note.startswith(f"line 1 imports {word}, which is not there when grading")


@pytest.mark.parametrize("text, words", [
    ("def f(:\n    pass\n", "line 1: invalid syntax: def f(:"),
    ("x = 1\n  y = 2\n", "line 2: unexpected indent: y = 2"),
    ("def f():\n\tx\n        y\n", "line 3: "), ("return 3\n", "line 1: 'return' outside function"),
    ("x = (\n", "line 1: '(' was never closed: x = ("), ("-" * 100000 + "1", "(MemoryError)"),
    ("a" + ".b" * 100000, "(RecursionError)"), ("x = 1\0", "null bytes")])
def test_what_python_cannot_run(text, words):
    found = look(text, a_class.CONVOLUTION)
    assert words in found.error and found.missing == wanted(a_class.CONVOLUTION)
    assert "nothing in it could be graded" in found.notes[0]


def test_stubs_are_not_written():
    tree = names.read('def a():\n    """Words."""\n    raise NotImplementedError("yours")\n'
                      "def b(): ...\ndef c(): pass\ndef d(): return 1\n"
                      "def e(x):\n    if x: raise NotImplementedError\n    return 1\n")
    assert [names.written(node) for node in tree.body] == [False, False, False, True, True]


def test_long_chains_are_read():
    chain = "if x: pass\n" + "elif x: pass\n" * 150 + "else:\n    def conv_forward(): pass\n"
    assert look(chain, a_class.CONVOLUTION).missing == ("conv_backward",)


def test_a_file_of_another_assignment_gets_no_advice_on_names():
    found = names.look(handout(assignment("pooling")), assignment("convolution"))
    assert found.notes == ["this looks like assignment 2 (pooling)"] and found.near == {}
    for one in assignments():
        assert names.LOOKS_LIKE not in "".join(names.look(handout(one), one).notes)


def test_a_file_for_minicnn_check_is_noted():
    found = names.look("def conv_forward(x, w, b, conv_param):\n    pass\n",
                       assignment("convolution"))
    assert found.notes[0] == names.FOR_CHECK

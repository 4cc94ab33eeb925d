"""What the functions of a notebook need, and no more."""

import ast

import pytest

from minicnn.course.grader import slicing


def source(text):
    return slicing.source([slicing.Statement(node, text, "cell 1")
                           for node in ast.parse(text).body])


def run(text):
    space = {}
    exec(source(text), space)
    return space


@pytest.mark.parametrize("text, value", [
    ("PAD = 1\ndef f(): return PAD", 1), ("W = [1] * 3\ndef f(): return W", [1, 1, 1]),
    ("def g(n): return n\nW = g(2)\ndef f(): return W", 2),
    ("A = 1\nB = A + 1\nC = B + 1\ndef f(): return C", 3),
    ("D = {}\nD['a'] = 1\nD.update(b=2)\ndef f(): return D", {"a": 1, "b": 2}),
    ("class A: pass\ndef g(self): return 4\nA.step = g\ndef f(): return A().step()", 4),
    ("for K in range(3): pass\ndef f(): return K", 2),
    ("if True:\n    def f(): return 5", 5), ("def f(): return 1\nf = lambda: 6", 6),
    ("import math\ndef f(): return math.floor(1.5)", 1),
    ("from nowhere import x\nW = 1 / 0\ndef f(): return 7", 7),
    ("def g(x: nothing.here, k=nothing): pass\ndef f(): return 8", 8),
    ("class A(nothing.Base): pass\ndef f(): return 9", 9),
    ("def f(x: nothing = 1) -> nothing: return x", 1),
    ("from __future__ import annotations\ndef f(): return 2", 2),
    ("S = f'''a\n{1}\nb'''\nraise SystemExit\ndef f(): return S", "a\n1\nb")])
def test_what_functions_need_is_kept(text, value):
    assert run(text)["f"]() == value


@pytest.mark.parametrize("text", [
    "assert False", "while True: pass", "1 / 0", "x = f()", "print(f())",
    "import time\ntime.sleep(9)",
    "plt.figure()", "for i in range(9): f()", "if __name__ == '__main__':\n    x = f()",
    "with open('x') as file: file.read()", "raise SystemExit", "y, cache = f()"])
def test_the_rest_is_not(text):
    text = f"def f(): return 1\n{text}"
    assert text.split("\n")[-1].strip() not in source(text) and run(text)["f"]() == 1


def test_variables_of_functions_are_their_own():
    made = source("x = slow()\nclass A:\n    def step(self, x):\n        y = x\n        return y\n"
                  "def f(x):\n    y = x\n    return y\ny = slow()\n")
    assert "slow" not in made


def test_a_function_keeps_its_text():
    text = "def f(x):  # mine\n    return (x +\n            1)  # one more\n"
    assert text.rstrip() in source(text)


@pytest.mark.parametrize("deep", ["a" + ".b" * 300, "+".join("1" * 300), "not " * 90 + "1",
                                  "f" + "()" * 300])
def test_deep_expressions_do_no_harm(deep):
    assert run(f"def f(): return W\nW = {deep}\ndef g(): return 1")["g"]() == 1

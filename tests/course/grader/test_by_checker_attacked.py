"""A student's gradient checker may call functions of the grader: with anything, as often as it
likes. It learns nothing that the layers do not say, and costs the grader nothing."""

import random

import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader import by_checker
from minicnn.course.grader.grade import grade
from minicnn.course.handout.cut import solution

ONE = assignment("checking")
FULL = ONE.question("checking-4").points
CHECK = """

right = check
def check(forward, backward, inputs, tolerance=1e-6, seed=0):
    import numpy as np
    x, more = inputs["x"], [*inputs.values()][1:]
    def tried(f, *args):
        try: return f(*args)
        except Exception as error: said.append(str(error))
    said = []
    {}
"""
LOOKS = {
    "arrays that would be enormous": """
    tried(forward, np.zeros((60_000, 1)), np.zeros((1, 60_000)), np.zeros(60_000))
    tried(forward, np.zeros((1 << 18, *x.shape[1:])), *more)
    tried(backward, np.zeros(1 << 18), 0)""",
    "what is no array": """
    for one in (None, "x", [[1], [2, 3]], {"x": x}, 1j * x, x > 0, x * np.nan, 10**99):
        tried(forward, one, *more)
        tried(backward, one, 0)
    tried(forward), tried(backward), tried(forward, *[x] * 50)""",
    "caches of others": """
    y, number = forward(*inputs.values())
    for one in (-1, 1 << 70, "0", 0.0, None, True, [0], 99):
        tried(backward, y, one)
    backward(y, number)""",
    "words of errors": """
    tried(forward, x[:, :0], *more), tried(backward, np.zeros(7), 0), tried(forward, x.T, x)
    for one in said:
        if "/" in one or "mistakes" in one or "minicnn" in one: raise SystemError(one)""",
}
ENDS = {
    "questions without end": "\n    while True: forward(*inputs.values())",
    "questions after its time": """
    import threading, time
    later = lambda: (time.sleep(0.2), tried(forward, x, *more))
    threading.Thread(target=later, daemon=True).start()
    return []""",
    "an error": "raise ValueError('x')", "its end": "import os; os._exit(0)",
    "unhashable names": "return [[1], {}, x]", "numbers": "return [10**400, x.sum()]",
    "all names, often": "return ['x'] * 10_000", "what is no list": "return {'x': 'x'}",
    "names that are equal to all": """
    class Name(str):
        __eq__ = lambda self, other: True
        __hash__ = lambda self: hash('x')
    return [Name('none')]""",
}
GUESSED = """

import sys, zlib
from hashlib import sha256
import numpy as np
frame = sys._getframe()
while "source" not in frame.f_locals: frame = frame.f_back
OWN = sha256(bytes(frame.f_locals["source"])).hexdigest()
CRC = [zlib.crc32(word.encode()) for word in ("checking-4", OWN)]
order, met = None, []

def check(forward, backward, inputs, tolerance=1e-6, seed=0):
    global order
    for guess in range(100) if order is None else ():
        rng = np.random.default_rng([guess, *CRC])
        found = rng.permutation(10)
        if guess == 4: order = found
    met.append(0)
    return [[*inputs][-1]] if order[len(met) - 1] >= 4 else []
"""


def points(code, question="checking-4"):
    outcome, = grade(solution(ONE) + code, ONE, 4, questions=(question,), explain=False).outcomes
    return outcome.points


@pytest.mark.parametrize("name", LOOKS)
def test_what_it_asks_besides_changes_nothing(name):
    more = "\n    return right(forward, backward, inputs)"
    assert points(CHECK.format(LOOKS[name] + more)) == FULL


@pytest.mark.parametrize("name", ENDS)
def test_without_a_list_of_names_there_are_no_points(name, monkeypatch):
    monkeypatch.setattr("minicnn.course.grader.grade.CALL", 0.5)
    assert points(CHECK.format(ENDS[name])) == 0


def test_the_seed_does_not_tell_which_layer_comes(monkeypatch):
    """It knows the seed, its own text and how orders were once drawn from these."""
    monkeypatch.setattr(by_checker.random, "SystemRandom", lambda: random.Random(1))
    assert points(GUESSED) == 0

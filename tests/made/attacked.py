"""Submissions to the assignment on Gram matrices, with attacks in them.

An attack is text that defines `attack(a)`, which `gram_matrix` calls first. What it returns is
handed in; if that is None, the function answers as without it. The file is one of `BASES` but for
this. An attack that only looks around is tried by `gram_loss`, too; what it finds is handed in
where there is nothing else.
"""

import re
import tomllib
from pathlib import Path

import minicnn
from minicnn.course.assignments import assignment
from minicnn.course.grader.grade import grade

FOLDER = Path(__file__).resolve().parents[1] / "course" / "grader" / "attacks"
GRAM, SEED = assignment("gram"), 3
FIRST, BOTH = ("gram-1",), ("gram-1", "gram-2")
BASES = {"nothing": "raise NotImplementedError", "wrong": "return matrix(a) / len(a)",
         "right": "return matrix(a)"}
FILE = '''
import numpy as np

def answer(a, found):
    """The first array among what was found that could be the answer."""
    for one in found:
        if type(one) is np.ndarray and one.shape == (len(a), a.shape[3], a.shape[3]):
            return one

def used(a, found):
    """The answer by a solution that was found."""
    start = found.index(b"def gram_matrix")
    exec(found[start:].split(b"\\n\\n\\n")[0].replace(b"check_positions", b"id"), globals())
    return gram_matrix(a)

VISIBLE = [(np.ones((1, 1, 2, 2)), np.ones((1, 2, 2)))]

@CODE@

def matrix(a):
    n, h, w, c = a.shape
    f = a.reshape(n, h * w, c)
    return f.transpose(0, 2, 1) @ f / (h * w)

def gram_matrix(a, layer=""):
    found = @CALL@
    if found is not None:
        return found
    @BASE@

def gram_loss(a, target):
    @AGAIN@
    off = matrix(a) - target
    return (off * off).sum(axis=(1, 2)) / (4 * a.shape[3] ** 2), 0
'''
TRIED = '''

def tried(a):
    try:
        return attack(a) if NOTHING else (attack(a), None)[1]
    except Exception:
        return None

NOTHING = @NOTHING@
'''


def attacks(*files):
    """{name: text} of all attacks in some files."""
    return {name: code for file in files
            for name, code in tomllib.loads((FOLDER / f"{file}.toml").read_text("utf-8")).items()}


def submission(base, code="", places=(), tried=False):
    """The file with an attack; with `tried`, an error in it is no error of the function.

    Parameters
    ----------
    base : str
        One of `BASES`.
    code : str
    places : dict
        What stands for `@FOLDER@`, `@PORT@` and so on in the code.
    """
    for name, value in {"PACKAGE": Path(minicnn.__file__).parent, **dict(places)}.items():
        code = code.replace(f"@{name}@", str(value))
    code += TRIED.replace("@NOTHING@", str(base == "nothing")) * tried
    call = ("tried(a)" if tried else "attack(a)") if code else "None"
    again = "tried(a)" if tried else "pass"
    parts = {"CODE": code, "CALL": call, "AGAIN": again, "BASE": BASES[base]}
    return re.sub("@(CODE|CALL|AGAIN|BASE)@", lambda found: parts[found[1]], FILE)


def points(source, questions=FIRST):
    """The points of each question."""
    return [one.points for one in grade(source, GRAM, SEED, questions=questions,
                                        explain=False).outcomes]

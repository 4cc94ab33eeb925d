"""A small assignment, submissions to it and Results, for tests of what a class hands in."""

import io
import json
import zipfile

import numpy as np

from minicnn.course.assignments import Assignment, Page, Question
from minicnn.course.grader.outcome import Check, Outcome, Result


def question(number, title, function, points=10, kind="op", hints=("one", "two", "three")):
    return Question(f"convolution-{number}", kind, title, function, points, 20, 5, "Do it.", hints)


QUESTIONS = (question(1, "One image", "conv_forward"), question(2, "Stride", "conv_forward", 5),
             question(3, "Backward", "conv_backward"),
             question(4, "Why?", "", 5, "written", ()))
CONVOLUTION = Assignment("convolution", 1, "Convolution, there and back", (2,), "Write it.",
                         (Page("minicnn.ops.conv", "conv_", ("forward", "backward")),), QUESTIONS)
ASCENT = Assignment("ascent", 6, "Ascent", (6,), "Climb.",
                    (Page("minicnn.ascent.optimizers", "", ("SGD.step", "l2")),), ())

RIGHT = '''\
import numpy as np


def conv_forward(x, w, b=None, stride=1, pad=0):
    """The layer."""
    return x.sum() * w, (x, w)


def conv_backward(dy, cache):
    """Its gradients."""
    x, w = cache
    return dy * w, dy * x, dy.sum()
'''
STUB = RIGHT.replace("return x.sum() * w, (x, w)", "raise NotImplementedError").replace(
    "x, w = cache\n    return dy * w, dy * x, dy.sum()", "raise NotImplementedError")


def notebook(*cells, **more):
    """The text of a notebook with these code cells."""
    book = {"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": one}
                      for one in cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book | more)


def zip_of(files):
    """The bytes of a zip of {path: text or bytes}."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return file.getvalue()


def write(folder, files):
    """Files in a folder; the folder."""
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def result(student="Ada", cause="the kernel is flipped", notes=()):
    """A Result with one right, one partly right, one missing and one written answer."""
    checks = [Check("stride 1", True), Check("stride 2", False, "y[0, 0] is 3, expected 4")]
    theirs = np.arange(36.0).reshape(1, 6, 6, 1)
    outcomes = [
        Outcome(QUESTIONS[0], 10.0, "right", "", [Check("plain", True)], seconds=0.2),
        Outcome(QUESTIONS[1], 2.5, "partly", "y[0, 0] is 3, expected 4", checks, cause,
                "x = np.ones(3)\nprint(y)", theirs, theirs[:, ::-1], None, 0.1),
        Outcome(QUESTIONS[2], 0.0, "missing", "there is no conv_backward in it"),
        Outcome(QUESTIONS[3], 0.0, "by hand", "a person reads the answer")]
    return Result(student, CONVOLUTION, outcomes, list(notes), ("namespaces",))

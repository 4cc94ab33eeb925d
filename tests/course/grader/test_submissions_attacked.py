"""Files that are an attack on whoever reads them: the grader reads on, and they earn nothing."""

import io
import json
import zipfile
from time import perf_counter

import numpy as np
import pytest
from attacked import FIRST, GRAM, SEED, points, submission

from minicnn.course.grader import notebooks
from minicnn.course.grader.grade import grade
from minicnn.course.grader.submissions import find

RIGHT = submission("right")
SOON = 60  # seconds, on the busiest machine
FILES = {
    "ten megabytes": "x = 1\n" * 1_700_000, "functions without end": "def f():0\n" * 25_000,
    "parentheses": "(" * 100_000 + ")" * 100_000, "signs": "x = " + "-" * 200_000 + "1",
    "sums": "x = " + "1 + " * 70_000 + "1", "powers": "x = " + "9**" * 50_000 + "9",
    "attributes": "x" + ".x" * 100_000, "lists": "x = " + "[" * 90 + "]" * 90 + "[0]" * 50_000,
    "branches": "if 1:\n  0\n" + "elif 1:\n  0\n" * 20_000, "lambdas": "x = " + "lambda: " * 30_000,
    "words in words": "x = " + "f'{" * 50_000, "NUL bytes": "x = 1\0\n",
    "one long word": "x = '" + "a" * 250_000, "a surrogate": "x = '\ud800'",
    "another encoding": "# coding: rot13\nqrs tenz_zngevk(n): cnff\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_no_compiler_likes(name):
    began = perf_counter()
    source = f"{RIGHT}\n{FILES[name]}".encode("utf-8", "surrogatepass")
    found = grade(source, GRAM, SEED, questions=FIRST, explain=False)
    readable = name == "a surrogate"  # a sign in a word
    assert found.points == 25 * readable and perf_counter() - began < SOON


@pytest.mark.parametrize("name, counts", [
    ("gr\u0430m_matrix", False), ("gram\u200c_matrix", False), ("Gram_matrix", False),
    ("\uff47ram_matrix", True)])  # a Cyrillic letter, a sign of no width, a capital; a wide letter
def test_names_that_look_alike(name, counts):
    source = RIGHT.replace("def gram_matrix(a, layer", f"def {name}(a, layer")
    assert points(source) == [25 * counts]


def test_a_pasted_solution_with_other_names_is_a_right_one():
    assert points(RIGHT.replace("matrix(a)", "m(a)").replace("gram_m(a)", "gram_matrix(a)")) == [25]


def written(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return find([folder], GRAM)


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def test_a_class_with_attackers_in_it(tmp_path):
    """Bombs, paths out of the folder, cells without end: the others are read as ever."""
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [], "metadata": {}}
    book = {"cells": [cell] * 5000, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    deep = b'{"cells": ' + b"[" * 100_000
    found = {one.student: one for one in written(tmp_path, {
        "ada.py": RIGHT.encode(), "bomb.zip": zipped({"gram.py": b"#" * (1 << 27)}),
        "out.zip": zipped({"../../gram.py": b"x", "/etc/gram.py": b"x", "a/../../gram.py": b"x"}),
        "cells.ipynb": json.dumps(book).encode(), "deep.ipynb": deep, "pickle.npy": pickled(),
        "evil\x1b[2J<b>.py": b"x = 1", "=cmd|' C calc'!A0.py": b"x = 1"})}
    assert found["ada"].source == RIGHT and points(found["ada"].source) == [25]
    assert all(found[name].source is None for name in ("bomb", "out", "deep"))
    assert not any("\x1b" in one.student + one.name for one in found.values())
    assert len([*tmp_path.iterdir()]) == 8 and not (tmp_path.parent / "gram.py").exists()


def pickled():
    """A file of NumPy that runs code where it is loaded with pickles."""
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('unpickled')",)

    made = io.BytesIO()
    np.save(made, np.array([Bomb()]), allow_pickle=True)
    return made.getvalue()


def test_a_notebook_whose_cells_need_each_other_without_end():
    chain = [f"x{number} = x{number + 1}" for number in range(5000)]
    cells = [{"cell_type": "code", "source": "\n".join(chain) + "\ndef f(): return x0"}]
    began = perf_counter()
    made, _ = notebooks.source(json.dumps({"cells": cells}))
    assert all(one in made for one in chain) and perf_counter() - began < SOON

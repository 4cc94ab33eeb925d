"""A course as a folder: what students get, and what their teacher keeps.

    new("autumn", [assignment("convolution")], seed=20260801)

    autumn/student/                  README.md, minicnn's wheel
    autumn/student/01_convolution/   convolution.py, convolution.ipynb, questions.md, README.md,
                                     test_convolution.py
    autumn/teacher/                  README.md, course.json, timetable.md
    autumn/teacher/01_convolution/   solution.py, solution.ipynb, points.csv, rubric.md,
                                     hidden_tests.py, otter/convolution.ipynb, gradescope.zip

Students see another seed than the one that they are graded with; nobody can compute the one from
the other. Nothing in `student` names the seed in `course.json`.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

from minicnn import __version__
from minicnn.course.assignments import assignment, assignments
from minicnn.course.assignments.timetable import timetable
from minicnn.course.handout import gradescope, notebook, otter, readmes, sheets, wheel
from minicnn.course.handout.asserts import HELPERS, Asserts
from minicnn.course.handout.cells import cells
from minicnn.course.handout.cut import handout, solution
from minicnn.course.handout.derivation import check_choice, with_derivations
from minicnn.course.handout.heading import fingerprint
from minicnn.images.writing import abandoned, check_folder, held, sync

RECORD, ROUNDS = "course.json", 100_000
PARTS = ("teacher", "student")
OLD, REPLACED = "old-", ".replaced"  # in names of folders, while a course is being replaced
SHORTEST = 2**40  # of a seed: all shorter ones could be tried


class Course(NamedTuple):
    """What `course.json` tells.

    Attributes
    ----------
    seed, visible : int
        Of the numbers that students are graded with, and of those that they see.
    assignments : tuple of Assignment
    derivation : str
    version : str
        Of the minicnn that made it.
    pages : dict
        The fingerprint of each assignment's pages, by its name.
    digest : str
        Of all files that students get.
    """

    seed: int
    visible: int
    assignments: tuple
    derivation: str
    version: str
    pages: dict
    digest: str


def new(folder, chosen=None, seed=None, derivation="keep", *, wheels=None, overwrite=False,
        each=iter):
    """Write a course.

    Parameters
    ----------
    folder : path
    chosen : list of Assignment, optional
        By default all.
    seed : int, optional
        By default a random one; at least 2**40, so that nobody finds it by trying.
    derivation : {"keep", "short", "ask"}
        What stays of the pages' derivations.
    wheels : path, optional
        A folder of wheels that go into gradescope.zip beside minicnn's own.
    overwrite : bool
        Replace a course that is there.
    each : function
        Wraps the list of assignments, to show progress.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        The folder holds something else, or a course and `overwrite` is not given; or the seed is
        short.
    """
    check_choice(derivation)
    folder = Path(folder).absolute()
    chosen = tuple(_with(one, derivation) for one in chosen or assignments())
    _clear_killed(folder)
    _check(folder, overwrite)
    seed = SHORTEST + secrets.randbits(62) if seed is None else seed
    if seed < SHORTEST:
        raise ValueError(f"the seed {seed} is so short that students could find it by trying: at "
                         "least 2**40, or none for a random one")
    temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        temporary.mkdir()
        with held(temporary):
            made = _write(temporary, chosen, seed, derivation, wheels, each)
            for path in (*temporary.rglob("*"), temporary):
                sync(path)
            _replace(temporary, folder)
    except OSError as error:
        if error.errno is None or not str(error.filename or temporary).startswith(str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(folder)) from error  # the name it was given
    finally:
        _clear(temporary, folder)
    return made


def read(folder):
    """The Course of a folder, of its `teacher` folder, or of a `course.json`.

    Raises
    ------
    ValueError
        There is none, or it cannot be read.
    """
    path = Path(folder)
    if path.is_dir():
        path = next((one for one in (path / "teacher" / RECORD, path / RECORD) if one.is_file()),
                    path / "teacher" / RECORD)
    elif not path.is_file():
        path = path / "teacher" / RECORD
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return Course(int(about["seed"]), int(about["visible"]),
                      tuple(_with(assignment(name), about["derivation"])
                            for name in about["assignments"]),
                      about["derivation"], about["minicnn"], about["pages"], about["digest"])
    except FileNotFoundError:
        raise ValueError(f"{folder} is no course: there is no {path}; `minicnn course new` makes "
                         "one") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a course: {error}") from error


def visible_seed(seed):
    """The seed that students see; trying all seeds up to it takes a tenth of a second each."""
    digest = hashlib.pbkdf2_hmac("sha256", str(seed).encode(), b"minicnn course", ROUNDS)
    return int.from_bytes(digest[:6], "big")


def _with(one, derivation):
    return with_derivations(one) if derivation == "ask" else one


# ---- where

def _check(folder, overwrite):
    """Raise ValueError unless the folder may be written."""
    if folder.is_symlink() or folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    if not folder.parent.is_dir():
        raise ValueError(f"{folder}: there is no folder {folder.parent}")
    check_folder(folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not {one.name for one in folder.iterdir()} <= {*PARTS} or not (
            folder / "teacher" / RECORD).is_file():
        raise ValueError(f"{folder} holds other things than a course; choose an empty folder")
    if not overwrite:
        raise ValueError(f"{folder} holds a course; --overwrite replaces it, with its seed")


def _replace(temporary, folder):
    """Put what is written into its place; a folder that is there stays the same folder."""
    if not folder.is_dir():
        os.rename(temporary, folder)
    else:
        for name in PARTS:
            if (folder / name).exists():
                os.rename(folder / name, temporary / f"{OLD}{name}")
            os.rename(temporary / name, folder / name)
        os.rename(temporary, f"{temporary}{REPLACED}")  # from here on the old course is given up
        shutil.rmtree(f"{temporary}{REPLACED}", ignore_errors=True)
        sync(folder)
    sync(folder.parent)


def _clear(temporary, folder):
    """Remove the folder that a course was written in; one that it was replacing is put back."""
    for name in PARTS:
        if (temporary / f"{OLD}{name}").exists():
            if (folder / name).exists():
                os.rename(folder / name, temporary / name)
            os.rename(temporary / f"{OLD}{name}", folder / name)
    shutil.rmtree(temporary, ignore_errors=True)


def _clear_killed(folder):
    """The same for those of processes that were killed."""
    pattern = rf"\.{re.escape(folder.name)}-[0-9a-f]{{8}}({re.escape(REPLACED)})?"
    for path in list(folder.parent.iterdir()) if folder.parent.is_dir() else ():
        if found := re.fullmatch(pattern, path.name):
            if found[1]:
                shutil.rmtree(path, ignore_errors=True)
            elif abandoned(path):
                _clear(path, folder)


# ---- what

def _write(folder, chosen, seed, derivation, wheels, each):
    """Write all files; returns the Course."""
    visible = visible_seed(seed)
    course = Course(seed, visible, chosen, derivation, __version__,
                    {one.name: fingerprint(one) for one in chosen}, "")
    (folder / "teacher").mkdir(mode=0o700, parents=True)
    for one in each(chosen):
        name, tests = f"{one.number:02}_{one.name}", Asserts(one)
        found = cells(one, derivation, seed, visible)
        _files(folder / "student" / name, {
            f"{one.name}.py": handout(one, derivation, visible),
            f"{one.name}.ipynb": notebook.text(found, student=True),
            f"test_{one.name}.py": sheets.tests(one, tests, visible),
            "questions.md": sheets.questions(one),
            "README.md": sheets.readme(one)})
        _files(folder / "teacher" / name, {
            "solution.py": solution(one, derivation, visible),
            "solution.ipynb": notebook.text(found, student=False),
            "points.csv": sheets.points(one), "rubric.md": sheets.rubric(one),
            "hidden_tests.py": _hidden_tests(one, found),
            f"otter/{one.name}.ipynb": otter.text(one, found)})
    _files(folder / "student", {"README.md": readmes.student(chosen)})
    (folder / "student" / wheel.name()).write_bytes(wheel.wheel(students=True))
    course = course._replace(digest=_digest(folder / "student"))
    _files(folder / "teacher", {RECORD: record(course), "README.md": readmes.teacher(chosen),
                                "timetable.md": timetable(chosen)})
    gradescope.write_all(folder / "teacher", course, wheels)
    _close(folder / "teacher")
    return course


def record(course):
    """A Course as the text of its `course.json`."""
    about = {"minicnn": course.version, "seed": course.seed, "visible": course.visible,
             "assignments": [one.name for one in course.assignments],
             "derivation": course.derivation, "pages": course.pages, "digest": course.digest}
    return json.dumps(about, indent=1) + "\n"


def _hidden_tests(one, found):
    """The hidden tests as a file; they are run in the notebook's names."""
    parts = [f'"""Hidden tests of {one.name}; to be run after its code."""', HELPERS]
    parts += [f"# {cell.question}\n\n{cell.hidden}" for cell in found if cell.kind == "test"]
    return "\n\n".join(parts) + "\n"


def _files(folder, texts):
    """Write text files with Unix line ends."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _close(folder):
    """Let nobody else read a folder."""
    if os.name == "posix":
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)


def _digest(folder):
    """The SHA-256 of a folder's files and their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

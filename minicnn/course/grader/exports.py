"""Whose file it is, by the names that learning platforms give.

| platform | name |
|---|---|
| Moodle | `Ada Lovelace_12345_assignsubmission_file_/conv.py`, or without the folder |
| Canvas | `lovelaceada_12345_67890_convolution-1.py`, `lovelaceada_LATE_12345_67890_...` |
| Gradescope | `submission_123/conv.py`, with names in `submission_metadata.yml` |
| none | `ada/...`, `ada.py`, `ada.zip` |
"""

import re
from typing import NamedTuple

MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)", re.DOTALL)
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<upload>\d+)_(?P<rest>.+)",
                    re.DOTALL)
AGAIN = re.compile(r"(?:-(\d{1,3})|\s*\((\d{1,3})\))$")  # of Canvas; of browsers: "conv (1)"
METADATA = "submission_metadata.yml"
SUBMISSION = re.compile(r"submission_\d+")
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")


class Owner(NamedTuple):
    """Whose a file is.

    Attributes
    ----------
    key : str
        The same for all files of one student.
    name, id : str
        The name; what tells apart students of the same name, or "".
    rest : str
        The path or name as the student had it.
    upload : int
        Counts the uploads of a student; the larger, the newer.
    notes : tuple of str
    """

    key: str
    name: str
    id: str
    rest: str
    upload: int = 0
    notes: tuple = ()


def owner(path, names):
    """The Owner of a file of an export.

    Parameters
    ----------
    path : str
        In the export: "Ada_1_assignsubmission_file_/conv.py".
    names : dict
        Of `gradescope`.
    """
    first, slash, rest = path.partition("/")
    if found := MOODLE.fullmatch(first):
        return Owner(f"moodle {found['name']} {found['id']}", found["name"], found["id"],
                     rest if slash else found["rest"])
    if found := CANVAS.fullmatch(first):
        notes = ("handed in late, says Canvas",) if found["late"] else ()
        return Owner(f"canvas {found['name']} {found['id']}", found["name"], found["id"],
                     f"{found['rest']}{slash}{rest}", int(found["upload"][:18]), notes)
    if not slash:
        own = first.rpartition(".")[0] or first
        return Owner(f"file {own}", own, "", first)
    return Owner(f"folder {first}", names.get(first, first), first if first in names else "", rest)


def is_platform(path):
    """Whether a file's or folder's name is one that a platform gives."""
    first = path.partition("/")[0]
    return any(one.fullmatch(first) for one in (MOODLE, CANVAS, SUBMISSION))


def stem(name):
    """A file's name without suffix and counter, and the counter: "conv-1.py" -> ("conv", 1)."""
    text = name.rpartition(".")[0] or name
    found = AGAIN.search(text)
    return (text[:found.start()], int(found[1] or found[2])) if found else (text, 0)


def gradescope(text):
    """The students of `submission_metadata.yml`: {"submission_123": "Ada Lovelace"}.

    Of YAML only what this file has is read: a key for each submission, below it `:submitters:`,
    a list with `:name:`. The names of a group are joined.
    """
    found, submission, submitters = {}, "", -1
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip(" "))
        key, _, value = line.strip().removeprefix("- ").partition(":" if depth == 0 else ": ")
        if depth == 0 and key != "---":
            submission, submitters = key if SUBMISSION.fullmatch(key) else "", -1
        elif key.rstrip(":") == ":submitters":
            submitters = depth
        elif depth < submitters or depth == submitters and not line.lstrip().startswith("- "):
            submitters = -1
        if submission and submitters >= 0 and key == ":name":
            found.setdefault(submission, []).append(_scalar(value))
    return {one: " and ".join(names) for one, names in found.items()}


def _scalar(value):
    """A text of YAML, in quotes or without."""
    value = value.strip()
    if value[:1] == value[-1:] == "'" and len(value) > 1:
        return value[1:-1].replace("''", "'")
    if value[:1] == value[-1:] == '"' and len(value) > 1:
        return ESCAPE.sub(lambda one: chr(int(one[1] or one[2], 16)) if one[1] or one[2]
                          else one[3], value[1:-1])
    return value

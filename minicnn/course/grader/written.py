"""What the class page is made with: the list of its files, and short words for long things."""

import re
from contextlib import contextmanager

from minicnn import images
from minicnn.course.grader.names import LOOKS_LIKE
from minicnn.gradcheck.apart import wall

LIST = ".minicnn-pages"  # in the folder: what an earlier run has written
OURS = re.compile(r"index\.html|students/\d{3,}-[a-z0-9-]+\.html|pairs/\d{3,}\.html")
KEPT = {"files": "your files", "network": "the network", "processes": "other processes"}
FOREMOST = (LOOKS_LIKE, "of another course", "no file", "Python cannot run", "the grader",
            "cannot be", "broken", "missing", "helper modules", "imports", "left out")


@contextmanager
def listed(folder, names):
    """List the files that are written within the block; then remove those of an earlier run.

    Parameters
    ----------
    folder : Path
    names : list of str
        Of the files, from the folder.
    """
    path, before = folder / LIST, []
    if path.is_symlink():
        path.unlink()
    if path.is_file():
        before = path.read_text(encoding="utf-8", errors="replace").splitlines()
    images.write(path, "".join(f"{name}\n" for name in dict.fromkeys([*names, *before])))
    yield
    for name in set(before) - set(names):
        page = folder / name
        if OURS.fullmatch(name) and not page.parent.is_symlink():
            page.unlink(missing_ok=True)
    images.write(path, "".join(f"{name}\n" for name in names))


def kept_from(layers):
    """What these layers of the wall keep a submission from: "your files, the network"."""
    found = [words for what, words in KEPT.items()
             if any(way <= {*layers} for way in wall.MINIMUM[what])]
    return ", ".join(found) or "nothing"


def foremost(notes):
    """The note that matters most; "" if there is none."""
    def rank(note):
        return next((place for place, words in enumerate(FOREMOST) if words in note), 99)

    return min(notes, key=rank, default="")

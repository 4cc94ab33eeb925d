"""What the class page is made with: the list of its files, and short words for long things."""

import re

from minicnn.course.grader.names import LOOKS_LIKE
from minicnn.gradcheck.apart import wall

LIST = ".minicnn-pages"  # in the folder: what an earlier run has written
OURS = re.compile(r"index\.html|students/\d{3,}-[a-z0-9-]+\.html|pairs/\d{3,}\.html")
KEPT = {"files": "your files", "network": "the network", "processes": "other processes"}
FOREMOST = (LOOKS_LIKE, "of another course", "no file", "Python cannot run", "the grader",
            "cannot be", "broken", "missing", "helper modules", "imports", "left out")


def begin(folder, names):
    """Remove what an earlier run has listed, and list what this one writes.

    Parameters
    ----------
    folder : Path
    names : list of str
        Of the files, from the folder.
    """
    listed = folder / LIST
    if listed.is_file() and not listed.is_symlink():
        for name in listed.read_text(encoding="utf-8", errors="replace").splitlines():
            page = folder / name
            if OURS.fullmatch(name) and not page.parent.is_symlink():
                page.unlink(missing_ok=True)
    listed.unlink(missing_ok=True)
    listed.write_text("\n".join(names) + "\n", encoding="utf-8")


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

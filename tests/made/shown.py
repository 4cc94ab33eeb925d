"""What a command says and writes beside its sheet, or beside a small picture that it enlarged."""

import os
from pathlib import Path

from minicnn import images


def of_sheet(out):
    """The line that says where a sheet's pictures are."""
    return f"\n  each picture at its own size: {Path(out).with_suffix('')}{os.sep}\n"


def of_picture(out, size="20x16"):
    """The line that says where a picture itself is."""
    return f"\n  enlarged from {size}; itself: {_itself(out)}\n"


def itself(out):
    """A picture that was enlarged, as it was made; the file at `out` is the same, enlarged."""
    picture = images.load(_itself(out))
    if Path(out).suffix == ".png":
        assert (images.load(out) == images.enlarged(picture)).all()
    return picture


def _itself(out):
    folder = Path(out).with_suffix("")
    return folder / f"{folder.name}.png"


def names(out):
    """The names of the files in a sheet's folder, in order."""
    return sorted(file.name for file in Path(out).with_suffix("").iterdir())

"""Counting over many photos, one at a time: what `survey` and `compare` share.

Memory is that of one photo, however many there are. Photos that cannot be read are skipped and
listed. Ctrl-C ends the count early and keeps what was counted until then.
"""

from typing import Any, NamedTuple

from minicnn.files.photos import find
from minicnn.images import ImageError
from minicnn.progress import bar


class Total(NamedTuple):
    """The sum of the counts, the number of photos in it, a line for each photo that was skipped,
    and whether Ctrl-C ended it."""

    counts: Any
    photos: int
    skipped: list
    interrupted: bool


def over_photos(method, photos, count, add, progress=False):
    """Count in every photo and add the counts up.

    Parameters
    ----------
    method : str
        Its name, for the error.
    photos : path, or sequence of paths or arrays
        See `files.photos.find`.
    count : callable
        Takes a photo and returns its counts. A photo for which it raises ImageError is skipped.
    add : callable
        Takes the counts so far and those of one more photo, and returns their sum.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Total

    Raises
    ------
    ValueError
        None of the photos can be used.
    KeyboardInterrupt
        On Ctrl-C before the first photo was counted.
    """
    source, total, seen, skipped, interrupted = find(photos), None, 0, [], False
    try:
        for k in bar(range(len(source)), "photos", progress):
            try:
                new = count(source.read(k))
            except ImageError as error:
                skipped.append(str(error))
            else:
                total, seen = add(total, new) if seen else new, seen + 1
    except KeyboardInterrupt:
        if not seen:
            raise
        interrupted = True
    if not seen:
        why = f": {skipped[0]}" if skipped else ""
        raise ValueError(f"{method}: none of the {len(source)} photos can be used{why}")
    return Total(total, seen, skipped, interrupted)

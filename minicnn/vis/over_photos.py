"""Counting over many photos, one at a time: what `survey` and `compare` share.

Memory is that of one photo, however many there are. Photos that cannot be read are skipped and
listed; Ctrl-C ends the count early, with what was counted until then.
"""

from typing import Any, NamedTuple

from minicnn.images import ImageError
from minicnn.images.photos import find
from minicnn.progress import bar


class Total(NamedTuple):
    """The counts added up, of how many photos, a line for each skipped one, whether Ctrl-C came."""

    counts: Any
    photos: int
    skipped: list
    interrupted: bool


def over_photos(method, photos, count, add, progress=False):
    """Count in every photo and add up.

    Parameters
    ----------
    method : str
        For the error.
    photos : path, or sequence of paths or arrays
        See `images.photos.find`.
    count : callable
        From a photo to its counts; ImageError skips the photo.
    add : callable
        From the counts so far and those of one more photo to their sum.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Total

    Raises
    ------
    ValueError
        Not one photo could be looked at.
    KeyboardInterrupt
        Before the first photo was counted.
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
        raise ValueError(f"{method}: of {len(source)} photos not one could be looked at{why}")
    return Total(total, seen, skipped, interrupted)

"""What a lesson shows: the library's own code, a network, a photo."""

import inspect
import itertools
from contextlib import contextmanager

from matplotlib import cbook

from minicnn import images
from minicnn.foreign.load import load

CHOSEN = {"weights": "minivgg", "photo": None}  # `minicnn lesson --weights --photo` change them


def source(*things, docstring=False):
    """Print the source of functions or classes of the library.

    Parameters
    ----------
    things : functions, classes or modules
    docstring : bool
        Also print what stands between triple quotes at their beginning; a lesson tells that itself.
    """
    texts = [inspect.getsource(thing).rstrip() if docstring else without_docstring(thing)
             for thing in things]
    for are_lines, pieces in itertools.groupby(texts, lambda text: "\n" not in text):
        for piece in ["\n".join(pieces)] if are_lines else pieces:
            SHOWN[-1](piece)


def printed(piece):
    """Print a piece of source and an empty line, which parts it from the next."""
    print(piece, end="\n\n")


SHOWN = [printed]  # the last one is called with each piece; stepping puts its own on top


def without_docstring(thing):
    """The source of a function, class or module without its docstring."""
    text, told = inspect.getsource(thing).rstrip(), inspect.getdoc(thing)
    if told is None or '"""' not in text:
        return text
    before, _, rest = text.partition('"""')
    _, _, after = rest.partition('"""')
    return before.rstrip() + "\n" + after.lstrip("\n")


def network():
    """The network that the lesson looks into: the shipped one, or that of --weights."""
    return load(CHOSEN["weights"])


def photo():
    """The photo that the lesson looks at, uint8 (H, W, 3): Grace Hopper, who wrote the first
    compiler (a picture of the US Navy, in the public domain, from matplotlib), or that of --photo.
    """
    return images.load(CHOSEN["photo"] or cbook.get_sample_data("grace_hopper.jpg",
                                                                asfileobj=False))


@contextmanager
def chosen(**what):
    """Inside, lessons use other weights or another photo; None leaves them as they are."""
    before = dict(CHOSEN)
    CHOSEN.update({name: value for name, value in what.items() if value is not None})
    try:
        yield
    finally:
        CHOSEN.update(before)

"""Text on its way to the terminal: what names from files hold is shown, and does nothing.

A label, the name of a layer or of a photo's file can hold any character: escape sequences that move
the cursor or set the window's title, bells, marks that turn the direction of writing, line breaks
that forge a line of output.
"""

import shutil
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from unicodedata import category

HARMFUL = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")  # control, format, unknown, line separators
LEAST, MOST = 39, 101  # columns
JOINERS = "\u200c\u200d"  # part of words in some scripts, and of some emoji

_quiet: ContextVar[bool] = ContextVar("_quiet", default=False)


def escaped(text):
    """`text` on one line, with a backslash escape for every character that does not show.

    Examples
    --------
    >>> escaped("a cat\\x1b[2J\\N{RIGHT-TO-LEFT OVERRIDE}\\n")
    'a cat\\\\x1b[2J\\\\u202e\\\\n'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(one if one in JOINERS or category(one) not in HARMFUL
                   else one.encode("unicode_escape").decode() for one in text)


def tell(*lines, file=None, paint=str):
    """Print lines, each of them escaped and then painted, on standard output or another stream."""
    print(*map(paint, map(escaped, lines)), sep="\n", file=sys.stdout if file is None else file,
          flush=True)


def columns(usual):
    """How wide text on standard output may be: as the terminal, up to 100; `usual` in a pipe."""
    if not sys.stdout.isatty():
        return usual
    return max(LEAST, min(MOST, shutil.get_terminal_size().columns) - 1)  # some wrap a full line


@contextmanager
def quiet(chosen=True):
    """Within the block, `note` says nothing and no progress bar is shown; no effect if not chosen.
    """
    token = _quiet.set(chosen or _quiet.get())
    try:
        yield
    finally:
        _quiet.reset(token)


def is_quiet():
    """Whether this runs in a block of `quiet`."""
    return _quiet.get()


def note(*lines):
    """Print lines on standard error that a `quiet` command leaves out; errors are no notes."""
    if not is_quiet():
        tell(*lines, file=sys.stderr)

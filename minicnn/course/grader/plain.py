"""Text of strangers made harmless to print: names of students, error messages, file names."""

import re
import unicodedata

MOST = 2000  # characters of one piece of text


def line(text, most=200):
    """`text` on one line, without control characters, cut after `most` characters.

    Examples
    --------
    >>> line("a\\x1b[31mb\\n  c")
    'ab c'
    """
    return cut(" ".join(block(text, most=MOST).split()), most)


def block(text, most=MOST):
    """`text` with its lines kept, without other control characters.

    Escape sequences of terminals go, as do the signs that turn the direction of writing and halves
    of UTF-16 pairs, which no file can hold.
    """
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", str(text)[:4 * most])
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return cut("".join(one for one in text if one == "\n" or _harmless(one)), most)


def cut(text, most):
    """`text`, or its beginning and "..." if it is longer than `most` characters."""
    return text if len(text) <= most else text[:max(most - 3, 0)] + "..."


def _harmless(one):
    """Neither a control character (Cc), nor invisible (Cf), nor half a pair (Cs)."""
    return unicodedata.category(one) not in ("Cc", "Cf", "Cs")

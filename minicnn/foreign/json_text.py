"""Parse untrusted JSON: the headers and architectures in weight files.

A text can take 27 times its length in memory ("[[],[],[], ..."), so its length is limited, and so
are the digits of a number, because Python takes very long to convert many.
"""

import json

from minicnn.foreign.settings import require

LONGEST = 4_000_000  # bytes or letters; the names of 1,000 arrays take 100,000, a model the same
MOST_DIGITS = 20  # digits of an integer: 2**64 has 20


def parsed(text, what):
    """The value of a JSON text.

    Parameters
    ----------
    text : bytes or str
    what : str
        The text's name in errors: "its header".

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    ValueError
        The text is not JSON in UTF-8, too long, nested too deeply, or repeats a key of an object.

    Examples
    --------
    >>> parsed(b'{"shape": [64, 3]}', "its header")
    {'shape': [64, 3]}
    """
    require(len(text) <= LONGEST, "{} would take {:,} bytes, more than {:,}", what, len(text),
            LONGEST)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_integer)
    except RecursionError:
        raise ValueError(f"{what} nests lists too deeply") from None
    except ValueError as error:
        why = {json.JSONDecodeError: f"is not JSON: {error}",
               UnicodeDecodeError: "is not text in UTF-8"}.get(type(error), error)
        raise ValueError(f"{what} {why}") from None


def _once(pairs):
    """A JSON object as a dict; ValueError if a key occurs twice."""
    found = dict(pairs)
    require(len(found) == len(pairs), "has the same name twice")
    return found


def _integer(digits):
    require(len(digits) <= MOST_DIGITS, "has a number of {} digits, more than {}", len(digits),
            MOST_DIGITS)
    return int(digits)

"""JSON that may be anybody's: headers and architectures in weight files are written in it.

A text becomes up to 27 times as large in memory ("[[],[],[], ..."), so there is a longest one; and
a number of many digits keeps Python busy for ever.
"""

import json

LONGEST = 4_000_000  # bytes or letters; the names of 1,000 arrays take 100,000, a model as many
MOST_DIGITS = 20  # of an integer: 2**64 has 20


def parsed(text, what):
    """The value that a text of JSON describes.

    Parameters
    ----------
    text : bytes or str
    what : str
        "its header", for the error.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    ValueError
        It is no JSON, in no UTF-8, too long, nested too deeply, or names one key of a table twice.

    Examples
    --------
    >>> parsed(b'{"shape": [64, 3]}', "its header")
    {'shape': [64, 3]}
    """
    if len(text) > LONGEST:
        raise ValueError(f"{what} would take {len(text):,} bytes, more than {LONGEST:,}")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} is no JSON: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{what} is no text in UTF-8") from None
    except RecursionError:
        raise ValueError(f"{what} has lists in lists, too many") from None
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None


def _once(pairs):
    """A JSON object as a dict."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("has a name twice")
    return found


def _integer(digits):
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"has a number of {len(digits)} digits")
    return int(digits)

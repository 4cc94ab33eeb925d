"""Check what another program's file says, and report what does not fit.

Everything in such a file is untrusted. Each function returns a valid value or raises a ValueError
with what was expected and got.
"""

from contextlib import contextmanager
from functools import partial

from minicnn.files.errors import Damaged, WeightsError

LARGEST = 1_000_000  # a larger width, kernel or step is a sign of damage


class Misfit(ValueError):
    """A network is not supported; the message names the layer responsible."""


def require(holds, message, *values, error=ValueError):
    """Raise an `error` with a message, in which `values` fill the braces, unless something holds.

    Examples
    --------
    >>> require(3 < 2, "{}: expected a number below 2, got {}", "size", 3)
    Traceback (most recent call last):
    ValueError: size: expected a number below 2, got 3
    """
    if not holds:
        raise error(message.format(*values))


# the same, for a network that is not supported, for damaged bytes, and for a file as a whole
fits, intact, usable = (partial(require, error=kind) for kind in (Misfit, Damaged, WeightsError))


@contextmanager
def within(place, error=Misfit, after=""):
    """Raise errors about a layer's settings or shapes as an `error` that says where they are."""
    try:
        yield
    except KeyError as missing:
        raise error(f"{place}: its setting {missing.args[0]} is missing{after}") from None
    except IndexError:
        raise error(f"{place}: it needs an image{after}") from None
    except ValueError as wrong:
        raise error(f"{place}: {wrong}{after}") from None


def whole(value, key, least=1):
    """Check a whole number from `least` to LARGEST, and return it."""
    if type(value) is not int or not least <= value <= LARGEST:
        raise ValueError(f"{key}: expected a whole number from {least} to {LARGEST:,}, got "
                         f"{'none' if value is None else repr(value)[:60]}")
    return value


def pair(value, key, least=1):
    """Check one whole number or a list of two, and return (vertical, horizontal)."""
    both = value if isinstance(value, list) else [value, value]
    require(len(both) == 2, "{}: expected one or two whole numbers, got {!r:.60}", key, value)
    return whole(both[0], key, least), whole(both[1], key, least)


def number(value, key):
    """Check a number between -1e30 and 1e30, and return it as a float."""
    require(type(value) in (int, float) and -1e30 < value < 1e30,
            "{}: expected a number between -1e30 and 1e30, got {!r:.60}", key, value)
    return float(value)


def short_pair(vertical, horizontal):
    """A pair in the form of a layer's setting: one number if both are equal."""
    return vertical if vertical == horizontal else (vertical, horizontal)

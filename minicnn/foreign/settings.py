"""Numbers that another program's file gives as a layer's settings: anything, until looked at.

Each function returns what it is asked for or raises a ValueError that says what came instead.
"""

LARGEST = 1_000_000  # a width, kernel or step beyond it is damage


class Misfit(ValueError):
    """A network that is not of the kind built here; the message names the layer where it ends."""


def whole(value, key, least=1):
    """A whole number from `least` to LARGEST."""
    if type(value) is not int or not least <= value <= LARGEST:
        raise ValueError(f"{key}: expected a whole number from {least} to {LARGEST:,}, got "
                         f"{'none' if value is None else repr(value)[:60]}")
    return value


def pair(value, key, least=1):
    """(vertical, horizontal) of one whole number or a list of two."""
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError(f"{key}: expected a whole number or two, got {value!r:.60}")
    return whole(both[0], key, least), whole(both[1], key, least)


def number(value, key):
    """A number as a float, neither infinite nor beyond all use."""
    if type(value) not in (int, float) or not -1e30 < value < 1e30:
        raise ValueError(f"{key}: expected a number, got {value!r:.60}")
    return float(value)

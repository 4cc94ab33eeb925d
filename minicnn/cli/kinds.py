"""Kinds of values: functions from the text of an option, for argparse's `type`."""

import argparse
from math import inf, isfinite

MOST = 100_000  # numbers in a range; no layer has as many channels


def whole(least=1):
    """A whole number of at least `least`."""
    return _kind(int, lambda value: value >= least, f"a whole number of at least {least}")


def number(least=-inf, above=-inf, most=inf):
    """A finite number, within the limits that are given."""
    limits = {f"of at least {least}": least > -inf, f"above {above}": above > -inf,
              f"of at most {most}": most < inf}
    words = " and ".join(limit for limit, given in limits.items() if given)
    return _kind(float, lambda v: isfinite(v) and above < v <= most and v >= least,
                 f"a number {words}".strip())


def names(text):
    """Names separated by commas: a list of str."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers(text):
    """Whole numbers, and ranges FIRST..LAST with both ends, separated by commas: a list of int."""
    number = _kind(int, lambda value: True, "N,FIRST..LAST,...")
    return [n for part in names(text) for n in span(part) or [number(part)]]


def span(text):
    """FIRST..LAST as a range with both ends; None for a text without dots."""
    first, dots, last = text.partition("..")
    if not dots:
        return None
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"expected FIRST..LAST, got {text!r}")
    if int(last) - int(first) >= MOST:
        raise argparse.ArgumentTypeError(f"expected at most {MOST:,} numbers, got {text!r}")
    return range(int(first), int(last) + 1)


def units(text):
    """Numbers and ranges, separated by commas, or one number or name: a list. A class's name may
    have commas of its own."""
    parts = names(text)
    if parts and all(".." in part or part.isdecimal() for part in parts):
        return numbers(text)
    return [index_or_name(text)]


def side(text):
    """A side in pixels, or "keep"."""
    return text if text == "keep" else _kind(int, lambda v: v > 0, "pixels, or 'keep'")(text)


def index_or_name(text):
    """An int if the text is one, else the text."""
    return int(text) if text.lstrip("-").isdecimal() else text


def position(text):
    """ROW,COLUMN as a pair of ints."""
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"expected ROW,COLUMN, got {text!r}")
    return tuple(_kind(int, lambda v: True, "two whole numbers, ROW,COLUMN")(p) for p in parts)


def pair(text):
    """LOW,HIGH as a pair of floats."""
    parts = names(text)
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"expected LOW,HIGH, got {text!r}")
    return tuple(number()(part) for part in parts)


def colour(text):
    """A grey level or R,G,B, each in 0..255; None for "mean", the network's mean colour."""
    if text == "mean":
        return None
    level = _kind(int, lambda v: 0 <= v <= 255, "0..255, or R,G,B, or 'mean'")
    parts = [level(part) for part in text.split(",")]
    if len(parts) not in (1, 3):
        raise argparse.ArgumentTypeError(f"expected 0..255, or R,G,B, or 'mean', got {text!r}")
    return tuple(parts) if len(parts) == 3 else parts[0]


def _kind(convert, accept, words):
    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"expected {words}, got {text!r}")
        return value
    return parse

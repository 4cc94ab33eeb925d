"""Lines of Python that call what a question asks for: what all kinds of questions share."""

import re
from typing import NamedTuple

import numpy as np


class Lines(NamedTuple):
    """Lines that call what a question asks for.

    Attributes
    ----------
    text : str
    shown : str
        An expression: the result.
    properties : list of str
        Lines of asserts that hold for every right answer.
    words : str
        Which setting it is.
    is_gradient : bool
        The properties alone tell whether it is right.
    """

    text: str
    shown: str
    properties: list
    words: str
    is_gradient: bool = False


def call(name, arguments, settings):
    """A call as a line of Python."""
    named = [f"{key}={typed(value)}" for key, value in settings.items()]
    return f"{name}({', '.join([*arguments, *named])})"


def typed(value):
    """A value as it is typed in Python, arrays with their dtype."""
    if isinstance(value, np.ndarray):
        kind = {"float64": "", "bool": ", bool"}.get(str(value.dtype), f", np.{value.dtype}")
        kind = ", float" if not kind and value.dtype == float else kind
        listed = re.sub(r"\b(nan|inf)\b", r"np.\1", str(value.tolist()))
        return f"np.array({listed}{kind})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(typed, value))
        return f"({inner}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{inner}]"
    return repr(value)

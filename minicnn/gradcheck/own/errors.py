"""Errors of somebody else's code: their classes here, and what is said of them.

This file imports Python's own library only: a process that sees nothing else runs it, too.
"""

import opcode

RAISE = opcode.opmap["RAISE_VARARGS"]


class FormError(ValueError):
    """An op of your own cannot be found, or cannot be called."""


class OwnError(ValueError):
    """An op of your own failed while it computed, or returned something that no page returns."""


class CannotDo(OwnError):
    """An op of your own has no way to be called with a setting."""


def is_deliberate(error, path):
    """Whether the last step before an error was a ``raise`` or ``assert`` in the file at `path`."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    code = step and step.tb_frame.f_code
    return bool(code and code.co_filename == str(path) and code.co_code[step.tb_lasti] == RAISE)


def told(error, path):
    """An error in one line, with the innermost line number of the file at `path`."""
    if isinstance(error, (FormError, OwnError)):
        return str(error)
    try:
        words = error.msg if isinstance(error, SyntaxError) else str(error)
        if isinstance(error, KeyError) and error.args:
            words = str(error.args[0])  # not its repr
    except Exception:  # its __str__ is foreign code, too
        words = ""
    line, traceback = getattr(error, "lineno", None), error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return (f"{type(error).__name__}: {words}".removesuffix(": ")
            + ("" if line is None else f" (line {line})"))

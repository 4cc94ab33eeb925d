"""Every op of a file: what was taken for what, each with a Form that lets it be called.

Where a name is not known, a table CHECK in the file says what is meant, one line an op:

    CHECK = {
        "conv": (my_conv, my_conv_gradient),    these functions are a convolution
        "pool": Downsample,                     this class is a max pooling
        "swish": {"x": (4, 5)},                 swish_forward and swish_backward, or a class Swish,
    }                                           are called at an x of this shape

The names before the colons are ops (see `minicnn.gradcheck.own.known`) or names of your own. A dict
gives the inputs of an op that is not known, by name: a shape stands for normal random numbers; an
array, or any other value, for itself. Functions and inputs together: ``(forward, backward,
{"x": (4, 5)})``.
"""

import inspect
from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.own.calls import EMPTY
from minicnn.gradcheck.own.forms import KINDS, Form
from minicnn.gradcheck.own.known import known
from minicnn.gradcheck.own.names import fits, names_of, pieces, variants
from minicnn.gradcheck.own.sources import FormError, Source, told
from minicnn.gradcheck.own.trials import AmbiguousLayout

SHOWN = 40  # letters of a name


class Found(NamedTuple):
    """An op of a file: its name, the variant ("naive", "alt", a class's name), the Form, or the
    error that says why there is none."""

    op: str
    variant: str
    form: object
    error: object

    def __str__(self):
        name = f"{self.op} ({self.variant})" if self.variant else self.op
        return f"{name}: {self.error or self.form.told}"


def found_in(source, layout=None, form=None, before=None):
    """Every op that a file or module has.

    Parameters
    ----------
    source : Source, or what a Source can be made of (a path, a module, a class)
    layout : {"NHWC", "NCHW"}, optional
        The layout of images in all its ops; by default it is found out.
    form : {"page", "course", "class", "torch"}, optional
        Take only ops of this form.
    before : function, optional
        Is called with the words for each op before it is tried; a FormError of it leaves it out.

    Returns
    -------
    list of Found
        In the order of the source, known ops first.

    Raises
    ------
    FormError
        The file cannot be read or run, or its CHECK is not understood.
    """
    source = source if isinstance(source, Source) else Source(source)
    if form not in (None, *KINDS):
        raise FormError(f"expected form to be {', '.join(KINDS)}, got {form!r}")
    try:
        there = pieces(source)
    except (FormError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise FormError(f"{source.name}: cannot be inspected: {told(error, source.file)}"
                        ) from error
    there = [piece for piece in there if fits(piece, form)]
    there = [*zip(there, variants(there), strict=True)]
    _names_differ(source, [(piece.op or piece.stem, variant) for piece, variant in there])
    found = [_found(source, *named, layout, form, before) for named in there]
    return sorted(_again(source, found, there, form, before),
                  key=lambda one: known(one.op) is None)


def _names_differ(source, names):
    """Raise FormError if two ops would be shown by the same name."""
    seen = {}
    for name in names:
        shown = tuple(" ".join("".join(c if c.isprintable() else " " for c in part).split())[:SHOWN]
                      for part in name)
        if shown in seen:
            raise FormError(f"{source.name}: two ops would be shown as {shown[0]!r}: "
                            f"{' and '.join(repr(one[0]) for one in (seen[shown], name))}; give "
                            f"them names that differ in their first {SHOWN} letters")
        seen[shown] = name


def _found(source, piece, variant, layout, form, before):
    """The Found of one piece."""
    op = piece.op or piece.stem
    try:
        if before is not None:
            before(piece.what)
        inputs = piece.inputs
        if piece.op is None and inputs is None:
            inputs = _guessed(piece, source)
        made = Form(source, op, layout, form, variant, trying=True, inputs=inputs)
        if piece.op is None and piece.inputs is None:
            _must_run(made, piece)
    except FormError as error:
        return Found(op, variant, None, error)
    return Found(op, variant, made, None)


def _again(source, found, there, form, before):
    """The same, where ops whose layout cannot be told take that of all others."""
    layouts = {one.form.layout for one in found if one.form and one.form.sees_images}
    if len(layouts) != 1:
        return found
    return [_found(source, *named, *layouts, form, before)
            if isinstance(one.error, AmbiguousLayout) else one
            for one, named in zip(found, there, strict=True)]


def _guessed(piece, source):
    """Inputs for an op that is not known: x alone; FormError if it takes more than that."""
    function = piece.forward
    takes = names_of(function.forward if isinstance(function, type) else function)
    made = names_of(function) if isinstance(function, type) else {}
    if isinstance(function, type) and function.__init__ is object.__init__:
        made = {}
    needed = [name for name, default in takes.items() if default is EMPTY and name != "self"]
    lacking = [name for name, default in made.items() if default is EMPTY and name[0] != "*"]
    if len(needed) != 1 or lacking or "*" in takes:
        raise _unknown(piece, source)
    return {needed[0]: np.random.default_rng(0).standard_normal((4, 5))}


def _unknown(piece, source):
    """The error that says how an op that is not known is called, and how to say its inputs."""
    function = piece.forward
    words = "(...)"
    for one in (function, getattr(function, "forward", None)):
        try:
            words = str(inspect.signature(one))
            break
        except (TypeError, ValueError):
            continue
    return FormError(f"{source.name}: {piece.what} {words}: no known op; say in the file which op "
                     f"it is, as in {_line(piece, 'conv')}, or, if it is none, its inputs: "
                     f'CHECK = {{"{piece.stem}": {{"x": (4, 5)}}}}')


def _line(piece, op):
    """The line for CHECK that says that a piece is an op."""
    parts = [getattr(part, "__name__", "?") for part in (piece.forward, piece.backward) if part]
    return f'CHECK = {{"{op}": {parts[0] if len(parts) == 1 else "(" + ", ".join(parts) + ")"}}}'


def _must_run(made, piece):
    """Raise FormError if an op that is not known cannot be called with x alone."""
    try:
        y, kept = made.forward(made.inputs, {})
        made.backward(np.ones_like(y), kept)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise FormError(f"{made.source.name}: {made.what}: no known op, and it cannot be called "
                        f"with one array of shape (4, 5): {told(error, made.source.file)}; say "
                        f'its inputs: CHECK = {{"{made.op}": {{"x": (4, 5)}}}}, or which op it is: '
                        f"{_line(piece, 'conv')}") from error

"""A submission's function as an op that the judge can call: one part of it is theirs, the page
does the rest.

A question judges one array: y, the switches, dx, dw or db. All others are computed here, by the
page. So a mistake in forward costs no point of backward: its cache is the submission's own where
its y is right, and the page's where that does better.
"""

from importlib import import_module
from typing import NamedTuple

import numpy as np

from minicnn.course.assignments.trials import beyond
from minicnn.gradcheck.apart.child import Place
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.own.forms import Called, Gradients
from minicnn.gradcheck.own.known import OPS
from minicnn.gradcheck.own.sources import OwnError

TAKE_ALL = {"conv": 3, "dense": 3}  # gradients that the page's backward returns


class Handed(Called):
    """An op of which one part is computed by a submission; used like a
    `minicnn.gradcheck.own.forms.Form`.

    Parameters
    ----------
    walled : Walled or Local
    op, prefix : str
        The functions are ``{prefix}forward`` and ``{prefix}backward``.
    part : str
        "y", "dx", "dw" or "db": what the submission computes; "all" for both passes.
    name : str
        Of the submission's file.
    contract : dict, optional
        Of the question: no case beyond it is tried.
    """

    kind, layout, channels_first, inputs, ranks = "page", "NHWC", False, None, None
    variant, remarks, others, sees_images = "", (), {}, False
    fixed = ("alpha", "beta", "k", "convention")  # stay as they are where a smaller case is sought

    def __init__(self, walled, op, prefix, part, name="submission.py", contract=None):
        self.walled, self.op, self.prefix, self.part = walled, op, prefix, part
        self.contract, self.their_forward_ends = contract, False
        self.page, about = import_module(f"minicnn.ops.{op}"), OPS[op]
        self.source = Place(name, name)
        self.arrays = about.arrays
        self.takes = {one: one for one in about.settings}
        self.extras = {"need"} & {*self._parameters()} | ({"rule"} if part == "all" else set())
        self.told = f"{prefix}forward and {prefix}backward of {name}"

    def _parameters(self):
        return self.page.backward.__code__.co_varnames[:self.page.backward.__code__.co_argcount]

    def holds(self, name, value):
        """Whether the op has this setting."""
        return name in self.takes or name == "kernel"

    def beyond(self, case):
        """Words if a case is beyond the question."""
        return self.contract and beyond(self.contract, case)

    def unread(self, name, kept):
        """A page reads all its settings."""
        return False

    def statistics(self, kept):
        """No op of the course has running statistics."""
        return None

    def conduct(self, arrays, settings, dy):
        """Conduct is no part of a question."""
        return {}

    def its_shape(self, name, shape):
        """The shape in words."""
        return str(tuple(shape))

    # ---- both passes

    def forward(self, arrays, settings, memory="C"):
        """(y, Kept): the submission's y if y is asked for, else the page's."""
        given = [arrays[name] for name in self.arrays]
        y, cache = self.page.forward(*given, **settings)
        if self.part not in ("y", "all"):
            return y, Kept(given, settings, cache)
        theirs, handle = self.walled.call(f"{self.prefix}forward", *given, **settings,
                                          take=("value", "handle"))
        return as_array(theirs, "y"), Kept(given, settings, cache, handle)

    def backward(self, dy, kept, extras=None, memory="C"):
        """Gradients: the submission's where asked for, else the page's."""
        if self.part == "y":
            return self._named(self.page.backward(dy, kept.cache))
        if self.part == "all":
            return self._named(self._theirs(dy, kept.handle, extras or {}))
        right = self._named(self.page.backward(dy, kept.cache))
        theirs = self._best(dy, kept, right[self.part[1:]])
        return Gradients(right | {self.part[1:]: theirs})

    def _best(self, dy, kept, right):
        """Their gradient, with their own cache if their y is right, or with the page's."""
        found, error = None, None
        for handle in self._caches(kept):
            try:
                theirs = self._named(self._theirs(dy, handle, {})).get(self.part[1:])
                if theirs is None and self.op in TAKE_ALL:  # as the questions ask for
                    raise OwnError(f"NotImplementedError: {self.part} is None")
                found = as_array(theirs, self.part)
            except OwnError as raised:
                error = raised
                continue
            if agrees(found, right):
                return found
        if found is None:
            raise error
        return found

    def _caches(self, kept):
        """Handles: their own cache if their y is right, then the page's made in their file."""
        try:
            if self.their_forward_ends:
                raise OwnError("their forward ended its process")
            y, handle = self.walled.call(f"{self.prefix}forward", *kept.given, **kept.settings,
                                         take=("value", "handle"))
            right, _ = self.page.forward(*kept.given, **kept.settings)
            if agrees(as_array(y, "y"), right):
                yield handle
        except OwnError:
            pass
        except Died:
            self.their_forward_ends = True
        yield self.walled.call(type(kept.cache).__name__, *kept.cache, take="handle")

    def _theirs(self, dy, handle, extras):
        """What their backward returns."""
        if "need" in self.extras and self.part != "all":
            extras = extras | {"need": (self.part[1:],)}
        take = ("value",) * TAKE_ALL[self.op] if self.op in TAKE_ALL else "value"
        return self.walled.call(f"{self.prefix}backward", dy, handle, **extras, take=take)

    def _named(self, found):
        """{array: gradient} of what a backward returned."""
        found = found if isinstance(found, (tuple, list)) else [found]
        names = [name for name in self.arrays if name != "labels"]
        return Gradients({name: gradient for name, gradient in zip(names, found, strict=False)
                          if gradient is not None})

    # ---- lines that show a mistake

    def script(self, arrays, settings, wrong, expected, dy=None, case=""):
        """Lines of Python that show what is wrong at these numbers."""
        from minicnn.course.grader.lines import of_op

        return of_op(self, arrays, settings, wrong, expected, dy)


class Kept(NamedTuple):
    """What a forward keeps: the arguments, the page's cache, and a handle of theirs."""

    given: list
    settings: dict
    cache: object
    handle: object = None

    @property
    def own(self):
        """The page's cache, whose fields can be read."""
        return self.cache


def agrees(found, right):
    """Whether an array is right, or nearly so, and of the right dtype; a scalar has none."""
    return (found.shape == right.shape and np.allclose(found, right, 1e-4, 1e-6)
            and (found.ndim == 0 or found.dtype == right.dtype))


def as_array(value, name):
    """A result that has to be an array of numbers; OwnError for anything else."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in "iufc":
            raise OwnError(f"expected {name} as an array of numbers, got {value.dtype}")
        return np.asarray(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return np.asarray(value, float)
        except OverflowError as error:
            raise OwnError(f"{name} is larger than any float") from error
    what = "nothing (None)" if value is None else f"a {type(value).__name__}"
    raise OwnError(f"expected {name} as an array, got {what}")

"""Your own ops: recognised by their names, and called like a page of `minicnn.ops`.

A page is the plain implementation of an op: a pair of functions on images (N, H, W, C) and kernels
(KH, KW, C/G, O). Your own op may have one of four forms:

======  ================================================================  =======================
page    ``forward(x, w, b, stride=1, pad=0) -> (y, cache)``               N,H,W,C; KH,KW,C,O
        ``backward(dy, cache) -> (dx, dw, db)``
course  ``conv_forward_naive(x, w, b, conv_param) -> (out, cache)``       N,C,H,W; O,C,KH,KW
        ``conv_backward_naive(dout, cache) -> (dx, dw, db)``
class   ``Convolution(W, b, stride=1, pad=0)`` with ``forward(x) -> y``   N,C,H,W; O,C,KH,KW
        and ``backward(dy) -> dx``, which stores ``dW`` and ``db``;
        or ``Conv2D(in_channels, out_channels, kernel_size)``, whose
        own ``W`` and ``b`` are then replaced
torch   a ``torch.nn.Module``, a ``torch.autograd.Function`` or a         N,C,H,W; O,C,KH,KW
        function on tensors; the gradient is autograd's through it
======  ================================================================  =======================

The known names are in `minicnn.gradcheck.own.known`. A module or class can declare its layout with
``LAYOUT = "NCHW"`` or ``"NHWC"``. Every op gets copies of its arguments, so an op that writes into
them does no harm. `minicnn.gradcheck.own.found` finds all ops of a file, and says which three lines
help where a name is not known.
"""

from copy import deepcopy
from math import prod
from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.gradients import conduct
from minicnn.gradcheck.gradients.directions import Base
from minicnn.gradcheck.gradients.subject import Subject
from minicnn.gradcheck.own import tensors, trials
from minicnn.gradcheck.own.callers import Layer, Pair
from minicnn.gradcheck.own.calls import filled
from minicnn.gradcheck.own.known import FLAT, MORE, OPS, Known, known
from minicnn.gradcheck.own.layouts import (
    LAYOUTS,
    ONE_HOT,
    as_given,
    in_memory,
    one_hot,
    to_own,
    to_page,
)
from minicnn.gradcheck.own.names import names_of, pick, torch_of
from minicnn.gradcheck.own.script import script
from minicnn.gradcheck.own.seeds import seeded
from minicnn.gradcheck.own.sources import FormError, OwnError, told

EXTRAS = ("need", "rule")  # further arguments of the page's backward
STATISTICS = ("mean", "variance")
WITH_STATISTICS = ("batch_norm", "affine_bn_relu", "conv_bn_relu")
PER_IMAGE = {"conv", "conv_transpose", "dense", "pool", "average_pool", "global_average_pool",
             "relu", "sigmoid", "tanh", "lrn", "layer_norm", "group_norm", "resize", "softmax",
             "affine_relu", "conv_relu", "conv_relu_pool"}
KINDS = ("page", "course", "class", "torch")


class Kept(NamedTuple):
    """What a forward pass keeps: the op's own cache or object, the shape of x, the names that were
    read from a dict of settings (None without a dict), those dicts, the shapes of all arrays in
    the op's own layout, and the running statistics that were passed."""

    own: object
    x_shape: tuple
    read: object
    dicts: dict
    shapes: dict
    statistics: tuple


class Gradients(dict):
    """{array: gradient}; `notes` are sentences on shapes that were looked through."""

    notes = ()


class Called:
    """What can be called like a page: a Form, or an op in another process. A marker for `using`."""


class Form(Called):
    """Adapter that lets your own op be called with the same arguments as the module in
    `minicnn.ops`.

    Parameters
    ----------
    source : Source
    op : str
    layout : {"NHWC", "NCHW"}, optional
        The layout of the op's images.
    form : {"page", "course", "class", "torch"}, optional
        Take only functions and classes of this form.
    variant : str, optional
        Which of several pairs or classes: the end of its name ("naive", "alt"), or a class's name.
    trying : bool
        Find out what names do not say (the layout, the shape of gamma, whether p is the share that
        is kept) by calling the op on small arrays.
    inputs : dict, optional
        For an op that is not known: its inputs by name, arrays and other values.

    Attributes
    ----------
    told : str
        Description: the functions or class that were found, the layout, the settings.
    takes : dict
        The page's settings that the op takes: {name on the page: name in the op}.
    arrays : tuple of str
        The page's arrays that the op takes, in the op's order.
    extras : set of str
        Those of "need" and "rule" that the op's backward takes.
    others : dict
        Parameters that are not settings, with the defaults that they keep.
    ranks : tuple of int, or None
        The numbers of axes that x may have, where that is known.
    single : set of str
        Settings, and "kernel", for which it was seen to take only one number, not one for each
        axis.
    inputs : dict or None
        Arrays at which an op that is not known can be called.
    """

    def __init__(self, source, op, layout=None, form=None, variant=None, trying=False,
                 inputs=None):
        if known(op) is None and inputs is None:
            raise FormError(f"{source.name}: there is no op {op!r}; there are "
                            f"{', '.join(OPS | MORE)}")
        self.op, self.source, self._given = op, source, (layout, form, variant, trying, inputs)
        try:
            self._look(*self._given)
        except (FormError, KeyboardInterrupt):
            raise
        except BaseException as error:  # inspecting the objects may run their code
            raise FormError(f"{source.name}: cannot be inspected: {told(error, source.file)}"
                            ) from error

    def _look(self, layout, form, variant, trying, inputs):
        source = self.source
        piece = pick(source, self.op, form, variant)
        self.kind, self.what, self.variant = piece.kind, piece.what, piece.variant
        says = getattr(piece.forward, "LAYOUT", getattr(source.found, "LAYOUT", None))
        self.layout = layout or says or ("NHWC" if "page" in (self.kind, form) else "NCHW")
        self.declared = (layout or says) is not None or self.kind == "page"
        if not isinstance(self.layout, str) or self.layout not in LAYOUTS:
            raise FormError(f"{source.name}: expected LAYOUT to be {' or '.join(LAYOUTS)}, got "
                            f"{self.layout!r}")
        self.inputs = inputs and {name: value for name, value in inputs.items()
                                  if isinstance(value, np.ndarray)}
        about = known(self.op) or Known((*self.inputs,), tuple(
            name for name in inputs if name not in self.inputs), ())
        self._constants = {name: inputs[name] for name in about.settings} if inputs else {}
        self.caller = _caller(piece._replace(op=self.op), about, source)
        self.arrays, self.others = self.caller.arrays, self.caller.others
        self.takes = {name: own for name, own in self.caller.takes.items()
                      if name not in self.arrays}
        self.extras = set() if self.kind in ("class", "torch") or not piece.backward else {
            name for name in EXTRAS if name in names_of(piece.backward)}
        self.defaults = {name for name, own in self.takes.items() if isinstance(own, str)
                         and names_of(piece.forward).get(own, 0) is None}
        self.how, self.ranks, self.remarks, self.single = {}, None, [], set()
        self.flattens = self.op in FLAT and (self.kind != "page" or self.channels_first)
        if trying and inputs is None:
            trials.settle(self)
        self.told = self._told()

    @property
    def sees_images(self):
        """Whether the layout matters to the op, and was found out."""
        return self.op in trials.IMAGES and self.op != "concat" and self.ranks != (2,)

    @property
    def channels_first(self):
        """Whether the op's images are (N, C, H, W)."""
        return LAYOUTS[self.layout]

    def _told(self):
        left = [f"{name}={value!r}" for name, value in self.others.items()]
        layout = f"{','.join(self.layout)}; " if self.sees_images or not self._given[3] else ""
        return (f"{self.what} of {self.source.name} ({layout}settings: "
                + (", ".join(self.takes) or "none")
                + (f"; left at {', '.join(left)}" if left else "")
                + "".join(f"; {remark}" for remark in self.remarks) + ")")

    def __reduce__(self):
        return Form, (self.source, self.op, *self._given)

    def holds(self, name, value):
        """Whether setting `name` can have this value: a dict of settings and a class take only one
        number for height and width, unless they have a pair by default; so does a function that
        was seen to fail with two. "kernel" is the size of a kernel."""
        if name == "kernel":
            return name not in self.single or len({*value}) == 1
        called, several = self.takes.get(name), isinstance(value, tuple) and len({*value}) > 1
        if called is None or not several:
            return called is not None
        return isinstance(called, tuple) or called in self.caller.pairs or not (
            self.caller.in_dicts or self.kind == "class" or name in self.single)

    # ---- both passes

    def forward(self, arrays, settings, memory="C"):
        """Run the op's forward; returns (y, Kept).

        `arrays` are the page's arrays by name, on the host; `settings` are some that the op takes.
        `memory` says how x lies in memory in the op's own layout: "C", or one of
        `conduct.LAYOUTS`.
        """
        given, first = self.own_arrays(arrays), self.arrays[0]
        given[first] = in_memory(given[first], memory)
        y, own = self._run(given, arrays, settings)
        if y is None:
            raise OwnError("forward returns nothing")
        dicts = self.caller.dicts
        read = {name for told in dicts.values() for name in told.read} if dicts else None
        shapes = {name: getattr(array, "shape", None) for name, array in given.items()}
        statistics = tuple(given.get(name) for name in STATISTICS)
        return to_page("y", y, self), Kept(own, getattr(arrays[first], "shape", None), read,
                                           dicts, shapes, statistics)

    def _run(self, given, arrays, settings):
        """(y, own cache) of own arrays; `arrays` are the page's."""
        first = arrays[self.arrays[0]]
        values = filled(self._constants | settings, self.takes, self.op, self.defaults)
        if "axis" in values and self.channels_first and first[0].ndim == 4:
            values["axis"] = {0: 0, 1: 2, 2: 3}.get(values["axis"] % 4, 1)
        if self.op == "dropout" and self.kind == "torch":  # draws in the order of the memory
            given = given | {"x": np.ascontiguousarray(given["x"])}
        with seeded(self, settings.get("seed", 0)):
            return self.caller.run(given, values, trials.sizes_of(self.op, arrays, settings))

    def unread(self, name, kept):
        """Whether the op got a setting in a dict of settings but did not read it."""
        called = self.takes.get(name)
        keys = {called} if isinstance(called, str) else {*(called or ())}
        return kept.read is not None and called is not None and not keys & kept.read

    def backward(self, dy, kept, extras=None, memory="C"):
        """Run the op's backward; returns the gradients that it computes, by the arrays' names, as
        Gradients, whose `notes` say which shapes were not those of their arrays, (1, 3) for (3,).

        The op gets a copy of its cache, so the original is still intact for another pass.
        """
        dy = in_memory(to_own("y", dy, self), memory)
        found = self.caller.back(dy, _independent(kept.own), extras)
        gradients, notes = Gradients(), []
        for name, gradient in found.items():
            gradient, note = as_given(name, gradient, kept.shapes.get(name))
            notes += note
            gradients[name] = to_page(name, gradient, self)
        if self.flattens and getattr(gradients.get("x"), "shape", None) == (
                kept.x_shape[0], prod(kept.x_shape[1:])):
            gradients["x"] = gradients["x"].reshape(kept.x_shape)  # N,D -> N,H,W,C
        gradients.notes = tuple(notes)
        return gradients

    def statistics(self, kept):
        """The running statistics after a forward of batch norm, {"mean", "variance"}, or None."""
        found = self.caller.statistics(kept.own, kept.dicts) or kept.statistics
        if any(array is None for array in found):
            return None
        return {name: np.array(array).reshape(-1)
                for name, array in zip(STATISTICS, found, strict=True)}

    # ---- its conduct

    def conduct(self, arrays, settings, dy):
        """Run the checks of `minicnn.gradcheck.gradients.conduct` on the op in its own layout.

        The op gets the very arrays that are then looked at. Returns {kind: list of complaints},
        an empty list where there are none; if one of `conduct.FIRST` complains, no other is run.
        """
        forward, backward, inputs = self._bare(arrays, settings)
        subject, results = Subject(forward, backward, inputs), {}
        subject.per_image = self.op in PER_IMAGE or (
            self.op in WITH_STATISTICS and not settings.get("training", True))
        if self.op == "dropout" and settings.get("rate", 0.5) > 0:
            subject.random = lambda x, seed: self._bare(arrays, settings | {"seed": seed})[0](x)
            subject.generators = self.kind == "page"
        try:
            y, rest = subject.call_forward(subject.copies())
            y, dy = y.copy(), np.array(to_own("y", np.asarray(dy, np.float64), self))
            found = [gradient if gradient is None else np.array(gradient)
                     for gradient in subject.call_backward(dy.copy(), rest)]
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return {"runs": [told(error, self.source.file)]}
        base = Base(y, dy, found)
        for checks in (conduct.FIRST, conduct.CHECKS):
            results |= {kind: self._complaints(check, subject, base)
                        for kind, check in checks.items()}
            if any(results.values()):
                break
        if self.kind == "class" and len(results) > len(conduct.FIRST):
            results["same object twice"] = self._complaints(
                lambda *_: self._object_twice(arrays, settings, dy), subject, base)
            results["results kept"] += self._complaints(
                lambda *_: self._object_keeps(arrays, settings, dy), subject, base)
        if self.kind == "torch" and len(results) > len(conduct.FIRST):
            results["some gradients only"] = self._complaints(
                lambda *_: self._some_only(arrays, settings, dy), subject, base)
        return results

    def _complaints(self, check, subject, base):
        try:
            return list(check(subject, base))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return [f"the op raised {told(error, self.source.file)}"]

    def _bare(self, arrays, settings):
        """(forward, backward, {name: own array}) without any copies, for these settings.

        Labels and statistics are bound; the parts of a list are inputs one by one.
        """
        inputs, owns = {}, self.own_arrays(arrays)
        for name, array in owns.items():
            parts = array if isinstance(array, list) else [array]
            for k, part in enumerate(parts):
                if getattr(part, "dtype", np.dtype(int)).kind == "f" and name not in (
                        *STATISTICS, "labels"):
                    inputs[f"{name}{k}" if isinstance(array, list) else name] = part

        def forward(*given):
            dtype = given[0].dtype
            fixed = {name: array.astype(dtype) if getattr(array, "dtype", dtype).kind == "f"
                     else array for name, array in owns.items() if not isinstance(array, list)
                     and array is not None} | {
                         name: None for name, array in owns.items() if array is None}
            now = dict(zip(inputs, given, strict=True))
            lists = {name: [now[key] for key in inputs] for name, array in owns.items()
                     if isinstance(array, list)}
            mine = {name: array for name, array in now.items() if name in owns}
            return self._run(fixed | lists | mine, arrays, settings)

        def backward(dy, own):
            found = self.caller.back(dy, own)
            if "parts" in found:
                return list(found["parts"])
            return [found.get(name) for name in inputs]

        return forward, backward, inputs

    def _object_twice(self, arrays, settings, dy):
        """One layer object gives the same gradients when both its passes are run again."""
        given, grads = self.own_arrays(arrays), []
        _, own = self._run(given, arrays, settings)
        grads.append(deepcopy(self.caller.back(dy.copy(), own)))
        _, own = self._forward_again(own, given, settings)
        grads.append(self.caller.back(dy.copy(), own))
        return [f"run again with the same x, the same object returns another d{name}"
                for name, first in grads[0].items()
                if not np.array_equal(first, grads[1].get(name), equal_nan=True)]

    def _some_only(self, arrays, settings, dy):
        """In PyTorch: the other gradients are there, too, if x asks for none."""
        given = self.own_arrays(arrays)
        _, own = self._run(given, arrays, settings)
        whole, first = self.caller.back(dy.copy(), own), self.arrays[0]
        self.caller.fixed = (first,)
        try:
            _, own = self._run(given, arrays, settings)
            found = self.caller.back(dy.copy(), own)
        finally:
            self.caller.fixed = ()
        return [f"d{name} is not computed where {first} needs no gradient, as in a first layer"
                for name in whole if name != first and found.get(name) is None]

    def _object_keeps(self, arrays, settings, dy):
        """What one layer object has returned stays as it is when it is run again."""
        given = self.own_arrays(arrays)
        y, own = self._run(given, arrays, settings)
        first = self.arrays[0]
        results = {"y": y} | {f"d{name}": gradient for name, gradient in self.caller.back(
            dy.copy(), own).items() if name == first}  # dw and db are the object's own
        before = deepcopy(results)
        _, own = self._forward_again(own, given | {first: conduct.other(given[first])}, settings)
        self.caller.back(2 * dy, own)
        return [f"a second run of the same object changed {name} of the first: both use the same "
                "buffer" for name, array in results.items()
                if not np.array_equal(array, before[name], equal_nan=True)]

    def _forward_again(self, own, given, settings):
        """(y, own) of one layer object, run once more."""
        with seeded(self, settings.get("seed", 0)):
            return self.caller.forward_of(
                own[0] if isinstance(own, tuple) else own, given,
                filled(self._constants | settings, self.takes, self.op, self.defaults))

    def script(self, arrays, settings, wrong, expected, dy=None, case=""):
        """Lines of Python that show what is wrong at these numbers, as
        `minicnn.gradcheck.own.script`."""
        return script(self, arrays, settings, wrong, expected, dy, case)

    # ---- layouts

    def its_shape(self, name, shape):
        """Describe the shape of a page's array in the op's own layout."""
        if not self.channels_first or len(shape) != 4:
            return str(shape)
        order = (3, 2, 0, 1) if name == "dw" else (0, 3, 1, 2)
        return f"{tuple(shape[k] for k in order)} ({'O,C,KH,KW' if name == 'dw' else 'N,C,H,W'})"

    def own_arrays(self, arrays):
        """{name: copy in the op's layout} of the page's arrays that the op takes; None where there
        is none."""
        own = {name: self._own(name, arrays.get(name)) for name in self.arrays}
        if self.how.get("labels") == ONE_HOT:
            own["labels"] = one_hot(arrays["labels"], arrays[self.arrays[0]])
        return own

    def _own(self, name, array):
        """Copy a page's array into the op's layout."""
        if self.op in FLAT and name == "x" and array is not None:
            shape = (len(array), -1) if self.flattens else array.shape
            return array.reshape(shape).copy()  # N,H,W,C -> N,D, in the order of w's rows
        return to_own(name, array, self)


def _caller(piece, about, source):
    """The caller of a piece."""
    if piece.kind == "torch":
        return tensors.caller(piece, about, source.name, torch_of(source))
    return (Layer if piece.kind == "class" else Pair)(piece, about, source.name)


def _independent(cache):
    """A copy of a cache, or the cache itself if it cannot be copied."""
    try:
        return deepcopy(cache)
    except Exception:  # it holds a file or a lock, or its own copy method fails
        return cache

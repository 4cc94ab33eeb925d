"""Check a user's own ops in a network: does each agree with its page, and is its backward the
gradient?

Each is tried on small arrays with the settings of the first row that it computes. The arrays'
height differs from their width, so that swapping the two shows. `minicnn check` tries an op at all
settings, and names the cause of what is wrong.
"""

from dataclasses import replace

import numpy as np

from minicnn import gradcheck
from minicnn.doctor.findings import BAD, GOOD, NOTE, Finding
from minicnn.network.own import Own
from minicnn.ops.window import pair

CHECKED = ("naive twin", "central differences")  # kinds of `gradcheck`; here the twin is the page
SAME = ("relu", "sigmoid", "tanh", "softmax", "global_average_pool")  # any image will do


def examined(network):
    """Yield a Finding for each own op of a network: that it is right, or what is wrong."""
    first = {}
    for op in network.ops.values():
        if isinstance(op, Own):
            first.setdefault(id(op.form), op)
    for own in first.values():
        what, small = f"{own.layer.op} by {own.form.source.name}", _small(own.layer)
        if small is None:
            yield Finding(what, "its gradient is not checked here", NOTE)
            continue
        first, *others = [*_report(own, *small).failed, None]
        wrong = [f"{first.kind}: {first.words}"] if first else []
        wrong += [f"{found.kind} contradict it, too" for found in others if found]
        words = "; ".join(wrong).replace("the naive twin", "the page").replace(
            "naive twin", "plain implementation (page)")
        words = words or "its output and gradients are right"
        yield Finding(what, f"as in {own.row}, {words}", BAD if wrong else GOOD,
                      _remedy(own.form) if wrong else "")


def _remedy(form):
    """What tells more about a wrong op, if it is in a file."""
    file = form.source.file
    return f"`minicnn check {file} --op {form.op}` tries all settings and names a cause" if (
        file) else ""


def _report(own, layer, inputs):
    """The report of `gradcheck` on an own op in a layer, compared with the layer's page."""
    forward, backward = _passes(layer, Own(own.form, own.row, layer), list(inputs))
    page, gradients = _passes(layer, own.page, list(inputs))
    return gradcheck.check(forward, backward, inputs, only=CHECKED,
                           twin=lambda *arrays: page(*arrays)[0],
                           twin_gradient=lambda dy, *arrays: gradients(dy, page(*arrays)[1]))


def _passes(layer, op, names):
    """A layer's forward and backward pass, computed by `op`, for `gradcheck.check`."""
    def forward(x, *weights):
        return layer.forward(op, x, dict(zip(names[1:], weights, strict=True)), learn=True)

    def backward(dy, cache):
        dx, gradients = layer.backward(op, dy, cache, need=("x", "w", "b"))
        return [dx, *(gradients[name] for name in names[1:])]
    return forward, backward


def _small(layer):
    """(a small layer with the same settings, its inputs by name); None for unsupported ops."""
    if layer.op == "conv":
        (kh, kw), (down, across) = pair(layer.kernel, "kernel"), pair(layer.dilation, "dilation")
        shapes = {"x": (2, down * (kh - 1) + 4, across * (kw - 1) + 5, 2 * layer.groups),
                  "w": (kh, kw, 2, 3 * layer.groups), "b": (3 * layer.groups,)}
        layer = replace(layer, filters=3 * layer.groups)
    elif layer.op == "dense":
        shapes, layer = {"x": (2, 3, 4, 2), "w": (24, 5), "b": (5,)}, replace(layer, units=5)
    elif layer.op in ("pool", "average_pool"):
        high, wide = pair(layer.window, "window")
        shapes = {"x": (2, high + 4, wide + 5, 3)}
    elif layer.op == "lrn" or layer.op in SAME:
        shapes = {"x": (2, 2, 3, getattr(layer, "size", 3) + 2)}
    else:
        return None
    if not getattr(layer, "bias", True):
        del shapes["b"]
    rng = np.random.default_rng(0)
    return layer, {name: rng.standard_normal(shape) for name, shape in shapes.items()}

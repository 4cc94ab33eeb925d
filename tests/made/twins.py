"""A fast twin beside its page: the same numbers, for any number of threads and any batch; and
mistakes planted in a twin's source, which those tests must see."""

import functools
import itertools
import sys
import types
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import strict_cupy
from checks import normal

from minicnn.backend import array_module, threads, to_host
from minicnn.fast import threads as scheduler
from minicnn.ops.conv import Gradients, check_backward, describe

# Sums of up to some hundred numbers near 1, in another order; a float32 power in other last places
NEAR = {np.float64: 1e-12, np.float32: 1e-4}
NEEDS = [{}, *({"need": (name,)} for name in ("x", "w", "b"))]  # rules of a layer with weights


@contextmanager
def used_memory():
    """Within it `np.empty` gives memory as it is after much work: full of what is not a number, or
    of the largest there is."""
    def used(empty, *args, **kwargs):
        a = empty(*args, **kwargs)
        a.fill(np.nan if a.dtype.kind in "fc" else True if a.dtype.kind == "b"
               else np.iinfo(a.dtype).max)
        return a

    with pytest.MonkeyPatch.context() as patch:
        for name in ("empty", "empty_like"):
            patch.setattr(np, name, functools.partial(used, getattr(np, name)))
        yield


@contextmanager
def cut_up(block=50):
    """Within it small arrays are shared out among threads, too: in blocks of rows of about `block`
    numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "SHARED", 1)
        patch.setattr(scheduler, "BLOCK", block)
        yield


@contextmanager
def gpu():
    """Within it there is the stand-in for CuPy, which it yields; without kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", strict_cupy)
        yield strict_cupy


@used_memory()
def results(op, inputs, rules=({},), **settings):
    """[y, all that forward keeps and computed, the gradients by each rule], None where None."""
    y, cache = op.forward(*inputs, **settings)
    dy = array_module(y).asarray(normal(*y.shape, seed=9), dtype=y.dtype)
    found = [y, *(getattr(cache, name) for name in ("switches", "positive", "scale", "area")
                  if hasattr(cache, name))]
    for rule in rules:
        gradients = op.backward(dy, cache, **rule)
        found += gradients if isinstance(gradients, tuple) else [gradients]
    return [None if array is None else to_host(array) for array in found]


def same_as_page(twin, page, inputs, dtype=np.float64, xp=np, **settings):
    """AssertionError if a twin's arrays, of array module `xp`, are others than the page's: whole
    numbers and booleans to the last, others to NEAR."""
    inputs = [np.asarray(array, dtype) for array in inputs]
    pairs = zip(results(twin, [xp.asarray(array) for array in inputs], **settings),
                results(page, inputs, **settings), strict=True)
    for ours, theirs in pairs:
        assert (ours is None) == (theirs is None)
        if ours is not None:
            near = NEAR[dtype] if ours.dtype.kind == "f" else 0
            np.testing.assert_allclose(ours, theirs, rtol=near, atol=near, strict=True)


def same_kinds_of_numbers(op, page, x, w, b, **settings):
    """AssertionError if the output is of another kind of numbers than the page's, where the inputs
    are of both."""
    for kinds in itertools.product(NEAR, repeat=3):
        given = [array.astype(kind) for array, kind in zip((x, w, b), kinds, strict=True)]
        for inputs in (given, given[:2]):
            y, expected = (each.forward(*inputs, **settings)[0] for each in (op, page))
            near = NEAR[expected.dtype.type]
            np.testing.assert_allclose(y, expected, rtol=near, atol=near, strict=True)


def same_for_any_number_of_threads(op, inputs, **settings):
    """AssertionError if bytes depend on the number of threads."""
    before, found = threads(), set()
    try:
        for count in (1, 2, 3):
            threads(count)
            found.add(b"".join(array.tobytes() for array in results(op, inputs, **settings)
                               if array is not None))
    finally:
        threads(before)
    assert len(found) == 1, "other bytes for another number of threads"


@used_memory()
def same_in_any_batch(op, x, *weights, **settings):
    """AssertionError if an image's output or its gradient at x depends on the other images."""
    y, cache = op.forward(x, *weights, **settings)
    dy = normal(*y.shape, seed=9).astype(y.dtype)
    dx = at_x(op.backward(dy, cache))
    for first, last in [(0, 1), (1, 2), (1, 3), (len(x) - 1, len(x))]:
        alone, cache = op.forward(x[first:last], *weights, **settings)
        back = at_x(op.backward(dy[first:last], cache))
        np.testing.assert_array_equal(alone, y[first:last])
        np.testing.assert_array_equal(back, dx[first:last])


def at_x(gradients):
    return gradients.dx if isinstance(gradients, tuple) else gradients


def as_op(way):
    """One way of a convolution (`fast.tiles`, `fast.depthwise`) with the signature of the op."""
    def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
        cache = describe(x, w, b, stride, pad, groups, dilation)
        return way.forward(cache, b), cache

    def backward(dy, cache, need=("x", "w", "b")):
        check_backward(dy, cache, need)
        return Gradients(way.input_gradient(dy, cache) if "x" in need else None,
                         way.weight_gradient(dy, cache) if "w" in need else None,
                         dy.sum(axis=(0, 1, 2)) if "b" in need and cache.has_bias else None)

    return types.SimpleNamespace(forward=forward, backward=backward)


def planted(module, right, wrong):
    """A twin's module anew, with a mistake in its source."""
    path = Path(module.__file__)
    source = path.read_text(encoding="utf-8")
    assert source.count(right) == 1, f"{path.name} has {source.count(right)} of {right!r}"
    changed = types.ModuleType(module.__name__)
    code = compile(source.replace(right, wrong), f"{path.name} with a mistake", "exec")
    exec(code, vars(changed))
    return changed


@functools.cache
def passes(test, module):
    """The test passes; once for all mistakes."""
    test(module)


def is_caught(test, module, mistake):
    """The test fails for the module with a mistake (right, wrong), by an AssertionError or because
    shapes, indices or sizes do not fit, and passes without."""
    passes(test, module)
    changed = planted(module, *mistake)
    with pytest.raises((AssertionError, ValueError, LookupError, ArithmeticError)):
        test(changed)

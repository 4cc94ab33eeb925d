"""How a forward and backward pass must behave, whatever they compute.

Each function returns the complaints it has, as sentences; none means well behaved.
"""

import numpy as np

from minicnn.gradcheck import compare
from minicnn.gradcheck.subject import arrays_in

SAME = 1e-10  # another memory layout may add in another order
SAME_32 = 1e-4  # float32 against float64 at the same values, of the largest entry


def shapes(subject, base):
    """One gradient for each input, shaped like it."""
    if len(base.gradients) != len(subject.names):
        counts = f"{len(base.gradients)} gradients for {len(subject.names)} inputs"
        return [f"backward returned {counts} ({', '.join(subject.names)}); "
                "return None for those not computed"]
    if all(gradient is None for gradient in base.gradients):
        return ["backward returned no gradient at all"]
    pairs = zip(subject.names, subject.arrays, base.gradients, strict=True)
    return [f"d{name} has shape {gradient.shape}, {name} has {array.shape}"
            for name, array, gradient in pairs
            if gradient is not None and gradient.shape != array.shape]


def finite(subject, base):
    """No infinity and no NaN in the output or a gradient."""
    named = [("y", base.y)]
    named += [(f"d{name}", g) for name, g in zip(subject.names, base.gradients, strict=False)]
    return [f"{name} holds {(~np.isfinite(array)).sum()} numbers that are not finite"
            for name, array in named if array is not None and not np.isfinite(array).all()]


def untouched(subject, base):
    """Inputs, dy and the arrays in the cache hold the same bytes afterwards."""
    arrays, dy = subject.copies(), base.dy.copy()
    before = [array.tobytes() for array in arrays]
    _, rest = subject.call_forward(arrays)
    complaints = changed("forward", subject.names, arrays, before)
    kept = arrays_in(rest)
    before, cached = [array.tobytes() for array in arrays], [array.tobytes() for array in kept]
    subject.call_backward(dy, rest)
    complaints += changed("backward", subject.names, arrays, before)
    complaints += changed("backward", ["dy"], [dy], [base.dy.tobytes()])
    if not complaints:
        complaints += changed("backward", ["an array in the cache"] * len(kept), kept, cached)[:1]
    return complaints


def changed(who, names, arrays, before):
    """A complaint for every array whose bytes are no longer those taken before."""
    triples = zip(names, arrays, before, strict=True)
    return [f"{who} changed {name}" for name, array, bytes_ in triples if array.tobytes() != bytes_]


def dtype_kept(subject, base):
    """float64 gives float64; float32 gives float32 with the same values to float32's accuracy."""
    complaints = wrong_dtypes(subject, base.y, base.gradients, np.float64)
    singles, dy = subject.copies(np.float32), base.dy.astype(np.float32)
    y, gradients = subject.gradients(dy, [array.copy() for array in singles])
    complaints += wrong_dtypes(subject, y, gradients, np.float32)
    doubles = [array.astype(np.float64) for array in singles]
    y64, gradients64 = subject.gradients(dy.astype(np.float64), doubles)
    return complaints + differing(
        subject, (y, gradients), (y64, gradients64), "in float64 it is", SAME_32, compare.SHARE_32)


def wrong_dtypes(subject, y, gradients, dtype):
    """A complaint for every result that is not of `dtype`."""
    named = [("y", y)] + [(f"d{name}", g) for name, g in zip(subject.names, gradients, strict=True)]
    return [f"{name} is {array.dtype} for {np.dtype(dtype).name} inputs"
            for name, array in named if array is not None and array.dtype != dtype]


def differing(subject, got, expected, source, tolerance, share=compare.SHARE_64):
    """Complaints about (y, gradients) that differ from the expected (y, gradients)."""
    names = ["y"] + [f"d{name}" for name in subject.names]
    rows = zip(names, [got[0], *got[1]], [expected[0], *expected[1]], strict=True)
    found = [compare.worst(name, ours, theirs, source, share)
             for name, ours, theirs in rows if ours is not None and theirs is not None]
    return [one.words for one in found if not one.error <= tolerance]


def any_layout(subject, base):
    """Fortran order, every second element, and a reversed axis give what contiguous arrays give."""
    complaints = []
    for what, layout in LAYOUTS.items():
        got = subject.gradients(layout(base.dy), [layout(array) for array in subject.arrays])
        source = f"for contiguous inputs and dy (not {what}) it is"
        complaints += differing(subject, got, (base.y, base.gradients), source, SAME)
    return complaints


def every_second(array):
    """A view of every second element of a twice as long array, equal to `array`."""
    if array.ndim == 0:
        return array.copy()
    return np.repeat(array, 2, axis=-1)[..., ::2]


def reversed_twice(array):
    """A view with a negative stride on the first axis, equal to `array`."""
    return array[::-1].copy()[::-1] if array.ndim else array.copy()


LAYOUTS = {
    "Fortran order": lambda array: np.array(array, order="F"),
    "every second element": every_second,
    "a negative stride": reversed_twice,
}


def no_aliases(subject, base):
    """The output is no view of an input, a gradient none of dy, an input or another gradient."""
    arrays, dy = subject.copies(), base.dy.copy()
    y, rest = subject.call_forward(arrays)
    inputs = list(zip(subject.names, arrays, strict=True))
    complaints = shared([("y", y)], inputs)
    gradients = subject.call_backward(dy, rest)
    named = [(f"d{name}", g) for name, g in zip(subject.names, gradients, strict=True)]
    named = [(name, gradient) for name, gradient in named if gradient is not None]
    complaints += shared(named, [("dy", dy)] + inputs)
    for i, one in enumerate(named):
        complaints += shared([one], named[:i])
    return complaints


def shared(ours, theirs):
    """A complaint for every one of ours that shares memory with one of theirs."""
    return [f"{name} shares memory with {other}"
            for name, array in ours for other, elsewhere in theirs
            if array.size and np.shares_memory(array, elsewhere)]


def same_twice(subject, base):
    """A second run, and a second backward with the same cache, give the same bytes."""
    y, rest = subject.call_forward(subject.copies())
    first = subject.call_backward(base.dy.copy(), rest)
    second = subject.call_backward(base.dy.copy(), rest)
    complaints = [] if y.tobytes() == base.y.tobytes() else ["a second forward gives another y"]
    names = [f"d{name}" for name in subject.names]
    complaints += differing_bytes(names, base.gradients, first, "a second run")
    return complaints + differing_bytes(names, first, second, "a second backward with one cache")


def differing_bytes(names, ours, theirs, when):
    """A complaint for every result of ours whose bytes differ from theirs."""
    rows = zip(names, ours, theirs, strict=True)
    return [f"{when} gives another {name}" for name, one, other in rows
            if one is not None and (other is None or one.tobytes() != other.tobytes())]


FIRST = {  # without these there is nothing to compare
    "gradient shapes": shapes,
    "finite numbers": finite,
}
CHECKS = {
    "arguments untouched": untouched,
    "dtype kept": dtype_kept,
    "any memory layout": any_layout,
    "no aliasing": no_aliases,
    "same bytes twice": same_twice,
}

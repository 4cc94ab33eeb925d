"""Checks that every forward and backward pass must satisfy, whatever the op computes.

Each takes a Subject and its Base run, and returns a list of problems, written as sentences; it is
empty if there are none.  `CHECKS` are demanded of every op.  `NOTES` say how the op does what good
libraries do in different ways: nothing in them is an error.
"""

import numpy as np

from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.gradients.subject import arrays_in, copied, largest

SAME = 1e-10  # with another memory layout NumPy may add in another order
SAME_32 = 1e-4  # float32 against float64 at the same values, relative to the largest entry
SHAKEN = 2.0**-20  # entries are changed by this share of themselves to see what rounding may do


def result_names(subject):
    """The names of y and of the gradients."""
    return ["y"] + [f"d{name}" for name in subject.names]


def named(subject, gradients, y=None):
    """(name, array) of every gradient that is there, after y if it is given."""
    pairs = list(zip(result_names(subject), [y, *gradients], strict=False))
    return [pair for pair in pairs if pair[1] is not None]


# ---- of the first run


def shapes(subject, base):
    """There is one gradient for each input, of the same shape."""
    if len(base.gradients) != len(subject.names):
        counts = f"{len(base.gradients)} gradients for {len(subject.names)} inputs"
        return [f"backward returned {counts} ({', '.join(subject.names)}); "
                "return None for a gradient that is not computed"]
    if all(gradient is None for gradient in base.gradients):
        return ["backward returned no gradient at all"]
    pairs = zip(subject.names, subject.arrays, base.gradients, strict=True)
    returned = {name: gradient.shape for name, _, gradient in pairs if gradient is not None}
    returned |= subject.odd
    return [f"d{name} has shape {returned[name]}, {name} has {array.shape}"
            for name, array in zip(subject.names, subject.arrays, strict=True)
            if name in returned and returned[name] != array.shape]


def finite(subject, base):
    """The output and the gradients hold no infinity and no NaN."""
    return [f"{name} holds {(~np.isfinite(array)).sum()} numbers that are not finite"
            for name, array in named(subject, base.gradients, base.y)
            if not np.isfinite(array).all()]


# ---- arguments and results


def untouched(subject, base):
    """Neither pass changes the inputs, dy or the arrays in the cache."""
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
    """A complaint for every array whose bytes differ from those in `before`."""
    triples = zip(names, arrays, before, strict=True)
    return [f"{who} changed {name}" for name, array, bytes_ in triples if array.tobytes() != bytes_]


def no_aliases(subject, base):
    """The output shares no memory with an input, nor a gradient with dy, inputs or gradients."""
    arrays, dy = subject.copies(), base.dy.copy()
    y, rest = subject.call_forward(arrays)
    inputs = list(zip(subject.names, arrays, strict=True))
    complaints = shared([("y", y)], inputs)
    gradients = named(subject, subject.call_backward(dy, rest))
    complaints += shared(gradients, [("dy", dy)] + inputs)
    for i, one in enumerate(gradients):
        complaints += shared([one], gradients[:i])
    return complaints


def shared(ours, theirs):
    """A complaint for every pair of arrays, one of `ours` and one of `theirs`, sharing memory."""
    return [f"{name} shares memory with {other}"
            for name, array in ours for other, elsewhere in theirs
            if array.size and np.shares_memory(array, elsewhere)]


# ---- dtypes


def dtype_kept(subject, base):
    """Results have the dtype of the inputs."""
    y, gradients = subject.gradients(base.dy.astype(np.float32), subject.copies(np.float32))
    return (wrong_dtypes(subject, base.y, base.gradients, np.float64)
            + wrong_dtypes(subject, y, gradients, np.float32))


def wrong_dtypes(subject, y, gradients, dtype):
    """A complaint for every result that is not of `dtype`."""
    return [f"{name} is {array.dtype} for {np.dtype(dtype).name} inputs"
            for name, array in named(subject, gradients, y) if array.dtype != dtype]


def same_in_float32(subject, base):
    """Float32 equals float64 at the same values, as far as float32 can hold the terms."""
    singles, dy = subject.copies(np.float32), base.dy.astype(np.float32)
    doubles = [array.astype(np.float64) for array in singles]
    got = subject.gradients(dy.copy(), [array.copy() for array in singles])
    expected = subject.gradients(dy.astype(np.float64), [array.copy() for array in doubles])
    if not all(np.isfinite(array).all() for _, array in named(subject, expected[1], expected[0])):
        return []
    rounded = rounding_32(subject, base, doubles, expected)
    return differing(subject, got, expected, "in float64 it is", SAME_32, compare.SHARE_32, rounded)


def rounding_32(subject, base, arrays, expected):
    """How much the rounding of float32 numbers may change y and every gradient.

    Every entry of the inputs is changed by a random millionth of itself.  What that does to y, a
    rounding of 6e-8 does by so much less; where terms cancel, as in the variance of 1000 + noise,
    it is much.  The gradients jump at kinks and so cannot be tried in the same way: they are
    granted the same share of themselves as y, and the noise that they have in float64.
    """
    rng = np.random.default_rng(0)
    shaken = [a * (1 + SHAKEN * rng.uniform(-1, 1, a.shape)) for a in arrays]
    moved = 8 * largest(subject.value(shaken) - expected[0]) * 2.0**-24 / SHAKEN
    share = min(moved / (float(np.std(expected[0])) or largest(expected[0]) or 1.0), 0.1)
    noise = [compare.SINGLE * one for one in subject.noise(base)]
    return [moved] + [share * largest(gradient) + one if gradient is not None else one
                      for gradient, one in zip(expected[1], noise[1:], strict=True)]


def differing(subject, got, expected, source, tolerance, share=compare.SHARE_64, rounded=None):
    """Complaints about (y, gradients) that differ from the expected (y, gradients) by more than
    `tolerance`, and by more than what may be `rounded` of each."""
    names = result_names(subject)
    rounded = rounded or [0.0] * len(names)
    rows = zip(names, [got[0], *got[1]], [expected[0], *expected[1]], rounded, strict=True)
    found = [compare.worst(name, ours, theirs, source, share, floor=one / tolerance)
             for name, ours, theirs, one in rows if ours is not None and theirs is not None]
    return [one.words for one in found if not one.error <= tolerance]


# ---- memory layouts


def any_layout(subject, base):
    """However x and dy lie in memory, the results are the same: the inputs, dy, and both."""
    complaints = []
    for what, layout in LAYOUTS.items():
        found = in_layout(subject, base, f"{what} of the inputs", layout, np.copy)
        found += in_layout(subject, base, f"{what} of dy", np.copy, layout)
        complaints += found or in_layout(subject, base, f"{what} of both", layout, layout)
    return complaints + of_one_number(subject, base)


def in_layout(subject, base, what, of_inputs, of_dy):
    """Complaints about the results for inputs and dy in certain layouts."""
    try:
        got = subject.gradients(of_dy(base.dy), [of_inputs(array) for array in subject.arrays])
    except Exception as error:
        return [f"with {what}: {type(error).__name__}: {error}"]
    source = f"for contiguous inputs and dy (not {what}) it is"
    return differing(subject, got, (base.y, base.gradients), source, SAME,
                     rounded=subject.noise(base))


def of_one_number(subject, base):
    """A dy that is one number, broadcast (strides of 0, as a sum's gradient has), counts as the
    array of it."""
    try:
        y, rest = subject.call_forward(subject.copies())
        y, got = y.copy(), copied(subject.call_backward(np.broadcast_to(0.5, base.dy.shape), rest))
    except Exception as error:
        return [f"with a broadcast dy (strides of 0): {type(error).__name__}: {error}"]
    expected = subject.gradients(np.full(base.dy.shape, 0.5), subject.copies())
    return differing(subject, (y, got), expected, "for the same numbers as an array of its own "
                     "(not a broadcast dy) it is", SAME, rounded=subject.noise(base))


def every_second(array):
    """A strided view equal to `array`: every second element of an array twice as long."""
    if array.ndim == 0:
        return array.copy()
    return np.repeat(array, 2, axis=-1)[..., ::2]


def reversed_twice(array):
    """A view with a negative stride on the first axis, equal to `array`."""
    return array[::-1].copy()[::-1] if array.ndim else array.copy()


def read_only(array):
    """A copy that cannot be written to."""
    array = np.array(array)
    array.flags.writeable = False
    return array


LAYOUTS = {
    "Fortran order": lambda array: np.array(array, order="F"),
    "every second element": every_second,
    "a negative stride": reversed_twice,
    "read-only memory": read_only,
}


# ---- several calls


def same_twice(subject, base):
    """A second run returns the same bytes."""
    y, gradients = subject.gradients(base.dy.copy(), subject.copies())
    if y.tobytes() != base.y.tobytes():
        return ["a second forward with the same inputs returns another y"]
    return [f"forward and backward, run a second time, return another d{name}"
            for name, _, _ in unequal(subject, base.gradients, gradients)]


def backward_twice(subject, base):
    """A second backward with the same cache returns the same bytes."""
    _, rest = subject.call_forward(subject.copies())
    first = copied(subject.call_backward(base.dy.copy(), rest))
    try:
        second = copied(subject.call_backward(base.dy.copy(), rest))
    except Exception as error:
        return [f"a second backward with the same cache raised {type(error).__name__}: {error}"]
    return [f"a second backward with the same cache returns another d{name}"
            + (": it was added to the first" if np.allclose(two, 2 * one, 1e-6, 0) else "")
            for name, one, two in unequal(subject, first, second)]


def unequal(subject, first, second):
    """(name, first, second) of every gradient of which the bytes differ."""
    return [row for row in zip(subject.names, first, second, strict=True)
            if row[1] is not None and row[2] is not None and row[1].tobytes() != row[2].tobytes()]


def interleaved(subject, base):
    """forward(x1), forward(x2), then backward of the first: as if the second had not been."""
    _, rest = subject.call_forward(subject.copies())
    subject.call_forward([other(array) for array in subject.arrays])
    got = copied(subject.call_backward(base.dy.copy(), rest))
    expected = (None, base.gradients)
    return [f"backward of a first forward, after a second forward with other inputs: {words}"
            for words in differing(subject, (None, got), expected, "alone it is", SAME,
                                   rounded=subject.noise(base))]


def other(array):
    """Other numbers of the same kind: the array, reversed along every axis and 1/8 larger."""
    return np.flip(array) * 1.125


def second_batch(subject, base):
    """A layer object that has seen another batch gives the same gradients."""
    if subject.again is None:
        return []
    arrays = subject.copies()
    arrays[0] = other(arrays[0])
    _, rest = subject.call_forward(arrays)
    first = copied(subject.call_backward(base.dy.copy(), rest))
    subject.again(rest[0], subject.copies())
    second = copied(subject.call_backward(base.dy.copy(), rest))
    added = any(two is not None and np.allclose(two, one + alone, 1e-6, 0)
                for one, two, alone in zip(first, second, base.gradients, strict=True))
    return [f"a second batch in one layer object: {words}"
            + ("; it was added to that of the first" if added else "")
            for words in differing(subject, (None, second), (None, base.gradients),
                                   "in a new one it is", SAME, rounded=subject.noise(base))]


def results_kept(subject, base):
    """The results of a first run are the same after a second run with other inputs."""
    y, rest = subject.call_forward(subject.copies())
    gradients = subject.call_backward(base.dy.copy(), rest)
    before = [array.tobytes() for _, array in named(subject, gradients, y)]
    subject.gradients(other(base.dy), [other(array) for array in subject.arrays])
    return [f"a later call changed {name} of an earlier one: both use the same buffer"
            for (name, array), bytes_ in zip(named(subject, gradients, y), before, strict=True)
            if array.tobytes() != bytes_]


def linear(subject, base):
    """backward(a dy1 + b dy2) = a backward(dy1) + b backward(dy2), and backward(0) = 0."""
    if not subject.linear:
        return []
    a, b, rng = -0.75, 1.5, np.random.default_rng(1)
    more = rng.standard_normal(base.dy.shape)
    second, both, none = [subject.gradients(np.array(dy), subject.copies())[1]
                          for dy in (more, a * base.dy + b * more, 0 * base.dy)]
    complaints, noise = [], subject.noise(base)[1:]
    for i, (name, first) in enumerate(zip(subject.names, base.gradients, strict=True)):
        if first is None:
            continue
        terms = abs(a) * largest(first) + abs(b) * largest(second[i])
        size = SAME * terms + 4 * noise[i]
        found = compare.worst(f"d{name} of {a} dy1 + {b} dy2", both[i],
                              a * first + b * second[i], "the two apart give", 0, size / SAME)
        complaints += [found.words] if found.error > SAME else []
        if largest(none[i]) > size or not np.isfinite(none[i]).all():
            complaints.append(f"d{name} of dy = 0 is not 0, but up to {largest(none[i]):.4g}")
    return complaints


def seeded(subject, base):
    """With one seed, or Generators made from it, the same numbers; with one Generator used twice,
    others."""
    if subject.random is None:
        return []

    def y(seed):
        result = subject.random(*subject.copies(), seed)
        return np.array(result[0] if isinstance(result, tuple) else result)

    complaints, generator = [], np.random.default_rng(3)
    if y(3).tobytes() != y(3).tobytes():
        complaints.append("the same seed gives other numbers the second time")
    if not subject.generators:
        return complaints
    first = y(generator)
    if first.tobytes() != y(np.random.default_rng(3)).tobytes():
        complaints.append("two Generators in the same state give different numbers")
    if first.size > 8 and first.tobytes() == y(generator).tobytes():
        complaints.append("one Generator passed twice gives the same numbers: it was not advanced")
    return complaints


# ---- image by image


def images_apart(subject, base):
    """The first image alone gives what it gives in the batch; a NaN in it stays in it."""
    return alone(subject, base) + spread(subject, base) if has_images(subject, base) else []


def has_images(subject, base):
    """Whether images are declared to be treated by themselves, and there are several."""
    x, y = subject.arrays[0], base.y
    return (subject.per_image and subject.outputs == 1 and x.ndim > 1 and len(x) > 1
            and y.ndim > 0 and len(y) == len(x))


def alone(subject, base):
    """Complaints if y or dx of the first image are others than in the batch."""
    arrays = subject.copies()
    arrays[0] = arrays[0][:1].copy()
    y, gradients = subject.gradients(base.dy[:1].copy(), arrays)
    pairs = [("y", y, base.y[:1])]
    if base.gradients[0] is not None:
        pairs.append((f"d{subject.names[0]}", gradients[0], base.gradients[0][:1]))
    found = [compare.worst(name, one, whole, "in the batch it is", floor=noise / SAME)
             for (name, one, whole), noise in zip(pairs, subject.noise(base), strict=False)]
    return [f"the first image alone: {one.words}" for one in found if not one.error <= SAME]


def spread(subject, base):
    """Complaints if a NaN in the first image reaches y or dx of another image."""
    y, gradients = with_nan(subject, base)
    pairs = [("y", y), (f"d{subject.names[0]}", gradients[0])]
    return [f"a NaN in the first image makes {np.isnan(array[1:]).sum()} numbers of {name} of "
            f"other images NaN" for name, array in pairs
            if array is not None and np.isnan(array[1:]).any()]


def with_nan(subject, base):
    """y and the gradients where the first number of the first input is NaN."""
    arrays = subject.copies()
    arrays[0].flat[0] = np.nan
    with np.errstate(all="ignore"):
        return subject.gradients(base.dy.copy(), arrays)


def nan_passed_on(subject, base):
    """Whether a NaN in the input can be seen in the output; comparisons with it are false, so
    np.where(x > 0, x, 0) turns it into 0, and so do some libraries."""
    if subject.arrays[0].size == 0:
        return []
    try:
        y, _ = with_nan(subject, base)
    except Exception as error:
        return [f"a NaN in {subject.names[0]} raises {type(error).__name__}: {error}"]
    if np.isnan(y).any():
        return []
    return [f"a NaN in {subject.names[0]} leaves no NaN in y: forward hides it"]


FIRST = {  # if one of these fails, nothing can be compared; but see Subject.odd
    "gradient shapes": shapes,
    "finite numbers": finite,
}
CHECKS = {
    "arguments untouched": untouched,
    "dtype kept": dtype_kept,
    "float32 as float64": same_in_float32,
    "any memory layout": any_layout,
    "no aliasing": no_aliases,
    "same bytes twice": same_twice,
    "backward twice": backward_twice,
    "another forward between": interleaved,
    "a second batch": second_batch,
    "results kept": results_kept,
    "linear in dy": linear,
    "one seed twice": seeded,
    "images apart": images_apart,
}
WHEN = {  # the attribute of the Subject that a check needs, and what it means that it is not set
    "linear in dy": ("linear", "not declared to be a gradient"),
    "a second batch": ("again", "no object that stays from batch to batch"),
    "one seed twice": ("random", "no random function given"),
    "images apart": ("per_image", "not declared to treat every image by itself"),
}
OF_THE_GRADIENT = ("linear in dy",)  # a backward that is not linear is no gradient
NOTES = {
    "NaN passed on": nan_passed_on,
}

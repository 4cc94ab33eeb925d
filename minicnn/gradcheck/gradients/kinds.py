"""The five kinds of check.  Each takes a Subject and its Base run, and returns one Finding.

| kind | in | tolerance | catches |
|---|---|---|---|
| naive twin | float64 | 1e-10 | a fast pass that differs from the specification |
| central differences | float64 | 1e-7 | a backward that is not the derivative of its forward |
| complex step | complex128 | 1e-10 | the same, with three more digits, where the op is smooth |
| adjoint identity | float64 | 1e-12 | a backward that is not the transpose of a linear forward |
| PyTorch | both | 1e-10 | a forward and backward that agree with each other and are both wrong |

The twin's tolerance is 1e-10 because both add the same terms in different orders (1e-15 each) and
an entry may be a thousandth of its terms.  PyTorch is asked in float64, with the same tolerance,
and in float32, with 1e-5: float32 has eps 1e-7 and sums of a hundred terms.  Wherever the pass
itself rounds more coarsely than that (`Subject.noise`), a difference of that size is no error.
"""

import importlib

import numpy as np

from minicnn.gradcheck.gradients import compare, slopes
from minicnn.gradcheck.gradients.compare import SHARE_32, SHARE_64
from minicnn.gradcheck.gradients.directions import (
    CENTRAL,
    DIRECTIONS,
    EVERY,
    Base,
    Differences,
    chosen_places,
    one_hot,
    random_directions,
)
from minicnn.gradcheck.gradients.report import FAILED, NOT_APPLICABLE, PASSED, Finding
from minicnn.gradcheck.gradients.subject import Subject, as_list, copied

TWIN, COMPLEX, ADJOINT, TORCH = 1e-10, 1e-10, 1e-12, 1e-5  # CENTRAL is directions.py's
TORCH_64 = TWIN


def not_applicable(kind, why):
    """A Finding that says why a kind of check does not apply."""
    return Finding(kind, NOT_APPLICABLE, why)


def verdict(kind, places, tolerance, directions=(), notes=()):
    """The finding for the worst comparison; directions count only if no single place is wrong."""
    wrong = [found for found in places if not found.error <= tolerance]
    comparisons = wrong or [*places, *directions]
    if not comparisons:
        return Finding(kind, FAILED, "nothing could be compared", notes=tuple(notes))
    found = max(comparisons, key=lambda found: found.error)
    status, words = (PASSED, found.numbers) if found.error <= tolerance else (FAILED, found.words)
    return Finding(kind, status, words, found.error, tolerance, tuple(notes))


def given(subject, base):
    """(index, name, gradient) of every input for which backward returned a gradient."""
    triples = zip(range(len(subject.names)), subject.names, base.gradients, strict=True)
    return [triple for triple in triples if triple[2] is not None]


def naive_twin(subject, base, twin, twin_gradient):
    """Compare forward and backward with the twin, usually nested loops."""
    kind, source = "naive twin", "the naive twin says"
    if twin is None and twin_gradient is None:
        return not_applicable(kind, "no twin given")
    found, noise = [], subject.noise(base)
    if twin is not None:
        y = twin(*subject.copies())
        found.append(compare.worst("y", base.y, y, source, floor=noise[0] / TWIN))
        if base.y.shape != np.shape(y):
            return verdict(kind, found, TWIN)  # dy has the wrong shape for the twin's gradient
    if twin_gradient is not None:
        expected = as_list(twin_gradient(base.dy.copy(), *subject.copies()))
        found += [compare.worst(f"d{name}", gradient, expected[index], source,
                                floor=noise[1 + index] / TWIN)
                  for index, name, gradient in given(subject, base)]
    return verdict(kind, found, TWIN)


def central_differences(subject, base, rng):
    """Every coordinate of small inputs (a sample of large ones), tied entries together, then
    random directions."""
    kind, places, along, notes = "central differences", [], [], []
    for index, name, gradient in given(subject, base):
        differences = Differences(subject, base, index)
        results = {place: differences.at(place) for place in chosen_places(gradient, rng)}
        kinks = {place: result.slope for place, result in results.items() if result.slope.kink}
        known = {place: result for place, result in results.items() if result.slope.known}
        notes += kink_notes(name, list(kinks.items()))
        if results and not known:
            words = f"d{name}: nothing could be compared, forward is not finite next to {name}"
            return Finding(kind, FAILED, words, notes=tuple(notes))
        places += [result.worst(compare.place_name(f"d{name}", place))
                   for place, result in known.items()]
        places += tied(differences, [place for place in kinks if place in known])
        for direction in random_directions(gradient, rng, without=kinks):
            more = along_direction(differences, direction, notes)
            along, places = along + more[:1], places + more[1:]
    return verdict(kind, places, CENTRAL, along, notes)


def tied(differences, places):
    """The comparison of the sum over every group of entries that are equal and have a kink."""
    found, left = [], list(places)
    while left:
        direction = differences.tied(left[0])
        if direction.sum() > 1:
            found.append(differences.together(left[0], direction))
        left = [place for place in left[1:] if not direction[place]]
    return found


def along_direction(differences, direction, notes):
    """The comparison along a direction; if it is wrong, also those at its worst coordinate.

    Beyond a kink only these count: where the kinks of several coordinates meet in one output, the
    two slopes along a direction need not enclose those of all right gradients.
    """
    result, name = differences.along(direction), differences.name
    found = result.worst(f"d{name} along a random direction")
    if result.slope.kink:
        notes.append(f"a random direction in {name} meets a kink, judged by its one-sided slopes"
                     if result.slope.known else
                     f"a random direction in {name} leaves the domain, not compared")
    if not result.slope.known:
        return []
    if found.error <= CENTRAL:
        return [found]
    place = differences.locate(direction)
    closer = [differences.place(place), *tied(differences, [place])]
    if result.slope.kink and all(one.error <= CENTRAL for one in closer):
        return []
    return [found, *closer]


def kink_notes(name, kinks, most=3):
    """A line for each of the first `most` kinks, and the number of the others."""
    notes = [f"kink at {compare.place_name(name, place)}: left slope {slope.left:.4g}, "
             f"right slope {slope.right:.4g}, " + ("judged by them" if slope.known else
                                                   "not compared")
             for place, slope in kinks[:most]]
    return notes + ([f"and {len(kinks) - most} more kinks in {name}"] if len(kinks) > most else [])


def complex_step(subject, base, smooth, rng):
    """Every coordinate of small inputs, and random directions, without any subtraction."""
    kind, places, along = "complex step", [], []
    if not smooth:
        return not_applicable(kind, "not declared smooth")
    if not np.iscomplexobj(subject.along(0, 0j)(1)):
        return Finding(kind, FAILED, "forward turns complex numbers into real ones")
    for index, name, gradient in given(subject, base):
        floor = subject.noise(base)[1 + index] / COMPLEX
        typical = max(SHARE_64 * np.abs(gradient).max(initial=0.0), floor)
        for place in chosen_places(gradient, rng):
            label, direction = compare.place_name(f"d{name}", place), one_hot(gradient.shape, place)
            places.append(complex_slope(subject, base, index, direction, label, typical))
        label = f"d{name} along a random direction"
        typical = max(np.linalg.norm(gradient), floor)
        for direction in random_directions(gradient, rng):
            along.append(complex_slope(subject, base, index, direction, label, typical))
    return verdict(kind, places, COMPLEX, along)


def complex_slope(subject, base, index, direction, label, typical):
    """The backward pass's slope along a direction compared with the complex step's."""
    got = float(np.sum(base.gradients[index] * direction))
    says = slopes.by_complex_step(subject.along(index, direction), base.dy)
    return compare.one(label, got, says, "the complex step says", typical)


def adjoint_identity(subject, base, linear, rng):
    """<f(v) - f(0), dy> = <v, backward(dy)>, for every input in which f is linear or affine."""
    kind, found = "adjoint identity", []
    if not linear:
        return not_applicable(kind, "not declared linear in any input")
    for index, name, gradient in given(subject, base):
        if name not in linear:
            continue
        for _ in range(DIRECTIONS):
            v = rng.standard_normal(gradient.shape)
            ahead, at_0 = value_at(subject, index, v), value_at(subject, index, np.zeros_like(v))
            left, right = np.sum((ahead - at_0) * base.dy), np.sum(v * gradient)
            # f(v) and f(0) may be far larger than their difference: a large bias, a small w
            terms = [np.linalg.norm(term * base.dy) for term in (ahead - at_0, ahead, at_0)]
            noise = subject.noise(base)[1 + index] * np.abs(v).sum()
            source = f"<f(v) - f(0), dy> for a random v in {name} is"
            found.append(compare.one(f"<v, d{name}>", right, left, source,
                                     max(*terms, noise / ADJOINT)))
    return verdict(kind, found, ADJOINT)


def value_at(subject, index, value):
    """The output where input number `index` has this value."""
    arrays = subject.copies()
    arrays[index] = value
    return subject.value(arrays)


def double_backward(subject, base, function, rng):
    """Central differences of backward, as a function of dy and the inputs, against its own
    backward."""
    kind, count = "double backward", len(given(subject, base))

    def forward(dy, *arrays):
        _, rest = subject.call_forward(list(arrays))
        found = [one for one in subject.call_backward(dy, rest) if one is not None]
        return (*found, (dy, rest)) if count > 1 else (found[0], (dy, rest))

    def backward(*arguments):
        *ddx, (dy, rest) = arguments
        return function(*ddx, dy, *rest)

    inputs = {"dy": base.dy} | dict(zip(subject.names, subject.arrays, strict=True))
    second = Subject(forward, backward, inputs, outputs=count)
    y, rest = second.call_forward(second.copies())
    ddx = rng.standard_normal(y.shape)
    base = Base(y.copy(), ddx, copied(second.call_backward(ddx.copy(), rest)))
    return central_differences(second, base, rng)._replace(kind=kind)


def pytorch(subject, base, function):
    """Compare output and gradients with PyTorch's autograd, in float64 and in float32.

    Float64 decides: what float64 does not show is no error but float32's rounding, if it is not
    larger than the size of the terms explains.
    """
    kind = "PyTorch"
    if function is None:
        return not_applicable(kind, "no torch function given")
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return not_applicable(kind, "PyTorch is not installed")
    single = with_torch(torch, subject, base, function, np.float32)
    if base.y.dtype != np.float64:
        return verdict(kind, single, TORCH)
    try:
        double = verdict(kind, with_torch(torch, subject, base, function, np.float64), TORCH_64)
    except RuntimeError as error:  # tensors of float32 that the function holds, for example
        note = f"PyTorch was asked in float32 only; in float64 it raised: {error}"
        return verdict(kind, single, TORCH, notes=(note,))
    return verdict(kind, single, TORCH) if double.ok else double


def with_torch(torch, subject, base, function, dtype):
    """The comparisons of y and of every gradient with PyTorch's, in one dtype."""
    dy = base.dy.astype(dtype)
    y, gradients = subject.gradients(dy.copy(), subject.copies(dtype))
    leaves = [torch.tensor(array, requires_grad=True) for array in subject.copies(dtype)]
    output = function(*leaves)
    if tuple(output.shape) == dy.shape:
        output.backward(torch.tensor(dy))
    source = f"PyTorch says in {np.dtype(dtype).name}"
    share, tolerance, unit = ((SHARE_32, TORCH, compare.SINGLE) if dtype is np.float32 else
                              (SHARE_64, TORCH_64, 1.0))
    floors = [unit * noise / tolerance for noise in subject.noise(base)]
    found = [compare.worst("y", y, output.detach().numpy(), source, share, floors[0])]
    for index, name, _ in given(subject, base):
        if leaves[index].grad is not None:
            rows = gradients[index], leaves[index].grad.numpy(), share, floors[1 + index]
            rows = with_kinks(Differences(subject, base, index), tolerance, *rows)
            found.append(compare.worst(f"d{name}", *rows[:2], source, *rows[2:]))
    return found


def with_kinks(differences, tolerance, got, expected, share, floor):
    """The same rows, with the expected gradient ours where both are right: at a kink either may
    choose another slope."""
    wrong = np.argwhere(compare.errors(got, expected, share, floor) > tolerance)
    expected = expected.copy()
    for place in map(tuple, wrong[:EVERY]):
        result = differences.at(place)
        theirs = result._replace(got=float(expected[place]))
        if result.slope.kink and max(one.worst("").error for one in (result, theirs)) <= CENTRAL:
            expected[place] = got[place]
    return got, expected, share, floor

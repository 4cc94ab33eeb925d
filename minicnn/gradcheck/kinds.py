"""The five kinds of check.  Each takes what ran (a Subject and its Base) and returns one Finding.

| kind | in | allowed | catches |
|---|---|---|---|
| naive twin | float64 | 1e-10 | a fast pass that is not the specification |
| central differences | float64 | 1e-7 | a backward that is not the derivative of its forward |
| complex step | complex128 | 1e-10 | the same, with three more digits, where the op is smooth |
| adjoint identity | float64 | 1e-12 | a backward that is not the transpose of a linear forward |
| PyTorch | float32 | 1e-5 | a forward and backward that agree with each other and are both wrong |

The twin is allowed 1e-10 because the two add the same terms in different orders (1e-15 each) and
an entry may be a thousandth of its terms; float32 has eps 1e-7 and sums of a hundred terms.
"""

import importlib

import numpy as np

from minicnn.gradcheck import compare, slopes
from minicnn.gradcheck.compare import SHARE_32, SHARE_64
from minicnn.gradcheck.directions import (
    CENTRAL,
    DIRECTIONS,
    Differences,
    chosen_places,
    one_hot,
    random_directions,
)
from minicnn.gradcheck.report import FAILED, NOT_APPLICABLE, PASSED, Finding
from minicnn.gradcheck.subject import as_list

TWIN, COMPLEX, ADJOINT, TORCH = 1e-10, 1e-10, 1e-12, 1e-5  # CENTRAL is directions.py's


def not_applicable(kind, why):
    """A Finding that a kind of check does not apply, and why."""
    return Finding(kind, NOT_APPLICABLE, why)


def verdict(kind, places, tolerance, directions=(), notes=()):
    """The finding for the worst comparison; a direction only where no single place is wrong."""
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
    """Forward and backward against the scalar loops."""
    kind = "naive twin"
    if twin is None and twin_gradient is None:
        return not_applicable(kind, "no twin given")
    found = []
    if twin is not None:
        y = twin(*subject.copies())
        found.append(compare.worst("y", base.y, y, "the naive twin says"))
        if base.y.shape != np.shape(y):
            return verdict(kind, found, TWIN)  # this dy means nothing to the twin's gradient
    if twin_gradient is not None:
        expected = as_list(twin_gradient(base.dy.copy(), *subject.copies()))
        for index, name, gradient in given(subject, base):
            says = expected[index]
            found.append(compare.worst(f"d{name}", gradient, says, "the naive twin says"))
    return verdict(kind, found, TWIN)


def central_differences(subject, base, rng):
    """Every coordinate of tiny inputs (a sample of large ones), then random directions."""
    kind, places, along, notes = "central differences", [], [], []
    for index, name, gradient in given(subject, base):
        differences = Differences(subject, base, index, gradient)
        results = {place: differences.at(place) for place in chosen_places(gradient, rng)}
        kinks = {place: result.slope for place, result in results.items() if result.slope.kink}
        notes += kink_notes(name, list(kinks.items()))
        if results and len(kinks) == len(results):
            words = f"d{name}: nothing could be compared, every slope has a kink"
            return Finding(kind, FAILED, words, notes=tuple(notes))
        places += [result.worst(compare.place_name(f"d{name}", place))
                   for place, result in results.items() if place not in kinks]
        for direction in random_directions(gradient, rng, without=kinks):
            more = along_direction(differences, name, direction, notes)
            along, places = along + more[:1], places + more[1:]
    return verdict(kind, places, CENTRAL, along, notes)


def along_direction(differences, name, direction, notes):
    """The comparison along a direction; if it is wrong also at the place that makes it wrong."""
    result = differences.along(direction)
    if result.slope.kink:
        notes.append(f"a direction in {name} meets a kink, not compared")
        return []
    found = result.worst(f"d{name} along a random direction")
    if found.error <= CENTRAL:
        return [found]
    place = differences.locate(direction)
    return [found, differences.at(place).worst(compare.place_name(f"d{name}", place))]


def kink_notes(name, kinks, most=3):
    """A line for each of the first kinks that were met, and how many more there are."""
    notes = [f"kink at {compare.place_name(name, place)}: left slope {slope.left:.4g}, "
             f"right slope {slope.right:.4g}, not compared" for place, slope in kinks[:most]]
    return notes + ([f"and {len(kinks) - most} more kinks in {name}"] if len(kinks) > most else [])


def complex_step(subject, base, smooth, rng):
    """Every coordinate of tiny inputs and random directions, without any subtraction."""
    kind, places, along = "complex step", [], []
    if not smooth:
        return not_applicable(kind, "not declared smooth")
    if not np.iscomplexobj(subject.along(0, 0j)(1)):
        return Finding(kind, FAILED, "forward turns complex numbers into real ones")
    for index, name, gradient in given(subject, base):
        typical = SHARE_64 * np.abs(gradient).max(initial=0.0)
        for place in chosen_places(gradient, rng):
            label, direction = compare.place_name(f"d{name}", place), one_hot(gradient.shape, place)
            places.append(complex_slope(subject, base, index, direction, label, typical))
        label, typical = f"d{name} along a random direction", np.linalg.norm(gradient)
        for direction in random_directions(gradient, rng):
            along.append(complex_slope(subject, base, index, direction, label, typical))
    return verdict(kind, places, COMPLEX, along)


def complex_slope(subject, base, index, direction, label, typical):
    """The slope along a direction, beside what the complex step says of it."""
    got = float(np.sum(base.gradients[index] * direction))
    says = slopes.by_complex_step(subject.along(index, direction), base.dy)
    return compare.one(label, got, says, "the complex step says", typical)


def adjoint_identity(subject, base, linear, rng):
    """<f(v) - f(0), dy> = <v, backward(dy)> for every input in which f is linear (or affine)."""
    kind, found = "adjoint identity", []
    if not linear:
        return not_applicable(kind, "not declared linear in any input")
    for index, name, gradient in given(subject, base):
        if name not in linear:
            continue
        for _ in range(DIRECTIONS):
            v = rng.standard_normal(gradient.shape)
            arrays = [subject.copies(), subject.copies()]
            arrays[0][index], arrays[1][index] = v, np.zeros_like(v)
            moved = subject.value(arrays[0]) - subject.value(arrays[1])
            left, right = np.sum(moved * base.dy), np.sum(v * gradient)
            typical = np.linalg.norm(moved * base.dy)
            source = f"<f(v) - f(0), dy> for a random v in {name} is"
            found.append(compare.one(f"<v, d{name}>", right, left, source, typical))
    return verdict(kind, found, ADJOINT)


def pytorch(subject, base, function):
    """Output and gradients of the same function under PyTorch's autograd, in float32."""
    kind, source = "PyTorch", "PyTorch says"
    if function is None:
        return not_applicable(kind, "no torch function given")
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return not_applicable(kind, "PyTorch is not installed")
    dy = base.dy.astype(np.float32)
    y, gradients = subject.gradients(dy, subject.copies(np.float32))
    leaves = [torch.tensor(array, requires_grad=True) for array in subject.copies(np.float32)]
    output = function(*leaves)
    if tuple(output.shape) == dy.shape:
        output.backward(torch.tensor(dy))
    found = [compare.worst("y", y, output.detach().numpy(), source, SHARE_32)]
    for name, gradient, leaf in zip(subject.names, gradients, leaves, strict=True):
        if gradient is not None and leaf.grad is not None:
            found.append(compare.worst(f"d{name}", gradient, leaf.grad.numpy(), source, SHARE_32))
    return verdict(kind, found, TORCH)

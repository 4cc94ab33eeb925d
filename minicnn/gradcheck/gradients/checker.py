"""The entry point of the gradient checker: run every check that applies, report in words."""

from collections.abc import Callable, Sequence

import numpy as np

from minicnn.gradcheck.gradients import conduct, kinds
from minicnn.gradcheck.gradients.directions import Base
from minicnn.gradcheck.gradients.report import (
    CONDUCT,
    FAILED,
    GRADIENT,
    NOT_APPLICABLE,
    PASSED,
    SHAPE,
    Finding,
    Report,
)
from minicnn.gradcheck.gradients.stateful import of_layer
from minicnn.gradcheck.gradients.subject import Subject, copied


def check(forward: Callable, backward: Callable | None = None,
          inputs: dict[str, np.ndarray] | np.ndarray | None = None, *,
          twin: Callable | None = None, twin_gradient: Callable | None = None,
          linear: Sequence[str] = (), smooth: bool = False, torch: Callable | None = None,
          is_gradient: bool = True, outputs: int = 1, double_backward: Callable | None = None,
          per_image: bool = False, random: Callable | None = None,
          only: Sequence[str] | None = None, seed: int = 0, name: str = "this op") -> Report:
    """Check a hand-written backward pass against its forward pass, in every way that applies.

    Call it as check(forward, backward, inputs), or as check(layer, inputs) with a module or an
    object that has both passes.

    Parameters
    ----------
    forward : callable
        forward(x, w, ...) -> (y, cache) or y.  Or a layer: an object with forward(x) -> y and
        backward(dy) -> dx, whose parameters W, b, ... have gradients dW, db, ..., or are in lists
        or dicts `params` and `grads`; they are checked as well.  Every call gets a copy of it.
    backward : callable
        backward(dy, cache) if forward returns a cache, else backward(dy, x, w, ...).  It returns
        one array, or a tuple or list of arrays in the order of the inputs; None skips an input,
        and may also stand at the end for one that is not given, such as a bias.
    inputs : dict of str to array, or one array
        The point at which to check: floats by name, in the order of forward's arguments.  Bind
        labels and other constants inside the functions.  Of an input with at most 300 entries
        every entry is checked.
    twin, twin_gradient : callable, optional
        An independent implementation: twin(x, w, ...) -> y, twin_gradient(dy, x, w, ...) ->
        gradients in the form that backward returns.
    linear : sequence of str
        Names of inputs in which forward is linear or affine while the others are fixed; enables
        the adjoint identity.
    smooth : bool
        True if forward is analytic and accepts complex numbers; enables the complex step.
    torch : callable, optional
        The same function on PyTorch tensors, in the same layout.
    is_gradient : bool
        False for a backward that is deliberately not a derivative (guided ReLU): then only the
        twin and the conduct are checked.
    outputs : int
        How many arrays forward returns, before the cache: (y1, y2, cache) or (y1, y2) for 2.
        backward takes one dy each: backward(dy1, dy2, cache).
    double_backward : callable, optional
        The backward of backward: double_backward(ddx, ddw, ..., dy, cache) -> (ddy, dx, dw, ...),
        the gradients of <ddx, dx> + <ddw, dw> + ... with respect to dy and the inputs.
    per_image : bool
        True if every image (entry along the first axis of the first input) is treated by itself:
        then alone it must give what it gives in the batch, and a NaN must stay in its image.
    random : callable, optional
        random(x, w, ..., seed) is forward with a seed or a NumPy Generator, if it draws numbers.
    only : sequence of str, optional
        Kinds of check to run, by the names in the report; by default all that apply.
    seed : int
        Seed of the upstream gradient dy (normal numbers, never all ones) and the directions.
    name : str
        The name of the op in the report.

    Returns
    -------
    Report
        `report.gradient_ok`, `report.conduct_ok`, `report.ok` for both; `print(report)`,
        `report.raise_if_failed()`.

    Raises
    ------
    ValueError
        The inputs are not floats, or `linear` names something that is not an input.

    Examples
    --------
    >>> def cube(x):
    ...     return x**3
    >>> report = check(cube, lambda dy, x: 2 * x**2 * dy, {"x": np.array([1.0, 2.0])})
    >>> report.ok
    False
    >>> print(report["central differences"].words)  # doctest: +ELLIPSIS
    dx[...] is ..., central differences say ...: too small by a factor 1.5
    """
    forward, backward, inputs = passes(forward, backward, inputs, outputs)
    subject = Subject(forward, backward, as_inputs(inputs), outputs, is_gradient, per_image, random)
    unknown = [one for one in linear if one not in subject.names]
    if unknown:
        raise ValueError(f"gradcheck: linear names {unknown}, but the inputs are {subject.names}")
    rng = np.random.default_rng(seed)
    base, findings = first_run(subject, rng)
    if base is None:
        return Report(name, findings)
    plan = [("naive twin", kinds.naive_twin, (twin, twin_gradient))]
    if is_gradient:
        plan += [
            ("central differences", kinds.central_differences, (rng,)),
            ("complex step", kinds.complex_step, (smooth, rng)),
            ("adjoint identity", kinds.adjoint_identity, (tuple(linear), rng)),
            ("PyTorch", kinds.pytorch, (torch,)),
        ]
    if double_backward is not None:
        plan += [("double backward", kinds.double_backward, (double_backward, rng))]
    plan += [(kind, of_conduct(kind, one), ()) for kind, one in conduct.CHECKS.items()]
    plan += [(kind, noted(kind, one), ()) for kind, one in conduct.NOTES.items()]
    for kind, function, options in plan:
        if only is None or kind in only:
            findings.append(guarded(kind, function, subject, base, *options))
    return Report(name, findings)


def passes(forward, backward, inputs, outputs):
    """(forward, backward, inputs) as functions, also of check(layer, inputs)."""
    if inputs is None and hasattr(forward, "forward") and hasattr(forward, "backward"):
        return of_layer(forward, backward, outputs)
    if backward is None or inputs is None:
        raise ValueError("gradcheck: expected check(forward, backward, inputs), or "
                         "check(layer, inputs) with a layer that has forward and backward")
    return forward, backward, inputs


def as_inputs(inputs):
    """The inputs as a dict; raise ValueError unless all of them are float arrays."""
    inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
    for key, value in inputs.items():
        if np.asarray(value).dtype.kind != "f":
            raise ValueError(
                f"gradcheck: expected input {key} to be floats, got {np.asarray(value).dtype}; "
                f"bind labels and other constants inside forward and backward"
            )
    if not inputs:
        raise ValueError("gradcheck: expected at least one input, got none")
    return inputs


def first_run(subject, rng):
    """(Base, findings) of the run that all checks share; Base is None if that run failed."""
    stage = "forward"
    try:
        y, rest = subject.call_forward(subject.copies())
        y, stage, dy = y.copy(), "backward", np.array(rng.standard_normal(y.shape))
        kept = copied(subject.call_backward(dy.copy(), rest))
    except Exception as error:  # any error of the code under check becomes a finding
        return None, [raised("runs", stage, error)]
    base = Base(y, dy, kept)
    findings = [of_conduct(kind, one)(subject, base) for kind, one in conduct.FIRST.items()]
    if subject.odd and fits(subject, base):
        findings[0] = findings[0]._replace(status=SHAPE, verdict=CONDUCT)
    return (base if all(one.status != FAILED for one in findings) else None), findings


def fits(subject, base):
    """Whether the gradients have the shapes of the inputs, odd ones looked through."""
    return all(gradient is None or gradient.shape == array.shape
               for gradient, array in zip(base.gradients, subject.arrays, strict=True))


def guarded(kind, function, *arguments):
    """Run one check; an error of the code under check fails this kind of check only."""
    try:
        return function(*arguments)
    except Exception as error:
        return raised(kind, "the code under check", error)


def raised(kind, who, error):
    """A failed Finding for an error that the code under check raised."""
    return Finding(kind, FAILED, f"{who} raised {type(error).__name__}: {error}", cause=error,
                   verdict=verdict_of(kind))


def verdict_of(kind):
    """The verdict that a kind of check belongs to."""
    of_conduct = {*conduct.CHECKS, *conduct.NOTES} - {*conduct.OF_THE_GRADIENT}
    return CONDUCT if kind in of_conduct else GRADIENT


def of_conduct(kind, function):
    """Turn a function that returns complaints into a check; it passes without complaints."""
    needed, why_not = conduct.WHEN.get(kind, (None, ""))

    def run(subject, base):
        if needed and not getattr(subject, needed):
            return Finding(kind, NOT_APPLICABLE, why_not, verdict=verdict_of(kind))
        complaints = function(subject, base)
        return Finding(kind, FAILED if complaints else PASSED, "; ".join(complaints),
                       verdict=verdict_of(kind))

    return run


def noted(kind, function):
    """Turn a function that returns remarks into a check that always passes."""

    def run(subject, base):
        return Finding(kind, PASSED, notes=tuple(function(subject, base)), words="",
                       verdict=CONDUCT)

    return run

"""The door of the gradient checker: run every kind of check that applies, report in words."""

import numpy as np

from minicnn.gradcheck import conduct, kinds
from minicnn.gradcheck.directions import Base
from minicnn.gradcheck.report import FAILED, PASSED, Finding, Report
from minicnn.gradcheck.subject import Subject


def check(forward, backward, inputs, *, twin=None, twin_gradient=None, linear=(), smooth=False,
          torch=None, is_gradient=True, only=None, seed=0, name="this op"):
    """Check a hand-written backward pass against its forward pass, every way that applies.

    Parameters
    ----------
    forward : callable
        forward(x, w, ...) -> (y, cache), or -> y.
    backward : callable
        backward(dy, cache) if forward returns a cache, backward(dy, x, w, ...) if not.  Returns
        one array, or a tuple or list of arrays in the order of the inputs; None is not checked.
    inputs : dict of str to array, or one array
        Where to check, by name, in the order of forward's arguments.  Floats; labels and the like
        belong inside the functions.  Up to 300 entries each, every entry is checked.
    twin, twin_gradient : callable, optional
        An independent implementation: twin(x, w, ...) -> y, twin_gradient(dy, x, w, ...) ->
        gradients as backward gives them.
    linear : sequence of str
        Names of inputs in which forward is linear or affine, the others held: adjoint identity.
    smooth : bool
        True if forward is an analytic function that accepts complex numbers: complex step.
    torch : callable, optional
        The same function on PyTorch tensors, in the same layout.
    is_gradient : bool
        False for a backward that is not a derivative by intention (guided ReLU): only the twin
        and the conduct are checked.
    only : sequence of str, optional
        Kinds of check to run, by the names the report prints; all that apply where not given.
    seed : int
        Draws the upstream gradient dy (normal numbers, never all ones) and the directions.
    name : str
        What to call it in the report.

    Returns
    -------
    Report
        `report.ok`, `print(report)`, `report.raise_if_failed()`.

    Raises
    ------
    ValueError
        If the inputs are not floats, or `linear` names something that is not an input.

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
    subject = Subject(forward, backward, as_inputs(inputs))
    unknown = [one for one in linear if one not in subject.names]
    if unknown:
        raise ValueError(f"gradcheck: linear names {unknown}, the inputs are {subject.names}")
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
    plan += [(kind, of_conduct(kind, one), ()) for kind, one in conduct.CHECKS.items()]
    for kind, function, options in plan:
        if only is None or kind in only:
            findings.append(guarded(kind, function, subject, base, *options))
    return Report(name, findings)


def as_inputs(inputs):
    """The inputs as a dict of float arrays; a ValueError that says what to do otherwise."""
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
    """(Base, findings) of the run that all checks share; Base is None if there is no such run."""
    stage = "forward"
    try:
        y, rest = subject.call_forward(subject.copies())
        y, stage, dy = y.copy(), "backward", np.array(rng.standard_normal(y.shape))
        gradients = subject.call_backward(dy.copy(), rest)
    except Exception as error:  # whatever the code under check does wrong becomes a finding
        return None, [raised("runs", stage, error)]
    kept = [None if gradient is None else np.array(gradient) for gradient in gradients]
    base = Base(y, dy, kept)
    findings = [of_conduct(kind, one)(subject, base) for kind, one in conduct.FIRST.items()]
    return (base if all(finding.ok for finding in findings) else None), findings


def guarded(kind, function, *arguments):
    """A check whose code under check may raise: that is a failure of this kind, not of all."""
    try:
        return function(*arguments)
    except Exception as error:
        return raised(kind, "the code under check", error)


def raised(kind, who, error):
    """A failed Finding: the pair under check raised an error."""
    return Finding(kind, FAILED, f"{who} raised {type(error).__name__}: {error}", cause=error)


def of_conduct(kind, function):
    """A conduct check as a kind: passed when there is no complaint."""

    def run(subject, base):
        complaints = function(subject, base)
        return Finding(kind, FAILED if complaints else PASSED, "; ".join(complaints))

    return run

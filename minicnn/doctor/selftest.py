"""Compare every op and its fast twin, forward and backward, with nested loops (`minicnn.naive`).

This takes about a second. It does not prove the gradients, which the tests do; it checks that they
come out right on this machine, with its NumPy, its BLAS and its GPU. Shapes are tiny because the
loops are slow; each trial is one combination of settings. Two trials have a real layer's size,
where BLAS uses other kernels and threads share the work: their reference is the page in float64,
which has passed its own trials before.

========  ========  ==============================================================================
dtype     allowed   relative to what, and why
========  ========  ==============================================================================
float64   1e-10     each entry: `gradcheck`'s own bound for a naive twin
float32   1e-5      the largest entry: float32 is precise to 1e-7; sums of some dozens of terms and
                    Winograd's transforms (3e-6 at most) lose a part of this
========  ========  ==============================================================================
"""

import time
from typing import NamedTuple

import numpy as np

from minicnn import naive
from minicnn.backend import threads, to_device, to_host
from minicnn.doctor.findings import BAD, NOTE, Finding, said
from minicnn.doctor.trials import TRIALS, module, names
from minicnn.gradcheck.gradients.compare import SHARE_32, SHARE_64, Worst, worst
from minicnn.gradcheck.gradients.kinds import TWIN

ALLOWED = {"float64": (TWIN, SHARE_64), "float32": (1e-5, SHARE_32)}


def examine_ops(device="cpu"):
    """Run the trials on a device.

    Parameters
    ----------
    device : {"cpu", "gpu"}

    Yields
    ------
    Finding
        A bad one for each op that failed, with its worst trial; then two on the ops that passed.
    """
    threads()  # if this raises, no op runs; one finding is better than one for each op
    began, results = time.perf_counter(), {}
    for trial in [trial for trial in TRIALS if device in trial.devices]:
        if trial.large and _wrong(results.get(trial.twin or trial.op, [])):
            continue  # the reference itself is wrong
        results.setdefault(trial.op, []).extend(
            _result(trial, dtype, device) for dtype in trial.dtypes)
    for op, found in results.items():
        if wrong := _wrong(found):
            result = max(wrong, key=lambda result: result.share)
            yield Finding(f"{op} on {device}", result.words, BAD, _remedy(device))
    good = [op for op, found in results.items() if not _wrong(found)]
    if good:
        yield Finding(f"ops on {device}", f"{len(good)} right, forward and gradient, in "
                      f"{time.perf_counter() - began:.2f} s: {', '.join(good)}")
        yield Finding("precision", _precision([one for op in good for one in results[op]]))
    if untried := set(names()) - {trial.op for trial in TRIALS}:
        yield Finding("untried", f"there is no trial for {', '.join(sorted(untried))}", NOTE)


class _Result(NamedTuple):
    """The error as a share of the allowed one; the error itself; the dtype; the result in words."""

    share: float
    error: float
    dtype: str
    words: str


def _wrong(results):
    """The results whose error is larger than allowed, or not a number."""
    return [result for result in results if not result.share <= 1]


def _result(trial, dtype, device):
    """The result of a trial in one dtype: its worst array, or the exception that it raised."""
    allowed, _ = ALLOWED[dtype]
    try:
        found = max(compare(trial, dtype, device), key=lambda one: one.error)
    except Exception as error:  # a broken op or library may raise anything; that is the result
        return _Result(np.inf, np.inf, dtype, f"{_way(trial, dtype)}: {said(error)}")
    words = f"{_way(trial, dtype)}: {found.words} ({allowed:g} allowed)"
    return _Result(found.error / allowed, found.error, dtype, words)


def _way(trial, dtype):
    return f"{trial.how}, {dtype}" if trial.how else dtype


def compare(trial, dtype, device="cpu"):
    """Compare one trial's output and gradients with those of the reference.

    Returns
    -------
    list of gradcheck.compare.Worst
        One for y, then one for each gradient.
    """
    arguments = _draw(trial)
    forward, backward = _expected(trial)
    expected = forward(*arguments)
    dy = np.random.default_rng(1).standard_normal(np.shape(expected)).astype(np.float32)
    gradients = backward(dy.astype(float), *arguments)
    op, there = module(trial.op), [_put(one, dtype, device) for one in arguments]
    y, cache = op.forward(*there, **trial.settings, **trial.own)
    dy = float(dy) if dy.ndim == 0 else _put(dy, dtype, device)
    got = _listed(op.backward(dy, cache, **trial.rule))
    rows = zip(_gradient_names(trial), got, _listed(gradients), strict=False)  # no dlabels
    return [_judged(name, ours, theirs, dtype) for name, ours, theirs in
            [("y", y, expected), *rows] if theirs is not None]


def _expected(trial):
    """The trial's reference: a forward and a backward function of the arguments alone."""
    name = trial.twin or trial.op
    if trial.large:
        op = module(name)
        return (lambda *arguments: op.forward(*arguments, **trial.settings)[0],
                lambda dy, *arguments: op.backward(
                    dy, op.forward(*arguments, **trial.settings)[1], **trial.rule))
    loops = getattr(naive, f"{name}_forward"), getattr(naive, f"{name}_backward")
    return (lambda *arguments: loops[0](*arguments, **trial.settings),
            lambda dy, *arguments: loops[1](dy, *arguments, **trial.settings, **trial.rule))


def _judged(name, ours, theirs, dtype):
    """The largest error of one array; infinite if the array is missing or has another dtype."""
    if ours is None:
        return Worst(np.inf, f"{name} is missing")
    ours = to_host(ours)
    found = worst(name, ours, theirs, "it should be", ALLOWED[dtype][1])
    if ours.dtype != dtype:
        return found._replace(error=np.inf, wrong=f"its dtype is {ours.dtype}")
    return found


def _gradient_names(trial):
    """The names of the gradients: dx, dw, db, or dparts0, dparts1 for a list of arrays."""
    if isinstance(next(iter(trial.arguments.values())), list):
        return [f"d{name}{i}" for name, parts in trial.arguments.items()
                for i in range(len(parts))]
    return [f"d{name}" for name in trial.arguments]


def _draw(trial):
    """Random arguments, the same in every run: float64 arrays of numbers exact in float32."""
    rng = np.random.default_rng(0)

    def drawn(name, shape):
        if isinstance(shape, list):
            return [drawn(name, one) for one in shape]
        if not isinstance(shape, tuple):
            return shape
        values = rng.standard_normal(shape).astype(np.float32).astype(float)
        return 1 + values**2 if name == "variance" else values

    return [drawn(name, shape) for name, shape in trial.arguments.items()]


def _put(value, dtype, device):
    """An argument on the device in a dtype; labels and other non-float arguments unchanged."""
    if isinstance(value, list):
        return [_put(one, dtype, device) for one in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return to_device(value.astype(dtype), device)
    return value


def _listed(gradients):
    return list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]


def _precision(results):
    """The largest error for each dtype, in words."""
    errors = {dtype: [one.error for one in results if one.dtype == dtype] for dtype in ALLOWED}
    return "; ".join(f"off by at most {max(found):.0e} in {dtype} ({ALLOWED[dtype][0]:g} allowed)"
                     for dtype, found in errors.items() if found)


def _remedy(device):
    first = {"cpu": "pip install --force-reinstall numpy", "gpu": "restart, or use --device cpu"}
    return f"{first[device]}; if this does not help, report it"

"""Every op and its fast twin, forward and backward, against the same as scalar loops
(`minicnn.naive`), in a second.

This is not the proof that the gradients are right, which is in the tests: it asks whether they come
out right on this machine, with its NumPy, its BLAS, its GPU. Shapes are tiny, for the loops are
slow; each trial is one of the ways an op can be asked. Two trials are of a real layer's size, where
BLAS takes other kernels and the work is shared among threads: there the page in float64, itself
just tried, is what the result is held against.

========  ========  ==============================================================================
dtype     allowed   of what, and why
========  ========  ==============================================================================
float64   1e-10     an entry: `gradcheck`'s own bound for a naive twin
float32   1e-5      the largest entry: float32 keeps 1e-7, and sums of some dozens of terms and
                    Winograd's transforms (3e-6 at most) lose some
========  ========  ==============================================================================
"""

import time
from typing import NamedTuple

import numpy as np

from minicnn import naive
from minicnn.backend import threads, to_device, to_host
from minicnn.doctor.findings import BAD, NOTE, Finding, said
from minicnn.doctor.trials import TRIALS, module, names
from minicnn.gradcheck.compare import SHARE_32, SHARE_64, Worst, worst
from minicnn.gradcheck.kinds import TWIN

ALLOWED = {"float64": (TWIN, SHARE_64), "float32": (1e-5, SHARE_32)}


def examine_ops(device="cpu"):
    """Run the trials on a device.

    Parameters
    ----------
    device : {"cpu", "gpu"}

    Yields
    ------
    Finding
        One bad one for each op that failed, at its worst trial; then two for those that did not.
    """
    threads()  # if this cannot be told no op runs, which is better said once
    began, results = time.perf_counter(), {}
    for trial in [trial for trial in TRIALS if device in trial.devices]:
        if trial.large and _wrong(results.get(trial.twin or trial.op, [])):
            continue  # what it would be held against is wrong itself
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
        yield Finding("untried", f"there is no trial of {', '.join(sorted(untried))}", NOTE)


class _Result(NamedTuple):
    """How far off, as a share of what is allowed; the error itself; and in words."""

    share: float
    error: float
    dtype: str
    words: str


def _wrong(results):
    """The results that are off by more than is allowed; also where the error is not a number."""
    return [result for result in results if not result.share <= 1]


def _result(trial, dtype, device):
    """A trial's worst array in one dtype, or the error that ended it."""
    allowed, _ = ALLOWED[dtype]
    try:
        found = max(compare(trial, dtype, device), key=lambda one: one.error)
    except Exception as error:  # whatever a broken op or library does wrong is what is asked for
        return _Result(np.inf, np.inf, dtype, f"{_way(trial, dtype)}: {said(error)}")
    words = f"{_way(trial, dtype)}: {found.words} ({allowed:g} allowed)"
    return _Result(found.error / allowed, found.error, dtype, words)


def _way(trial, dtype):
    return f"{trial.how}, {dtype}" if trial.how else dtype


def compare(trial, dtype, device="cpu"):
    """One trial's output and gradients beside the loops'.

    Returns
    -------
    list of gradcheck.compare.Worst
        For y, then for each gradient.
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
    """What says how it should be: a forward and a backward, of the arguments alone."""
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
    """Where one array is furthest off; wrong in any case if it is missing or of another dtype."""
    if ours is None:
        return Worst(np.inf, f"{name} is missing")
    ours = to_host(ours)
    found = worst(name, ours, theirs, "it should be", ALLOWED[dtype][1])
    if ours.dtype != dtype:
        return found._replace(error=np.inf, wrong=f"its dtype is {ours.dtype}")
    return found


def _gradient_names(trial):
    """What the gradients are called: dx, dw, db, or dparts0, dparts1 of a list."""
    if isinstance(next(iter(trial.arguments.values())), list):
        return [f"d{name}{i}" for name, parts in trial.arguments.items()
                for i in range(len(parts))]
    return [f"d{name}" for name in trial.arguments]


def _draw(trial):
    """The arguments, float64 holding numbers that float32 can hold, the same in every run."""
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
    """An argument on the device in a dtype; labels and what is no array as they are."""
    if isinstance(value, list):
        return [_put(one, dtype, device) for one in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return to_device(value.astype(dtype), device)
    return value


def _listed(gradients):
    return list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]


def _precision(results):
    """The largest error of all results of each dtype, in words."""
    errors = {dtype: [one.error for one in results if one.dtype == dtype] for dtype in ALLOWED}
    return "; ".join(f"off by at most {max(found):.0e} in {dtype} ({ALLOWED[dtype][0]:g} allowed)"
                     for dtype, found in errors.items() if found)


def _remedy(device):
    first = {"cpu": "pip install --force-reinstall numpy", "gpu": "restart, or use --device cpu"}
    return f"{first[device]}; if it stays, report this"

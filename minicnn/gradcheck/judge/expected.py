"""What is right at a case: y and the gradients, and by how much they may differ."""

import numpy as np

from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.judge.claims import arguments
from minicnn.gradcheck.judge.reference import SANDWICHES

SMOOTH_ENOUGH = {  # allowed error beyond rounding, and the share of the largest entry that counts
    np.float64: (1e-10, compare.SHARE_64),  # sums in another order; 1e-15 a term, cancelling
    np.float32: (2e-5, compare.SHARE_32)}  # eps is 6e-8, sums of some hundred terms
ROUNDINGS = 30  # times the change that a rounding of the inputs makes
KINKED = {"relu", "pool", "svm_loss", *SANDWICHES}


def right(form, case, dtype, dy, got):
    """({"y": ..., "dx": ...}, {the same names: allowed error}) of one case.

    The inputs are those that the op got, rounded to its dtype. The allowed error is what sums in
    another order may differ by, and some times what a rounding of the inputs and of dy changes: a
    result that hangs on their last digits cannot be had more accurately. The jump of a gradient at
    a kink is no such change; `judge` knows which gradients are right there.
    """
    typed = typed_inputs(case, dtype)
    dy, eps = dy.astype(np.float64), np.finfo(dtype).eps / 2
    if form.op == "dropout":
        return _of_dropout(form, case, dtype, dy, got)
    expected = _named(case._replace(inputs=typed).expected(dy))
    base, share = SMOOTH_ENOUGH[dtype]
    allowed = dict.fromkeys(expected, base * (5 if "large" in case.tags else 1))
    for phase in (0, 1):  # equal numbers stay equal, so ties stay ties
        moved = {name: value * (1 + eps * np.sin(12345 * value + phase))
                 if value.dtype.kind == "f" else value for name, value in typed.items()}
        moved_dy = dy * (1 + eps * np.sin(12345 * dy + phase))
        for name, value in _named(case._replace(inputs=moved).expected(moved_dy)).items():
            change = compare.errors(value, expected[name], share)
            if form.op in KINKED:  # no smooth change is so much larger than eps, but of a sum of 0
                noise = np.abs(value - expected[name]) < 100 * eps * np.abs(dy).max(initial=0)
                change = change[(change < np.sqrt(eps)) | noise]
            allowed[name] = max(allowed[name], base + ROUNDINGS * change.max(initial=0.0))
    return expected, allowed


def typed_inputs(case, dtype):
    """The inputs rounded to a dtype, in float64."""
    return {name: value.astype(dtype).astype(np.float64) if value.dtype.kind == "f" else value
            for name, value in case.inputs.items()}


def _named(found):
    y, gradients = found
    return {"y": np.asarray(y)} | {f"d{name}": value for name, value in gradients.items()}


def _of_dropout(form, case, dtype, dy, got):
    """The random mask is the op's own: what is right given where it lets ones through."""
    rate, x, base = case.options["rate"], typed_inputs(case, dtype)["x"], SMOOTH_ENOUGH[dtype][0]
    arrays, settings = arguments(form, case._replace(inputs={"x": np.ones_like(x)}), dtype)
    of_ones = np.asarray(form.forward(arrays, settings)[0])
    if np.shape(got["y"]) != x.shape or ((of_ones != 0) != (got["y"] != 0))[x != 0].any():
        of_ones = np.asarray(got["y"])  # it has drawn anew
    kept = of_ones != 0 if of_ones.shape == x.shape else np.ones(x.shape, bool)
    if _scales_in_use(form, x.shape, rate, dtype):
        return {"y": x * kept, "dx": dy * kept}, {"y": base, "dx": base}
    share, off = kept.mean(), 6 * np.sqrt(rate * (1 - rate) / x.size)
    mask = kept / (1 - rate) if abs(share - (1 - rate)) <= off else np.full(x.shape, 1 / (1 - rate))
    expected = {"y": x * mask, "dx": dy * mask}
    return expected, dict.fromkeys(expected, base)


def _scales_in_use(form, shape, rate, dtype):
    """Whether a dropout does not scale in training, but multiplies by 1 - rate in use (Srivastava
    et al. 2014); most today divide by 1 - rate in training."""
    if "training" not in form.takes or "rate" not in form.takes:
        return False
    y = np.asarray(form.forward({"x": np.ones(shape, dtype)}, {"rate": rate, "training": False})[0])
    return y.shape == shape and np.allclose(y, 1 - rate)

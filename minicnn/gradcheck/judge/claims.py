"""What an op claims: the settings that it has parameters for, and how a case is passed to it."""

import numpy as np

from minicnn.gradcheck.judge.matrix import both
from minicnn.gradcheck.judge.reference import NORMS, as_normalised
from minicnn.gradcheck.own.forms import STATISTICS
from minicnn.gradcheck.own.known import PARTS

NEUTRAL = {"stride": 1, "pad": 0, "groups": 1, "dilation": 1, "axis": -1, "rounding": "floor",
           "training": False}
READINGS = {  # settings with two usual meanings: an op without the parameter has one of them
    "convention": ("caffe", "paper"), "border": ("padding", "image"), "rounding": ("floor", "ceil"),
    "training": (True, False)}
OWN_EPSILON = "own epsilon"  # tag of a case whose epsilon is the one written into the op
BIASED = ("conv", "conv_transpose", "dense")  # a layer of these may have no bias at all
USUAL = 1e-5  # the epsilon of an op that has no parameter for it, if it cannot be measured


def unclaimed(form, case, without, dtype):
    """Why a case is not claimed, in words; None if it is."""
    left_out = without & {*case.tags, np.dtype(dtype).name, *(("refusals",) * case.refuse)}
    if left_out:
        return f"without {', '.join(sorted(left_out))}"
    if hasattr(form, "beyond") and (words := form.beyond(case)):
        return words
    if "page" in case.tags and form.kind != "page":
        return "only a page has to refuse it"
    if form.ranks and np.ndim(case.inputs[next(iter(case.inputs))]) not in form.ranks:
        return f"takes x with {' or '.join(map(str, form.ranks))} axes"
    if "w" in case.inputs and len({*(kernel := np.shape(case.inputs["w"])[:2])}) > 1 and (
            np.ndim(case.inputs["w"]) == 4 and not form.holds("kernel", kernel)):
        return "takes square kernels only"
    if form.op in ("pool", "average_pool") and "stride" not in case.options and not form.holds(
            "stride", case.options["window"]):
        return "has no stride for each axis"
    if form.kind == "torch" and 2 * np.max(case.options.get("pad", 0)) > np.min(
            case.options.get("window", np.inf)):
        return "PyTorch refuses a padding of more than half a window"
    lacks = [name for name, value in case.options.items()
             if not form.holds(name, value) and not _neutral(form, name, value)
             and not (name == "epsilon" and OWN_EPSILON in case.tags)]
    if form.op in ("pool", "average_pool") and both(case.options.get("stride", 0)) == both(
            case.options["window"]):
        lacks = [name for name in lacks if name != "stride"]  # windows side by side
    lacks += [name for name in case.inputs if name not in form.arrays and form.op not in PARTS
              and name not in STATISTICS]
    if lacks == ["b"] and "b" in form.arrays:
        return "always has a bias"
    single = [name for name in lacks if isinstance(case.options.get(name), tuple)
              and form.holds(name, 1)]
    if lacks and single == lacks:
        return f"takes one number for {', '.join(lacks)}"
    if not lacks and _has_no_way_back(form, case):
        return "has no backward after training"
    return f"has no {', '.join(lacks)}" if lacks else None


def _has_no_way_back(form, case):
    """Whether a norm's forward outside training is right, but keeps nothing for a backward, as in
    many courses."""
    if form.kind not in ("course", "class") or "training" not in form.takes or (
            case.options.get("training", True) or case.refuse):
        return False
    try:
        y, kept = form.forward(*arguments(form, case, np.float64))
        expected = case.expected()[0]
        if np.shape(y) != expected.shape or not np.allclose(
                y, expected, 1e-6, 1e-6 * np.abs(expected).max(initial=0)):
            return False
    except Exception:  # it then fails in the case as well
        return False
    try:
        form.backward(case.dy(), kept)
    except Exception as error:
        return type(error).__name__ != "Died"
    return False


def _neutral(form, name, value):
    """Whether a setting need not be passed, since nothing is asked for, or has other readings."""
    if name in READINGS:
        return name not in form.takes
    if name == "b":
        return form.kind == "page" or "b" not in form.arrays
    return NEUTRAL.get(name, ()) == value or value in ((1, 1), (0, 0))


def arguments(form, case, dtype):
    """(arrays by the page's names, settings) for `form.forward`."""
    arrays = {name: value.astype(dtype) if value.dtype.kind == "f" else value
              for name, value in case.inputs.items()}
    if form.op in PARTS:
        arrays = {"parts": list(arrays.values())}
    settings = {name: value for name, value in case.options.items()
                if name in form.takes and name != "b"}
    return arrays | {name: None for name in form.arrays if name not in arrays}, settings


# ---- a bias and an epsilon without a parameter

def as_taken(form, found):
    """The cases as the op can be given them, and notes on them: a layer that has no bias gets none,
    a norm that takes no epsilon has the one that is written into it."""
    if form.op in BIASED and "b" not in form.arrays:
        return [_without_bias(case) for case in found], ["it has no bias"]
    lacks = form.op in NORMS and _lacks_epsilon(form, found)
    if not lacks:
        return found, []
    epsilon = _measured(form, next(case for case in found if "training" in case.tags)
                        if form.op == "batch_norm" else found[0])
    words = "taken for" if epsilon is None else "measured as"
    epsilon = USUAL if epsilon is None else epsilon
    return [case._replace(options=case.options | {"epsilon": epsilon},
                          tags=case.tags | {OWN_EPSILON}) for case in found], [
        f"{lacks}, which is {words} {epsilon:.3g}"]


def _without_bias(case):
    return case._replace(inputs={name: x for name, x in case.inputs.items() if name != "b"},
                         wrt=tuple(name for name in case.wrt if name != "b"),
                         options=case.options | {"b": None}, tags=case.tags | {"no bias"})


def _lacks_epsilon(form, found):
    """Words if an op has no parameter for epsilon, or does not read it in its dict of settings."""
    if "epsilon" not in form.takes:
        return "it has no parameter for epsilon"
    case = next((case for case in found if np.ndim(case.inputs["x"]) in (
        form.ranks or (np.ndim(found[0].inputs["x"]),))), found[0])
    try:
        _, kept = form.forward(*arguments(form, case, np.float64))
        return "it does not read epsilon" if form.unread("epsilon", kept) else ""
    except Exception:  # it then fails in the case as well
        return ""


def _measured(form, case):
    """The epsilon of  y = (x - mean) / sqrt(variance + epsilon),  from numbers of small variance;
    None if y is not like that."""
    for small in (found for found in (case, case._replace(inputs=_rows(case))) if found):
        inputs = small.inputs | {"x": 1e-3 * small.inputs["x"]}
        inputs |= {"gamma": np.ones_like(inputs["gamma"]), "beta": 0 * inputs["beta"]}
        small = small._replace(inputs=inputs)
        if form.ranks and inputs["x"].ndim not in form.ranks:
            continue
        x, axes = as_normalised(small)
        arrays, settings = arguments(form, small, np.float64)
        try:
            y = np.asarray(form.forward(arrays, settings)[0]).reshape(x.shape)
        except Exception:  # a batch norm of rows fails with images
            continue
        centred, variance = x - x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        slope = (y * centred).sum(axes, keepdims=True) / np.square(centred).sum(axes, keepdims=True)
        epsilon = 1 / slope**2 - variance
        if np.allclose(y, slope * centred, 1e-6, 1e-9) and np.ptp(epsilon) <= 1e-3 * np.max(
                epsilon) + 1e-12 and 0 < np.median(epsilon) < 1e-2:
            return float(np.format_float_positional(np.median(epsilon), 4, fractional=False))
    return None


def _rows(case):
    """The inputs of a batch norm of images, as rows of channels."""
    x = case.inputs["x"]
    return case.inputs | {"x": x.reshape(-1, x.shape[-1])}  # N,H,W,C -> M,C

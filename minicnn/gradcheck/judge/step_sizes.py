"""The error of the central difference against its step: why a check needs the right step.

    D(h) = (F(x + h v) - F(x - h v)) / 2h,    F(x) = sum of dy * forward(x)

D(h) differs from the slope of F along v by a truncation of h^2/6 |F'''|, and by a rounding of about
eps |F| / h. Both together are smallest near h = 1e-5. A right gradient follows these two lines down
to their crossing; a wrong one stays at its own error however small the step is.
"""

from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.judge.judge import pair

STEPS = 10.0 ** np.arange(-1, -12.5, -0.5)
CURVED = 1e-2  # step at which F''' is estimated
FLAT = 1e-9  # a truncation below this share of the slope at that step is rounding


class StepCurve(NamedTuple):
    """Errors relative to the slope, for each of `STEPS`.

    Attributes
    ----------
    setting, array : str
        The setting, and the input along which the slope is taken.
    yours : array
        |D(h) - slope|, of the own forward and the own backward.
    right : array or None
        The same of minicnn's; None if it does not know the op.
    truncation, rounding : array
        What theory says; truncation is None if F is flat or straight there.
    """

    setting: str
    array: str
    yours: np.ndarray
    right: np.ndarray | None
    truncation: np.ndarray | None
    rounding: np.ndarray


def error_by_step(form, verdict):
    """The StepCurve of an op at its smallest wrong setting; None if there is none to draw."""
    rows = [row for row in verdict.rows if row.status == "wrong" and row.case.wrt
            and not {*row.wrong} & {"raises", "refuses"}]
    if not rows:
        return None
    row = min(rows, key=lambda row: (row.dtype != np.float64, bool(row.case.tags & {
        "ties", "values", "large"}), row.case.work))
    wrong = [name[1:] for name in row.wrong if name[1:] in row.case.wrt]
    try:
        return _curve(form, row.case, (wrong or row.case.wrt)[0])
    except Exception:  # own code that works at some inputs only
        return None


def _curve(form, case, array):
    rng, index = np.random.default_rng(0), case.wrt.index(array)
    inputs = [case.inputs[name] for name in case.wrt]
    along = rng.standard_normal(inputs[index].shape)
    along /= np.linalg.norm(along) or 1.0
    forward, backward = pair(form, case)
    y, kept = forward(*inputs)
    dy = rng.standard_normal(np.shape(y))
    slope = float(np.sum(backward(dy, kept)[index] * along))

    def moved(step):
        return [value + step * along if k == index else value for k, value in enumerate(inputs)]

    def own(step):
        return float(np.sum(dy * forward(*moved(step))[0]))

    def minicnn(step):
        there = dict(zip(case.wrt, moved(step), strict=True))
        return float(np.sum(dy * case._replace(inputs=case.inputs | there).expected(None)[0]))

    known = form.inputs is None and case.op != "dropout"  # whose random numbers are its own
    right = float(np.sum(case.expected(dy)[1][array] * along)) if known else None
    size = abs(right if known else _central(own, 1e-5)) or 1.0
    reference = minicnn if known else own
    curved = abs(_central(reference, 2 * CURVED) - _central(reference, CURVED)) / 3
    rounding = np.finfo(float).eps * float(np.linalg.norm(dy * y)) / STEPS
    return StepCurve(
        case.name, array, _errors(own, slope, size), _errors(minicnn, right, size) if known else
        None, curved * (STEPS / CURVED) ** 2 / size if curved > FLAT * size else None,
        rounding / size)


def _central(of, step):
    return (of(step) - of(-step)) / (2 * step)


def _errors(of, slope, size):
    return np.array([abs(_central(of, step) - slope) / size for step in STEPS])

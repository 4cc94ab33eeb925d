"""Conduct at several cases: running statistics, masks, training and use, refusals."""

import numpy as np
import pytest
from wrong_layers import base, edited, form_of, judged, mistake, written

from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.conduct_of import (
    KINDS,
    batch_statistics,
    conduct,
    in_use,
    one_mask,
    running_statistics,
)
from minicnn.gradcheck.judge.judge import RIGHT, WRONG, Row

NORM = """
import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    mean, var = bn_param["running_mean"], bn_param["running_var"]
    a = bn_param.get("momentum", 0.9)
    if bn_param["mode"] == "train":
        old = mean, var
        mean, var = x.mean(0), x.var(0)
        bn_param["running_mean"] = a * old[0] + (1 - a) * mean
        bn_param["running_var"] = a * old[1] + (1 - a) * var
    root = np.sqrt(var + x.dtype.type(bn_param.get("eps", 1e-5)))
    z = (x - mean) / root
    return gamma * z + beta, (z, root, gamma, bn_param["mode"])

def batchnorm_backward(dout, cache):
    z, root, gamma, mode = cache
    g = dout * gamma / root
    dx = g - g.mean(0) - z * (g * z).mean(0) if mode == "train" else g
    return dx, (dout * z).sum(0), dout.sum(0)
"""
MEAN, VARIANCE = "a * old[0] + (1 - a) * mean", "a * old[1] + (1 - a) * var"


def norm(*edits):
    """A course's batch norm whose text is changed."""
    text = NORM
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return written("batch_norm", text, trying=True)


def complaints(form):
    """Those about the running statistics."""
    rows = [Row(case, np.float64, RIGHT) for case in cases("batch_norm")]
    return running_statistics(form, rows)


# ---- running statistics

@pytest.mark.parametrize("edits", [
    [], [(VARIANCE, "a * old[1] + (1 - a) * x.var(0, ddof=1)")],
    [("a = bn_param.get(\"momentum\", 0.9)", "a = 0.5")],
    [(MEAN, "old[0]"), (VARIANCE, "old[1]")]], ids=["plain", "over n - 1", "a half", "they stay"])
def test_running_statistics_as_they_should_be(edits):
    assert complaints(norm(*edits)) == []
    assert judged(norm(*edits)).ok


@pytest.mark.parametrize("edits, words", [
    ([(MEAN, "(1 - a) * old[0] + a * mean"), (VARIANCE, "(1 - a) * old[1] + a * var")],
     "the running mean becomes 0.1 old + 0.9 new: the greater share belongs to the old value"),
    ([(VARIANCE, "(1 - a) * old[1] + a * var")],
     "the running mean becomes 0.9 old + 0.1 new, the variance 0.1 old"),
    ([(VARIANCE, "a * old[1] + (1 - a) * np.sqrt(var)")],
     "the running variance is no mixture of its old value and the batch's"),
    ([(MEAN, "a * old[0] + mean")],
     "the running mean is no mixture of its old value and the batch's"),
], ids=["exchanged", "exchanged in one", "a deviation", "no mixture"])
def test_running_statistics_that_move_wrongly(edits, words):
    assert complaints(norm(*edits)) == [words]
    verdict = judged(norm(*edits))
    assert verdict.gradient_ok and verdict.conduct == {"running statistics": [words]}


def test_running_statistics_move_in_training_only():
    moving = norm(("    root =", "    else:\n        bn_param['running_mean'] = mean + 1\n"
                   "    root ="))
    assert complaints(moving) == ["a pass that is not training moves the running mean"]


def test_an_op_that_fails_or_keeps_none_has_no_complaint():
    assert complaints(norm(("    root =", "    raise ValueError\n    root ="))) == []
    assert complaints(norm(("bn_param[\"running_mean\"] = a", "ignored = a"),
                           ("bn_param[\"running_var\"] = a", "ignored = a"))) == []


def test_the_statistics_of_a_sandwich_are_those_of_its_first_layer():
    for op, shape in (("affine_bn_relu", (6, 5)), ("conv_bn_relu", (2, 6, 8, 4))):
        case = cases(op)[0]
        found = batch_statistics(case)
        assert case.expected()[0].shape == shape and found["mean"][0].shape == shape[-1:]
    case = cases("affine_bn_relu")[0]
    inner = case.inputs["x"] @ case.inputs["w"] + case.inputs["b"]
    found = batch_statistics(case)
    np.testing.assert_allclose(found["mean"][0], inner.mean(0), rtol=1e-12)  # sums of six
    np.testing.assert_allclose(found["variance"][0] * 6 / 5, found["variance"][1], rtol=1e-12)


# ---- dropout

def test_one_mask():
    assert one_mask(form_of(base("dropout"))) == ""
    assert one_mask(form_of(mistake("dropout", "one mask for all images"))) == (
        "all images have the same mask")
    columns = edited("dropout", ("rng.random(x.shape)", "rng.random((len(x),) + (1,) * (x.ndim - 1)"
                                 ") + 0 * x"))
    assert one_mask(columns) == "all numbers of an image have the same mask"
    assert judged(columns).conduct["one mask for all"] == [
        "all numbers of an image have the same mask"]
    broken = edited("dropout", ("    rng =", "    raise ValueError\n    rng ="))
    assert one_mask(broken) == ""


USE = (", rate=0.5, seed=0, training=True):\n    if not training:\n"
       "        return {}, np.ones_like(x)")


@pytest.mark.parametrize("result, words", [
    ("x.copy()", ""),
    ("x * (1 - rate)", "in use, ones become 0.8; in training they become 1.25 or 0"),
    ("0 * x", "in use, ones become 0; in training they become 1.25 or 0"),
])
def test_in_use_a_dropout_is_the_mean_of_what_it_does_in_training(result, words):
    form = edited("dropout", (", rate=0.5, seed=0):", USE.format(result)))
    assert in_use(form) == words
    assert judged(form).conduct == ({"training and use": [words]} if words else {})


def test_an_op_without_training_has_no_use():
    assert in_use(form_of(base("dropout"))) == ""


# ---- refusals, and all of it

def test_a_refusal_is_told_once():
    form = form_of(base("cross_entropy"))
    refuse = [case for case in cases("cross_entropy") if case.refuse]
    rows = [Row(case, dtype, WRONG, f"{case.name}: it computes on", wrong=("refuses",))
            for dtype in (np.float64, np.float32) for case in refuse]
    plain = [Row(cases("cross_entropy")[0], np.float64, RIGHT)]
    assert conduct(form, plain + rows) == {"refusals": [
        f"a label of {wrong} among 3 classes: it computes on" for wrong in (3, -1)]}
    assert conduct(form, plain) == {} and "refusals" in KINDS


def test_it_is_looked_at_where_features_come_in():
    """An op that writes into its argument with padding only."""
    writes = edited("pool_windows", (
        "    dpadded = np.zeros(", "    dy = dy if max(ph, pw) else dy.copy()\n    dy *= 2\n"
        "    dy = dy / 2\n    dpadded = np.zeros("))
    assert judged(writes, quick=True).conduct.keys() == {"arguments untouched", "any memory layout"}
    assert judged(writes, quick=True, without=("padding",)).conduct == {}

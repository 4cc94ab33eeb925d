"""Suspicions about ops with formulas of their own: each holds for its mistake, not for others."""

from functools import cache

import numpy as np
import pytest
from wrong_layers import form_of, judged, mistake, page

from minicnn.gradcheck.cause import candidates, general, norms, windows
from minicnn.gradcheck.cause import own_formulas as own
from minicnn.gradcheck.cause.evidence import Cause, Evidence
from minicnn.gradcheck.cause.general import by_images, slightly
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.judge import RIGHT, Row
from minicnn.gradcheck.judge.reference import as_normalised
from minicnn.gradcheck.mistakes import CAUSES
from minicnn.ops import dense, global_average_pool, softmax


def evidence(form):
    """The Evidence of a form, in float64 and at a quarter of the cases."""
    return Evidence(form, judged(form, quick=True, without=("float32",)))


@cache
def known(name, kind):
    """The Evidence of a known mistake."""
    return evidence(form_of(mistake(name, kind)))


def seen(suspicion, *wrong):
    """The words of what is seen, or whether the suspicion holds."""
    found = suspicion(known(*wrong))
    return found.seen if isinstance(found, Cause) else bool(found)


TABLE = [  # suspicion, a mistake for which it holds, words of what is seen, one for which it fails
    (own.of_parts, ("add", "gradients for three parts at most"), "after number 3",
     ("add", "gradient shared out")),
    (own.cut_wrongly, ("concat", "equal pieces"), True, ("add", "gradient shared out")),
    (windows.divided, ("average_pool", "border never counted"), "inside",
     ("average_pool", "upstream ignored")),
    (windows.padded_with_zeros, ("pool_windows", "padded with zeros"), True,
     ("pool_columns", "gradient negated")),
    (windows.shared_winner(-1), ("pool_windows", "one winner for all channels"), True,
     ("pool_windows", "one winner for all images")),
    (windows.shared_winner(0), ("pool_windows", "one winner for all images"), True,
     ("pool_windows", "one winner for all channels")),
    (windows.as_average, ("pool_windows", "spread evenly"), True,
     ("pool_columns", "gradient negated")),
    (own.among_equals, ("pool_windows", "ties to every maximum"), True,
     ("pool_columns", "gradient negated")),
    (own.lrn_otherwise, ("lrn", "window one short"), "channel is left out",
     ("lrn", "alpha not divided")),
    (norms.normalised_otherwise, ("batch_norm", "epsilon outside the root"), "outside the root",
     ("batch_norm", "dgamma without z")),
    (norms.normalised_otherwise, ("layer_norm", "divided by the count less one"), "mean square",
     ("group_norm", "gamma forgotten in dx")),
    (norms.normalised_otherwise, ("batch_norm", "given statistics in training"), "in training",
     ("batch_norm_short", "the batch's variance after training")),
    (norms.normalised_otherwise, ("batch_norm", "one mean for all channels"), "for all channels",
     ("batch_norm", "db averaged")),
    (own.crossed, ("softmax", "sum left out"), True, ("sigmoid", "upstream ignored")),
    (norms.scaled_otherwise, ("batch_norm", "gamma forgotten in dx"), True,
     ("batch_norm", "way through the mean left out")),
    (norms.testing_only, ("batch_norm_short", "the batch's variance after training"), True,
     ("batch_norm", "given statistics in training")),
    (own.of_loss, ("cross_entropy", "best class instead of the label"), "best class",
     ("cross_entropy", "base two")),
    (own.of_loss, ("svm_loss", "margins squared on the way back"), "squared hinge",
     ("svm_loss", "gradient negated")),
    (own.of_loss, ("svm_loss", "largest margin only"), "largest margin",
     ("svm_loss", "mask of the score")),
    (own.other_mask, ("relu", "mask of dy"), True, ("relu", "leaks below zero")),
    (own.rectifies, ("conv_places", "ReLU built in"), True, ("dense", "bias left out")),
    (own.of_random, ("dropout", "scaled by the rate"), True, ("relu", "mask of dy")),
    (general.gathered_at_first(0), ("pool_columns", "all gradient in the first image"), True,
     ("pool_columns", "all gradient in the first channel")),
    (general.gathered_at_first(-1), ("pool_columns", "all gradient in the first channel"), True,
     ("pool_columns", "all gradient in the first image")),
    (general.only_bias, ("dense", "bias left out"), True, ("dense", "weights transposed")),
    (general.only_bias, ("dense", "db averaged"), True, ("dense", "dw not computed")),
    (general.partly_absent, ("dense", "dw not computed"), True, ("dense", "db averaged")),
    (by_images, ("dense", "db averaged"), True, ("dense", "learning rate in dw")),
    (slightly, ("lrn", "half precision inside"), True, ("lrn", "window one short")),
]


@pytest.mark.parametrize("suspicion, wrong, words, other", TABLE, ids=[
    f"{wrong[0]}: {wrong[1]}" for _, wrong, *_ in TABLE])
def test_a_suspicion_holds_for_its_mistake_only(suspicion, wrong, words, other):
    found = seen(suspicion, *wrong)
    assert found is True if words is True else words in found
    assert not seen(suspicion, *other)


def test_a_softmax_of_columns():
    def turned(x):
        y, cache = softmax.forward(np.moveaxis(x, 0, -1))
        return np.ascontiguousarray(np.moveaxis(y, -1, 0)), cache

    def back(dy, cache):
        return np.moveaxis(softmax.backward(np.moveaxis(dy, 0, -1), cache), -1, 0).copy()

    assert own.turned_over(evidence(page("softmax", forward=turned, backward=back)))
    assert not own.turned_over(known("softmax", "sum left out"))


@pytest.mark.parametrize("op, page_", [("dense", dense),
                                       ("global_average_pool", global_average_pool)])
def test_images_that_are_read_channel_by_channel(op, page_):
    def forward(x, *arrays):
        turned = x.transpose(0, 3, 1, 2).reshape(x.shape) if x.ndim == 4 else x
        if op == "global_average_pool":
            turned = x.reshape(len(x), x.shape[3], *x.shape[1:3]).transpose(0, 2, 3, 1)
        return page_.forward(turned, *arrays)

    form = page(op, forward={"dense": lambda x, w, b=None: forward(x, w, b),
                             "global_average_pool": lambda x: forward(x)}[op],
                backward=page_.backward)
    assert evidence(form).explained("y", own.channels_first)


# ---- what is computed anew

def row(op, index=0):
    case = cases(op)[index]
    return Row(case, np.float64, RIGHT)


def test_redone():
    one = row("conv", 1)
    y, gradients = one.case.expected(one.case.dy())
    found = candidates.redone(one)
    assert (found["y"] == y).all() and (found["dw"] == gradients["w"]).all()
    assert (candidates.redone(one, dy=2 * one.case.dy())["dw"] == 2 * gradients["w"]).all()
    without = candidates.redone(one, {"b": np.zeros(4)})["y"]
    assert np.allclose(without + one.case.inputs["b"], y, rtol=0, atol=1e-14)  # one addition
    assert candidates.redone(one, dy=np.ones((2, 3, 4, 4)), pad=0)["y"].shape == (2, 3, 4, 4)


def test_what_is_normalised_together():
    for op, shape in (("layer_norm", (4,)), ("batch_norm", (3,)), ("group_norm", (2, 2))):
        case = row(op).case
        x, axes = as_normalised(case)
        assert x.size == case.inputs["x"].size and x.mean(axis=axes).shape == shape


def test_the_tables_name_causes():
    named = [*norms.NORMALISED, *own.OTHER_LOSSES, *own.LRN_WINDOWS]
    assert {name for name, *_ in named} <= CAUSES.keys()
    assert len({words for _, words, _ in named}) == len(named)

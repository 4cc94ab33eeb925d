"""Channels, neurons and classes: their values by loops, and what is refused."""

import nets
import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.ascent import objectives

A = nets.images(2, (3, 4, 5))


def function(objective):
    (only,) = objective.terms
    return only.function


@pytest.mark.parametrize("measure, expected", [
    ("mean", lambda r: sum(r) / 12), ("sum", sum), ("squares", lambda r: sum(v * v for v in r))])
def test_a_channel_over_its_positions(measure, expected):
    by_hand = [expected([A[n, h, w, 3] for h in range(3) for w in range(4)]) for n in range(2)]
    values, _ = function(objectives.channel("layer", 3, measure))(A)
    np.testing.assert_allclose(values, by_hand, rtol=1e-13)  # another order of adding


def test_the_sum_of_squares_likes_the_negative_as_well():
    squares = function(objectives.channel("layer", 3, "squares"))
    np.testing.assert_array_equal(squares(-A)[0], squares(A)[0])
    np.testing.assert_array_equal(squares(-A)[1], -squares(A)[1])


def test_positive_counts_what_a_relu_lets_through():
    values, slope = function(objectives.channel("layer", 3, "positive"))(A)
    up = np.maximum(A[..., 3], 0)
    assert 0 < np.count_nonzero(up) < up.size
    size, below = np.sqrt((up**2).mean(axis=(1, 2))), np.minimum(A[..., 3], 0)
    np.testing.assert_allclose(values, size + below.mean(axis=(1, 2)) / 10, rtol=1e-13)  # order
    np.testing.assert_allclose(slope[..., 3], (up / size[:, None, None] + (up == 0) / 10) / 12,
                               rtol=1e-13)


def test_positive_wakes_a_channel_that_is_nowhere_above_zero():
    a = np.stack([A[0], -1 - abs(A[1])])  # of two images the second is silent
    values, slope = function(objectives.channel("layer", 3, "positive"))(a)
    mean = function(objectives.channel("layer", 3, "mean"))(a)
    assert values[0] > 0 > values[1] == pytest.approx(mean[0][1] / 10, rel=1e-13)
    np.testing.assert_allclose(slope[1], mean[1][1] / 10, rtol=1e-13)
    assert values.dtype == slope.dtype == a.dtype
    assert function(objectives.channel("layer", 3, "positive"))(
        a.astype(np.float32))[1].dtype == np.float32


def test_a_channel_of_a_dense_layer_is_one_unit():
    a = nets.images(2, (6,))
    for measure in ("mean", "sum"):
        np.testing.assert_array_equal(function(objectives.channel("fc", 4, measure))(a)[0], a[:, 4])


def test_names_tell_the_unit_and_the_measure():
    names = [objectives.channel("c", 3), objectives.channel("c", [3, 1]),
             objectives.channel("c", 3, "squares"), objectives.neuron("c", 1, 2, 3),
             objectives.neuron("c", [1, 0]), objectives.logit("fc", 2),
             objectives.log_probability("fc", 2), objectives.probability("fc", 2)]
    assert [o.terms[0].name for o in names] == [
        "c:3", "c:3,1", "c:3 squares", "c:1@2,3", "c:1,0@centre", "fc:2", "log p fc:2", "p fc:2"]


def test_neuron_is_one_number():
    values, gradient = function(objectives.neuron("layer", 2, 1, 3))(A)
    np.testing.assert_array_equal(values, A[:, 1, 3, 2])
    assert gradient.sum() == 2 and (gradient[:, 1, 3, 2] == 1).all()


def test_neuron_is_the_centre_s_where_no_position_is_given():
    np.testing.assert_array_equal(function(objectives.neuron("layer", 2))(A)[0], A[:, 1, 2, 2])


# ---- classes

@pytest.mark.parametrize("shape", [(6,), (1, 1, 6)], ids=["dense", "one position"])
def test_log_probability(shape):
    a = 5 * nets.images(2, shape)
    log_probability = function(objectives.log_probability("fc", 4))
    values, gradient = log_probability(a)
    odds = np.exp(a.reshape(2, 6))
    # float64: exp and log differ by a few of its 1e-16
    np.testing.assert_allclose(values, np.log(odds[:, 4] / odds.sum(axis=1)), rtol=1e-13)
    assert gradient.shape == a.shape
    gradcheck.check(log_probability, lambda dy, g: dy.reshape(2, *[1] * len(shape)) * g, {"a": a},
                    name="log probability").raise_if_failed()
    sure, rest = log_probability(a + 1e4 * (np.arange(6) == 4))  # exp would overflow
    assert (sure == 0).all() and not rest.any()


@pytest.mark.parametrize("shape", [(6,), (1, 1, 6)], ids=["dense", "one position"])
def test_probability_and_logit(shape):
    a = 3 * nets.images(2, shape)
    odds = np.exp(a.reshape(2, 6))
    values, gradient = function(objectives.probability("fc", 4))(a)
    np.testing.assert_allclose(values, odds[:, 4] / odds.sum(axis=1), rtol=1e-13)
    assert gradient.shape == a.shape
    scores, slope = function(objectives.logit("fc", 4))(a)
    np.testing.assert_array_equal(scores, a.reshape(2, 6)[:, 4])
    np.testing.assert_array_equal(slope.reshape(2, 6), np.tile([0, 0, 0, 0, 1, 0], (2, 1)))


def test_a_nearly_impossible_class_has_a_logit_s_gradient_but_no_probability_s():
    """Why the score is climbed and not the probability."""
    a = np.array([[50.0, 0, 0]])
    slope = {name: np.abs(function(getattr(objectives, name)("fc", 1))(a)[1]).max()
             for name in ("logit", "log_probability", "probability")}
    assert slope["probability"] < 1e-20 and slope["logit"] == 1 and slope["log_probability"] > 0.9


# ---- what is refused

def test_an_unknown_measure():
    with pytest.raises(ValueError, match="one of mean, sum, squares, positive, got 'max'"):
        objectives.channel("layer", 3, "max")


@pytest.mark.parametrize("kind", ["channel", "neuron"])
def test_a_channel_that_is_not_there(kind):
    with pytest.raises(ValueError, match="conv9 has 5 channels, counted from 0; there is no 5"):
        function(getattr(objectives, kind)("conv9", 5))(A)


def test_a_neuron_of_a_dense_layer_has_no_position():
    with pytest.raises(ValueError, match=r"fc has no position \(0, 0\)"):
        function(objectives.neuron("fc", 0, 0, 0))(nets.images(2, (6,)))


@pytest.mark.parametrize("kind", ["logit", "log_probability", "probability"])
def test_class_scores_have_one_position(kind):
    with pytest.raises(ValueError, match=r"conv10 has several positions, its output is \(2, 3, 4"):
        function(getattr(objectives, kind)("conv10", 0))(A)

"""Energy, directions, distances and guides: their values by loops, and what is refused."""

import nets
import numpy as np
import pytest

from minicnn.ascent import objectives
from minicnn.ascent.objectives import features

A = nets.images(2, (3, 4, 5))
VECTOR = nets.images(1, (5,), seed=3)[0]
POSITIONS = list(np.ndindex(3, 4))


def function(objective):
    (only,) = objective.terms
    return only.function


def test_energy_s_gradient_is_the_activation_itself():
    """google/deepdream: dst.diff[:] = dst.data."""
    values, gradient = function(objectives.energy("layer"))(A)
    np.testing.assert_array_equal(gradient, A)
    np.testing.assert_allclose(values, [0.5 * sum(v * v for v in a.ravel()) for a in A], rtol=1e-13)


def test_direction_is_the_mean_dot_product():
    by_hand = [sum(A[n, h, w] @ VECTOR for h, w in POSITIONS) / 12 for n in range(2)]
    np.testing.assert_allclose(function(objectives.direction("layer", VECTOR))(A)[0], by_hand,
                               rtol=1e-12)
    values, gradient = function(objectives.direction("layer", VECTOR, 1, 3))(A)
    np.testing.assert_allclose(values, A[:, 1, 3] @ VECTOR, rtol=1e-13)
    np.testing.assert_array_equal(gradient[:, 1, 3], [VECTOR, VECTOR])
    assert np.count_nonzero(gradient) == 10


def test_the_direction_of_one_channel_is_that_channel():
    values, gradient = function(objectives.direction("layer", np.eye(5)[3]))(A)
    expected, slope = function(objectives.channel("layer", 3))(A)
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-13)


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_cosine_is_lucid_s(power):
    by_hand = []
    for n in range(2):
        total = 0.0
        for h, w in POSITIONS:
            a = A[n, h, w]
            lengths = (np.linalg.norm(a) + 1e-4) * (np.linalg.norm(VECTOR) + 1e-4)
            total += a @ VECTOR * max(0.1, a @ VECTOR / lengths) ** power / 12
        by_hand.append(total)
    np.testing.assert_allclose(function(objectives.cosine("layer", VECTOR, power))(A)[0], by_hand,
                               rtol=1e-12)


def test_cosine_of_power_0_is_the_direction():
    for got, expected in zip(function(objectives.cosine("layer", VECTOR, 0))(A),
                             function(objectives.direction("layer", VECTOR))(A), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_cosine_prefers_what_is_all_in_its_direction():
    """Of two activations with one dot product, the one without anything else."""
    pure, mixed = np.zeros((2, 1, 1, 1, 5))
    pure[..., 0], mixed[..., 0], mixed[..., 1] = 1, 1, 3
    cosine = function(objectives.cosine("layer", np.eye(5)[0], 1))
    assert cosine(pure)[0] > 2 * cosine(mixed)[0]
    assert cosine(mixed)[1][..., 1] < 0  # and says to have less of it


def test_cosine_of_a_silent_layer_is_0_with_a_slope():
    values, gradient = function(objectives.cosine("layer", VECTOR, 2))(np.zeros((1, 3, 4, 5)))
    assert values == 0 and np.isfinite(gradient).all() and (gradient @ VECTOR > 0).all()


def test_distance_is_0_at_the_target_and_1_where_nothing_is():
    target = A[0]
    distance = function(objectives.distance("layer", target))
    at, away = distance(target[None]), distance(np.zeros((1, 3, 4, 5)))
    assert at[0] == 0 and not at[1].any()
    assert away[0] == pytest.approx(1, rel=1e-14)
    by_hand = sum((v - t) ** 2 for v, t in zip(A[1].ravel(), target.ravel(), strict=True))
    by_hand /= sum(t * t for t in target.ravel())
    assert distance(A)[0][1] == pytest.approx(by_hand, rel=1e-12)


def test_distance_to_a_target_for_each_image():
    distance = function(objectives.distance("layer", A))
    np.testing.assert_array_equal(distance(A)[0], [0, 0])
    assert (distance(A[::-1])[0] > 0).all()


# ---- guide

GUIDE = nets.images(1, (2, 3, 5), seed=6)


def test_guide_takes_the_best_dot_product_of_every_position():
    """google/deepdream: A = x.T.dot(y); diff = y[:, A.argmax(1)]."""
    values, gradient = function(objectives.guide("layer", GUIDE))(A)
    choices = GUIDE.reshape(-1, 5)
    for n in range(2):
        total = 0.0
        for h, w in POSITIONS:
            dots = [A[n, h, w] @ choice for choice in choices]
            total += max(dots)
            np.testing.assert_array_equal(gradient[n, h, w], choices[int(np.argmax(dots))])
        assert values[n] == pytest.approx(total, rel=1e-12)


def test_guide_in_blocks_is_the_same(monkeypatch):
    whole = function(objectives.guide("layer", GUIDE))(A)
    monkeypatch.setattr(features, "BLOCK", 5 * 6)  # five positions at a time, the last two alone
    for got, expected in zip(function(objectives.guide("layer", GUIDE[0]))(A), whole, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_of_equally_good_features_the_first_counts():
    features = np.array([[0.0, 1], [1, 0], [1, 0.0]]).reshape(1, 1, 3, 2)
    gradient = function(objectives.guide("layer", features))(np.array([2.0, 2]).reshape(1, 1, 1, 2))
    np.testing.assert_array_equal(gradient[1].ravel(), [0, 1])


# ---- names, and what is refused

def test_names():
    terms = [objectives.energy("c"), objectives.direction("c", VECTOR),
             objectives.direction("c", VECTOR, 1, 2), objectives.cosine("c", VECTOR, 2),
             objectives.distance("c", A), objectives.guide("c", GUIDE)]
    assert [o.terms[0].name for o in terms] == ["c energy", "c direction", "c direction@1,2",
                                                "c cosine^2", "c distance", "c guide"]


@pytest.mark.parametrize("objective, words", [
    (objectives.direction("conv9", np.ones(4)), r"conv9 has 5 channels and the batch 2 images; a "
                                                r"direction must be .* got \(4,\)"),
    (objectives.cosine("conv9", np.ones((3, 5))), r"the batch 2 images; .* got \(3, 5\)"),
    (objectives.direction("conv9", VECTOR, 3, 0), r"conv9 has no position \(3, 0\)"),
    (objectives.distance("conv9", A[:, :2]), r"conv9 has shape \(2, 3, 4, 5\), the target "
                                             r"\(2, 2, 4, 5\); take the target from an image of"),
    (objectives.distance("conv9", np.repeat(A, 2, axis=0)), r"the target \(4, 3, 4, 5\)"),
    (objectives.guide("conv9", GUIDE[..., :4]), r"conv9 has 5 channels, the guide's features are "
                                                r"\(1, 2, 3, 4\)")])
def test_what_does_not_fit(objective, words):
    with pytest.raises(ValueError, match=words):
        function(objective)(A)


@pytest.mark.parametrize("target", [0 * A[0], 0 * A, A * np.array([1, 0]).reshape(2, 1, 1, 1)],
                         ids=["one", "all", "one of two"])
def test_a_silent_target(target):
    with pytest.raises(ValueError, match="the target is silent .*at conv9; choose another layer"):
        objectives.distance("conv9", target)


def test_a_negative_power():
    with pytest.raises(ValueError, match="cosine: power must be at least 0, got -1"):
        objectives.cosine("conv9", VECTOR, -1)

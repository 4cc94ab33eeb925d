"""Transport: each loss by its formula, its gradient by differences, and smooth parts by the complex
step."""

import nets
import numpy as np
import pytest

from minicnn.ascent.objectives import transport
from minicnn.ascent.objectives.transport import cosine, euclidean

X, Y = nets.images(1, (6, 1, 5), seed=1)[0, :, 0], nets.images(1, (8, 1, 5), seed=2)[0, :, 0] + 0.3
GOAL = transport.mean_and_covariance(Y)
SHARES = transport.distance_shares(nets.images(1, (6, 1, 5), seed=3)[0, :, 0])
LOSSES = {
    "cosine": lambda x: transport.relaxed_emd(x, Y, cosine),
    "euclidean": lambda x: transport.relaxed_emd(x, Y, euclidean),
    "palette": lambda x: transport.palette(x, Y[:, :3]),
    "moments": lambda x: transport.moments(x, *GOAL),
    "self-similarity": lambda x: transport.self_similarity(x, SHARES)}


@pytest.mark.parametrize("name, more", [  # of x, so that either way round decides
    *((name, 1) for name in LOSSES), *((name, 3) for name in ("cosine", "euclidean", "palette"))])
def test_the_gradient_is_that_of_the_value_at_every_number(name, more):
    """Central differences: the error is about step^2. No kink is as near as the step."""
    x = np.concatenate([X * 1.1**k for k in range(more)])[:, : 3 if name == "palette" else 5]
    gradient, step = LOSSES[name](x)[1], 1e-6
    for at in np.ndindex(*x.shape):
        move = np.zeros_like(x)
        move[at] = step
        slope = (LOSSES[name](x + move)[0] - LOSSES[name](x - move)[0]) / (2 * step)
        assert slope == pytest.approx(gradient[at], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("distance", [cosine, euclidean])
def test_distances_and_their_slopes_by_the_complex_step(distance):
    slopes = nets.images(1, (6, 1, 8), seed=5)[0, :, 0]
    d, back = distance(X, Y)
    way = nets.images(1, (6, 1, 5), seed=4)[0, :, 0]
    moved = (slopes * distance(X + 1e-20j * way, Y)[0]).sum()
    assert moved.imag / 1e-20 == pytest.approx((back(slopes) * way).sum(), rel=1e-12)
    by_hand = (1 - X @ Y.T / np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1))
               if distance is cosine else np.linalg.norm(X[:, None] - Y, axis=2))
    np.testing.assert_allclose(d, by_hand, rtol=1e-12)


def test_relaxed_emd_by_hand():
    """Points on a line: from x to y it is (0.5 + 1.5) / 2, back it is (0.5 + 3) / 2."""
    x, y = np.array([[0.0], [2]]), np.array([[0.5], [5]])
    value, gradient = transport.relaxed_emd(x, y, euclidean)
    assert value == 1.75 and gradient.ravel().tolist() == [-0.5, -0.5]  # each of y pulls one of x


def test_it_is_a_lower_bound_of_the_work_of_the_best_pairing():
    from itertools import permutations
    d = euclidean(X, Y[:6])[0]
    best = min(sum(d[i, j] for i, j in enumerate(order)) for order in permutations(range(6))) / 6
    assert transport.relaxed_emd(X, Y[:6], euclidean)[0] <= best


@pytest.mark.parametrize("name", ["cosine", "euclidean", "palette", "moments"])
def test_the_style_itself_in_any_order_is_at_distance_zero(name):
    order = np.random.default_rng(0).permutation(8)
    value, _ = LOSSES[name](Y[order][:, : 3 if name == "palette" else 5])
    assert value == pytest.approx(0, abs=1e-12)


def test_self_similarity_knows_a_pattern_and_no_lengths():
    shares = transport.distance_shares(X)
    turn = np.linalg.qr(nets.images(1, (5, 1, 5), seed=6)[0, :, 0])[0]
    for same in (X, 7 * X, X @ turn):
        assert transport.self_similarity(same, shares)[0] == pytest.approx(0, abs=1e-12)
    assert transport.self_similarity(X[::-1].copy(), shares)[0] > 0.1
    np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_moments_by_hand():
    mean, covariance = transport.mean_and_covariance(X)
    np.testing.assert_allclose(covariance, np.cov(X.T, bias=True), rtol=1e-12)
    off = np.abs(mean - GOAL[0]).mean() + np.abs(covariance - GOAL[1]).mean()
    assert transport.moments(X, *GOAL)[0] == pytest.approx(off, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_types_are_kept_and_nothing_alike_is_no_error(name):
    flat = np.zeros((6, 3 if name == "palette" else 5), np.float32)
    value, gradient = {
        "cosine": lambda x: transport.relaxed_emd(x, flat, cosine),
        "euclidean": lambda x: transport.relaxed_emd(x, flat, euclidean),
        "palette": lambda x: transport.palette(x, flat),
        "moments": lambda x: transport.moments(x, flat[0], np.zeros((5, 5), np.float32)),
        "self-similarity": lambda x: transport.self_similarity(
            x, transport.distance_shares(x))}[name](flat)
    assert gradient.dtype == np.float32 and np.isfinite(gradient).all() and np.isfinite(value)

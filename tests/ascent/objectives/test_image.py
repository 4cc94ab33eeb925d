"""Terms of the image itself: their values by loops, and their flat places."""

import nets
import numpy as np
import pytest

from minicnn.ascent import objectives

A = nets.images(2, (3, 4, 5))
BETAS = [1, 1.5, 2]


def function(objective):
    (only,) = objective.terms
    return only.function


def test_l2_is_half_the_mean_square():
    by_hand = [sum(v * v for v in A[n].ravel()) / 60 / 2 for n in range(2)]
    np.testing.assert_allclose(function(objectives.l2())(A)[0], by_hand, rtol=1e-13)


@pytest.mark.parametrize("alpha", [1, 2.5, 6])
def test_alpha_norm_is_the_mean_power(alpha):
    by_hand = [sum(abs(v) ** alpha for v in A[n].ravel()) / 60 for n in range(2)]
    np.testing.assert_allclose(function(objectives.alpha_norm(alpha))(A)[0], by_hand, rtol=1e-13)


def test_alpha_norm_counts_from_its_centre():
    centre = np.linspace(-1, 1, 5)
    moved, plain = (function(objectives.alpha_norm(6, c))(a) for c, a in ((centre, A),
                                                                         (0, A - centre)))
    np.testing.assert_allclose(moved[0], plain[0], rtol=1e-14)
    np.testing.assert_allclose(moved[1], plain[1], rtol=1e-14)


@pytest.mark.parametrize("alpha", [1, 1.5, 6])
def test_alpha_norm_rests_at_zero(alpha):
    value, gradient = function(objectives.alpha_norm(alpha))(np.zeros((1, 2, 2, 3)))
    assert value == 0 and not gradient.any()


def test_outside_costs_nothing_within_the_bounds_and_half_a_square_beyond():
    low, high = np.array([0.0, -1.0]), 2.0
    x = np.array([[1.0, 0.5], [3.0, -4.0]]).reshape(1, 2, 1, 2)
    value, gradient = function(objectives.outside(low, high))(x)
    assert value == (1 + 9) / 2 / 4
    np.testing.assert_array_equal(gradient.ravel(), [0, 0, 1 / 4, -3 / 4])


# ---- total variation

@pytest.mark.parametrize("beta", BETAS)
def test_total_variation_is_the_formula(beta):
    by_hand = np.zeros(2)
    for n, h, w, c in np.ndindex(A.shape):
        across = A[n, h, w + 1, c] - A[n, h, w, c] if w < 3 else 0
        down = A[n, h + 1, w, c] - A[n, h, w, c] if h < 2 else 0
        by_hand[n] += (across**2 + down**2) ** (beta / 2) / 60
    np.testing.assert_allclose(function(objectives.total_variation(beta))(A)[0], by_hand,
                               rtol=1e-13)


@pytest.mark.parametrize("beta", BETAS)
def test_total_variation_of_a_flat_image_is_zero_and_so_is_its_gradient(beta):
    value, gradient = function(objectives.total_variation(beta))(np.full((2, 4, 3, 2), 7.0))
    assert not value.any() and not gradient.any()  # and not NaN


@pytest.mark.parametrize("beta", [1.5, 2])
def test_total_variation_has_the_right_slope_at_flat_areas(beta):
    """Above beta = 1 it is differentiable there too; a checker must not step over a kink."""
    x = np.zeros((1, 4, 5, 1))
    x[0, 2:, 3:] = 1.0
    roughness = function(objectives.total_variation(beta))
    slopes, h = np.zeros_like(x), 1e-6
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        slopes[place] = (roughness(x + step)[0][0] - roughness(x - step)[0][0]) / (2 * h)
    # |h|^beta cancels in a central difference, rounding over h is left: 1e-16 / 1e-6
    np.testing.assert_allclose(roughness(x)[1], slopes, atol=1e-9)
    assert slopes.any()


@pytest.mark.parametrize("term", [
    objectives.l2(), objectives.alpha_norm(2.5), objectives.alpha_norm(6, 0.3),
    objectives.total_variation(1.5), objectives.total_variation(2)], ids=repr)
def test_gradient_by_the_complex_step(term):
    """Away from what is flat they are analytic: f(x + i h d) has the slope along d in its
    imaginary part, with no difference to take."""
    h, direction = 1e-30, nets.like(A)
    slope = function(term)(A + 1j * h * direction)[0].imag / h
    gradient = function(term)(A)[1]
    np.testing.assert_allclose((gradient * direction).sum(axis=(1, 2, 3)), slope, rtol=1e-12)


# ---- what is refused

@pytest.mark.parametrize("beta", [0.99, 0, -1, float("nan")])
def test_total_variation_below_1_is_refused(beta):
    with pytest.raises(ValueError, match=f"beta must be at least 1, got {beta}"):
        objectives.total_variation(beta)


@pytest.mark.parametrize("alpha", [0.99, 0, float("nan")])
def test_alpha_below_1_is_refused(alpha):
    with pytest.raises(ValueError, match=f"alpha must be at least 1, got {alpha}"):
        objectives.alpha_norm(alpha)

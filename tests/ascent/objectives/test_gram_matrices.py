"""Gram matrices by loops, the texture loss by the paper's equation, and diversity."""

import nets
import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.ascent import objectives
from minicnn.ascent.objectives.changed import relative
from minicnn.ascent.objectives.gram_matrices import relative_error
from minicnn.ascent.objectives.term import Gram

A = nets.images(2, (3, 4, 5))
THREE = nets.images(3, (3, 4, 5), seed=5)
diversity = objectives.diversity("layer").terms[0].function


def function(objective):
    (only,) = objective.terms
    return only.function


def test_gram_matrix_is_the_mean_product_of_channels():
    by_hand = np.zeros((2, 5, 5))
    for n, h, w, i, j in np.ndindex(2, 3, 4, 5, 5):
        by_hand[n, i, j] += A[n, h, w, i] * A[n, h, w, j] / 12
    np.testing.assert_allclose(objectives.gram_matrix(A), by_hand, rtol=1e-12)


def test_gram_is_equation_4_of_gatys_et_al_2015():
    """In the paper G is a sum over the M positions: E = sum (G - A)^2 / (4 N^2 M^2)."""
    texture = nets.images(1, (3, 4, 5), seed=9)
    channels, positions = 5, 12
    for n in range(2):
        energy = 0.0
        for i, j in np.ndindex(channels, channels):
            g = sum(A[n, h, w, i] * A[n, h, w, j] for h, w in np.ndindex(3, 4))
            a = sum(texture[0, h, w, i] * texture[0, h, w, j] for h, w in np.ndindex(3, 4))
            energy += (g - a) ** 2 / (4 * channels**2 * positions**2)
        loss = function(objectives.gram("layer", objectives.gram_matrix(texture)[0]))
        assert loss(A)[0][n] == pytest.approx(energy, rel=1e-12)


def test_gram_of_the_texture_itself_is_zero():
    value, gradient = function(objectives.gram("layer", objectives.gram_matrix(A)[1]))(A)
    assert value[1] == 0 and not gradient[1].any() and value[0] > 0


def test_gram_of_a_dense_layer_says_what_is_wrong():
    with pytest.raises(ValueError, match="fc"):
        function(objectives.gram("fc", np.eye(6)))(nets.images(2, (6,)))


def test_a_relative_error_is_1_without_activation_and_0_at_the_target():
    target = objectives.gram_matrix(A)[1]
    assert relative_error(np.zeros_like(A), target)[0] == pytest.approx([1, 1], rel=1e-14)
    value, gradient = relative_error(A, target)
    assert value[1] == 0 and not gradient[1].any()
    with pytest.raises(ValueError, match="the target is silent"):
        relative_error(A, np.zeros((5, 5)))


def test_a_relative_error_is_the_objective_made_relative():
    texture = nets.images(1, (3, 4, 5), seed=9)
    target = objectives.gram_matrix(texture)[0]
    (term,) = relative(objectives.gram("layer", target), texture).terms
    for ours, theirs in zip(relative_error(A, target), term.function(A), strict=True):
        np.testing.assert_allclose(ours, term.weight * theirs, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_relative_error_keeps_the_dtype(dtype):
    target = objectives.gram_matrix(A)[0].astype(dtype)
    value, gradient = relative_error(A.astype(dtype), target)
    assert value.dtype == gradient.dtype == dtype


# ---- diversity

@pytest.mark.parametrize("count", [2, 3])
def test_diversity_s_gradient_is_that_of_the_values_sum(count):
    gradcheck.check(lambda a: (diversity(a)[0].sum(), diversity(a)[1]), lambda dy, g: dy * g,
                    {"a": THREE[:count]}, name="diversity").raise_if_failed()


def test_diversity_is_minus_the_mean_cosine_of_the_other_gram_matrices():
    grams = [sum(np.outer(a[h, w], a[h, w]) for h, w in np.ndindex(3, 4)) for a in THREE]
    values, _ = diversity(THREE)
    for n in range(3):
        cosines = [(grams[n] * grams[m]).sum() / np.sqrt((grams[n]**2).sum() * (grams[m]**2).sum())
                   for m in range(3) if m != n]
        assert values[n] == pytest.approx(-sum(cosines) / 2, rel=1e-12)


def test_equal_images_are_least_diverse_at_any_contrast():
    values, gradient = diversity(np.concatenate([A[:1], 3 * A[:1]]))
    np.testing.assert_allclose(values, -1, rtol=1e-14)
    np.testing.assert_allclose(gradient, 0, atol=1e-14)  # the length of G does not matter


def test_images_of_different_channels_are_most_diverse():
    pair = np.zeros((2, 2, 2, 3))
    pair[0, ..., 0], pair[1, ..., 2] = 1, 2
    np.testing.assert_array_equal(diversity(pair)[0], [0, 0])


def test_a_silent_image_counts_as_unlike_and_gets_no_gradient():
    values, gradient = diversity(np.concatenate([A, np.zeros_like(A[:1])]))
    assert values[2] == 0 and not gradient[2].any() and np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_diversity_keeps_the_dtype_and_its_argument(dtype):
    a = THREE.astype(dtype)
    values, gradient = diversity(a)
    assert values.dtype == gradient.dtype == dtype and (a == THREE.astype(dtype)).all()


def test_one_image_has_nothing_to_differ_from():
    with pytest.raises(ValueError, match="compares the images of a batch, but .* only one image"):
        diversity(A[:1])


def test_gram_can_be_had_from_the_matrix_alone():
    """By the chain rule: dE/dF = F (dE/dG + its transpose) / M."""
    (term,) = objectives.gram("layer", objectives.gram_matrix(THREE)[0]).terms
    matrix = objectives.gram_matrix(A)
    values, slopes = term.evaluate({"layer": Gram(matrix)})
    expected, gradients = term.evaluate({"layer": A})
    slope, gradient = slopes["layer"], gradients["layer"]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    f = A.reshape(2, 12, 5)
    np.testing.assert_allclose((f @ (slope + slope.transpose(0, 2, 1)) / 12).reshape(A.shape),
                               gradient, rtol=1e-12)
    (weighted,) = relative(objectives.gram("layer", matrix[0]), Gram(matrix[:1])).terms
    (same,) = relative(objectives.gram("layer", matrix[0]), A[:1]).terms
    assert weighted.weight == same.weight

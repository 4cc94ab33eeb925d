"""Objective terms: the value against loops, the gradient against its slope, and how terms add."""

import nets
import numpy as np
import pytest

from minicnn import gradcheck, objectives

A = nets.images(2, (3, 4, 5))  # an activation; H != W != C
BETAS = [1, 1.5, 2]


def term(objective):
    """The function of an objective that has one term."""
    (only,) = objective.terms
    return only.function


def target(seed=7, dtype=np.float64):
    """The Gram matrix of another image, of another size."""
    return objectives.gram_matrix(nets.images(1, (6, 2, 5), seed))[0].astype(dtype)


# ---- the gradient is the slope of the value, each image of a batch on its own

TERMS = {
    "channel": lambda a: objectives.channel("layer", 3),
    "neuron": lambda a: objectives.neuron("layer", 2, 1, 3),
    "gram": lambda a: objectives.gram("layer", target(dtype=a.dtype)),
    "l2": lambda a: objectives.l2(),
    **{f"total variation, beta {beta}": lambda a, beta=beta: objectives.total_variation(beta)
       for beta in BETAS},
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", TERMS)
def test_gradient(name, count):
    """dy differs from image to image, so a value that mixed them would show."""
    gradcheck.check(
        lambda a: term(TERMS[name](a))(a),
        lambda dy, gradient: dy[:, None, None, None] * gradient,
        {"a": A[:count]}, linear=("a",) if name in ("channel", "neuron") else (),
        name=name).raise_if_failed()


@pytest.mark.parametrize("name", TERMS)
def test_images_of_a_batch_are_independent(name):
    values, gradient = term(TERMS[name](A))(A)
    assert values.shape == (2,) and gradient.shape == A.shape
    for n in range(2):
        value, alone = term(TERMS[name](A))(A[n : n + 1])
        # one sum in another order at most
        np.testing.assert_allclose(values[n], value[0], rtol=1e-13)
        np.testing.assert_allclose(gradient[n], alone[0], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("shape", [(6,), (1, 1, 6)], ids=["dense", "one position"])
def test_log_probability(shape):
    a = 5 * nets.images(2, shape)
    function = term(objectives.log_probability("fc", 4))
    values, gradient = function(a)
    odds = np.exp(a.reshape(2, 6))
    # float64: exp and log differ by a few of its 1e-16
    np.testing.assert_allclose(values, np.log(odds[:, 4] / odds.sum(axis=1)), rtol=1e-13)
    assert gradient.shape == a.shape
    gradcheck.check(function, lambda dy, g: dy.reshape(2, *[1] * len(shape)) * g, {"a": a},
                    name="log probability").raise_if_failed()
    sure, rest = function(a + 1e4 * (np.arange(6) == 4))  # exp would overflow
    assert (sure == 0).all() and not rest.any()


def test_gradient_of_a_channel_and_a_class_at_a_dense_layer():
    a = nets.images(2, (6,))
    gradcheck.check(term(objectives.channel("fc", 4)), lambda dy, gradient: dy[:, None] * gradient,
                    {"a": a}, linear=("a",)).raise_if_failed()
    np.testing.assert_array_equal(term(objectives.channel("fc", 4))(a)[0], a[:, 4])


@pytest.mark.parametrize("beta", BETAS)
def test_total_variation_of_a_flat_image_is_zero_and_so_is_its_gradient(beta):
    value, gradient = term(objectives.total_variation(beta))(np.full((2, 4, 3, 2), 7.0))
    assert not value.any() and not gradient.any()  # and not NaN


@pytest.mark.parametrize("beta", [1.5, 2])
def test_total_variation_has_the_right_slope_at_flat_areas(beta):
    """Above beta = 1 it is differentiable there too; a checker must not step over a kink."""
    x = np.zeros((1, 4, 5, 1))
    x[0, 2:, 3:] = 1.0
    function = term(objectives.total_variation(beta))
    slopes, h = np.zeros_like(x), 1e-6
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        slopes[place] = (function(x + step)[0][0] - function(x - step)[0][0]) / (2 * h)
    # |h|^beta cancels in a central difference, rounding over h is left: 1e-16 / 1e-6
    np.testing.assert_allclose(function(x)[1], slopes, atol=1e-9)
    assert slopes.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TERMS)
def test_dtype_is_kept(name, dtype):
    a = A.astype(dtype)
    values, gradient = term(TERMS[name](a))(a)
    assert values.dtype == dtype and gradient.dtype == dtype


# ---- values, from loops

def test_channel_is_the_mean_over_positions():
    by_hand = [sum(A[n, h, w, 3] for h in range(3) for w in range(4)) / 12 for n in range(2)]
    np.testing.assert_allclose(term(objectives.channel("layer", 3))(A)[0], by_hand, rtol=1e-13)


def test_neuron_is_one_number():
    values, gradient = term(objectives.neuron("layer", 2, 1, 3))(A)
    np.testing.assert_array_equal(values, A[:, 1, 3, 2])
    assert gradient.sum() == 2 and (gradient[:, 1, 3, 2] == 1).all()


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
        function = term(objectives.gram("layer", objectives.gram_matrix(texture)[0]))
        assert function(A)[0][n] == pytest.approx(energy, rel=1e-12)


def test_gram_of_the_texture_itself_is_zero():
    value, gradient = term(objectives.gram("layer", objectives.gram_matrix(A)[1]))(A)
    assert value[1] == 0 and not gradient[1].any() and value[0] > 0


def test_l2_is_half_the_mean_square():
    by_hand = [sum(v * v for v in A[n].ravel()) / 60 / 2 for n in range(2)]
    np.testing.assert_allclose(term(objectives.l2())(A)[0], by_hand, rtol=1e-13)


@pytest.mark.parametrize("beta", BETAS)
def test_total_variation_is_the_formula(beta):
    by_hand = np.zeros(2)
    for n, h, w, c in np.ndindex(A.shape):
        across = A[n, h, w + 1, c] - A[n, h, w, c] if w < 3 else 0
        down = A[n, h + 1, w, c] - A[n, h, w, c] if h < 2 else 0
        by_hand[n] += (across**2 + down**2) ** (beta / 2) / 60
    np.testing.assert_allclose(term(objectives.total_variation(beta))(A)[0], by_hand, rtol=1e-13)


# ---- terms add and scale

ONE, OTHER, IMAGE = (objectives.channel("one", 1), objectives.neuron("other", 0, 2, 2),
                     objectives.l2())
AT = {"one": A, "other": nets.images(2, (3, 3, 2)), "image": nets.images(2, (4, 4, 3))}


def value(objective):
    return objective.evaluate(AT)


@pytest.mark.parametrize("objective, factors", [
    (ONE + IMAGE, (1, 0, 1)), (ONE - IMAGE, (1, 0, -1)), (-ONE, (-1, 0, 0)),
    (2 * ONE - OTHER * 3, (2, -3, 0)), (-(ONE - 0.5 * (OTHER - 4 * IMAGE)), (-1, 0.5, -2)),
    (ONE + ONE, (2, 0, 0)), (sum([OTHER, IMAGE], ONE), (1, 1, 1))], ids=repr)
def test_composition(objective, factors):
    got = value(objective)
    expected = sum(k * value(part).total
                   for k, part in zip(factors, (ONE, OTHER, IMAGE), strict=True))
    np.testing.assert_allclose(got.total, expected, rtol=1e-14)
    for k, part, place in zip(factors, (ONE, OTHER, IMAGE), AT, strict=True):
        if k:
            np.testing.assert_allclose(got.gradients[place],
                                       k * value(part).gradients[place], rtol=1e-14)
        else:
            assert place not in got.gradients


def test_parts_add_up_to_the_total_and_have_the_terms_names():
    got = value(ONE - 3 * OTHER + IMAGE)
    assert list(got.parts) == ["one:1", "other:0@2,2", "l2"]
    np.testing.assert_allclose(sum(got.parts.values()), got.total, rtol=1e-14)
    np.testing.assert_allclose(got.parts["other:0@2,2"], -3 * AT["other"][:, 2, 2, 0], rtol=1e-15)


def test_two_terms_of_one_name_share_a_part_and_a_gradient():
    got = value(ONE + ONE)
    assert list(got.parts) == ["one:1"]
    np.testing.assert_array_equal(got.parts["one:1"], 2 * value(ONE).total)


def test_places_name_each_layer_once_and_not_the_image():
    objective = ONE + IMAGE + OTHER + objectives.channel("one", 0)
    assert objective.places == ["one", "other"]
    assert [t.name for t in objective.on_image.terms] == ["l2"]
    assert [t.name for t in objective.on_layers.terms] == ["one:1", "other:0@2,2", "one:0"]


def test_composing_leaves_the_parts_as_they_were():
    before = repr(ONE), repr(IMAGE)
    _ = -(2 * ONE - IMAGE)
    assert (repr(ONE), repr(IMAGE)) == before == ("1 one:1", "1 l2")


def test_evaluating_changes_no_activation():
    copies = {place: a.copy() for place, a in AT.items()}
    value(ONE + OTHER + IMAGE - objectives.total_variation(1))
    for place, a in copies.items():
        np.testing.assert_array_equal(AT[place], a)


# ---- what is refused

@pytest.mark.parametrize("objective, words", [
    (objectives.channel("conv9", 5), "conv9 has 5 channels, counted from 0; there is no 5"),
    (objectives.channel("conv9", -1), "conv9 has 5 channels, counted from 0; there is no -1"),
    (objectives.neuron("conv9", 5, 0, 0), "conv9 has 5 channels"),
    (objectives.neuron("conv9", 0, 3, 0), r"conv9 has no position \(3, 0\)"),
    (objectives.neuron("conv9", 0, 0, 4), r"conv9 has no position \(0, 4\)"),
    (objectives.neuron("conv9", 0, -1, 0), r"conv9 has no position \(-1, 0\)")])
def test_a_unit_that_is_not_there(objective, words):
    with pytest.raises(ValueError, match=words):
        term(objective)(A)


def test_a_neuron_of_a_dense_layer_has_no_position():
    with pytest.raises(ValueError, match=r"fc has no position \(0, 0\)"):
        term(objectives.neuron("fc", 0, 0, 0))(nets.images(2, (6,)))


def test_gram_of_a_dense_layer_says_what_is_wrong():
    with pytest.raises(ValueError, match="fc"):
        term(objectives.gram("fc", np.eye(6)))(nets.images(2, (6,)))


@pytest.mark.parametrize("beta", [0.99, 0, -1])
def test_total_variation_below_1_is_refused(beta):
    with pytest.raises(ValueError, match=f"beta must be at least 1, got {beta}"):
        objectives.total_variation(beta)

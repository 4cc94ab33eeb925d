"""Statistics of textures: each by its formula, its gradient by differences and complex step."""

import nets
import numpy as np
import pytest
from statistics_of_textures import SEEN, STATISTICS, A, value_and_gradient

from minicnn.ascent import objectives
from minicnn.ascent.objectives import changed, gram_matrices, textures


@pytest.mark.parametrize("name", STATISTICS)
def test_the_gradient_is_that_of_the_value_by_differences(name):
    objective, direction = STATISTICS[name](), nets.images(2, A.shape[1:], seed=1)
    step = 1e-5
    up, down = (value_and_gradient(objective, A + s * direction)[0] for s in (step, -step))
    slope = (value_and_gradient(objective, A)[1] * direction).sum(axis=(1, 2, 3))
    np.testing.assert_allclose((up - down) / (2 * step), slope, rtol=1e-7)  # error ~ step^2


# wasserstein sorts, which complex numbers cannot be
@pytest.mark.parametrize("name", ["gram", "covariance", "means", "shifted gram"])
def test_the_gradient_is_that_of_the_value_by_the_complex_step(name):
    """Im f(a + i h d) / h is the slope with no cancellation: accurate to rounding."""
    objective, direction = STATISTICS[name](), nets.images(2, A.shape[1:], seed=2)
    total = sum(term.weight * term.function(A + 1e-20j * direction)[0] for term in objective.terms)
    slope = (value_and_gradient(objective, A)[1] * direction).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total.imag / 1e-20, slope, rtol=1e-12)


def test_gram_loss_by_the_complex_step_at_every_number():
    target = objectives.gram_matrix(SEEN)[0]
    _, gradient = gram_matrices.gram_loss(A[:1], target)
    for at in np.ndindex(*A[:1].shape):
        moved = A[:1].astype(complex)
        moved[at] += 1e-20j
        value = gram_matrices.gram_loss(moved, target)[0]
        assert value.imag[0] / 1e-20 == pytest.approx(gradient[at], rel=1e-12)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_texture_itself_is_at_distance_zero_in_any_order_and_size(name):
    shuffled = SEEN.reshape(1, -1, 3)[:, np.random.default_rng(0).permutation(20)]
    for a in (SEEN, shuffled.reshape(1, 5, 4, 3)):
        value, gradient = value_and_gradient(STATISTICS[name](), a)
        np.testing.assert_allclose(value, 0, atol=1e-25)
        np.testing.assert_allclose(gradient, 0, atol=1e-14)
    if name != "wasserstein":  # whose quantiles are then read off between two numbers
        doubled = np.concatenate([SEEN, SEEN], axis=1)
        np.testing.assert_allclose(value_and_gradient(STATISTICS[name](), doubled)[0], 0,
                                   atol=1e-25)


def test_covariance_is_the_gram_matrix_without_the_means():
    by_hand = np.cov(SEEN.reshape(-1, 3).T, bias=True)
    mean = SEEN.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(objectives.gram_matrix(SEEN)[0] - np.outer(mean, mean), by_hand)
    found = value_and_gradient(objectives.covariance("layer", SEEN), A)[0]
    for n in range(2):
        off = np.cov(A[n].reshape(-1, 3).T, bias=True) - by_hand
        assert found[n] == pytest.approx((off**2).sum() / 36, rel=1e-12)
    away = ((A.mean(axis=(1, 2)) - mean) ** 2).sum(axis=1)
    np.testing.assert_allclose(value_and_gradient(objectives.means("layer", SEEN), A)[0], away,
                               rtol=1e-12)


def test_a_gram_matrix_trades_contrast_for_brightness_and_a_covariance_does_not():
    """Two channels' worth of one number: 3 and 5 have the mean square of sqrt(17) everywhere."""
    seen = np.array([3.0, 5.0]).reshape(1, 1, 2, 1)
    flat = np.full((1, 1, 2, 1), np.sqrt(17))
    gram = objectives.gram("layer", objectives.gram_matrix(seen)[0])
    assert value_and_gradient(gram, flat)[0] == pytest.approx(0, abs=1e-25)
    both = [statistic("layer", seen) for statistic in (objectives.covariance, objectives.means)]
    assert [value_and_gradient(one, flat)[0] for one in both] == [
        pytest.approx(1 / 4), pytest.approx((np.sqrt(17) - 4) ** 2)]


def test_wasserstein_of_one_channel_is_the_distance_of_the_sorted_values():
    seen, a = np.array([3.0, 1, 2]).reshape(1, 1, 3, 1), np.array([5.0, 2, 1]).reshape(1, 3, 1, 1)
    value, gradient = value_and_gradient(objectives.wasserstein("layer", seen), a)
    assert value == pytest.approx(4 / 3)  # 1 2 3 against 1 2 5
    np.testing.assert_allclose(gradient.ravel(), [4 / 3, 0, 0], atol=1e-15)


def test_quantiles_of_a_column():
    column = np.array([[0.0], [1], [2], [3]])
    np.testing.assert_allclose(textures._quantiles(column, 2).ravel(), [0.5, 2.5])
    np.testing.assert_allclose(textures._quantiles(column, 8).ravel(),
                               [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    assert textures._quantiles(np.array([[7.0]]), 3).ravel().tolist() == [7, 7, 7]


# ---- two layers, and the image itself

FINE, COARSE = nets.images(1, (6, 8, 3), seed=4) + 0.5, nets.images(1, (3, 4, 2), seed=5) + 0.5
TWO = {"fine": nets.images(2, (6, 8, 3), seed=6), "coarse": nets.images(2, (3, 4, 2), seed=7)}


def test_a_cross_layer_gram_matrix_by_hand():
    """Of maps of one size, where nothing is enlarged: the block of the Gram matrix of both."""
    a, b = TWO["fine"], nets.images(2, (6, 8, 2), seed=1)
    objective = textures.cross_gram("fine", "coarse", FINE, 0 * b[:1])
    joined = objectives.gram_matrix(np.concatenate([a, b], axis=3))[:, :3, 3:]
    found = objective.evaluate({"fine": a, "coarse": b}).total
    np.testing.assert_allclose(found, (joined**2).sum(axis=(1, 2)) / (4 * 3 * 2), rtol=1e-12)


def test_the_gradients_of_two_layers_by_the_complex_step():
    objective = textures.cross_gram("fine", "coarse", FINE, COARSE)
    seen = objective.evaluate(TWO)
    for name, a in TWO.items():
        way = nets.images(2, a.shape[1:], seed=9)
        moved = objective.evaluate(TWO | {name: a + 1e-20j * way}).total
        slope = (seen.gradients[name] * way).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(moved.imag / 1e-20, slope, rtol=1e-12)
    home = objective.evaluate({"fine": FINE, "coarse": COARSE})
    np.testing.assert_allclose(home.total, 0, atol=1e-28)
    silent = changed.relative(objective, FINE, COARSE).evaluate(
        {"fine": 0 * FINE, "coarse": 0 * COARSE})
    np.testing.assert_allclose(silent.total, 1)


def spectrum_of(x):
    return objectives.spectrum(SEEN).evaluate({"image": x})


def test_a_spectrum_knows_no_places_and_its_gradient_leads_to_the_nearest_such_image():
    assert spectrum_of(np.roll(SEEN, (1, 2), axis=(1, 2))).total == pytest.approx(0, abs=1e-25)
    x = nets.images(2, SEEN.shape[1:], seed=8)
    got = spectrum_of(x)
    nearest = x - got.gradients["image"] / 2
    for n in range(2):  # all products of two channels' transforms, which one phase leaves as is
        made, goal = (np.fft.fft2(each, axes=(0, 1)) for each in (nearest[n], SEEN[0]))
        products = [each[..., None] * each[..., None, :].conj() for each in (made, goal)]
        np.testing.assert_allclose(products[0], products[1], atol=1e-10)
    np.testing.assert_allclose(((x - nearest) ** 2).sum(axis=(1, 2, 3)), got.total, rtol=1e-12)
    for shift in np.ndindex(4, 5):  # no shifted texture is nearer
        apart = ((x - np.roll(SEEN, shift, axis=(1, 2))) ** 2).sum(axis=(1, 2, 3))
        assert (apart >= got.total).all()


def test_an_image_of_another_size_has_no_such_spectrum():
    with pytest.raises(ValueError, match="the image has 3x4 pixels, the texture 4x5"):
        spectrum_of(A)


# ---- weights

def test_what_each_normaliser_changes():
    """The table of `gram_loss`."""
    def squares(f, target, divide):
        g = f.reshape(-1, f.shape[-1])
        t = target.reshape(-1, f.shape[-1])
        return ((g.T @ g - t.T @ t) ** 2).sum() / divide(*g.shape)

    def ours(f, target):
        return gram_matrices.gram_loss(f, objectives.gram_matrix(target)[0])[0][0]

    kinds = {"paper": lambda f, t: squares(f, t, lambda m, c: 4 * c * c * m * m),
             "ours": ours,
             "sums": lambda f, t: squares(f, t, lambda m, c: 1),
             "neural-style": lambda f, t: squares(f, t, lambda m, c: c**4 * m * m),
             "relative": lambda f, t: ours(f, t) / ours(0 * f, t)}
    f, t = nets.images(1, (4, 5, 3), seed=1), SEEN
    changes = [lambda a: np.concatenate([a, a], axis=1), lambda a: np.concatenate([a, a], axis=3),
               lambda a: 3 * a]
    expected = {"paper": (1, 1, 81), "ours": (1, 1, 81), "sums": (4, 4, 81),
                "neural-style": (1, 1 / 4, 81), "relative": (1, 1, 1)}
    for name, loss in kinds.items():
        found = [loss(change(f), change(t)) / loss(f, t) for change in changes]
        np.testing.assert_allclose(found, expected[name], rtol=1e-12)
    assert kinds["paper"](f, t) == pytest.approx(kinds["ours"](f, t), rel=1e-12)


def test_a_dense_layer_has_no_such_statistics():
    for make in (objectives.covariance, objectives.means, objectives.shifted_gram,
                 objectives.wasserstein):
        with pytest.raises(ValueError, match="fc has none"):
            make("fc", np.ones((1, 6)))

"""What a regulariser does to an image after a step, and Yosinski's settings."""

import nets
import numpy as np
import pytest

from minicnn.ascent import objectives, regularizers
from minicnn.ascent.loop import steps
from minicnn.ascent.optimizers import SGD
from minicnn.vis import presets

X = nets.images(2, (6, 7, 3))
G = nets.images(2, (6, 7, 3), seed=9)
MOVES = {
    "diffuse": regularizers.diffuse(0.3), "decay": regularizers.decay(0.1),
    "blur": regularizers.blur(0.6),
    "small norm": regularizers.small_norm(40),
    "small contribution": regularizers.small_contribution(40),
    "every": regularizers.every(2, regularizers.decay(0.1)),
}
every = pytest.mark.parametrize("name", MOVES)


def done(regularize, image=X, gradient=G, index=0):
    return regularize(image, gradient, index)


@every
def test_each_image_is_moved_on_its_own(name):
    loud = np.concatenate([X[:1], 100 * X[1:]])
    both = done(MOVES[name], loud)
    for n in range(2):
        np.testing.assert_array_equal(both[n : n + 1],
                                      done(MOVES[name], loud[n : n + 1], G[n : n + 1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every
def test_neither_the_arguments_nor_the_dtype_change(name, dtype):
    x, g = X.astype(dtype), G.astype(dtype)
    assert done(MOVES[name], x, g).dtype == dtype
    np.testing.assert_array_equal(x, X.astype(dtype))
    np.testing.assert_array_equal(g, G.astype(dtype))


# ---- diffuse

@pytest.mark.parametrize("share", [0, 0.2, 1])
def test_diffuse_keeps_the_mean_and_a_constant(share):
    regularize = regularizers.diffuse(share)
    # float64: a few additions in another order
    np.testing.assert_allclose(done(regularize).mean(axis=(1, 2)), X.mean(axis=(1, 2)), atol=1e-15)
    np.testing.assert_allclose(done(regularize, np.full((1, 4, 5, 2), 3.7)), 3.7, rtol=1e-15)


def test_diffuse_by_0_changes_nothing_and_by_1_takes_the_neighbours_mean():
    np.testing.assert_array_equal(done(regularizers.diffuse(0)), X)
    neighbours = (X[:, 1, 3] + X[:, 3, 3] + X[:, 2, 2] + X[:, 2, 4]) / 4
    np.testing.assert_allclose(done(regularizers.diffuse(1))[:, 2, 3], neighbours, rtol=1e-13)


@pytest.mark.parametrize("share", [0.2, 1])
def test_diffuse_is_a_step_down_the_gradient_of_total_variation(share):
    """dV/dx = 2 (4 x - sum of neighbours) / size, at the reflected border too."""
    value = objectives.total_variation(2).evaluate({"image": X})
    step = share / 8 * X[0].size * value.gradients["image"]
    np.testing.assert_allclose(done(regularizers.diffuse(share)), X - step, rtol=0, atol=1e-14)


def test_diffuse_wears_away_noise_and_keeps_broad_shapes():
    rows = np.arange(32)
    broad = np.cos(2 * np.pi * (rows + 0.5) / 64)[None, :, None, None] * np.ones((1, 32, 32, 1))
    fine = (-1.0) ** np.add.outer(rows, rows)[None, :, :, None]
    left = {"broad": broad, "fine": fine}
    for _ in range(5):
        left = {name: done(regularizers.diffuse(0.2), x) for name, x in left.items()}
    assert np.abs(left["broad"]).max() > 0.98 * np.abs(broad).max()
    assert np.abs(left["fine"][:, 8:-8, 8:-8]).max() < 0.1  # 0.6 a step inside: 0.08 after 5


# ---- decay, blur, every

def test_decay_takes_a_share():
    np.testing.assert_array_equal(done(regularizers.decay(0.25)), 0.75 * X)


def test_blur_is_scipy_s():
    ndimage = pytest.importorskip("scipy.ndimage")
    np.testing.assert_allclose(done(regularizers.blur(0.5)),
                               ndimage.gaussian_filter(X, (0, 0.5, 0.5, 0)),
                               atol=1e-14)


def test_every_acts_at_the_first_step_and_then_each_so_many():
    regularize = regularizers.every(3, lambda image, gradient, index: image + gradient + index)
    for index in range(7):
        expected = X + G + index if index in (0, 3, 6) else X
        np.testing.assert_array_equal(done(regularize, index=index), expected)


def test_diffusion_counts_from_where_the_loop_counts():
    """In an ascent the first step has index 0."""
    seen = []

    def watch(image, gradient, index):
        seen.append(index)
        return image
    list(steps(None, -objectives.l2(), X, SGD(0.1), 3, regularizers=[watch]))
    assert seen == [0, 1, 2]


# ---- small norms and contributions, against the deep visualisation toolbox's formulas

@pytest.mark.parametrize("percent", [0, 20, 50, 90, 100])
def test_small_norms_go_to_zero(percent):
    expected = []
    for image in X:
        norms = np.linalg.norm(image, axis=2)
        expected.append(image * (norms >= np.percentile(norms, percent))[..., None])
    np.testing.assert_allclose(done(regularizers.small_norm(percent)), expected, rtol=1e-14)


@pytest.mark.parametrize("percent", [0, 20, 50, 90])
def test_small_contributions_go_to_zero(percent):
    expected = []
    for image, gradient in zip(X, G, strict=True):
        benefit = abs((gradient * -image).sum(axis=2))
        expected.append(image * (benefit >= np.percentile(benefit, percent))[..., None])
    np.testing.assert_array_equal(done(regularizers.small_contribution(percent)), expected)


def test_a_pixel_that_matters_stays_however_weak():
    x, g = np.full((1, 2, 2, 1), 1.0), np.zeros((1, 2, 2, 1))
    x[0, 1, 1], g[0, 1, 1] = 0.01, 500
    np.testing.assert_array_equal(done(regularizers.small_contribution(75), x, g).ravel(),
                                  [0, 0, 0, 0.01])
    np.testing.assert_array_equal(done(regularizers.small_norm(30), x, g).ravel(), [1, 1, 1, 0])


def test_of_equal_pixels_none_is_small():
    flat = np.full((1, 3, 3, 2), 5.0)
    for regularize in (regularizers.small_norm(50), regularizers.small_contribution(50)):
        np.testing.assert_array_equal(done(regularize, flat, flat), flat)


# ---- Yosinski's settings

def by_the_toolbox(setting, x, gradient, index):
    """One step of its loop, in grey levels, for one image: gradient step, then all four."""
    ndimage = pytest.importorskip("scipy.ndimage")
    norm = np.linalg.norm(gradient)
    rate = {1: min(100.0, 2.0 / norm**2), 2: 100.0, 3: 100.0, 4: min(1e8, 2.0 / norm**2)}[setting]
    x = (x + rate * gradient) * (1 - {1: 0, 2: 0.3, 3: 1e-4, 4: 0}[setting])
    sigma = {1: 0.5, 2: 0, 3: 1.0, 4: 0.5}[setting]
    if sigma and index % 4 == 0:
        x = ndimage.gaussian_filter(x, (sigma, sigma, 0))
    if setting in (1, 2):
        norms = np.linalg.norm(x, axis=2)
        x = x * (norms >= np.percentile(norms, {1: 50, 2: 20}[setting]))[..., None]
    if setting == 4:
        benefit = abs((gradient * -x).sum(axis=2))
        x = x * (benefit >= np.percentile(benefit, 90))[..., None]
    return x


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("setting", [1, 2, 3, 4])
@pytest.mark.parametrize("grey_level, strength", [(1.0, 0.05), (1 / 50, 0.05), (1.0, 1e-3)])
def test_a_step_is_the_toolbox_s(setting, index, grey_level, strength):
    """Whatever the network's numbers are: they count x in grey levels times grey_level. Strong
    gradients are held to a progress of 2, weak ones to the largest rate."""
    gradient = strength * G
    optimizer = presets.optimizer(presets.PRESETS[f"yosinski-{setting}"], grey_level)
    x = optimizer.step(X * grey_level, -gradient / grey_level)
    for regularize in regularizers.yosinski(setting):
        x = regularize(x, gradient / grey_level, index)
    expected = [by_the_toolbox(setting, *pair, index) for pair in zip(X, gradient, strict=True)]
    np.testing.assert_allclose(x / grey_level, expected, rtol=1e-12, atol=1e-12)


def test_yosinski_s_numbers_of_steps():
    assert [regularizers.SETTINGS[k].steps for k in (1, 2, 3, 4)] == [500, 750, 1000, 1000]
    assert [len(regularizers.yosinski(k)) for k in (1, 2, 3, 4)] == [2, 2, 2, 2]


# ---- what is refused

@pytest.mark.parametrize("make, words", [
    (lambda: regularizers.diffuse(-0.01), "diffuse: share must lie in 0..1, got -0.01"),
    (lambda: regularizers.diffuse(1.01), "diffuse: share must lie in 0..1, got 1.01"),
    (lambda: regularizers.diffuse(float("nan")), "diffuse: share must lie in 0..1, got nan"),
    (lambda: regularizers.decay(2), "decay: share must lie in 0..1, got 2"),
    (lambda: regularizers.small_norm(101), "small_norm: percent must lie in 0..100, got 101"),
    (lambda: regularizers.small_contribution(-1), "small_contribution: percent must lie in 0..100"),
    (lambda: regularizers.every(0, regularizers.decay(0.1)),
     "every: expected at least 1 step, got 0"),
    (lambda: regularizers.yosinski(5), "yosinski: setting must be one of 1, 2, 3, 4, got 5"),
])
def test_a_setting_out_of_range(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_blur_without_a_width():
    with pytest.raises(ValueError, match="sigma must be above 0"):
        done(regularizers.blur(0))

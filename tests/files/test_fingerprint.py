"""A layer in sixteen numbers: which say what they are called, and see every exchange."""

import numpy as np
import pytest
import small

from minicnn.files import fingerprint
from minicnn.files.fingerprint import LENGTH, STATISTICS


def names(shape):
    return [fingerprint.name(k, shape) for k in range(LENGTH)]


def test_every_figure_is_what_its_name_says():
    y = np.random.default_rng(0).standard_normal((1, 5, 7, 3)).astype(np.float32)
    found = dict(zip(names((5, 7, 3)), fingerprint.of(y), strict=True))
    assert len(found) == LENGTH  # no two names alike, so no place twice
    wide = y.astype(np.float64)
    expected = dict(zip(STATISTICS, [wide.mean(), wide.std(), y.min(), y.max()], strict=True))
    for name in found:
        if name.startswith("value at"):
            expected[name] = y[0][tuple(int(k) for k in name[9:].split(","))]
    rows, columns, channels = np.arange(1, 6), np.arange(1, 8), np.arange(1, 4)
    expected["mixture 1"] = np.einsum("hwc,h,w,c", wide[0], np.cos(2**0.5 * rows), np.cos(
        3**0.5 * columns), np.cos(5**0.5 * channels)) / 105**0.5
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12), name  # float64


def test_rows_of_a_dense_layer():
    y = np.arange(40.0)[None]
    found = dict(zip(names((40,)), fingerprint.of(y), strict=True))
    assert (found["lowest"], found["highest"], found["mean"]) == (0, 39, 19.5)
    assert all(found[name] == int(name[9:]) for name in found if name.startswith("value"))
    assert sum(name.startswith("value at") for name in found) == 9


def test_a_single_number_has_a_fingerprint():
    assert fingerprint.of(np.full((1, 1, 1, 1), 3.0))[:4].tolist() == [3, 0, 3, 3]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_shows_and_warns_of_nothing(value):
    y = np.ones((1, 3, 3, 2))
    y[0, 1, 1, 1] = value
    assert not np.isfinite(fingerprint.of(y)[:2]).any()


@pytest.mark.parametrize("exchange", [
    lambda y: y[..., [1, 0, *range(2, 8)]], lambda y: y[:, ::-1], lambda y: y[:, :, ::-1],
    lambda y: np.roll(y, 1, axis=2), lambda y: y.transpose(0, 2, 1, 3),
    lambda y: np.where(y == y.flat[100], y.flat[101], np.where(y == y.flat[101], y.flat[100], y)),
], ids=["channels", "up", "left", "rolled", "transposed", "two numbers"])
def test_every_exchange_is_seen(exchange):
    """Mean, deviation and extremes are the same then; the mixtures are not. Of the two numbers,
    of 1152, the exchange is 3 % of a deviation."""
    y = np.random.default_rng(0).standard_normal((1, 12, 12, 8))
    before, after = fingerprint.of(y), fingerprint.of(exchange(y))
    np.testing.assert_allclose(after[:4], before[:4], rtol=1e-12)
    assert np.abs(after - before)[4:7].max() > 0.01


@pytest.mark.parametrize("size", [(224, 224), (16, 20), (28, 28)])
def test_the_picture_has_colours_and_no_symmetry(size):
    picture = fingerprint.picture(*size)
    assert picture.shape == (*size, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, fingerprint.picture(*size))
    deviations = picture.std(axis=(0, 1))
    assert (deviations > 40).all()  # grey levels
    planes = picture.reshape(-1, 3).T.astype(float)
    assert np.abs(np.corrcoef(planes)[np.triu_indices(3, 1)]).max() < 0.5
    for other in (picture[::-1], picture[:, ::-1], picture[..., ::-1], picture[::-1, ::-1]):
        assert np.abs(other.astype(float) - picture).mean() > 20


def test_the_picture_is_smooth_and_small():
    picture = fingerprint.picture(224, 224).astype(int)
    steps = np.abs(np.diff(picture, axis=0))
    assert steps.max() <= fingerprint.STEP and (steps > 0).mean() < 0.3


def test_prepared_as_the_network_does_or_neutrally():
    network = small.network()
    picture = fingerprint.picture(16, 20)
    np.testing.assert_array_equal(fingerprint.prepared(network, picture),
                                  network.prepare(picture, "keep"))
    network.preprocessing = None
    x = fingerprint.prepared(network, picture)
    assert x.dtype == np.float32 and x.shape == (1, 16, 20, 3)
    np.testing.assert_array_equal(x[0] * 64 + 128, picture)
    five = fingerprint.neutral(picture, 5)
    assert five.shape == (1, 16, 20, 5) and (five[..., 3:] == five[..., :2]).all()

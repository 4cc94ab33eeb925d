"""The aliasing measure: against spectra sampled finely, and on waves whose fate is known."""

import nets
import numpy as np
import pytest

from minicnn.vis.aliasing import aliasing, faded, power, share


def spectral(maps, stride, points=840):
    """The definition, word for word: a fine discrete spectrum, and what of it lies where."""
    spectrum = np.abs(np.fft.fft2(maps, (points, points), axes=(0, 1))) ** 2  # H,W,O
    k = np.abs(np.fft.fftfreq(points, 1 / points)).round().astype(int)  # frequency k / points
    inside = [np.sign(points - 2 * s * k) / 2 + 0.5 if s > 1 else np.ones(points) for s in stride]
    below = (spectrum * (inside[0][:, None] * inside[1])[..., None]).sum(axis=(0, 1))
    return 1 - below / spectrum.sum(axis=(0, 1))


def wave(frequency, shape=(48, 40), axis=1, phase=0.3):
    """A plane wave of so many cycles a pixel along one axis, (H, W, 1)."""
    along = np.arange(shape[axis])
    one = np.cos(2 * np.pi * frequency * along + phase)
    return np.broadcast_to(one if axis else one[:, None], shape)[..., None]


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (4, 4), (1, 3), (3, 2), (4, 1)])
def test_it_is_the_integral_of_the_spectrum(stride):
    maps = nets.images(1, (7, 5, 4), seed=3)[0]
    # a sum in place of the integral, by the trapezoidal rule: its error falls with points^2
    np.testing.assert_allclose(aliasing(maps, stride), spectral(maps, stride), atol=1e-4)


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (4, 4), (2, 3)])
def test_a_single_sample_has_all_frequencies_alike(stride):
    spot = np.zeros((7, 9, 1))
    spot[2, 5] = -3
    expected = 1 - 1 / (stride[0] * stride[1])
    np.testing.assert_allclose(aliasing(spot, stride), expected, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("frequency, stride, lowest, highest", [
    (0.05, 4, 0, 0.01), (0.2, 4, 0.99, 1), (0.2, 2, 0, 0.01), (0.4, 2, 0.99, 1),
    (0.4, 1, 0, 1e-14)])
def test_waves_below_the_nyquist_frequency_pass_and_those_above_fold(frequency, stride, lowest,
                                                                     highest, axis):
    steps = (stride, 1) if axis == 0 else (1, stride)
    (folded,) = aliasing(faded(wave(frequency, axis=axis)), steps)
    assert lowest <= folded <= highest
    (other,) = aliasing(faded(wave(frequency, axis=axis)), steps[::-1])
    assert other < 0.01  # along the other axis the wave does not change


@pytest.mark.parametrize("frequency, appears", [(0.05, 0.2), (0.1, 0.4), (0.2, 0.2), (0.23, 0.08)])
def test_what_it_counts_is_what_appears_at_a_wrong_frequency(frequency, appears):
    """Every 4th value of a wave of 0.2 cycles a pixel is a wave of 0.2 a sample, not of 0.8."""
    long = wave(frequency, (1, 400))[0, :, 0]
    kept = long[::4]
    strongest = np.fft.rfftfreq(len(kept))[np.abs(np.fft.rfft(kept)).argmax()]
    assert strongest == pytest.approx(appears, abs=1e-9)
    wrong = appears != pytest.approx(4 * frequency, abs=1e-9)
    (folded,) = aliasing(faded(wave(frequency, (64, 96))), (1, 4))
    assert (folded > 0.5) == wrong == (frequency > 1 / 8)


def test_the_power_of_colours_is_summed():
    maps = nets.images(1, (5, 5, 6), seed=4)[0].reshape(5, 5, 3, 2)
    total, folding = power(maps, (2, 2))
    assert total.shape == folding.shape == (3, 2)
    np.testing.assert_allclose(total, (maps**2).sum(axis=(0, 1)), rtol=1e-14)
    np.testing.assert_array_equal(aliasing(maps, (2, 2)), folding.sum(axis=0) / total.sum(axis=0))


def test_nothing_has_no_share_and_stride_one_folds_nothing():
    maps = nets.images(1, (6, 7, 2), seed=5, dtype=np.float32)[0]
    maps[..., 1] = 0
    folded = aliasing(maps, (2, 2))
    assert 0 < folded[0] < 1 and np.isnan(folded[1])
    assert aliasing(maps, (1, 1))[0] < 1e-6  # float32
    np.testing.assert_array_equal(share(np.array([2.0, 0.0]), np.array([1.0, 0.0])), [0.5, np.nan])


def test_faded_maps_have_no_constant_and_no_edge():
    maps = nets.images(1, (6, 7, 2), seed=6)[0]
    np.testing.assert_allclose(faded(maps + 100), faded(maps), atol=1e-12)  # 100 in 1e14
    np.testing.assert_allclose(faded(maps).sum(axis=(0, 1)), 0, atol=1e-14)
    assert not faded(maps)[[0, -1]].any() and not faded(maps)[:, [0, -1]].any()

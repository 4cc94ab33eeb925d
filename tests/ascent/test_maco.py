"""Standardised spectra and phases: gradients, and what of an image stays as it is."""

import checks
import numpy as np
import pytest
import small

from minicnn import gradcheck, images
from minicnn.ascent import maco
from minicnn.ascent.parametrize import Parametrization

NETWORK = small.network(dtype=np.float64)
KINDS = {"standardized": maco.standardized, "phases": maco.phases}
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("size", [(2, 3), (3, 2)], ids=str)
def test_gradient(kind, size):
    made = KINDS[kind](NETWORK, size, mask=0.9, chroma=1.4)
    for count in (1, 2):
        t = made.start(count, seed=1).astype(np.float64)
        gradcheck.check(made.forward, lambda dy, back: back(dy), {"t": t},
                        name=kind).raise_if_failed()


def test_the_gradient_of_each_stage():
    for stage, shape in [(maco.standard(), (2, 3, 4)), (maco.waves(4, 5, 3), (1, 4, 3, 3)),
                         (maco.waves(3, 4, 1), (2, 3, 3, 1))]:
        gradcheck.check(stage.forward, lambda dy, back: back(dy), {"t": checks.normal(*shape)},
                        name="stage").raise_if_failed()


def test_standard_has_mean_0_and_deviation_1_for_each_image():
    y, _ = maco.standard().forward(7 + 3 * checks.normal(2, 5, 6, 3))
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(1, 2, 3)), 1, rtol=1e-8)
    assert not maco.standard().forward(np.ones((1, 4)))[0].any()  # nothing to divide by


def test_phases_move_waves_and_change_none_of_their_magnitudes():
    for seed in (0, 1):
        y, _ = maco.waves(8, 9, 3).forward(checks.normal(1, 8, 5, 3, seed=seed))
        found = abs(np.fft.rfft2(y, axes=(1, 2)))[0, :, 1:]  # a real image's column 0 mirrors
        for k, f in np.ndindex(8, 4):
            frequency = np.hypot((k - 8 if k >= 4 else k) / 8, (f + 1) / 9)
            wanted = np.array(maco.GAINS) * (frequency / 0.1) ** -np.array(maco.SLOPES)
            np.testing.assert_allclose(found[k, f], wanted, rtol=1e-12)


@every_kind
def test_the_start_is_a_picture_of_noise_between_black_and_white(kind):
    made = KINDS[kind](NETWORK)
    image, _ = made.forward(made.start(2, seed=1))
    assert isinstance(made, Parametrization) and image.shape == (2, 16, 20, 3)
    low, high = images.bounds(NETWORK.preprocessing, image.shape)
    assert (image >= low - 1e-4).all() and (image <= high + 1e-4).all()  # bounds are float32
    assert 10 < images.restore(image, NETWORK.preprocessing).std() < 80

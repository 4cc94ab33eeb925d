"""The shipped network's architecture."""

import nets
import numpy as np

from minicnn import models


def test_sizes():
    network = models.minivgg()
    assert network.input_shape == (64, 64, 3) and network.shapes["prob"] == (100,)
    assert [network.shapes[f"pool{i}"] for i in range(1, 5)] == [
        (32, 32, 32), (16, 16, 48), (8, 8, 96), (4, 4, 192)]


def test_its_weights_fit_the_shipped_file():
    """Stored as float16 they stay below 8 MB."""
    assert 2 * models.minivgg().count() < 8e6


def test_a_photo_goes_in_and_comes_out_again():
    network = models.minivgg()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    x = network.prepare(photo)
    assert x.shape == (1, 64, 64, 3) and abs(x).max() < 3
    np.testing.assert_array_equal(network.restore(x)[0], photo)


def test_it_computes():
    network = models.minivgg(classes=7).initialize(0)
    run = network.forward(nets.images(2, (64, 64, 3), dtype=np.float32))
    assert run.output.shape == (2, 7) and np.isfinite(run.output).all()
    assert run.backward({"fc6": nets.like(run["fc6"])}).any()

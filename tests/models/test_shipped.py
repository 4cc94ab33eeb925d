"""The architectures of the two shipped networks."""

import nets
import numpy as np
import pytest

import minicnn
from minicnn import models
from minicnn.foreign import load


def test_sizes():
    network = models.minivgg()
    assert network.input_shape == (64, 64, 3) and network.shapes["prob"] == (100,)
    assert [network.shapes[f"pool{i}"] for i in range(1, 5)] == [
        (32, 32, 32), (16, 16, 48), (8, 8, 96), (4, 4, 192)]


@pytest.mark.parametrize("kernel, stride, first", [(7, 2, 32), (11, 4, 16)])
def test_both_forms_of_minialex_are_the_same_from_conv2_on(kernel, stride, first):
    network = models.minialex(kernel=kernel, stride=stride)
    assert network.shapes["conv1"] == (first, first, 48)
    assert [network.shapes[f"pool{i}"] for i in (1, 2, 5)] == [
        (16, 16, 48), (8, 8, 96), (4, 4, 128)]
    usual = models.minialex().param_shapes
    assert network.param_shapes == usual | {
        "conv1": {"w": (kernel, kernel, 3, 48), "b": (48,)}}


@pytest.mark.parametrize("kernel, stride", [(8, 2), (7, 1), (7, 3)])
def test_minialex_refuses_a_first_layer_that_does_not_lead_to_16_x_16(kernel, stride):
    with pytest.raises(ValueError, match=f"odd kernel .*, got {kernel} and {stride}"):
        models.minialex(kernel=kernel, stride=stride)


@pytest.mark.parametrize("model", [models.minivgg, models.minialex])
def test_the_shipped_files_hold_them(model):
    """Each below 8 MB, with what it got right when it was measured."""
    path = load.find(model().name)
    network = minicnn.load(model().name)
    assert network.param_shapes == model().param_shapes and path.stat().st_size < 8e6
    assert 0.44 < network.about["validation_top1"] < network.about["validation_top5"]
    assert len(network.labels) == 100 and network.probe is not None


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

"""SqueezeNet 1.0 and 1.1: published counts, fire modules, and a pass."""

import nets
import numpy as np
import pytest

from minicnn import models


@pytest.mark.parametrize("name, count", [("squeezenet10", 1_248_424), ("squeezenet11", 1_235_496)])
def test_counts_are_the_published_ones(name, count):
    assert getattr(models, name)().count() == count


def test_sizes():
    one, two = models.squeezenet10().shapes, models.squeezenet11().shapes
    assert [one[name] for name in ("conv1", "pool1", "pool4", "pool8", "conv10")] == [
        (111, 111, 96), (55, 55, 96), (27, 27, 256), (13, 13, 512), (13, 13, 1000)]
    assert [two[name] for name in ("conv1", "pool1", "pool3", "pool5", "conv10")] == [
        (113, 113, 64), (56, 56, 64), (28, 28, 128), (14, 14, 256), (14, 14, 1000)]


@pytest.mark.parametrize("name", ["squeezenet10", "squeezenet11"])
def test_a_fire_module_expands_with_two_kinds_of_kernels(name):
    shapes = getattr(models, name)().param_shapes
    assert shapes["fire2/squeeze1x1"]["w"][2:] == ({"squeezenet10": 96, "squeezenet11": 64}[name],
                                                   16)
    assert shapes["fire2/expand1x1"]["w"] == (1, 1, 16, 64)
    assert shapes["fire2/expand3x3"]["w"] == (3, 3, 16, 64)
    assert shapes["fire9/expand3x3"]["w"] == (3, 3, 64, 256)


def test_logits_are_the_pooled_maps_and_other_sizes_fit():
    network = models.squeezenet11(classes=5).initialize(0)
    assert network.logits == "pool10"
    run = network.forward(nets.images(1, (64, 80, 3), dtype=np.float32))
    np.testing.assert_allclose(run["pool10"], run["relu_conv10"].mean(axis=(1, 2)),
                               rtol=1e-5)  # float32, sums in another order
    assert run.backward({"pool10": nets.like(run["pool10"])}).shape == (1, 64, 80, 3)


def test_photos_are_prepared_as_the_authors_did():
    p = models.squeezenet11().preprocessing
    assert (p.size, p.order, p.rule, p.resize_to) == ((227, 227), "BGR", "crop", 256)
    assert tuple(p.mean) == (104, 117, 123) and set(p.scale) == {1.0}

"""The lecture's networks: the counts and shapes on its slides."""

import nets
import numpy as np

from minicnn import models


def counts(network):
    return {name: sum(np.prod(shape) for shape in shapes.values())
            for name, shapes in network.param_shapes.items()}


def test_mnist_net():
    network = models.lecture_mnist()
    assert network.count() == 93_322
    assert counts(network) == {"conv2d_1": 320, "conv2d_2": 18_496, "conv2d_3": 36_928,
                               "dense_1": 36_928, "dense_2": 650}
    assert network.shapes["flatten_1"] == (576,)


def test_cats_and_dogs_net():
    network = models.lecture_catsdogs()
    assert network.count() == 3_453_121
    assert network.shapes["flatten_1"] == (7 * 7 * 128,)
    assert [network.shapes[f"max_pooling2d_{i}"][0] for i in range(1, 5)] == [74, 36, 17, 7]


def test_vgg16_s_base_with_the_lecture_s_head():
    network = models.lecture_vgg16()
    assert network.count() == 16_812_353
    assert network.count() - models.vgg16(top=False, size=150).count() == 2_097_408 + 257
    assert network.shapes["pool5"] == (4, 4, 512) and network.shapes["flatten_1"] == (8192,)
    assert network.input_shape == (150, 150, 3)


def test_photos_become_numbers_from_0_to_1():
    white = np.full((30, 40, 3), 255, np.uint8)
    for network, shape in [(models.lecture_mnist(), (1, 28, 28, 1)),
                           (models.lecture_catsdogs(), (1, 150, 150, 3))]:
        x = network.prepare(white)
        assert x.shape == shape and x.dtype == np.float32
        np.testing.assert_allclose(x, 1, rtol=1e-6)  # float32


def test_mnist_net_computes():
    network = models.lecture_mnist().initialize(0)
    p = network.probabilities(nets.images(3, (28, 28, 1), dtype=np.float32))
    assert p.shape == (3, 10)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)  # float32

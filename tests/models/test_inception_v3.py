"""Inception v3: published counts and sizes, Keras' order of layers, and PyTorch's numbers."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.layers import BatchNorm, Conv, walk
from minicnn.models.inception_v3 import in_keras_order

SIZES = {  # name: (H, W, C); the paper's table 1, and Keras' summary where that is coarser
    "conv1": (149, 149, 32), "conv2": (147, 147, 32), "conv3": (147, 147, 64),
    "pool1": (73, 73, 64), "conv4": (73, 73, 80), "conv5": (71, 71, 192), "pool2": (35, 35, 192),
    "mixed0": (35, 35, 256), "mixed1": (35, 35, 288), "mixed2": (35, 35, 288),
    "mixed3": (17, 17, 768), "mixed4": (17, 17, 768), "mixed7": (17, 17, 768),
    "mixed8": (8, 8, 1280), "mixed9/3x3": (8, 8, 768), "mixed9": (8, 8, 2048),
    "mixed10": (8, 8, 2048), "avg_pool": (2048,)}


def of_kind(network, kind):
    return [name for name, layer in walk(network.layers) if isinstance(layer, kind)]


def test_counts_are_the_published_ones():
    """Keras' with its running statistics and without the top; torchvision's 27,161,264 less the
    3,326,696 of its auxiliary classifier, which counts no statistics."""
    network = models.inception_v3()
    assert network.count() == 23_851_784
    assert "Non-trainable params: 34,432" in network.summary()
    assert models.inception_v3(top=False).count() == 21_802_784
    assert models.inception_v3(scale=True).count() - 34_432 == 27_161_264 - 3_326_696


@pytest.mark.parametrize("name", SIZES)
def test_output_sizes(name):
    assert models.inception_v3().shapes[name] == SIZES[name]


def test_the_smallest_size_is_75():
    assert models.inception_v3(size=75).shapes["mixed10"] == (1, 1, 2048)
    with pytest.raises(ValueError, match="mixed8"):
        models.inception_v3(size=74)


def test_the_first_18_layers_have_the_numbers_they_have_in_keras():
    """0 is the image; 10 and 17 are Keras' poolings, each convolution has two followers."""
    names = ["image", *models.inception_v3().names]
    assert [names[k] for k in (1, 4, 7, 10, 11, 14, 17)] == [
        "conv1", "conv2", "conv3", "pool1", "conv4", "conv5", "pool2"]
    assert names[1:4] == ["conv1", "bn_conv1", "relu_conv1"]


def test_from_there_on_keras_goes_by_the_distance_from_the_output():
    """Layers 17 to 40 of Keras' summary: conv2d_8, _6, _9, then the pooling, _5, _7, _10, _11."""
    names = in_keras_order(models.inception_v3())
    plain = models.inception_v3().names
    assert names[:18] == ["image", *plain[:17]] and sorted(names[1:]) == sorted(plain)
    found = [name.removeprefix("mixed0/") for name in names[17:41]]
    first, second, last = ["3x3dbl_reduce"], ["5x5_reduce", "3x3dbl_1"], [
        "1x1", "5x5", "3x3dbl_2", "pool_proj"]
    kinds = ("", "bn_", "relu_")
    assert found == ["pool2", *(kind + name for row in (first, second) for kind in kinds
                                for name in row), "pool",
                     *(kind + name for kind in kinds for name in last), "mixed0"]
    assert names[-5:] == ["mixed10/relu_pool_proj", "mixed10", "avg_pool", "fc", "prob"]
    convs = of_kind(models.inception_v3(), Conv)
    assert [name.removeprefix("mixed10/") for name in names if name in convs[-9:]] == [
        "3x3dbl_reduce", "3x3_reduce", "3x3dbl_1", "3x3_1x3", "3x3_3x1", "3x3dbl_1x3",
        "3x3dbl_3x1", "1x1", "pool_proj"]  # as Keras 3.15 lists conv2d_89 86 90 87 88 91 92 85 93


def test_convolutions_and_batch_norms_are_in_the_order_keras_makes_them():
    """(out, kernel) of a few of conv2d_1 ... conv2d_94, and each with its own batch norm."""
    network = models.inception_v3()
    convs, norms = of_kind(network, Conv), of_kind(network, BatchNorm)
    assert len(convs) == len(norms) == 94
    assert [norm.replace("bn_", "") for norm in norms] == convs
    made = {5: (192, 3, 3), 7: (48, 1, 1), 8: (64, 5, 5), 12: (32, 1, 1), 27: (384, 3, 3),
            33: (128, 1, 7), 34: (192, 7, 1), 36: (128, 7, 1), 72: (320, 3, 3), 74: (192, 1, 7),
            77: (320, 1, 1), 79: (384, 1, 3), 80: (384, 3, 1), 81: (448, 1, 1), 94: (192, 1, 1)}
    shapes = {k: network.param_shapes[convs[k - 1]]["w"] for k in made}
    assert {k: (o, kh, kw) for k, (kh, kw, _, o) in shapes.items()} == made


def test_photos_are_prepared_as_keras_does():
    p = models.inception_v3().preprocessing
    x = models.inception_v3().prepare(np.array([[[0, 128, 255]]], np.uint8), (1, 1))
    np.testing.assert_allclose(x, [[[[-1, 128 / 127.5 - 1, 1]]]], rtol=1e-6)  # float32
    assert (p.size, p.order, p.rule, p.resize_to) == ((299, 299), "RGB", "squash", None)


@pytest.mark.parametrize("border, scale", [("image", False), ("padding", True)])
def test_it_computes_what_pytorch_does(border, scale):
    """As Keras has it, and as torchvision has it; float64, a few dozen roundings one after
    another."""
    torch = pytest.importorskip("torch")
    network = nets.trained(models.inception_v3(5, size=91, border=border, scale=scale))
    x = nets.images(1, (75, 91, 3))
    expected = reference(torch, network, x, border == "padding")
    np.testing.assert_allclose(network.forward(x, to="fc").output, expected, rtol=1e-9)


def reference(torch, network, x, padding_counts):
    """Inception v3 written a second time, in PyTorch's functions and in the order of the paper's
    figures; takes the weights one after another, in the order they are made."""
    F, cat = torch.nn.functional, torch.cat
    stack = iter(zip(of_kind(network, Conv), of_kind(network, BatchNorm), strict=True))

    def conv(x, stride=1, pad=0):
        conv_name, norm_name = next(stack)
        w = torch.tensor(network[conv_name].params["w"]).permute(3, 2, 0, 1)
        p = {key: torch.tensor(value) for key, value in network[norm_name].params.items()}
        y = F.conv2d(x, w, None, stride, pad)
        return F.relu(F.batch_norm(y, p["mean"], p["variance"], p.get("gamma"), p["beta"],
                                   eps=0.001))

    def average(x):
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=padding_counts)

    def same(x, *kernels):
        for kh, kw in kernels:
            x = conv(x, pad=(kh // 2, kw // 2))
        return x

    x = torch.tensor(x).permute(0, 3, 1, 2)
    x = F.max_pool2d(same(conv(conv(x, 2)), (3, 3)), 3, 2)
    x = F.max_pool2d(conv(conv(x)), 3, 2)
    one, three, five, row, column = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)
    for _ in range(3):
        x = cat([same(x, one), same(x, one, five), same(x, one, three, three),
                 same(average(x), one)], 1)
    x = cat([conv(x, 2), conv(same(x, one, three), 2), F.max_pool2d(x, 3, 2)], 1)
    for _ in range(4):
        x = cat([same(x, one), same(x, one, row, column),
                 same(x, one, column, row, column, row), same(average(x), one)], 1)
    x = cat([conv(same(x, one), 2), conv(same(x, one, row, column), 2), F.max_pool2d(x, 3, 2)], 1)
    for _ in range(2):
        parts = [same(x, one)]
        for wide in ([one], [one, three]):
            middle = same(x, *wide)
            parts += [same(middle, (1, 3)), same(middle, (3, 1))]
        x = cat([*parts, same(average(x), one)], 1)
    p = network["fc"].params
    return (x.mean((2, 3)) @ torch.tensor(p["w"]) + torch.tensor(p["b"])).numpy()

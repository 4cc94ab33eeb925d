"""The VGG networks: published counts, the paper's configurations, and a part that computes."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.network.layers import Conv, MaxPool

COUNTS = {  # whole, convolutions only
    "vgg11": (132_863_336, 9_220_480), "vgg13": (133_047_848, 9_404_992),
    "vgg16": (138_357_544, 14_714_688), "vgg19": (143_667_240, 20_024_384)}
DEPTHS = {"vgg11": [1, 1, 2, 2, 2], "vgg13": [2, 2, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3],
          "vgg19": [2, 2, 4, 4, 4]}
every_vgg = pytest.mark.parametrize("name", COUNTS)


@every_vgg
def test_counts_are_the_published_ones(name):
    model = getattr(models, name)
    assert (model().count(), model(top=False).count()) == COUNTS[name]


@every_vgg
def test_the_blocks_are_the_paper_s(name):
    network = getattr(models, name)()
    convolutions = [n for n in network.names if n.startswith("conv")]
    assert convolutions == [f"conv{block}_{i}" for block, depth in enumerate(DEPTHS[name], start=1)
                            for i in range(1, depth + 1)]
    assert [network.shapes[f"pool{block}"] for block in range(1, 6)] == [
        (112, 112, 64), (56, 56, 128), (28, 28, 256), (14, 14, 512), (7, 7, 512)]
    assert network.names[-8:] == ["fc6", "relu6", "drop6", "fc7", "relu7", "drop7", "fc8", "prob"]
    assert network.logits == "fc8" and network.shapes["fc8"] == (1000,)


@every_vgg
def test_every_convolution_is_3x3_and_every_pooling_2x2(name):
    network = getattr(models, name)()
    for n in network.names:
        layer = network[n]
        if isinstance(layer, Conv):
            assert (layer.kernel, layer.stride, layer.pad, layer.groups) == (3, 1, 1, 1)
        if isinstance(layer, MaxPool):
            assert (layer.window, layer.stride, layer.pad) == (2, 2, 0)


def test_photos_are_prepared_as_the_authors_did():
    p = models.vgg16().preprocessing
    assert (p.order, tuple(p.mean), tuple(p.scale)) == (
        "BGR", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
    assert (p.size, p.resize_to, p.rule) == ((224, 224), 256, "crop")


def test_classes_and_size_can_be_others():
    network = models.vgg11(classes=7, top=True, size=64)
    assert network.shapes["fc8"] == (7,) and network.shapes["pool5"] == (2, 2, 512)
    assert models.vgg16(top=False, size=150).shapes["pool5"] == (4, 4, 512)


def test_a_cut_of_vgg_runs_forward_and_back():
    network = nets.trained(models.vgg11(top=False, size=32).until("pool2"), dtype=np.float32)
    run = network.forward(nets.images(1, (32, 32, 3), dtype=np.float32))
    assert run.output.shape == (1, 8, 8, 128)
    dx = run.backward({"pool2": run.output})
    assert dx.shape == (1, 32, 32, 3) and dx.dtype == np.float32 and dx.any()

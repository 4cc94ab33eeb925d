"""The tables of names: each names every layer of its network, once."""

import pytest

from minicnn import models
from minicnn.foreign.names import SOURCES, keras_inception
from minicnn.network.layers import BatchNorm, Conv, Dense

CONFIGURATIONS = {  # torchvision's vgg.py: widths, and M for a pooling
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.words)
def test_every_layer_with_weights_has_one_name(source):
    network = getattr(models, source.model)(**source.settings)
    assert sorted(source.names.values()) == sorted(network.param_shapes)


@pytest.mark.parametrize("model", CONFIGURATIONS)
def test_torchvision_numbers_convolutions_relus_and_poolings_in_one_row(model):
    numbers, at = [], 0
    for word in CONFIGURATIONS[model].split():
        if word != "M":
            numbers.append(at)
        at += 1 if word == "M" else 2
    source = next(source for source in SOURCES if source.model == model)
    assert [name for name in source.names if name.startswith("features.")] == [
        f"features.{number}" for number in numbers]


def test_the_names_are_in_the_order_of_the_layers():
    for source in SOURCES:
        if source.model != "inception_v3":
            network = getattr(models, source.model)()
            ours = [name for name in source.names.values() if not name.startswith("conv10")]
            places = [network.names.index(name) for name in ours]
            assert places == sorted(places), source.words


@pytest.mark.parametrize("theirs, kernel", [  # torchvision's inception.py
    ("Conv2d_1a_3x3", (3, 3, 3, 32)), ("Conv2d_3b_1x1", (1, 1, 64, 80)),
    ("Mixed_5b.branch5x5_1", (1, 1, 192, 48)), ("Mixed_5c.branch5x5_2", (5, 5, 48, 64)),
    ("Mixed_5d.branch3x3dbl_3", (3, 3, 96, 96)), ("Mixed_5b.branch_pool", (1, 1, 192, 32)),
    ("Mixed_6a.branch3x3dbl_2", (3, 3, 64, 96)), ("Mixed_6b.branch7x7_2", (1, 7, 128, 128)),
    ("Mixed_6b.branch7x7_3", (7, 1, 128, 192)), ("Mixed_6c.branch7x7dbl_2", (7, 1, 160, 160)),
    ("Mixed_6d.branch7x7dbl_3", (1, 7, 160, 160)), ("Mixed_6e.branch7x7dbl_4", (7, 1, 192, 192)),
    ("Mixed_6e.branch7x7dbl_5", (1, 7, 192, 192)), ("Mixed_7a.branch3x3_2", (3, 3, 192, 320)),
    ("Mixed_7a.branch7x7x3_2", (1, 7, 192, 192)), ("Mixed_7a.branch7x7x3_3", (7, 1, 192, 192)),
    ("Mixed_7b.branch3x3_2a", (1, 3, 384, 384)), ("Mixed_7b.branch3x3dbl_3b", (3, 1, 384, 384)),
    ("Mixed_7c.branch3x3dbl_2", (3, 3, 448, 384))])
def test_torchvision_s_inception_kernels(theirs, kernel):
    source = next(source for source in SOURCES if source.model == "inception_v3")
    network = models.inception_v3(**source.settings)
    assert network.param_shapes[source.names[f"{theirs}.conv"]]["w"] == kernel
    assert source.names[f"{theirs}.bn"].replace("bn_", "") == source.names[f"{theirs}.conv"]


def test_preprocessing_is_each_program_s_own():
    by_words = {source.words: source.preprocessing for source in SOURCES}
    torch, keras = by_words["torchvision's vgg16"], by_words["Keras' vgg16"]
    oxford = by_words["Oxford's vgg16, from Caffe to PyTorch"]
    assert torch.order == "RGB" and torch.mean[0] == pytest.approx(123.675)
    assert torch.scale[2] == pytest.approx(1 / (255 * 0.225))
    assert keras.order == oxford.order == "BGR" and keras.mean == oxford.mean == (
        103.939, 116.779, 123.68)
    assert (keras.rule, keras.resize_to, oxford.rule, oxford.resize_to) == (
        "squash", None, "crop", 256)


@pytest.mark.parametrize("name", ["{}_{}".format, lambda kind, k: f"{kind}_{k + 94}",
                                  lambda kind, k: f"{kind}_{k - 1}" if k > 1 else kind])
def test_keras_inception_is_known_by_its_numbers(name):
    """However far a session had counted, and in whatever order the file lists them."""
    theirs = [name(kind, k) for k in range(94, 0, -1) for kind in ("conv2d", "batch_normalization")]
    source, = keras_inception(theirs)
    network = models.inception_v3()
    for kind, prefix in ((Conv, "conv2d"), (BatchNorm, "batch_normalization")):
        ours = [layer for layer, made, _ in network.rows if isinstance(made, kind)]
        assert [source.names[name(prefix, k)] for k in range(1, 95)] == ours
    assert isinstance(network[source.names["predictions"]], Dense)
    assert keras_inception(theirs[1:]) == []

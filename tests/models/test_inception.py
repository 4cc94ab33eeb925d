"""Inception v3: published counts and sizes, Keras' order of layers, and PyTorch's numbers."""

import keras_files
import numpy as np
import pytest
import torchvision_twin
from torchvision_twin import Twin

from minicnn import models
from minicnn.foreign.convert import convert
from minicnn.models.inception import in_keras_order
from minicnn.network.layers import BatchNorm, Conv

SIZES = {  # name: (H, W, C); the paper's table 1, and Keras' summary where that is coarser
    "conv1": (149, 149, 32), "conv2": (147, 147, 32), "conv3": (147, 147, 64),
    "pool1": (73, 73, 64), "conv4": (73, 73, 80), "conv5": (71, 71, 192), "pool2": (35, 35, 192),
    "mixed0": (35, 35, 256), "mixed1": (35, 35, 288), "mixed2": (35, 35, 288),
    "mixed3": (17, 17, 768), "mixed4": (17, 17, 768), "mixed7": (17, 17, 768),
    "mixed8": (8, 8, 1280), "mixed9/3x3": (8, 8, 768), "mixed9": (8, 8, 2048),
    "mixed10": (8, 8, 2048), "avg_pool": (2048,)}


def of_kind(network, kind):
    return [name for name, layer, _ in network.rows if isinstance(layer, kind)]


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


def parameters(state):
    """How many numbers of a state dict PyTorch counts: neither statistics nor counters."""
    return sum(array.size for name, array in state.items() if "running" not in name
               and "tracked" not in name)


def test_torchvision_s_converted_computes_what_it_does_there(tmp_path):
    """From its state dict, with the auxiliary classifier that its published file has too."""
    torch = pytest.importorskip("torch")
    twin = Twin(torchvision_twin.inception_v3, 1000)
    assert parameters(twin.state) == 23_834_568
    aux = {"AuxLogits.conv0.conv.weight": np.zeros((128, 768, 1, 1), np.float32),
           "AuxLogits.fc.bias": np.zeros(1000, np.float32)}
    torch.save({name: torch.tensor(array) for name, array in (aux | twin.state).items()},
               tmp_path / "net.pth")
    network, table = convert(tmp_path / "net.pth")
    assert network.count() == 23_834_568 + 34_432
    assert "AuxLogits.fc is used only in training, and is left out." in table.notes
    assert any("(transform_input=True)" in note for note in table.notes)
    p = network.preprocessing
    assert (p.order, p.mean[0], p.scale[2], p.resize_to) == ("RGB", 127.5, 1 / 127.5, 342)
    torchvision_twin.check(network, twin, (91, 75))


def test_keras_s_converted_computes_what_it_does_there(tmp_path):
    """From a file in Keras' layout; its average poolings leave the border out."""
    pytest.importorskip("torch")
    twin = Twin(torchvision_twin.inception_v3, 1000, scale=False, padding_counts=False)
    groups = {"input_1": {}}
    for k, name in enumerate(twin.made, 1):
        groups[f"conv2d_{k}"] = {f"conv2d_{k}/kernel:0": twin.state[f"{name}.conv.weight"]
                                 .transpose(2, 3, 1, 0)}  # O,I,H,W -> H,W,I,O
        groups[f"batch_normalization_{k}"] = {
            f"batch_normalization_{k}/{theirs}:0": twin.state[f"{name}.bn.{word}"] for theirs, word
            in (("beta", "bias"), ("moving_mean", "running_mean"),
                ("moving_variance", "running_var"))}
    groups["predictions"] = {"predictions/kernel:0": twin.state["fc.weight"].T,
                             "predictions/bias:0": twin.state["fc.bias"]}
    assert sum(w.size for group in groups.values() for w in group.values()) == 23_851_784
    path = keras_files.weights_file(tmp_path / "inception.h5", groups)
    network, table = convert(path)
    assert network.count() == 23_851_784 and "Keras' inception_v3" in " ".join(table.notes)
    assert network.preprocessing == models.inception_v3().preprocessing
    torchvision_twin.check(network, twin, (91, 75))

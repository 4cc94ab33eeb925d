"""Inception v3 (Szegedy et al. 2016, table 1), as in Keras.

A convolution has no bias; a batch norm without scale and a ReLU follow it. A module applies kernels
of several sizes to its input in parallel, and composes the larger ones of smaller ones: a 5x5 of
two 3x3, from mixed4 on a 7x7 of 1x7 and 7x1, a 3x3 of parallel 1x3 and 3x1. The auxiliary
classifier, used only in training, is left out.

Names: mixed0 to mixed10 and avg_pool are Keras' own. Keras numbers the other layers in the order of
their creation, which is that of the rows here: the convolutions are conv2d_1 to conv2d_94, the
batch norms batch_normalization_1 to _94 (since TensorFlow 2 conv2d, conv2d_1 ... conv2d_93).

The indices in Keras' list of layers, 0 for the image, agree with those here up to 17, the second
pooling: 1, 4, 7, 11 and 14 are the five convolutions, 10 is the first pooling. From mixed0 on,
Keras sorts by the distance from the output, and this library path by path: see `in_keras_order`.

torchvision's network is this one with `border="padding"` and `scale=True`: its average poolings
count the zeros around the image, and its batch norms have a gamma. Epsilon is 1e-3 in both.
"""

from dataclasses import replace

from minicnn.images import Preprocessing
from minicnn.network import INPUT, Network
from minicnn.network.layers import (
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
)


def inception_v3(classes: int = 1000, top: bool = True, size: int = 299, border: str = "image",
                 scale: bool = False) -> Network:
    """Inception v3; 23,851,784 parameters (21,802,784 without the top), 34,432 of them statistics.

    Parameters
    ----------
    classes : int
    top : bool
        False leaves out all layers after mixed10.
    size : int
        At least 75; the weights were trained at 299.
    border : {"image", "padding"}
        The divisor of the average poolings at the border, see `minicnn.ops.average_pool`.
    scale : bool
        Whether the batch norms have a gamma.

    Returns
    -------
    Network
    """
    rows = [
        *conv("conv1", 32, 3, stride=2),
        *conv("conv2", 32, 3),
        *conv("conv3", 64, 3, pad=1),
        ("pool1", MaxPool(3, 2)),
        *conv("conv4", 80, 1),
        *conv("conv5", 192, 3),
        ("pool2", MaxPool(3, 2)),
        *_with_5x5("mixed0", "pool2", 32),
        *_with_5x5("mixed1", "mixed0", 64),
        *_with_5x5("mixed2", "mixed1", 64),
        *_halving("mixed3", "mixed2"),
        *_with_7x7("mixed4", "mixed3", 128),
        *_with_7x7("mixed5", "mixed4", 160),
        *_with_7x7("mixed6", "mixed5", 160),
        *_with_7x7("mixed7", "mixed6", 192),
        *_halving_with_7x7("mixed8", "mixed7"),
        *_with_1x3_beside_3x1("mixed9", "mixed8"),
        *_with_1x3_beside_3x1("mixed10", "mixed9"),
    ]
    if top:
        rows += [("avg_pool", GlobalAveragePool()), ("fc", Dense(classes)), ("prob", Softmax())]
    settings = {AveragePool: {"border": border}, BatchNorm: {"scale": scale}}
    rows = [(name, replace(layer, **settings.get(type(layer), {})), *inputs)
            for name, layer, *inputs in rows]
    return Network("inception_v3", rows, (size, size, 3), Preprocessing(
        (size, size), "RGB", 127.5, 1 / 127.5, None, "squash", "bilinear"))


def in_keras_order(network):
    """The names of a network's layers in the order of Keras' list of layers.

    This is the order of `model.layers[k]` and of the layers in Keras' weight files, where `fc` and
    `prob` are one layer. Keras sorts layers by the longest path to the output, and by branch if the
    paths are equally long.

    Parameters
    ----------
    network : Network
        `inception_v3()`, or any other network.

    Returns
    -------
    list of str
        The first is "image", Keras' input layer.
    """
    ways = dict.fromkeys([INPUT, *network.names], 0)  # longest path to the output
    for name, _, inputs in reversed(network.rows):
        ways |= {place: max(ways[place], ways[name] + 1) for place in inputs}
    return sorted(ways, key=lambda name: -ways[name])


def conv(name, filters, kernel, stride=1, pad=0, below=None, momentum=0.99):
    """A convolution without bias, its batch norm and ReLU.

    Their names are conv1 bn_conv1 relu_conv1; in a module mixed0/1x1 mixed0/bn_1x1 mixed0/relu_1x1.

    Parameters
    ----------
    name : str
        The convolution's name.
    filters, kernel, stride, pad
        The convolution's settings, see `layers.Conv`.
    below : str, optional
        The convolution's input. Default: the row above.
    momentum : float
        The batch norm's momentum; its epsilon is 1e-3.

    Returns
    -------
    list of rows
    """
    module, slash, last = name.rpartition("/")
    return [
        (name, Conv(filters, kernel, stride=stride, pad=pad, bias=False), below),
        (f"{module}{slash}bn_{last}", BatchNorm(epsilon=1e-3, momentum=momentum)),
        (f"{module}{slash}relu_{last}", ReLU()),
    ]


def _row(name, filters):
    return conv(name, filters, (1, 7), pad=(0, 3))


def _column(name, filters):
    return conv(name, filters, (7, 1), pad=(3, 0))


def _pooled(name, below, filters):
    return [(f"{name}/pool", AveragePool(3, 1, pad=1), below),
            *conv(f"{name}/pool_proj", filters, 1)]


def joined(name, *paths):
    """The rows of parallel paths, and the Concat that joins their outputs."""
    return [*(row for path in paths for row in path),
            (name, Concat(), [path[-1][0] for path in paths])]


def _with_5x5(name, below, pool_proj):
    """35x35: parallel 1x1, 5x5, a 5x5 of two 3x3, and pooling (the paper's figure 5)."""
    return joined(
        name,
        conv(f"{name}/1x1", 64, 1, below=below),
        [*conv(f"{name}/5x5_reduce", 48, 1, below=below),
         *conv(f"{name}/5x5", 64, 5, pad=2)],
        [*conv(f"{name}/3x3dbl_reduce", 64, 1, below=below),
         *conv(f"{name}/3x3dbl_1", 96, 3, pad=1),
         *conv(f"{name}/3x3dbl_2", 96, 3, pad=1)],
        _pooled(name, below, pool_proj))


def _halving(name, below):
    """35x35 to 17x17: every path with stride 2 (figure 10)."""
    return joined(
        name,
        conv(f"{name}/3x3", 384, 3, stride=2, below=below),
        [*conv(f"{name}/3x3dbl_reduce", 64, 1, below=below),
         *conv(f"{name}/3x3dbl_1", 96, 3, pad=1),
         *conv(f"{name}/3x3dbl_2", 96, 3, stride=2)],
        [(f"{name}/pool", MaxPool(3, 2), below)])


def _with_7x7(name, below, filters):
    """17x17: parallel 1x1, a 7x7 of 1x7 and 7x1, the same twice, and pooling (figure 6, n = 7)."""
    return joined(
        name,
        conv(f"{name}/1x1", 192, 1, below=below),
        [*conv(f"{name}/7x7_reduce", filters, 1, below=below),
         *_row(f"{name}/7x7_1", filters),
         *_column(f"{name}/7x7_2", 192)],
        [*conv(f"{name}/7x7dbl_reduce", filters, 1, below=below),
         *_column(f"{name}/7x7dbl_1", filters),
         *_row(f"{name}/7x7dbl_2", filters),
         *_column(f"{name}/7x7dbl_3", filters),
         *_row(f"{name}/7x7dbl_4", 192)],
        _pooled(name, below, 192))


def _halving_with_7x7(name, below):
    """17x17 to 8x8: every path with stride 2."""
    return joined(
        name,
        [*conv(f"{name}/3x3_reduce", 192, 1, below=below),
         *conv(f"{name}/3x3", 320, 3, stride=2)],
        [*conv(f"{name}/7x7x3_reduce", 192, 1, below=below),
         *_row(f"{name}/7x7x3_1", 192),
         *_column(f"{name}/7x7x3_2", 192),
         *conv(f"{name}/7x7x3_3", 192, 3, stride=2)],
        [(f"{name}/pool", MaxPool(3, 2), below)])


def _with_1x3_beside_3x1(name, below):
    """8x8: parallel 1x1, two wide paths that each split in two, and pooling (figure 7)."""
    return joined(
        name,
        conv(f"{name}/1x1", 320, 1, below=below),
        [*conv(f"{name}/3x3_reduce", 384, 1, below=below),
         *_split(f"{name}/3x3", f"{name}/relu_3x3_reduce")],
        [*conv(f"{name}/3x3dbl_reduce", 448, 1, below=below),
         *conv(f"{name}/3x3dbl_1", 384, 3, pad=1),
         *_split(f"{name}/3x3dbl", f"{name}/relu_3x3dbl_1")],
        _pooled(name, below, 192))


def _split(name, below):
    return joined(name, conv(f"{name}_1x3", 384, (1, 3), pad=(0, 1), below=below),
                   conv(f"{name}_3x1", 384, (3, 1), pad=(1, 0), below=below))

"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016): AlexNet's accuracy with a fiftieth of its weights.

A fire module squeezes the channels with 1x1 kernels, then expands them with parallel 1x1 and 3x3
kernels. The names are those of the authors' Caffe files.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import (
    Concat,
    Conv,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
)

PREPROCESSING = Preprocessing((227, 227), "BGR", (104.0, 117.0, 123.0))


def squeezenet10(classes: int = 1000) -> Network:
    """SqueezeNet 1.0; 1,248,424 parameters."""
    return Network("squeezenet10", [
        ("conv1", Conv(96, 7, stride=2)),
        ("relu_conv1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire2", 16, 64),
        *_fire("fire3", 16, 64),
        *_fire("fire4", 32, 128),
        ("pool4", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire5", 32, 128),
        *_fire("fire6", 48, 192),
        *_fire("fire7", 48, 192),
        *_fire("fire8", 64, 256),
        ("pool8", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire9", 64, 256),
        *_top(classes),
    ], (227, 227, 3), PREPROCESSING)


def squeezenet11(classes: int = 1000) -> Network:
    """SqueezeNet 1.1, with 2.4 times fewer computations; 1,235,496 parameters."""
    return Network("squeezenet11", [
        ("conv1", Conv(64, 3, stride=2)),
        ("relu_conv1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire2", 16, 64),
        *_fire("fire3", 16, 64),
        ("pool3", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire4", 32, 128),
        *_fire("fire5", 32, 128),
        ("pool5", MaxPool(3, 2, rounding="ceil")),
        *_fire("fire6", 48, 192),
        *_fire("fire7", 48, 192),
        *_fire("fire8", 64, 256),
        *_fire("fire9", 64, 256),
        *_top(classes),
    ], (227, 227, 3), PREPROCESSING)


def _fire(name, squeeze, expand):
    squeezed = f"{name}/relu_squeeze1x1"
    return [
        (f"{name}/squeeze1x1", Conv(squeeze, 1)),
        (squeezed, ReLU()),
        (f"{name}/expand1x1", Conv(expand, 1), squeezed),
        (f"{name}/relu_expand1x1", ReLU()),
        (f"{name}/expand3x3", Conv(expand, 3, pad=1), squeezed),
        (f"{name}/relu_expand3x3", ReLU()),
        (f"{name}/concat", Concat(), [f"{name}/relu_expand1x1", f"{name}/relu_expand3x3"]),
    ]


def _top(classes):
    return [
        ("drop9", Dropout(0.5)),
        ("conv10", Conv(classes, 1)),
        ("relu_conv10", ReLU()),
        ("pool10", GlobalAveragePool()),
        ("prob", Softmax()),
    ]

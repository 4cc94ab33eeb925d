"""The VGG networks, with only 3x3 convolutions and 2x2 poolings (Simonyan & Zisserman 2015).

Configurations A, B, D and E of the paper's table 1. The names are those of the authors' Caffe files
of D and E. `top=False` leaves out the dense layers; then any image size of at least 32 is possible.
"""

from minicnn.images import Preprocessing
from minicnn.models.alexnet import dense_layers
from minicnn.network import Network
from minicnn.network.layers import Conv, MaxPool, ReLU

MEAN_BGR = (103.939, 116.779, 123.68)


def vgg11(classes: int = 1000, top: bool = True, size: int = 224) -> Network:
    """Configuration A: 8 convolutions, 132,863,336 parameters."""
    return _vgg("vgg11", (1, 1, 2, 2, 2), classes, top, size)


def vgg13(classes: int = 1000, top: bool = True, size: int = 224) -> Network:
    """Configuration B: 10 convolutions, 133,047,848 parameters."""
    return _vgg("vgg13", (2, 2, 2, 2, 2), classes, top, size)


def vgg16(classes: int = 1000, top: bool = True, size: int = 224) -> Network:
    """Configuration D: 13 convolutions, 138,357,544 parameters (14,714,688 without the top)."""
    return _vgg("vgg16", (2, 2, 3, 3, 3), classes, top, size)


def vgg19(classes: int = 1000, top: bool = True, size: int = 224) -> Network:
    """Configuration E: 16 convolutions, 143,667,240 parameters (20,024,384 without the top)."""
    return _vgg("vgg19", (2, 2, 4, 4, 4), classes, top, size)


def _vgg(name, depths, classes, top, size):
    layers = [
        *_block(1, depths[0], 64),
        *_block(2, depths[1], 128),
        *_block(3, depths[2], 256),
        *_block(4, depths[3], 512),
        *_block(5, depths[4], 512),
        *(dense_layers(classes) if top else ()),
    ]
    return Network(name, layers, (size, size, 3), Preprocessing((size, size), "BGR", MEAN_BGR,
                                                               resize_to=size * 256 // 224))


def _block(number, depth, filters):
    """The rows conv<number>_1 relu<number>_1 ... pool<number>."""
    layers = []
    for i in range(1, depth + 1):
        layers += [(f"conv{number}_{i}", Conv(filters, 3, pad=1)), (f"relu{number}_{i}", ReLU())]
    return [*layers, (f"pool{number}", MaxPool(2, 2))]

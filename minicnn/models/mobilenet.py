"""MobileNet v1 (Howard et al. 2017, table 1): depthwise separable convolutions.

A depthwise 3x3 convolution of each channel by itself (`dw`, with as many groups as channels) and a
1x1 convolution that mixes the channels (`sep`) replace a full 3x3 convolution, with an eighth of
the multiplications. A batch norm and a ReLU follow each. Names, padding and preprocessing are those
of the Caffe version.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv, Dense, GlobalAveragePool, ReLU, Softmax

PREPROCESSING = Preprocessing((224, 224), "BGR", (103.94, 116.78, 123.68), 0.017)


def mobilenet_v1(classes: int = 1000) -> Network:
    """MobileNet of width 1; 4,231,976 trained parameters."""
    return Network("mobilenet_v1", [
        *_conv("conv1", 32, 3, stride=2, pad=1),
        *_separable("conv2_1", 32, 64),
        *_separable("conv2_2", 64, 128, stride=2),
        *_separable("conv3_1", 128, 128),
        *_separable("conv3_2", 128, 256, stride=2),
        *_separable("conv4_1", 256, 256),
        *_separable("conv4_2", 256, 512, stride=2),
        *_separable("conv5_1", 512, 512),
        *_separable("conv5_2", 512, 512),
        *_separable("conv5_3", 512, 512),
        *_separable("conv5_4", 512, 512),
        *_separable("conv5_5", 512, 512),
        *_separable("conv5_6", 512, 1024, stride=2),
        *_separable("conv6", 1024, 1024),
        ("pool6", GlobalAveragePool()),
        ("fc7", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), PREPROCESSING)


def _separable(name, channels, filters, stride=1):
    return [*_conv(f"{name}/dw", channels, 3, stride, 1, groups=channels),
            *_conv(f"{name}/sep", filters, 1)]


def _conv(name, filters, kernel, stride=1, pad=0, groups=1):
    """The rows conv2_1/dw conv2_1/dw/bn relu2_1/dw."""
    return [(name, Conv(filters, kernel, stride=stride, pad=pad, groups=groups, bias=False)),
            (f"{name}/bn", BatchNorm()),
            (name.replace("conv", "relu"), ReLU())]

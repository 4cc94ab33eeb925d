"""GoogLeNet (Szegedy et al. 2015, table 1), as Caffe's bvlc_googlenet has it.

An inception module looks at its input with kernels of three sizes and a pooling side by side.
The two auxiliary classifiers, used in training only, are left out.
"""

from minicnn.images import Preprocessing
from minicnn.layers import (
    LRN,
    AveragePool,
    Branches,
    Conv,
    Dense,
    Dropout,
    MaxPool,
    ReLU,
    Softmax,
)
from minicnn.network import Network

PREPROCESSING = Preprocessing((224, 224), "BGR", (104.0, 117.0, 123.0))


def googlenet(classes=1000):
    """GoogLeNet without its auxiliary classifiers; 6,998,552 parameters."""
    return Network("googlenet", [
        ("conv1/7x7_s2", Conv(64, 7, stride=2, pad=3)),
        ("conv1/relu_7x7", ReLU()),
        ("pool1/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        ("pool1/norm1", LRN(5, 1e-4, 0.75)),
        ("conv2/3x3_reduce", Conv(64, 1)),
        ("conv2/relu_3x3_reduce", ReLU()),
        ("conv2/3x3", Conv(192, 3, pad=1)),
        ("conv2/relu_3x3", ReLU()),
        ("conv2/norm2", LRN(5, 1e-4, 0.75)),
        ("pool2/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        _inception("inception_3a", 64, 96, 128, 16, 32, 32),
        _inception("inception_3b", 128, 128, 192, 32, 96, 64),
        ("pool3/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        _inception("inception_4a", 192, 96, 208, 16, 48, 64),
        _inception("inception_4b", 160, 112, 224, 24, 64, 64),
        _inception("inception_4c", 128, 128, 256, 24, 64, 64),
        _inception("inception_4d", 112, 144, 288, 32, 64, 64),
        _inception("inception_4e", 256, 160, 320, 32, 128, 128),
        ("pool4/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        _inception("inception_5a", 256, 160, 320, 32, 128, 128),
        _inception("inception_5b", 384, 192, 384, 48, 128, 128),
        ("pool5/7x7_s1", AveragePool(7, 1)),
        ("pool5/drop_7x7_s1", Dropout(0.4)),
        ("loss3/classifier", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), PREPROCESSING)


def _inception(name, n1x1, reduce3x3, n3x3, reduce5x5, n5x5, pool_proj):
    """Four branches side by side; the arguments are the columns of the paper's table 1."""
    return (f"{name}/output", Branches([
        [(f"{name}/1x1", Conv(n1x1, 1)),
         (f"{name}/relu_1x1", ReLU())],
        [(f"{name}/3x3_reduce", Conv(reduce3x3, 1)),
         (f"{name}/relu_3x3_reduce", ReLU()),
         (f"{name}/3x3", Conv(n3x3, 3, pad=1)),
         (f"{name}/relu_3x3", ReLU())],
        [(f"{name}/5x5_reduce", Conv(reduce5x5, 1)),
         (f"{name}/relu_5x5_reduce", ReLU()),
         (f"{name}/5x5", Conv(n5x5, 5, pad=2)),
         (f"{name}/relu_5x5", ReLU())],
        [(f"{name}/pool", MaxPool(3, 1, pad=1, rounding="ceil")),
         (f"{name}/pool_proj", Conv(pool_proj, 1)),
         (f"{name}/relu_pool_proj", ReLU())],
    ]))

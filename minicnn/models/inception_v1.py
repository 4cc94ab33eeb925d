"""GoogLeNet (Szegedy et al. 2015, table 1), as in Caffe's bvlc_googlenet and as in torchvision.

An inception module applies kernels of three sizes and a pooling to its input in parallel. The two
auxiliary classifiers, used only in training, are left out.

torchvision's network, `googlenet_torch`, differs: a batch norm follows every convolution, which has
no bias; there is no LRN; pool4 has windows of 2x2; and the paper's 5x5 kernels are 3x3
(pytorch/vision issue 906). Those layers are still named 5x5.
"""

from minicnn.images import Preprocessing
from minicnn.models.inception import conv as conv_with_norm
from minicnn.models.inception import joined
from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    AveragePool,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
)

PREPROCESSING = Preprocessing((224, 224), "BGR", (104.0, 117.0, 123.0))
TORCH_GOOGLENET = Preprocessing((224, 224), "RGB", 127.5, 1 / 127.5, resample="bilinear")


def googlenet(classes: int = 1000) -> Network:
    """GoogLeNet without its auxiliary classifiers; 6,998,552 parameters."""
    return Network("googlenet", [
        ("conv1/7x7_s2", Conv(64, 7, stride=2, pad=3)),
        ("conv1/relu_7x7", ReLU()),
        ("pool1/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        ("pool1/norm1", LRN(5, alpha=1e-4, beta=0.75)),
        ("conv2/3x3_reduce", Conv(64, 1)),
        ("conv2/relu_3x3_reduce", ReLU()),
        ("conv2/3x3", Conv(192, 3, pad=1)),
        ("conv2/relu_3x3", ReLU()),
        ("conv2/norm2", LRN(5, alpha=1e-4, beta=0.75)),
        ("pool2/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        *_modules("pool4/3x3_s2", 3, _inception),
        ("pool5/7x7_s1", AveragePool(7, 1)),
        ("pool5/drop_7x7_s1", Dropout(0.4)),
        ("loss3/classifier", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), PREPROCESSING)


def googlenet_torch(classes: int = 1000) -> Network:
    """torchvision's GoogLeNet; 6,639,464 parameters, 14,560 of them statistics of batch norms.

    Photos are prepared as its published weights need them, in -1..1. torchvision prepares them as
    for its other networks, and converts them inside this one (`transform_input`).
    """
    return Network("googlenet_torch", [
        *_normed("conv1/7x7_s2", 64, 7, stride=2, pad=3),
        ("pool1/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        *_normed("conv2/3x3_reduce", 64, 1),
        *_normed("conv2/3x3", 192, 3, pad=1),
        ("pool2/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        *_modules("pool4/2x2_s2", 2, _inception_normed),
        ("avg_pool", GlobalAveragePool()),
        ("drop", Dropout(0.2)),
        ("fc", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), TORCH_GOOGLENET)


def _modules(pool4, window, module):
    """The rows inception_3a to inception_5b; the numbers are those of the paper's table 1."""
    return [
        *module("inception_3a", "pool2/3x3_s2", 64, 96, 128, 16, 32, 32),
        *module("inception_3b", "inception_3a/output", 128, 128, 192, 32, 96, 64),
        ("pool3/3x3_s2", MaxPool(3, 2, rounding="ceil")),
        *module("inception_4a", "pool3/3x3_s2", 192, 96, 208, 16, 48, 64),
        *module("inception_4b", "inception_4a/output", 160, 112, 224, 24, 64, 64),
        *module("inception_4c", "inception_4b/output", 128, 128, 256, 24, 64, 64),
        *module("inception_4d", "inception_4c/output", 112, 144, 288, 32, 64, 64),
        *module("inception_4e", "inception_4d/output", 256, 160, 320, 32, 128, 128),
        (pool4, MaxPool(window, 2, rounding="ceil")),
        *module("inception_5a", pool4, 256, 160, 320, 32, 128, 128),
        *module("inception_5b", "inception_5a/output", 384, 192, 384, 48, 128, 128),
    ]


def _plain(name, filters, kernel, stride=1, pad=0, below=None):
    """The rows inception_3a/1x1 inception_3a/relu_1x1; `below` is the input of the first."""
    module, _, last = name.rpartition("/")
    return [(name, Conv(filters, kernel, stride=stride, pad=pad), below),
            (f"{module}/relu_{last}", ReLU())]


def _normed(name, filters, kernel, stride=1, pad=0, below=None):
    """The rows inception_3a/1x1 inception_3a/bn_1x1 inception_3a/relu_1x1, torchvision's momentum.
    """
    return conv_with_norm(name, filters, kernel, stride, pad, below, momentum=0.9)


def _inception(name, below, n1x1, reduce3x3, n3x3, reduce5x5, n5x5, pool_proj, conv=_plain,
               wide=5):
    """Four parallel paths from `below`; the numbers are the columns of the paper's table 1.

    `conv` makes a convolution's rows; `wide` is the side of the kernels named 5x5.
    """
    return joined(
        f"{name}/output",
        conv(f"{name}/1x1", n1x1, 1, below=below),
        [*conv(f"{name}/3x3_reduce", reduce3x3, 1, below=below),
         *conv(f"{name}/3x3", n3x3, 3, pad=1)],
        [*conv(f"{name}/5x5_reduce", reduce5x5, 1, below=below),
         *conv(f"{name}/5x5", n5x5, wide, pad=wide // 2)],
        [(f"{name}/pool", MaxPool(3, 1, pad=1, rounding="ceil"), below),
         *conv(f"{name}/pool_proj", pool_proj, 1)])


def _inception_normed(*columns):
    """torchvision's module: with batch norms, and 3x3 instead of the paper's 5x5 kernels."""
    return _inception(*columns, conv=_normed, wide=3)

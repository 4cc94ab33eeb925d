"""Residual networks: a block adds its input to its output (He et al. 2016, table 1).

===============  =================================================================================
resnet18         blocks of two 3x3 convolutions
resnet50         bottlenecks: 1x1 to a quarter of the channels, 3x3, 1x1 back
resnext50_32x4d  bottlenecks twice as wide inside, whose 3x3 has 32 groups (Xie et al. 2017)
===============  =================================================================================

A batch norm follows every convolution, which has no bias. If a block halves the map or changes the
number of channels, its input passes a 1x1 convolution before the addition (`branch1`). The names
are those of the authors' Caffe files. The stride of a halving bottleneck is in its 3x3, as in
torchvision (in Caffe's files it is in the first 1x1), and the preprocessing is torchvision's.
"""

from minicnn.models.alexnet import TORCHVISION
from minicnn.network import Network
from minicnn.network.layers import (
    Add,
    BatchNorm,
    Conv,
    Dense,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
)


def resnet18(classes: int = 1000) -> Network:
    """Eight blocks of two convolutions; 11,689,512 trained parameters."""
    return _resnet("resnet18", classes, [
        *_block("2a", "pool1", 64),
        *_block("2b", "res2a_relu", 64),
        *_block("3a", "res2b_relu", 128, stride=2),
        *_block("3b", "res3a_relu", 128),
        *_block("4a", "res3b_relu", 256, stride=2),
        *_block("4b", "res4a_relu", 256),
        *_block("5a", "res4b_relu", 512, stride=2),
        *_block("5b", "res5a_relu", 512),
    ])


def resnet50(classes: int = 1000) -> Network:
    """Sixteen bottlenecks; 25,557,032 trained parameters."""
    return _resnet("resnet50", classes, _bottlenecks(1))


def resnext50_32x4d(classes: int = 1000) -> Network:
    """Sixteen bottlenecks of 32 groups, 4 channels each at first; 25,028,904 trained parameters."""
    return _resnet("resnext50_32x4d", classes, _bottlenecks(2, groups=32))


def _resnet(name, classes, blocks):
    return Network(name, [
        *_conv("conv1", "bn_conv1", 64, 7, stride=2, pad=3),
        ("conv1_relu", ReLU()),
        ("pool1", MaxPool(3, 2, pad=1)),
        *blocks,
        ("pool5", GlobalAveragePool()),
        ("fc1000", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), TORCHVISION)


def _bottlenecks(wider, groups=1):
    """The blocks of 50 layers; the listed channels of the 3x3 are multiplied by `wider`."""
    rows, below = [], "pool1"
    for stage, count, filters in (2, 3, 64), (3, 4, 128), (4, 6, 256), (5, 3, 512):
        for block in "abcdef"[:count]:
            stride = 2 if block == "a" and stage > 2 else 1
            rows += _bottleneck(f"{stage}{block}", below, filters, stride, wider, groups)
            below = f"res{stage}{block}_relu"
    return rows


def _block(name, below, filters, stride=1):
    """Two 3x3 convolutions whose input is added to their output."""
    path = [*_branch(name, "2a", filters, 3, stride, 1, below=below),
            (f"res{name}_branch2a_relu", ReLU()),
            *_branch(name, "2b", filters, 3, 1, 1)]
    return _added(name, below, path, filters, stride, projected=stride > 1)


def _bottleneck(name, below, filters, stride, wider, groups):
    """1x1, 3x3 and 1x1, whose input is added to their output; the last has 4 * `filters`."""
    path = [*_branch(name, "2a", wider * filters, 1, below=below),
            (f"res{name}_branch2a_relu", ReLU()),
            *_branch(name, "2b", wider * filters, 3, stride, 1, groups),
            (f"res{name}_branch2b_relu", ReLU()),
            *_branch(name, "2c", 4 * filters, 1)]
    return _added(name, below, path, 4 * filters, stride, projected=name.endswith("a"))


def _added(name, below, path, filters, stride, projected):
    """The rows of a block: its path, the sum of the path's output and input, and a ReLU."""
    short = _branch(name, "1", filters, 1, stride, below=below) if projected else []
    ends = [short[-1][0] if projected else below, path[-1][0]]
    return [*short, *path, (f"res{name}", Add(), ends), (f"res{name}_relu", ReLU())]


def _branch(block, number, *settings, below=None):
    """The rows res2a_branch2b bn2a_branch2b."""
    return _conv(f"res{block}_branch{number}", f"bn{block}_branch{number}", *settings, below=below)


def _conv(name, norm, filters, kernel, stride=1, pad=0, groups=1, below=None):
    return [(name, Conv(filters, kernel, stride=stride, pad=pad, groups=groups, bias=False), below),
            (norm, BatchNorm())]

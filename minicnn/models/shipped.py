"""minivgg and minialex: two small networks for 64x64 photos, which are shipped with the library.

minivgg has 3x3 convolutions, more channels after each pooling, and two dense layers: configuration
A of Simonyan & Zisserman (2015) with one block fewer, for an image 3.5 times smaller, and far
narrower.

minialex has what is AlexNet's own (Krizhevsky et al. 2012): large kernels in the first layer, local
response normalisation, overlapping pooling, groups, and dropout in the dense layers. Its first
layer is that of Zeiler & Fergus (2013), 7x7 with stride 2. They chose it after they had seen
aliasing and dead filters behind AlexNet's 11x11 with stride 4.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, Dense, Dropout, MaxPool, ReLU, Softmax

PREPROCESSING = Preprocessing((64, 64), "RGB", (121.0, 113.0, 98.0), 1 / 64, resize_to=64)


def minivgg(classes: int = 100) -> Network:
    """The shipped small VGG: 64 x 64 x 3 in, 100 classes out."""
    return Network("minivgg", [
        ("conv1_1", Conv(32, 3, pad=1)),
        ("relu1_1", ReLU()),
        ("pool1", MaxPool(2)),
        ("conv2_1", Conv(48, 3, pad=1)),
        ("relu2_1", ReLU()),
        ("pool2", MaxPool(2)),
        ("conv3_1", Conv(96, 3, pad=1)),
        ("relu3_1", ReLU()),
        ("conv3_2", Conv(96, 3, pad=1)),
        ("relu3_2", ReLU()),
        ("pool3", MaxPool(2)),
        ("conv4_1", Conv(192, 3, pad=1)),
        ("relu4_1", ReLU()),
        ("conv4_2", Conv(192, 3, pad=1)),
        ("relu4_2", ReLU()),
        ("pool4", MaxPool(2)),
        ("fc5", Dense(256)),
        ("relu5", ReLU()),
        ("drop5", Dropout(0.25)),
        ("fc6", Dense(classes)),
        ("prob", Softmax()),
    ], (64, 64, 3), PREPROCESSING)


def minialex(classes: int = 100, kernel: int = 7, stride: int = 2) -> Network:
    """The shipped small AlexNet: 64 x 64 x 3 in, 100 classes out.

    ``minialex(kernel=11, stride=4)`` has AlexNet's first layer instead. Its pool1 has stride 1, so
    both networks shrink the image to a quarter before conv2, and are the same from there on.

    LRN's alpha is 0.1 where AlexNet has 1e-4: the input here is 64 times smaller, and the squares
    of what conv1 makes of it 64**2 times; with 1e-4 the normalisation would do nothing.

    Parameters
    ----------
    classes : int
    kernel : int
        Side of conv1's kernels; odd.
    stride : 2 or 4
        conv1's stride.
    """
    if kernel % 2 == 0 or stride not in (2, 4):
        raise ValueError("minialex: expected an odd kernel and a stride of 2 or 4, got "
                         f"{kernel} and {stride}")
    return Network("minialex", [
        ("conv1", Conv(48, kernel, stride=stride, pad=kernel // 2)),
        ("relu1", ReLU()),
        ("norm1", LRN(5, alpha=0.1, beta=0.75)),
        ("pool1", MaxPool(3, 4 // stride, pad=1)),
        ("conv2", Conv(96, 5, pad=2, groups=2)),
        ("relu2", ReLU()),
        ("norm2", LRN(5, alpha=0.1, beta=0.75)),
        ("pool2", MaxPool(3, 2, pad=1)),
        ("conv3", Conv(192, 3, pad=1)),
        ("relu3", ReLU()),
        ("conv4", Conv(192, 3, pad=1, groups=2)),
        ("relu4", ReLU()),
        ("conv5", Conv(128, 3, pad=1, groups=2)),
        ("relu5", ReLU()),
        ("pool5", MaxPool(3, 2, pad=1)),
        ("fc6", Dense(384)),
        ("relu6", ReLU()),
        ("drop6", Dropout(0.25)),
        ("fc7", Dense(384)),
        ("relu7", ReLU()),
        ("drop7", Dropout(0.25)),
        ("fc8", Dense(classes)),
        ("prob", Softmax()),
    ], (64, 64, 3), PREPROCESSING)

"""minivgg: a small VGG for 64x64 photos, which is shipped with the library.

It has 3x3 convolutions, more channels after each pooling, and two dense layers: configuration A of
Simonyan & Zisserman (2015) with one block fewer, for an image 3.5 times smaller, and far narrower.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, Dropout, MaxPool, ReLU, Softmax

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

"""Three networks called AlexNet; their weights are not interchangeable.

===============  =================================================================================
alexnet_caffe    Krizhevsky, Sutskever & Hinton (2012) as in Caffe's bvlc_alexnet and in MATLAB:
                 grouped convolutions, normalisation before pooling
caffenet         Caffe's bvlc_reference_caffenet: the same, but normalisation after pooling
alexnet_torch    torchvision's, Krizhevsky (2014): other widths, no groups, no normalisation
===============  =================================================================================

Caffe subtracts a 256x256 mean image; unless it is set, its mean pixel is used instead.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, Dense, Dropout, MaxPool, ReLU, Softmax

MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)  # of Caffe's ilsvrc_2012_mean.npy
CAFFE = Preprocessing((227, 227), "BGR", MEAN_BGR, rule="squash")
TORCHVISION = Preprocessing((224, 224), "RGB", [255 * m for m in (0.485, 0.456, 0.406)],
                            [1 / (255 * s) for s in (0.229, 0.224, 0.225)], resample="bilinear")


def alexnet_caffe(classes: int = 1000) -> Network:
    """bvlc_alexnet: relu, norm, pool; 60,965,224 parameters."""
    return Network("alexnet_caffe", [
        ("conv1", Conv(96, 11, stride=4)),
        ("relu1", ReLU()),
        ("norm1", LRN(5, alpha=1e-4, beta=0.75)),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("conv2", Conv(256, 5, pad=2, groups=2)),
        ("relu2", ReLU()),
        ("norm2", LRN(5, alpha=1e-4, beta=0.75)),
        ("pool2", MaxPool(3, 2, rounding="ceil")),
        *_from_conv3(classes),
    ], (227, 227, 3), CAFFE)


def caffenet(classes: int = 1000) -> Network:
    """bvlc_reference_caffenet: relu, pool, norm; 60,965,224 parameters."""
    return Network("caffenet", [
        ("conv1", Conv(96, 11, stride=4)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("norm1", LRN(5, alpha=1e-4, beta=0.75)),
        ("conv2", Conv(256, 5, pad=2, groups=2)),
        ("relu2", ReLU()),
        ("pool2", MaxPool(3, 2, rounding="ceil")),
        ("norm2", LRN(5, alpha=1e-4, beta=0.75)),
        *_from_conv3(classes),
    ], (227, 227, 3), CAFFE)


def alexnet_torch(classes: int = 1000) -> Network:
    """torchvision's alexnet; 61,100,840 parameters."""
    return Network("alexnet_torch", [
        ("conv1", Conv(64, 11, stride=4, pad=2)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2)),
        ("conv2", Conv(192, 5, pad=2)),
        ("relu2", ReLU()),
        ("pool2", MaxPool(3, 2)),
        ("conv3", Conv(384, 3, pad=1)),
        ("relu3", ReLU()),
        ("conv4", Conv(256, 3, pad=1)),
        ("relu4", ReLU()),
        ("conv5", Conv(256, 3, pad=1)),
        ("relu5", ReLU()),
        ("pool5", MaxPool(3, 2)),
        ("drop5", Dropout(0.5)),
        ("fc6", Dense(4096)),
        ("relu6", ReLU()),
        ("drop6", Dropout(0.5)),
        ("fc7", Dense(4096)),
        ("relu7", ReLU()),
        ("fc8", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), TORCHVISION)


def _from_conv3(classes):
    """The rows from conv3 on, which alexnet_caffe and caffenet share."""
    return [
        ("conv3", Conv(384, 3, pad=1)),
        ("relu3", ReLU()),
        ("conv4", Conv(384, 3, pad=1, groups=2)),
        ("relu4", ReLU()),
        ("conv5", Conv(256, 3, pad=1, groups=2)),
        ("relu5", ReLU()),
        ("pool5", MaxPool(3, 2, rounding="ceil")),
        *dense_layers(classes),
    ]


def dense_layers(classes):
    """The rows fc6 to prob, which several networks of those years share."""
    return [
        ("fc6", Dense(4096)),
        ("relu6", ReLU()),
        ("drop6", Dropout(0.5)),
        ("fc7", Dense(4096)),
        ("relu7", ReLU()),
        ("drop7", Dropout(0.5)),
        ("fc8", Dense(classes)),
        ("prob", Softmax()),
    ]

"""The network of Zeiler & Fergus (2014), figure 3: AlexNet with a finer first layer.

7x7 kernels at stride 2 where AlexNet has 11x11 at stride 4: fewer dead filters, less aliasing. No
official weights are known.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, Dense, Dropout, MaxPool, ReLU, Softmax


def zfnet(classes=1000):
    """Zeiler & Fergus' network; 62,357,608 parameters."""
    return Network("zfnet", [
        ("conv1", Conv(96, 7, stride=2, pad=1)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("norm1", LRN(5, 1e-4, 0.75)),
        ("conv2", Conv(256, 5, stride=2)),
        ("relu2", ReLU()),
        ("pool2", MaxPool(3, 2, rounding="ceil")),
        ("norm2", LRN(5, 1e-4, 0.75)),
        ("conv3", Conv(384, 3, pad=1)),
        ("relu3", ReLU()),
        ("conv4", Conv(384, 3, pad=1)),
        ("relu4", ReLU()),
        ("conv5", Conv(256, 3, pad=1)),
        ("relu5", ReLU()),
        ("pool5", MaxPool(3, 2, rounding="ceil")),
        ("fc6", Dense(4096)),
        ("relu6", ReLU()),
        ("drop6", Dropout(0.5)),
        ("fc7", Dense(4096)),
        ("relu7", ReLU()),
        ("drop7", Dropout(0.5)),
        ("fc8", Dense(classes)),
        ("prob", Softmax()),
    ], (224, 224, 3), Preprocessing((224, 224), "RGB", (123.68, 116.779, 103.939)))

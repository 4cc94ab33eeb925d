"""The network of Zeiler & Fergus (2014), figure 3: AlexNet with a finer first layer.

It has 7x7 kernels with stride 2 instead of AlexNet's 11x11 with stride 4, for fewer dead filters
and less aliasing. No official weights are known.
"""

from minicnn.images import Preprocessing
from minicnn.models.alexnet import dense_layers
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, MaxPool, ReLU


def zfnet(classes: int = 1000) -> Network:
    """Zeiler & Fergus' network; 62,357,608 parameters."""
    return Network("zfnet", [
        ("conv1", Conv(96, 7, stride=2, pad=1)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("norm1", LRN(5, alpha=1e-4, beta=0.75)),
        ("conv2", Conv(256, 5, stride=2)),
        ("relu2", ReLU()),
        ("pool2", MaxPool(3, 2, rounding="ceil")),
        ("norm2", LRN(5, alpha=1e-4, beta=0.75)),
        ("conv3", Conv(384, 3, pad=1)),
        ("relu3", ReLU()),
        ("conv4", Conv(384, 3, pad=1)),
        ("relu4", ReLU()),
        ("conv5", Conv(256, 3, pad=1)),
        ("relu5", ReLU()),
        ("pool5", MaxPool(3, 2, rounding="ceil")),
        *dense_layers(classes),
    ], (224, 224, 3), Preprocessing((224, 224), "RGB", (123.68, 116.779, 103.939)))

"""The networks of a common first lecture on CNNs with Keras: digits, and cats and dogs.

The names are Keras'; its activations are separate layers here.
"""

from minicnn.images import Preprocessing
from minicnn.models.vgg import vgg16
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, Flatten, MaxPool, ReLU, Sigmoid, Softmax


def lecture_mnist(classes: int = 10) -> Network:
    """Three convolutions and two dense layers for 28 x 28 digits; 93,322 parameters."""
    return Network("lecture_mnist", [
        *_block(1, 32),
        *_block(2, 64),
        ("conv2d_3", Conv(64, 3)),
        ("relu_3", ReLU()),
        ("flatten_1", Flatten()),
        ("dense_1", Dense(64)),
        ("relu_4", ReLU()),
        ("dense_2", Dense(classes)),
        ("softmax_1", Softmax()),
    ], (28, 28, 1), Preprocessing((28, 28), "L", 0.0, 1 / 255, resize_to=None))


def lecture_catsdogs() -> Network:
    """Four convolutions, one sigmoid output, for 150 x 150 photos; 3,453,121 parameters."""
    return Network("lecture_catsdogs", [
        *_block(1, 32),
        *_block(2, 64),
        *_block(3, 128),
        *_block(4, 128),
        ("flatten_1", Flatten()),
        ("dense_1", Dense(512)),
        ("relu_5", ReLU()),
        ("dense_2", Dense(1)),
        ("sigmoid_1", Sigmoid()),
    ], (150, 150, 3), Preprocessing((150, 150), "RGB", 0.0, 1 / 255, None, "squash", "nearest"))


def lecture_vgg16() -> Network:
    """VGG-16's convolutions for 150 x 150 photos with a new head; 16,812,353 parameters."""
    return vgg16(top=False, size=150).extended("lecture_vgg16", [
        ("flatten_1", Flatten()),
        ("dense_1", Dense(256)),
        ("relu_1", ReLU()),
        ("dense_2", Dense(1)),
        ("sigmoid_1", Sigmoid()),
    ])


def _block(k, filters):
    return [(f"conv2d_{k}", Conv(filters, 3)), (f"relu_{k}", ReLU()),
            (f"max_pooling2d_{k}", MaxPool(2))]

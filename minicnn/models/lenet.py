"""LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998), for handwritten digits.

Simplified as usual today: every map of C3 reads all maps of S2; the subsampling is a plain average,
without a trained scale and shift or an activation; the activation is tanh(x), not
1.7159 tanh(2x/3); the output is a softmax, whereas the paper compares with drawn digits.
"""

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import AveragePool, Conv, Dense, Softmax, Tanh


def lenet5(classes: int = 10) -> Network:
    """LeNet-5 for 32 x 32 grey images; 61,706 parameters."""
    return Network("lenet5", [
        ("c1", Conv(6, 5)),
        ("tanh1", Tanh()),
        ("s2", AveragePool(2)),
        ("c3", Conv(16, 5)),
        ("tanh3", Tanh()),
        ("s4", AveragePool(2)),
        ("c5", Conv(120, 5)),
        ("tanh5", Tanh()),
        ("f6", Dense(84)),
        ("tanh6", Tanh()),
        ("output", Dense(classes)),
        ("prob", Softmax()),
    ], (32, 32, 1), Preprocessing((32, 32), "L", 0.0, 1 / 255, resize_to=None))

"""LeNet-5: the paper's sizes, and a pass."""

import nets
import numpy as np

from minicnn import models


def test_count_and_sizes():
    network = models.lenet5()
    assert network.count() == 61_706
    assert [network.shapes[name] for name in ("c1", "s2", "c3", "s4", "c5", "f6", "output")] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (1, 1, 120), (84,), (10,)]
    assert network.logits == "output"


def test_it_classifies_a_grey_digit():
    network = models.lenet5().initialize(0)
    digit = np.zeros((28, 28, 3), np.uint8)
    digit[4:24, 12:16] = 255
    found = network.classify(digit, top=10)
    assert len(found) == 10 and found[0][0].startswith("class ")
    assert abs(sum(p for _, p in found) - 1) < 1e-6  # float32


def test_gradient_reaches_the_image():
    network = models.lenet5().initialize(0)
    run = network.forward(nets.images(2, (32, 32, 1), dtype=np.float32))
    dx = run.backward({"output": nets.like(run["output"])})
    assert dx.shape == (2, 32, 32, 1) and np.isfinite(dx).all() and dx.any()

"""Training beside PyTorch: the same start, batches and dropout masks, the same losses."""

import numpy as np
import pytest

from minicnn.ascent.optimizers import SGD, Adam, AdamW, RMSprop
from minicnn.files import torch_twin
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv, Dense, Dropout, MaxPool, ReLU, Softmax
from minicnn.ops import dropout
from minicnn.train.loop import train_step
from minicnn.train.shapes import Shapes

STEPS = 50
KINDS = {
    "sgd": (lambda: SGD(0.02, 0.9, 5e-3),
            lambda torch, p: torch.optim.SGD(p, 0.02, momentum=0.9, weight_decay=5e-3)),
    "rmsprop": (lambda: RMSprop(0.001),  # as Keras 2 writes it
                lambda torch, p: torch.optim.RMSprop(p, 0.001, alpha=0.9, eps=1e-7)),
    "adam": (lambda: Adam(0.001), lambda torch, p: torch.optim.Adam(p, 0.001)),
    "adamw": (lambda: AdamW(0.001, decay=0.1),
              lambda torch, p: torch.optim.AdamW(p, 0.001, weight_decay=0.1)),
}


def network():
    return Network("n", [
        ("conv1", Conv(8, 3, pad=1)), ("bn1", BatchNorm()), ("relu1", ReLU()),
        ("pool1", MaxPool(2)),
        ("conv2", Conv(16, 3)), ("relu2", ReLU()), ("pool2", MaxPool(2)),
        ("fc3", Dense(24)), ("relu3", ReLU()), ("drop3", Dropout(0.5)),
        ("fc4", Dense(10)), ("prob", Softmax()),
    ], (16, 16, 3)).initialize(0)


def batches():
    drawn = Shapes(320, size=16)
    for step in range(STEPS):
        chosen = np.random.default_rng(step).permutation(320)[:16]
        yield step, drawn[chosen].astype(np.float32) / 128 - 1, drawn.labels[chosen]


def ours(make, **more):
    net, optimizer = network(), make()
    return [train_step(net, x, labels, optimizer, seed=step, **more)[0]
            for step, x, labels in batches()]


def theirs(torch, make, smoothing=0.0, clip=None, frozen=()):
    """The same rows in PyTorch; the mask of a step is drawn as our forward pass draws it."""
    net = network()
    arrays = torch_twin.arrays(net)
    leaves = [t.requires_grad_() for name, named in arrays.items() for key, t in named.items()
              if name not in frozen and key not in ("mean", "variance")]
    optimizer, losses = make(torch, leaves), []
    for step, x, labels in batches():
        value = torch.tensor(x.transpose(0, 3, 1, 2))  # N,H,W,C -> N,C,H,W
        for name, layer, _ in net.rows[:-1]:
            if isinstance(layer, Dropout):
                ones = np.ones(tuple(value.shape), np.float32)
                mask = dropout.forward(ones, layer.rate, np.random.default_rng(step))[0]
                value = value * torch.tensor(mask)
            else:
                value = torch_twin.compute(layer, value, arrays.get(name, {}), learn=True)
        loss = torch.nn.functional.cross_entropy(value, torch.tensor(labels),
                                                 label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(leaves, clip)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_steps_have_the_losses_of_pytorch(kind):
    torch = pytest.importorskip("torch")
    mine, other = KINDS[kind]
    losses = ours(mine)
    assert losses[-1] < losses[0]
    # float32: every step rounds otherwise, and what it rounds the next ones carry on
    np.testing.assert_allclose(losses, theirs(torch, other), atol=1e-4)


def test_smoothing_and_clipping_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    mine, other = KINDS["sgd"]
    np.testing.assert_allclose(ours(mine, smoothing=0.1, clip=0.5),
                               theirs(torch, other, smoothing=0.1, clip=0.5), atol=1e-4)


def test_frozen_layers_are_leaves_without_gradient():
    torch = pytest.importorskip("torch")
    mine, other = KINDS["sgd"]
    np.testing.assert_allclose(ours(mine, frozen={"conv1", "conv2"}),
                               theirs(torch, other, frozen={"conv1", "conv2"}), atol=1e-4)

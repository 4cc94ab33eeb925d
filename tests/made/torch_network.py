"""Autograd's gradients of a whole network of ours."""

import importlib

import numpy as np

from minicnn.files import torch_twin
from minicnn.network import INPUT


def gradients(network, x, seeds, learn=False):
    """What PyTorch computes of a network of ours, and what its autograd finds.

    `seeds` are the gradients at the outputs of some layers, by name, and `x` is (N, H, W, C).
    Returns (activations, slopes, weights): each layer's output, the gradient there and at the
    image, by name, as far as there is one; the gradients at the arrays, {name: {key: gradient}}.
    All as arrays in our axes.
    """
    torch = importlib.import_module("torch")
    leaves = {name: {key: torch.tensor(value, requires_grad=key not in ("mean", "variance"))
                     for key, value in named.items()} for name, named in network.params.items()}
    arrays = {name: {key: torch_twin.turned(leaf, network.input_shapes[name])
                     for key, leaf in named.items()} for name, named in leaves.items()}
    outputs = {INPUT: torch_twin.to_torch(x).requires_grad_()}
    for name, y in torch_twin.forward(network, outputs[INPUT], arrays, learn):
        y.retain_grad()
        outputs[name] = y
    torch.autograd.backward([torch_twin.channels_last(outputs[name]) for name in seeds],
                            [torch.tensor(np.ascontiguousarray(dy)) for dy in seeds.values()])
    slopes = {name: torch_twin.to_numpy(y.grad) for name, y in outputs.items()
              if y.grad is not None}
    weights = {name: {key: leaf.grad.numpy() for key, leaf in named.items()
                      if leaf.grad is not None} for name, named in leaves.items()}
    del outputs[INPUT]
    return {name: torch_twin.to_numpy(y) for name, y in outputs.items()}, slopes, weights

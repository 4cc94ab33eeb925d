"""PyTorch's side: the networks and layers of the benchmark built from torch.nn, and their passes.

Eager, float32, N,C,H,W, as PyTorch is used unless asked otherwise. Only PyTorch's own processes
import this file.
"""

from collections import OrderedDict

import torch
from tasks import (
    ALL_GRADIENTS,
    CARD,
    COPY,
    FORWARD,
    GRAM_STEP,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    MOMENTUM,
    PIXEL_RATE,
    PRODUCT,
    RATE,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
    build,
    gram_layers,
    images,
    labels,
    matrices,
    numbers,
)
from torch import nn


class Side(nn.ModuleList):
    """Branches side by side, joined along the channels."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)


class Mean(nn.Module):
    """The mean over all positions."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def twin(network):
    """A network up to its class scores as torch.nn.Sequential, with weights of its own."""
    tops = [top for top, _ in network.layers]
    return _sequence(network, network.layers[: tops.index(network.logits) + 1])


def _sequence(network, layers):
    return nn.Sequential(OrderedDict(
        (name, MAKERS[type(layer).__name__](layer, network, name)) for name, layer in layers))


def _conv(layer, network, name):
    kh, kw, c, o = network.param_shapes[name]["w"]
    return nn.Conv2d(c * layer.groups, o, (kh, kw), layer.stride, layer.pad, layer.dilation,
                     layer.groups, layer.bias)


def _dense(layer, network, name):
    return nn.Sequential(nn.Flatten(), nn.Linear(*network.param_shapes[name]["w"], layer.bias))


def _max_pool(layer, *_):
    return nn.MaxPool2d(layer.window, layer.stride, layer.pad, ceil_mode=layer.rounding == "ceil")


def _average_pool(layer, *_):
    return nn.AvgPool2d(layer.window, layer.stride, layer.pad, layer.rounding == "ceil",
                        layer.border == "padding")


def _lrn(layer, *_):
    alpha = layer.alpha * (1 if layer.convention == "caffe" else layer.size)
    return nn.LocalResponseNorm(layer.size, alpha, layer.beta, layer.k)


MAKERS = {
    "Conv": _conv,
    "Dense": _dense,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": lambda *_: Mean(),
    "ReLU": lambda *_: nn.ReLU(),
    "LRN": _lrn,
    "Dropout": lambda layer, *_: nn.Dropout(layer.rate),
    "Branches": lambda layer, network, _: Side(_sequence(network, branch)
                                               for branch in layer.branches),
}


def load(what):
    """Let PyTorch import what it imports only when it is first used, for a pass: with its first
    optimiser that is 70 MB, which belong to the library and not to a task."""
    if what in (TRAINING_STEP, GRAM_STEP):
        torch.optim.SGD([torch.zeros(1)], lr=1.0)


def torchs(task, memory_format=torch.contiguous_format, device="cpu"):
    """A function that does `task` once with PyTorch, on a device."""
    if task.network == CARD:
        return CARD_PASSES[task.what](*(tensor(a).to(device) for a in matrices(task)))
    network = build(task)
    module = twin(network).eval().requires_grad_(False).to(device, memory_format=memory_format)
    x = tensor(images(task, network)).to(device)
    x = x.contiguous(memory_format=memory_format) if x.ndim == 4 else x
    if task.what == GRAM_STEP:
        return _gram_step(module, x, gram_layers(network))
    return PASSES[task.what](module, x)


def tensor(array):
    """A NumPy array N,H,W,C as a tensor N,C,H,W; other arrays as they are."""
    given = torch.from_numpy(array)
    return given.permute(0, 3, 1, 2).contiguous() if given.ndim == 4 else given


def _forward(module, x):
    def run():
        with torch.no_grad():
            return module(x)

    return run


def _image_gradient(module, x):
    def run():
        image = x.clone().requires_grad_(True)
        module(image).sum().backward()
        return image.grad

    return run


def _input_gradient(module, x):
    y = module(x.requires_grad_(True))
    dy = _upstream(y)
    return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)


def _weight_gradient(module, x):
    y = module.requires_grad_(True)(x)
    dy, weights = _upstream(y), list(module.parameters())
    return lambda: torch.autograd.grad(y, weights, dy, retain_graph=True)


def _upstream(y):
    """A gradient at a layer's output: the numbers that minicnn is given, laid out as y is."""
    last = (0, 2, 3, 1) if y.ndim == 4 else (0, 1)
    given = tensor(numbers([y.shape[axis] for axis in last], 2))
    return torch.empty_like(y).copy_(given)


def _all_gradients(module, x, step=lambda: None):
    module.train().requires_grad_(True)
    with torch.no_grad():
        truth = torch.from_numpy(labels(*module(x).shape)).to(x.device)

    def run():
        module.zero_grad()
        nn.functional.cross_entropy(module(x), truth).backward()
        step()

    return run


def _training_step(module, x):
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=MOMENTUM)
    return _all_gradients(module, x, optimizer.step)


def _gram_step(module, x, layers):
    """The formulas of `ascent.objectives.gram` and `vis.texture`, and PyTorch's Adam."""
    def grams(image):
        for name, part in module.named_children():
            image = part(image)
            if name in layers:
                f = image.flatten(2)  # N,C,H,W -> N,C,M
                yield f @ f.transpose(1, 2) / f.shape[2]

    with torch.no_grad():
        targets = [(gram, (gram**2).sum()) for gram in grams(x)]
    given = tensor(numbers([x.shape[axis] for axis in (0, 2, 3, 1)], 2))
    image = torch.empty_like(x).copy_(given).requires_grad_(True)
    optimizer = torch.optim.Adam([image], lr=PIXEL_RATE)

    def run():
        optimizer.zero_grad()
        loss = sum(((gram - target) ** 2).sum() / energy
                   for gram, (target, energy) in zip(grams(image), targets, strict=True))
        loss.backward()
        optimizer.step()
        return image

    return run


def _copy(a, b):
    return lambda: b.copy_(a)


def _product(a, b):
    return lambda: a @ b


PASSES = {FORWARD: _forward, IMAGE_GRADIENT: _image_gradient, ALL_GRADIENTS: _all_gradients,
          TRAINING_STEP: _training_step, INPUT_GRADIENT: _input_gradient,
          WEIGHT_GRADIENT: _weight_gradient}
CARD_PASSES = {COPY: _copy, PRODUCT: _product}

"""How PyTorch does the benchmark's tasks, by the layers of `minicnn.files.torch_twin`.

PyTorch runs with its defaults: eager, float32, N,C,H,W. Only PyTorch's processes import this file.
In training, its batch norms use the batch's statistics, as ours, but keep no running ones.
"""

from collections import deque
from typing import NamedTuple

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

from minicnn.files import torch_twin
from minicnn.network import Network


class Twin(NamedTuple):
    """A network, and its arrays in PyTorch's layout."""

    network: Network
    arrays: dict

    def __call__(self, x, learn=False):
        """The class scores."""
        (_, y), = deque(self.outputs(x, learn), maxlen=1)
        return y

    def outputs(self, x, learn=False):
        """(name, output) of every layer up to the class scores."""
        return torch_twin.forward(self.network, x, self.arrays, learn, self.network.logits)

    def weights(self):
        """All arrays, with gradients enabled."""
        return [w.requires_grad_(True) for named in self.arrays.values() for w in named.values()]


def load(what):
    """Make PyTorch's late imports for a pass.  The first optimiser imports 70 MB, which belong to
    the library and not to a task."""
    if what in (TRAINING_STEP, GRAM_STEP):
        torch.optim.SGD([torch.zeros(1)], lr=1.0)


def torchs(task, memory_format=torch.contiguous_format, device="cpu"):
    """A function that does `task` once with PyTorch, on a device."""
    def placed(given):
        return given.to(device, memory_format=memory_format if given.ndim == 4
                        else torch.preserve_format)

    if task.network == CARD:
        return CARD_PASSES[task.what](*(torch.from_numpy(a).to(device) for a in matrices(task)))
    network = build(task)  # without weights: PyTorch gets its own
    arrays = {name: {key: placed(w) for key, w in named.items()}
              for name, named in drawn(network).items()}
    return PASSES[task.what](Twin(network, arrays),
                             placed(torch_twin.to_torch(images(task, network))))


def drawn(network):
    """Random arrays in PyTorch's layout, each created in its final place: the process would keep
    freed intermediate arrays, and they would count as the task's memory."""
    def array(key, shape, image):
        w = torch.zeros(torch_twin.turned(torch.empty(shape, device="meta"), image).shape)
        if key == "w":
            return w.normal_(0, (2 / w[0].numel()) ** 0.5)
        return w.fill_(key in ("gamma", "variance"))

    return {name: {key: array(key, shape, network.input_shapes[name])
                   for key, shape in shapes.items()}
            for name, shapes in network.param_shapes.items()}


def _forward(twin, x):
    def run():
        with torch.no_grad():
            return twin(x)

    return run


def _image_gradient(twin, x):
    def run():
        image = x.clone().requires_grad_(True)
        twin(image).sum().backward()
        return image.grad

    return run


def _input_gradient(twin, x):
    y = twin(x.requires_grad_(True))
    dy = _upstream(y)
    return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)


def _weight_gradient(twin, x):
    weights = twin.weights()
    y = twin(x)
    dy = _upstream(y)
    return lambda: torch.autograd.grad(y, weights, dy, retain_graph=True)


def _upstream(y):
    """The same numbers (seed 2) that minicnn gets as a gradient or an image, in y's layout."""
    given = numbers(torch_twin.channels_last(y).shape, 2)
    return torch.empty_like(y).copy_(torch_twin.to_torch(given))


def _all_gradients(twin, x, step=lambda: None):
    weights = twin.weights()
    with torch.no_grad():
        truth = torch.from_numpy(labels(*twin(x).shape)).to(x.device)

    def run():
        for w in weights:
            w.grad = None
        torch.nn.functional.cross_entropy(twin(x, learn=True), truth).backward()
        step()

    return run


def _training_step(twin, x):
    optimizer = torch.optim.SGD(twin.weights(), lr=RATE, momentum=MOMENTUM)
    return _all_gradients(twin, x, optimizer.step)


def _gram_step(twin, x):
    """Steps by the formulas of `ascent.objectives.gram` and `vis.texture`, and PyTorch's Adam."""
    layers = gram_layers(twin.network)

    def grams(image):
        for name, y in twin.outputs(image):
            if name in layers:
                f = y.flatten(2)  # N,C,H,W -> N,C,M
                yield f @ f.transpose(1, 2) / f.shape[2]

    with torch.no_grad():
        targets = [(gram, (gram**2).sum()) for gram in grams(x)]
    image = _upstream(x).requires_grad_(True)
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
          TRAINING_STEP: _training_step, GRAM_STEP: _gram_step,
          INPUT_GRADIENT: _input_gradient, WEIGHT_GRADIENT: _weight_gradient}
CARD_PASSES = {COPY: _copy, PRODUCT: _product}

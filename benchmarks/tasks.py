"""What is measured, as tasks, and how minicnn does one.

A task is one pass of a network, or of one of its layers alone, on random numbers. It is a few plain
values, so that it can be sent to the process of any library (benchmarks/workers.py), which makes of
it a function that does it once. Weights are random too.
"""

from functools import cache
from importlib import import_module
from typing import NamedTuple

import numpy as np

from minicnn import models
from minicnn.ascent import loop as ascend
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.backend import array_module, to_device
from minicnn.fast.workspace import Workspace
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, GlobalAveragePool, Softmax
from minicnn.ops import cross_entropy
from minicnn.train.loop import train_step
from minicnn.vis.texture import texture_loss

FORWARD = "forward"
IMAGE_GRADIENT = "forward + image gradient"
ALL_GRADIENTS = "forward + loss + all gradients"
TRAINING_STEP = "training step"  # the same, and the optimiser's step
GRAM_STEP = "Gram-loss step"  # of an image towards a texture (minicnn/vis/texture.py)
INPUT_GRADIENT, WEIGHT_GRADIENT = "input gradient", "weight gradient"  # of a layer alone
CARD, COPY, PRODUCT = "the card", "copy", "matrix product"  # what a device does at best
RATE, MOMENTUM = 1e-5, 0.9  # of training
PIXEL_RATE = 6.0  # of a Gram-loss step, in grey levels
ENDLESS = 10**9


class Task(NamedTuple):
    """A pass (`what`) of a whole network, or of its layer `layer` alone.

    `batch` images, of `side` pixels a side where that is not the network's own size.
    """

    network: str
    what: str
    batch: int = 1
    layer: str | None = None
    side: int | None = None


def _vgg16_pooled():
    """VGG-16's convolutions under a small top, to have a loss: the dense layers are two products
    that take most of the memory and say little about the rest."""
    return models.vgg16(top=False).extended("vgg16_pooled", [
        ("pool6", GlobalAveragePool()), ("fc6", Dense(1000)), ("prob", Softmax())])


NETWORKS = {
    "vgg16": models.vgg16,
    "vgg16_convolutions": lambda: models.vgg16(top=False),
    "vgg16_pooled": _vgg16_pooled,
    "alexnet_caffe": models.alexnet_caffe,
    "googlenet": models.googlenet,
    "squeezenet11": models.squeezenet11,
    "minivgg": models.minivgg,
    "resnet18": models.resnet18,
    "mobilenet_v1": models.mobilenet_v1,
    "vgg19_conv4_1": lambda: models.vgg19(top=False).until("conv4_1").with_average_pooling(),
}


@cache
def plans(name):
    """A network of the table, for its layers and shapes; it has no weights, and is not for use."""
    return NETWORKS[name]()


def build(task):
    """The network of a task without weights: of one layer only, where the task names one."""
    network = NETWORKS[task.network]()
    if task.layer is None:
        return network
    shape = network.input_shapes[task.layer]
    return Network(f"{task.network} {task.layer}", [(task.layer, network[task.layer])], shape)


def images(task, network):
    """What goes in: (N, H, W, C), or (N, D) for a dense layer above another."""
    shape = network.input_shape
    sides = shape if task.side is None else (task.side, task.side, shape[2])
    return numbers((task.batch, *sides))


def numbers(shape, seed=1):
    """Normal float32 numbers, the same for every library."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def labels(count, classes):
    """True classes, the same for every library."""
    return np.random.default_rng(2).integers(classes, size=count)


def convolutions(name):
    """The names of a network's convolutions, of those that are alike the first only."""
    network, seen = plans(name), {}
    for place, layer, _ in network.rows:
        if isinstance(layer, Conv):
            seen.setdefault((network.input_shapes[place], layer), place)
    return list(seen.values())


def gram_layers(network):
    """Where Gram matrices are matched: the first convolution of each block, as in the paper."""
    return [name for name in network.names if name.startswith("conv") and name.endswith("_1")]


def describe(task):
    """What a layer does, in a few signs: "56x56x128 -> 256, 3x3"; nothing for a whole network."""
    if task.layer is None:
        return None
    network = plans(task.network)
    settings = network[task.layer].settings()
    before = "x".join(map(str, network.input_shapes[task.layer]))
    words = [f"{before} -> {network.shapes[task.layer][-1]}"]
    window = settings.get("kernel", settings.get("window"))
    if window is not None:
        stride = settings["stride"] or window
        words.append(f"{window}x{window}" + (f"/{stride}" if stride != 1 else ""))
    if settings.get("groups", 1) > 1:
        words.append(f"{settings['groups']} groups")
    return ", ".join(words)


# ---- how minicnn does it

def ours(task, plain=False, workspace=True, device="cpu"):
    """A function that does `task` once with minicnn, on a device.

    `plain` computes every op as its page has it. The function is made to be called in a loop, and
    who loops owns a workspace; without one every array is fresh.
    """
    if task.network == CARD:
        return CARD_PASSES[task.what](*(to_device(a, device) for a in matrices(task)))
    network = build(task).initialize(0).to(device)
    if plain:
        network.ops = {name: layer.op and import_module(f"minicnn.ops.{layer.op}")
                       for name, layer, _ in network.rows}
    x = to_device(images(task, network), device)
    run = (NETWORK_PASSES if task.layer is None else LAYER_PASSES)[task.what](network, x)
    return _in(Workspace(), run) if workspace else run


def matrices(task):
    """What the tasks of the card itself compute with."""
    return [numbers((task.side, task.side), seed) for seed in (1, 2)]


def _in(context, function):
    def run():
        with context:
            return function()

    return run


def _forward(network, x):
    end = network.logits
    return lambda: network.forward(x, to=end, keep=(), caches=False).output


def _image_gradient(network, x):
    end = network.logits

    def run():
        run = network.forward(x, to=end, keep=())
        return run.backward({end: array_module(x).ones_like(run.output)})

    return run


def _all_gradients(network, x):
    """Every layer is given its weights as new arrays each time, as a training step would: what it
    derives from them (Winograd's transforms) has to be made again."""
    end, truth = network.logits, _labels(network, x)

    def run():
        for name in network.param_shapes:
            params = network.params[name]
            network.params[name] = {key: value.view() for key, value in params.items()}
        run = network.forward(x, to=end, keep=(), learn=True)
        _, cache = cross_entropy.forward(run.output, truth)
        return run.weight_gradients({end: cross_entropy.backward(1.0, cache)})

    return run


def _training_step(network, x):
    optimizer, truth = SGD(RATE, MOMENTUM), _labels(network, x)
    return lambda: train_step(network, x, truth, optimizer)


def _labels(network, x):
    return labels(len(x), network.shapes[network.logits][-1])


def _gram_step(network, x):
    """A step of `ascent.loop` from noise towards x's texture; each call takes the next one."""
    layers = gram_layers(network)
    loss = texture_loss(network.forward(x, to=layers, keep=(), caches=False), layers)
    start = to_device(numbers(x.shape, 2).astype(x.dtype, copy=False), network.device)
    walk = ascend.steps(network, -loss, start, Adam(PIXEL_RATE), ENDLESS)
    return lambda: next(walk)


def _layer_forward(network, x):
    layer, op, params = _alone(network)
    return lambda: layer.forward(op, x, params)


def _layer_gradient(*need):
    def make(network, x):
        layer, op, params = _alone(network)
        y, cache = layer.forward(op, x, params, learn=True)
        dy = array_module(y).asarray(numbers(y.shape, 2).astype(y.dtype, copy=False))
        return lambda: layer.backward(op, dy, cache, need=need)

    return make


def _alone(network):
    """(layer, its op, its arrays) of a network of one layer."""
    (name, layer, _), = network.rows
    return layer, network.ops[name], network.params.get(name, {})


def _copy(a, b):
    def run():
        b[...] = a

    return run


def _product(a, b):
    return lambda: a @ b


NETWORK_PASSES = {FORWARD: _forward, IMAGE_GRADIENT: _image_gradient,
                  ALL_GRADIENTS: _all_gradients, TRAINING_STEP: _training_step,
                  GRAM_STEP: _gram_step}
LAYER_PASSES = {FORWARD: _layer_forward, INPUT_GRADIENT: _layer_gradient("x"),
                WEIGHT_GRADIENT: _layer_gradient("w", "b")}
CARD_PASSES = {COPY: _copy, PRODUCT: _product}

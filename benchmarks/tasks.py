"""The tasks that are measured, and how minicnn does them.

A task is one pass of a network, or of one of its layers, on random numbers and with random weights.
It consists of a few plain values, so that it can be sent to the process of any library
(benchmarks/workers.py), which turns it into a function.
"""

from functools import cache
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
from minicnn.train import batch_norm
from minicnn.train.loop import train_step
from minicnn.vis.texture import texture_loss

FORWARD = "forward"
IMAGE_GRADIENT = "forward + image gradient"
ALL_GRADIENTS = "forward + loss + all gradients"
TRAINING_STEP = "training step"  # all gradients, and the optimiser's step
GRAM_STEP = "Gram-loss step"  # moves an image towards a texture (minicnn/vis/texture.py)
INPUT_GRADIENT, WEIGHT_GRADIENT = "input gradient", "weight gradient"  # of a single layer
CARD, COPY, PRODUCT = "the card", "copy", "matrix product"  # tasks that measure a device's peak
RATE, MOMENTUM = 1e-5, 0.9  # for training
PIXEL_RATE = 6.0  # learning rate of a Gram-loss step, in grey levels
ENDLESS = 10**9


class Task(NamedTuple):
    """A pass (`what`) of a whole network, or of its layer `layer` only.

    It has `batch` images; `side` is their side in pixels if it is not the network's input size.
    """

    network: str
    what: str
    batch: int = 1
    layer: str | None = None
    side: int | None = None


def _vgg16_pooled():
    """VGG-16's convolutions with a small top, to have a loss.  Its own dense layers are left out:
    they take most of the memory and tell little about the other layers."""
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
    "minivgg_bn": lambda: batch_norm.add(models.minivgg()),  # as it is trained
    "resnet18": models.resnet18,
    "mobilenet_v1": models.mobilenet_v1,
    "vgg19_conv4_1": lambda: models.vgg19(top=False).until("conv4_1").with_average_pooling(),
}


@cache
def plans(name):
    """A network of NETWORKS without weights, to look up its layers and shapes."""
    return NETWORKS[name]()


def build(task):
    """The network of a task without weights; it has one layer if the task names a layer."""
    network = NETWORKS[task.network]()
    if task.layer is None:
        return network
    shape = network.input_shapes[task.layer]
    return Network(f"{task.network} {task.layer}", [(task.layer, network[task.layer])], shape)


def images(task, network):
    """A task's random input: (N, H, W, C), or (N, D) for a dense layer that follows another."""
    shape = network.input_shape
    sides = shape if task.side is None else (task.side, task.side, shape[2])
    return numbers((task.batch, *sides))


def numbers(shape, seed=1):
    """Normal float32 numbers, the same for every library."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def labels(count, classes):
    """Random true classes, the same for every library."""
    return np.random.default_rng(2).integers(classes, size=count)


def convolutions(name):
    """The names of a network's convolutions; of equal ones only the first."""
    network, seen = plans(name), {}
    for place, layer, _ in network.rows:
        if isinstance(layer, Conv):
            seen.setdefault((network.input_shapes[place], layer), place)
    return list(seen.values())


def gram_layers(network):
    """The layers with Gram matrices: the first convolution of each block, as in the paper."""
    return [name for name in network.names if name.startswith("conv") and name.endswith("_1")]


def describe(task):
    """A layer in short form: "56x56x128 -> 256, 3x3"; None for a whole network."""
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

    `plain` computes every op by its page. The function is meant to be called in a loop, so it owns
    a workspace, unless `workspace` is False; then every array is fresh.
    """
    if task.network == CARD:
        return CARD_PASSES[task.what](*(to_device(a, device) for a in matrices(task)))
    network = build(task).initialize(0).using("plain" if plain else "fast").to(device)
    x = to_device(images(task, network), device)
    run = (NETWORK_PASSES if task.layer is None else LAYER_PASSES)[task.what](network, x)
    if not workspace:
        return run
    memory = Workspace()

    def run_in_workspace():
        with memory:
            return run()

    return run_in_workspace


def matrices(task):
    """The two matrices for the tasks of the card."""
    return [numbers((task.side, task.side), seed) for seed in (1, 2)]


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
    """Every call gives the layers their weights as new arrays, as a training step does, so that
    Winograd's transforms have to be computed again."""
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
    """Steps of `ascent.loop` from noise towards x's texture; each call takes the next step."""
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

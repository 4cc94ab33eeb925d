"""The work of each task, operations and bytes, by formula: the roofline.

A pass of a layer must do its arithmetic and move the numbers that it reads and writes. At the rates
measured on the card, it takes at least the longer of the two times (Williams, Waterman & Patterson
2009). Letters as in `minicnn.ops`; a multiplication and an addition are two operations.

- Convolution and dense: y, dx and dw are sums over the same N*OH*OW*O*KH*KW*C/G products, so each
  pass takes twice as many operations. It reads two of x, y and w (or their gradients) and writes
  the third. Products with padding are counted; the bias is not.
- All other layers read x and write y. Backward they read dy and the cache (one byte for each switch
  of a max pooling and each sign of a ReLU; x of an LRN) and write dx. Each output takes the
  operations of its window, which hardly matter.
- Concatenation, dropout and flattening are free: each part can be written in place.
- Passes are added up, as if each result were written and read again. Fused layers (a convolution
  with its ReLU) can therefore be faster than this, and so can Winograd's algorithm, which needs
  fewer multiplications.
"""

from math import prod
from typing import NamedTuple

from tasks import (
    ALL_GRADIENTS,
    CARD,
    COPY,
    FORWARD,
    GRAM_STEP,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
    build,
    gram_layers,
)

from minicnn.network import INPUT, Network
from minicnn.ops.window import pair

FLOAT = 4  # bytes of a float32
PASSES = {  # passes of each layer; if weights learn, layers that read the image need no dx
    FORWARD: (FORWARD,),
    IMAGE_GRADIENT: (FORWARD, INPUT_GRADIENT),
    GRAM_STEP: (FORWARD, INPUT_GRADIENT),
    ALL_GRADIENTS: (FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT),
    TRAINING_STEP: (FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT),
    INPUT_GRADIENT: (INPUT_GRADIENT,),
    WEIGHT_GRADIENT: (WEIGHT_GRADIENT,),
}


class Work(NamedTuple):
    """Numbers of operations and bytes."""

    flops: int
    bytes: int


class Shapes(NamedTuple):
    """How many numbers a batch of a layer's inputs, of its outputs, and its weights hold."""

    x: int
    y: int
    w: int


def least(task, reached):
    """The least seconds of a task on a GPU that reached {"flops", "bytes"} per second."""
    return sum(max(work.flops / reached["flops"], work.bytes / reached["bytes"])
               for work in works(task))


def works(task):
    """The Work of every pass of every layer of a task, in a list."""
    if task.network == CARD:
        return [card_work(task)]
    network = sized(task)
    learning = WEIGHT_GRADIENT in PASSES[task.what]
    found = []
    for name, layer, inputs in _computed(network):
        read = network.input_shapes[name] if layer.several else [network.input_shapes[name]]
        shapes = Shapes(task.batch * sum(map(prod, read)),
                        task.batch * prod(network.shapes[name]),
                        sum(prod(s) for s in network.param_shapes.get(name, {}).values()))
        for what in PASSES[task.what]:
            needless = what == INPUT_GRADIENT and learning and INPUT in inputs
            if not needless and (what != WEIGHT_GRADIENT or shapes.w):
                found.append(layer_work(layer, shapes, what))
        if task.what == TRAINING_STEP and shapes.w:
            found.append(step_work(shapes.w))
    return found + (gram_works(network) if task.what == GRAM_STEP else [])


def sized(task):
    """The network of a task without weights, with shapes for the size of the task's images."""
    network = build(task)
    if task.side is None:
        return network
    return Network(network.name, network.rows, (task.side, task.side, network.input_shape[2]))


def _computed(network):
    """The rows of the layers in KINDS, up to the class scores."""
    needed = network.last_readers([network.logits])
    return [row for row in network.rows if row.name in needed and type(row.layer).__name__ in KINDS]


def layer_work(layer, shapes, what):
    """The Work of one pass of one layer."""
    operations, kept = KINDS[type(layer).__name__](layer, shapes)
    moved = FLOAT * (shapes.x + shapes.y + shapes.w)
    return Work(operations, moved + (kept if what == INPUT_GRADIENT else 0))


def _products(layer, s):
    """Each weight is multiplied once for each position of its filter: y / filters times. Backward
    reads only dy, x and w."""
    outputs = layer.filters if hasattr(layer, "filters") else layer.units
    weights = s.w - (outputs if layer.bias else 0)
    return 2 * weights * (s.y // outputs), 0


KINDS = {  # (operations of a pass, bytes that the backward pass reads in addition to dy)
    "Conv": _products,
    "Dense": _products,
    "MaxPool": lambda layer, s: (prod(pair(layer.window, "window")) * s.y, s.y),
    "AveragePool": lambda layer, s: (prod(pair(layer.window, "window")) * s.y, 0),
    "GlobalAveragePool": lambda layer, s: (s.x, 0),
    "ReLU": lambda layer, s: (s.x, s.x),
    "BatchNorm": lambda layer, s: (2 * s.x, 0),
    "Add": lambda layer, s: (s.x - s.y, 0),
    "LRN": lambda layer, s: ((layer.size + 5) * s.x, FLOAT * s.x),
}


def step_work(weights):
    """The Work of a step with momentum: read value, gradient, velocity; write value, velocity."""
    return Work(4 * weights, 5 * FLOAT * weights)


def gram_works(network):
    """The Work of F^T F / M and F (G - target) for each layer with its (M, C) matrix F."""
    found = []
    for name in gram_layers(network):
        *sides, channels = network.shapes[name]
        numbers = prod(sides) * channels  # of F
        operations = 2 * numbers * channels
        found += [Work(operations, FLOAT * (numbers + channels**2)),
                  Work(operations, FLOAT * (2 * numbers + channels**2))]
    return found


def card_work(task):
    """The Work of a copy, or of a product of two square matrices: side^3 multiplications."""
    numbers = task.side**2
    if task.what == COPY:
        return Work(0, 2 * FLOAT * numbers)
    return Work(2 * task.side**3, 3 * FLOAT * numbers)

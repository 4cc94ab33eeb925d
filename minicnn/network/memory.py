"""The memory of a pass, counted without computing anything.

A pass goes up and down the rows as always (`Network.rows_computed`, `Run`), but its arrays are
Ghosts: they have a shape and no numbers, and a Ledger counts their bytes for as long as Python
would keep them. So which activations are kept until which row has read them, and which gradients
are alive together, is not told here a second time. What is told here is what each op has in memory
besides its result:

    Conv          the padded image; by Winograd's algorithm also outputs of whole tiles, each
                  thread's transforms of a block, and the transformed weights, which stay
    ReLU          which inputs are positive, one byte for each; they stay for the way back
    MaxPool       the switches, one byte for each output; on the way back their places, 8 bytes
    AveragePool   the sum while it is added up, and the padded gradient
    LRN           the sum of squares and the input; they stay

In a loop that has a `fast.workspace` memory is not given back but used again; the Ledger then keeps
freed arrays by size and gives them out as the workspace does.

Only the ops that networks use unless told otherwise are known, on the CPU, in float32.
"""

from collections import defaultdict
from copy import copy
from math import ceil, log2, prod

import numpy as np

from minicnn.backend import threads
from minicnn.fast import winograd
from minicnn.fast.tiles import TILE
from minicnn.fast.workspace import LEAST, STEPS
from minicnn.network import layers
from minicnn.network.layers import Rules
from minicnn.network.rows import INPUT
from minicnn.network.run import Run
from minicnn.ops.conv import Gradients
from minicnn.ops.window import pair

FLOAT, PLACE = 4, 8  # bytes of a float32 and of an index


class Ledger:
    """The bytes of all arrays alive, `held`, and the most that it has been, `peak`.

    ``with ledger:`` is ``with workspace:``, for the arrays that ops ask it for (`reused`).
    """

    def __init__(self):
        self.held = self.peak = 0
        self._free, self._reusing = defaultdict(list), False

    def __enter__(self):
        self._reusing = True
        return self

    def __exit__(self, *error):
        self._reusing = False

    def array(self, *shape, size=FLOAT, reused=False):
        """A Ghost whose numbers take `size` bytes each."""
        count = prod(shape) * size
        in_workspace = reused and self._reusing and count >= LEAST
        return Ghost(shape, _Reused(self, count) if in_workspace else _Memory(self, count))

    def grow(self, count):
        """Hold so many bytes more."""
        self.held += count
        self.peak = max(self.peak, self.held)


class _Memory:
    """Memory that is given back when nothing refers to it any more."""

    def __init__(self, ledger, count):
        self.ledger, self.count = ledger, count
        ledger.grow(count)

    def __del__(self):
        self.ledger.held -= self.count


class _Reused:
    """Memory of a workspace, which chooses it as `Workspace.empty` does. The system provides only
    the part that was once written to, so only that counts."""

    def __init__(self, ledger, count):
        self.ledger, self.step, written = ledger, ceil(STEPS * log2(count)), 0
        for larger in range(self.step, self.step + 2 * STEPS):
            if ledger._free[larger]:
                self.step, written = larger, ledger._free[larger].pop()
                break
        self.written = max(count, written)
        ledger.grow(self.written - written)

    def __del__(self):
        self.ledger._free[self.step].append(self.written)


class Ghost:
    """An array's shape; its memory is counted while it, or a view of it, lives."""

    def __init__(self, shape, memory):
        self.shape, self.memory = tuple(shape), memory

    def __len__(self):
        return self.shape[0]

    def __add__(self, other):
        return self.memory.ledger.array(*self.shape)

    def reshape(self, *shape):
        """A view; the last side may be -1, and the shape a tuple."""
        *sides, last = shape[0] if len(shape) == 1 else shape
        return Ghost((*sides, prod(self.shape) // prod(sides) if last == -1 else last), self.memory)


class Dry:
    """A network whose passes have ghosts for arrays.

    Parameters
    ----------
    network : Network
    ledger : Ledger
    """

    def __init__(self, network, ledger):
        self.network, self.ledger = copy(network), ledger
        self.network.ops = {
            name: OPS.get(type(layer), Plain)(ledger, layer, network.param_shapes.get(name))
            for name, layer, _ in network.rows}
        self.network.params = {name: dict.fromkeys(shapes)
                               for name, shapes in network.param_shapes.items()}

    def forward(self, x, to, keep=(), caches=True):
        """Like `Network.forward`, for a Ghost: a Run of ghosts."""
        kept = None if keep is None else {*to, *keep}
        run = Run(self.network, x, kept, frozenset(), caches)
        for name, y, cache in self.network.rows_computed(x, to):
            run.record(name, y, cache)
            run.output = y
        for goal in to:  # which numbers are finite
            self.ledger.array(*run[goal].shape, size=1)
        return run

    def backward(self, run, seeds):
        """Like `Run.backward`, from seeds that are ghosts: the gradient at the image."""
        gradients = dict(seeds)
        for row in run._down(gradients, Rules(), ("x",), run._depending_on([INPUT])):
            del row
        return self.ledger.array(*gradients[INPUT].shape)  # a copy


class Plain:
    """An op without memory of its own: y, and on the way back one array for each input."""

    def __init__(self, ledger, layer, param_shapes):
        self.ledger, self.layer, self.param_shapes = ledger, layer, param_shapes

    def out(self, x, reused=False, size=FLOAT):
        """A ghost of the output's shape."""
        below = [each.shape[1:] for each in x] if self.layer.several else x.shape[1:]
        count = len(x[0]) if self.layer.several else len(x)
        return self.ledger.array(count, *self.layer.output_shape(below), size=size, reused=reused)

    def forward(self, x, *_, **__):
        """(y, the shapes of x)."""
        return self.out(x), [each.shape for each in x] if self.layer.several else x.shape

    def backward(self, dy, cache, *_, **__):
        """dx, as the layer expects it."""
        if self.layer.several:
            return [self.ledger.array(*shape) for shape in cache]
        dx = self.ledger.array(*cache)
        return Gradients(dx, None, None) if self.param_shapes else dx


class Conv(Plain):
    """Convolution by `fast.winograd`, or else by `fast.tiles`."""

    def __init__(self, *what):
        super().__init__(*what)
        self.stay = {}

    def forward(self, x, *_):
        """(y, the shape of x)."""
        layer, w = self.layer, self.param_shapes["w"]
        like = (np.broadcast_to(np.float32(0), shape) for shape in (x.shape, w))
        self.algorithm = winograd.choose(*like, layer.stride, layer.pad, layer.groups,
                                         layer.dilation)
        if self.algorithm == "direct":
            padded = self._padded(x, pair(layer.pad, "pad"), pair(layer.pad, "pad"))
            y, cols = self.out(x, reused=True), self._cols()
            del padded, cols
            return y, x.shape
        self._stays("w", prod(w))
        return self._winograd(x, pair(layer.pad, "pad")[0], w[3], "y"), x.shape

    def backward(self, dy, x_shape, *_):
        """Gradients, of which only dx is a ghost."""
        if self.algorithm == "direct":
            down, across = pair(self.layer.pad, "pad")
            n, h, w, c = x_shape
            dx, cols = self.ledger.array(n, h + 2 * down, w + 2 * across, c,
                                         reused=True), self._cols()
            del cols
            if down or across:
                dx = self.ledger.array(*x_shape)
        else:
            far = self.param_shapes["w"][0] - 1
            dx = self._winograd(dy, far - pair(self.layer.pad, "pad")[0], x_shape[3], "dx")
        return Gradients(dx, None, None)

    def _winograd(self, x, pad, outputs, result):
        """`winograd.convolve`."""
        matrices = winograd.MATRICES[self.algorithm, self.param_shapes["w"][:2]]
        places, size, taps = len(matrices.bt), matrices.size, self.param_shapes["w"][0]
        n, h, w, c = x.shape
        oh, ow = h + 2 * pad - taps + 1, w + 2 * pad - taps + 1
        down, across = -(-oh // size), -(-ow // size)  # tiles
        self._stays(result, places**2 * prod(self.param_shapes["w"][2:]))
        padded = self.ledger.array(n, down * size + taps - 1, across * size + taps - 1, c,
                                   reused=True)
        y = self.ledger.array(n, down * size, across * size, outputs, reused=True)
        groups = self.layer.groups
        panel = outputs // winograd._panels(outputs, groups)
        blocks = winograd._blocks(n, down, across * c * panel,
                                  places**2 * across * c * outputs // groups)
        rows = blocks[0][2] - blocks[0][1]
        block = [[self.ledger.array(rows * places * (across * size + taps - 1) * c, reused=True),
                  self.ledger.array(places**2 * rows * across * c, reused=True),
                  self.ledger.array(places**2 * rows * across * outputs, reused=True),
                  self.ledger.array(places * size * rows * across * outputs, reused=True)]
                 for _ in range(min(threads(), len(blocks)))]
        del padded, block
        return y if (oh, ow) == (down * size, across * size) else self.ledger.array(
            n, oh, ow, outputs)

    def _stays(self, what, count):
        """Weights of one kind, which stay in memory from their first use on."""
        if what not in self.stay:
            self.stay[what] = self.ledger.array(count)

    def _padded(self, x, before, after):
        n, h, w, c = x.shape
        sides = [side + b + a for side, b, a in zip((h, w), before, after, strict=True)]
        return x if sides == [h, w] else self.ledger.array(n, *sides, c, reused=True)

    def _cols(self):
        return self.ledger.array(threads() * TILE, reused=True)


class ReLU(Plain):
    """`fast.relu`."""

    def forward(self, x):
        """(y, which x are positive)."""
        return self.out(x, reused=True), self.out(x, reused=True, size=1)

    def backward(self, dy, cache, *_):
        """dx."""
        return self.ledger.array(*dy.shape, reused=True)


class MaxPool(Plain):
    """`fast.pool`."""

    def forward(self, x, *_, **__):
        """(y, the switches and the shape of x)."""
        return self.out(x, reused=True), (self.out(x, reused=True, size=1), x.shape)

    def backward(self, dy, cache):
        """dx, made of the places of all switches in an image."""
        dx = self.ledger.array(*cache[1], reused=True)
        corners, places = (self.ledger.array(*dy.shape[1:], size=PLACE) for _ in range(2))
        del corners, places
        return dx


class AveragePool(Plain):
    """The page, `ops.average_pool`."""

    def forward(self, x, *_, **__):
        """(y, the shape of x)."""
        padded = self.ledger.array(*x.shape)
        total, more = self.out(x), self.out(x)
        del more
        y = self.out(x)
        del padded, total
        return y, x.shape

    def backward(self, dy, cache):
        """dx, a copy of the part of it that is not padding."""
        padded, share = self.ledger.array(*cache), self.ledger.array(*dy.shape)
        dx = self.ledger.array(*cache)
        del padded, share
        return dx


class LRN(Plain):
    """`fast.lrn`."""

    def forward(self, x, *_, **__):
        """(y, x and the sums of squares)."""
        return self.out(x, reused=True), (x, self.out(x, reused=True))

    def backward(self, dy, cache, *_):
        """dx."""
        return self.ledger.array(*dy.shape, reused=True)


OPS = {layers.Conv: Conv, layers.ReLU: ReLU, layers.MaxPool: MaxPool,
       layers.AveragePool: AveragePool, layers.LRN: LRN}

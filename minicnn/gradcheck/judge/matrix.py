"""The configurations that every windowed op is tested at, each for a reason."""

import zlib
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """One configuration: the image, the window and how it moves, and what the image holds."""

    name: str
    image: tuple = (2, 5, 6, 2)  # N,H,W,C
    window: object = 3
    stride: object = 1
    pad: object = 0
    rounding: str = "floor"
    values: str = "normal"
    outputs: int = 2
    groups: int = 1
    dilation: object = 1
    bias: bool = True

    def __str__(self):
        return self.name

    def random(self):
        """A generator of this case's own, the same in every run."""
        return np.random.default_rng(zlib.crc32(self.name.encode()))

    def x(self):
        """The input images, float64."""
        return VALUES[self.values](self.random(), self.image)

    def kernel_size(self):
        return both(self.window)


def both(value):
    """A number as (height, width); a pair stays."""
    return value if isinstance(value, tuple) else (value, value)


VALUES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "negative": lambda rng, shape: -1 - rng.random(shape),
    "constant": lambda rng, shape: np.full(shape, -0.5),
    "rising": lambda rng, shape: np.arange(np.prod(shape)).reshape(shape) / np.prod(shape),
    "integer": lambda rng, shape: rng.integers(-1, 2, shape).astype(float),
}

WINDOWS = [
    Case("overlap 3/2", (2, 7, 5, 2), 3, 2),
    Case("overlap 3/1", (1, 5, 5, 2), 3, 1),
    Case("tiling 2/2", (2, 4, 6, 2), 2, 2),
    Case("gaps 2/3", (1, 8, 5, 2), 2, 3),
    Case("padded", (2, 5, 4, 2), 3, 1, 1),
    Case("padded 3/2", (1, 6, 5, 2), 3, 2, 1),
    Case("padded, all negative", (1, 4, 4, 2), 3, 2, 1, values="negative"),
    Case("pairs, H != W", (2, 5, 7, 1), (2, 3), (2, 1), (1, 2)),
    Case("pairs, tall window", (1, 7, 4, 2), (4, 1), (1, 2), (2, 0)),
    Case("constant", (1, 4, 5, 2), 3, 2, 1, values="constant"),
    Case("integers", (2, 5, 5, 2), 3, 2, values="integer"),
    Case("integers, padded", (1, 4, 5, 1), 2, 1, 1, values="integer"),
    Case("one pixel", (2, 1, 1, 2), 1),
    Case("one pixel, padded", (1, 1, 1, 3), 3, 1, 1),
    Case("one channel, one image", (1, 4, 4, 1), 2, 2),
    Case("one row", (2, 1, 7, 2), (1, 3), (1, 2)),
    Case("window is the image", (2, 4, 3, 2), (4, 3)),
    Case("floor leaves rows over", (1, 6, 7, 1), 2, 3),
]

CEIL = [
    Case("ceil, exact", (1, 5, 5, 1), 3, 2, rounding="ceil"),
    Case("ceil overhangs", (2, 6, 4, 1), 3, 2, rounding="ceil"),
    Case("ceil overhangs, negative", (1, 6, 4, 1), 3, 2, rounding="ceil", values="negative"),
    Case("ceil overhangs the padding", (1, 4, 6, 2), 3, 2, 1, rounding="ceil"),
    Case("ceil drops a window", (1, 4, 7, 1), 2, 3, 1, rounding="ceil"),
    Case("ceil with gaps", (1, 5, 6, 1), 2, 4, rounding="ceil"),
    Case("ceil, pairs", (1, 6, 5, 1), (3, 2), (2, 3), (1, 0), rounding="ceil"),
]

CONV = [
    Case("three channels, one kernel", (1, 4, 4, 3), 3, 1, 1, outputs=1),
    Case("no bias", (1, 4, 4, 2), 3, 1, 1, bias=False),
    Case("1x1 kernel", (2, 3, 4, 3), 1, outputs=4),
    Case("1x1 kernel, strided", (1, 4, 5, 2), 1, 2),
    Case("padding wider than the kernel", (1, 3, 2, 1), 2, 2, 3),
    Case("two groups", (2, 4, 4, 4), 3, 1, 1, outputs=6, groups=2),
    Case("three groups, strided", (1, 5, 4, 3), 2, 2, outputs=6, groups=3),
    Case("depthwise", (1, 4, 5, 3), 3, 1, 1, outputs=3, groups=3),
    Case("depthwise, strided", (2, 6, 5, 3), 3, 2, 1, outputs=3, groups=3),
    Case("depthwise, dilated, pairs", (1, 7, 8, 2), (3, 2), (2, 3), (2, 1), outputs=2, groups=2,
         dilation=(1, 2)),
    Case("dilated", (1, 6, 5, 2), 2, 1, dilation=2),
    Case("dilated, padded, strided", (1, 6, 7, 1), 3, 2, 2, dilation=2),
    Case("dilated, pairs", (1, 5, 8, 1), (2, 3), (1, 2), (0, 1), dilation=(3, 2)),
    Case("everything", (2, 7, 6, 4), (3, 2), (2, 1), (2, 1), groups=2, outputs=4, dilation=(1, 2)),
] + WINDOWS
POOL = WINDOWS + CEIL + [
    Case("a window of more than 256 pixels", (1, 17, 18, 1), 17, 1, (1, 0)),
]


def settings(case, *names):
    """Some of a case's settings as keyword arguments."""
    return {name: getattr(case, name) for name in names}


def conv_inputs(case):
    """x, w and (unless the case has none) b for a convolution."""
    rng = case.random()
    shape = (*case.kernel_size(), case.image[3] // case.groups, case.outputs)
    inputs = {"x": case.x(), "w": rng.standard_normal(shape), "b": rng.standard_normal(shape[3])}
    return inputs if case.bias else {"x": inputs["x"], "w": inputs["w"]}

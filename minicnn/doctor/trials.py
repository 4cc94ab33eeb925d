"""The trials of the self-test: for every op tiny shapes and several combinations of settings.

A new op needs a line here; until then the doctor reports it as untried. Its fast twin, if any,
gets the same trials.
"""

import importlib
import pkgutil
from typing import NamedTuple

import numpy as np

from minicnn import ops
from minicnn.fast import TWINS

EVERYWHERE = ("cpu", "gpu")


class Trial(NamedTuple):
    """One combination of an op, shapes and settings.

    Attributes
    ----------
    op : str
        A module of `minicnn.ops`, or "fast." and a module of `minicnn.fast`.
    how : str
        What is special about the trial, for the report.
    arguments : dict
        In the op's order: a shape, to be filled with normal random numbers ("variance" with numbers
        above 1); a list of shapes; or an array of labels.
    settings : dict, optional
        Settings of both the op and the loops.
    own : dict, optional
        Settings of the op's forward only.
    rule : dict, optional
        Settings of both backwards.
    twin : str, optional
        The loops' name if it differs from the op's.
    large : bool, optional
        The reference is the op `twin` in float64 on the CPU, not the loops.
    dtypes, devices : tuple of str, optional
        Those that the op supports.
    """

    op: str
    how: str
    arguments: dict
    settings: dict = {}
    own: dict = {}
    rule: dict = {}
    twin: str = ""
    large: bool = False
    dtypes: tuple = ("float64", "float32")
    devices: tuple = EVERYWHERE

    def __str__(self):
        return f"{self.op}, {self.how}" if self.how else self.op


def _conv(c, o, kernel=3, groups=1, image=(5, 6)):
    """The arguments of a convolution of C channels to O."""
    return {"x": (1, *image, c), "w": (kernel, kernel, c // groups, o), "b": (o,)}


def _winograd(algorithm, kernel=3, groups=1, pad=1):
    """A trial of one of Winograd's algorithms, which exist for float32 on the CPU only."""
    return Trial("fast.winograd", f"{algorithm}, {kernel}x{kernel}, groups {groups}",
                 _conv(2, 4, kernel, groups, (6, 7)), {"pad": pad, "groups": groups},
                 own={"algorithm": algorithm}, twin="conv", dtypes=("float32",), devices=("cpu",))


LAYER = {"x": (1, 40, 40, 64), "w": (3, 3, 64, 64), "b": (64,)}
IMAGE = {"x": (2, 5, 6, 2)}
NORM = {"x": (2, 3, 2, 3), "gamma": (3,), "beta": (3,), "mean": (3,), "variance": (3,)}
OVERLAP = {"window": 3, "stride": 2, "pad": 1}

PAGES = [
    Trial("conv", "padded", _conv(2, 3), {"pad": 1}),
    Trial("conv", "stride 2, no bias", {"x": (1, 5, 6, 2), "w": (3, 3, 2, 2), "b": None},
          {"stride": 2}),
    Trial("conv", "groups 2", _conv(4, 4, groups=2), {"pad": 1, "groups": 2}),
    Trial("conv", "dilation 2", _conv(2, 2), {"pad": 2, "dilation": 2}),
    Trial("conv", "1x1", _conv(3, 4, 1)),
    Trial("conv", "a kernel a channel, stride 2", _conv(3, 3, groups=3),
          {"stride": 2, "pad": 1, "groups": 3}),
    Trial("conv", "64 channels", LAYER, {"pad": 1}, large=True),
    Trial("conv_transpose", "stride 2, 4x4 pixels",
          {"x": (1, 2, 2, 3), "w": (3, 3, 2, 3), "b": (2,)},
          {"stride": 2, "pad": 1, "size": (4, 4)}),
    Trial("dense", "", {"x": (2, 2, 3, 2), "w": (12, 4), "b": (4,)}),
    Trial("pool", "overlapping, padded", IMAGE, OVERLAP),
    Trial("pool", "2x2, rounded up", {"x": (1, 5, 5, 2)}, {"window": 2, "rounding": "ceil"}),
    Trial("average_pool", "overlapping, padded", IMAGE, OVERLAP),
    Trial("average_pool", "rounded up, true pixels only", IMAGE,
          {**OVERLAP, "rounding": "ceil", "border": "image"}),
    Trial("global_average_pool", "", IMAGE),
    Trial("relu", "rule gradient", IMAGE, rule={"rule": "gradient"}),
    Trial("relu", "rule deconvnet", IMAGE, rule={"rule": "deconvnet"}),
    Trial("relu", "rule guided", IMAGE, rule={"rule": "guided"}),
    Trial("sigmoid", "", IMAGE),
    Trial("tanh", "", IMAGE),
    Trial("lrn", "alpha 1, Caffe's", {"x": (1, 2, 3, 7)}, {"alpha": 1.0}),
    Trial("lrn", "alpha 1, the paper's", {"x": (1, 2, 3, 7)},
          {"size": 3, "alpha": 1.0, "k": 2.0, "convention": "paper"}),
    Trial("batch_norm", "given statistics", NORM),
    Trial("batch_norm", "training", NORM, {"training": True}),
    Trial("dropout", "", IMAGE, {"rate": 0.3, "seed": 1}),
    Trial("softmax", "", {"x": (3, 5)}),
    Trial("cross_entropy", "", {"x": (3, 4), "labels": np.array([3, 0, 0])}),
    Trial("add", "", {"parts": [(1, 2, 3, 2)] * 3}),
    Trial("concat", "", {"parts": [(1, 2, 3, 2), (1, 2, 3, 1)]}),
    Trial("resize", "", {"x": (1, 3, 4, 2)}, {"size": (5, 3)}),
]
TRIALS = [
    *PAGES,
    *(page._replace(op=f"fast.{page.op}", twin=page.op) for page in PAGES if page.op in TWINS),
    _winograd("winograd4"),
    _winograd("winograd4", groups=2),
    _winograd("winograd2"),
    _winograd("winograd2", kernel=5, pad=2),
]


def names():
    """The names of all ops to try: the modules of `minicnn.ops` with a forward and a backward,
    their twins, and Winograd's convolution."""
    pages = [page.name for page in pkgutil.iter_modules(ops.__path__)]
    return [name for name in [*pages, *(f"fast.{op}" for op in TWINS), "fast.winograd"]
            if hasattr(module(name), "forward") and hasattr(module(name), "backward")]


def module(name):
    """The module of an op, or of a twin."""
    return importlib.import_module(f"minicnn.{name if '.' in name else f'ops.{name}'}")

"""Defects of published code that teaches, shown again from the installed packages.

    pip install dezero numpy-ml ...; npm install convnetjs
    python benchmarks/published.py [--json]

Each row is the smallest input at which a function gives something else than it should. A package
that is not installed is left out. What is right follows from the definition: a slope is checked by
hand or by differences, a maximum by looking. Some packages are older than the installed NumPy and
Python; the names that they miss are put back first. What still cannot be imported is left out, too.
"""

import collections
import collections.abc
import importlib.metadata
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from other_checkers import old_names

CLOSE = 1e-6


class Defect(NamedTuple):
    """A function, an input in words, the words on it, what is right, and a function that calls it.

    `right` is an array or, where nothing comparable is due, a sentence.
    """

    package: str
    function: str
    input: str
    right: object
    words: str
    give: Callable

    @property
    def what(self):
        """Tells it from the other defects."""
        return f"{self.package}, {self.function}, {self.input}"

    def row(self):
        """The row of the record as a dict, with "shown" False if all is well today; None if the
        package is not installed, or cannot be imported here."""
        version = installed(self.package)
        gives = None if version is None else self._given()
        if gives is None:
            return None
        return {"what": self.what, "package": self.package, "version": version,
                "function": self.function, "input": self.input, "gives": said(gives),
                "right": said(self.right), "words": self.words,
                "shown": differs(gives, self.right)}

    def _given(self):
        try:
            return self.give()
        except ImportError:  # says nothing about the function
            return None
        except Exception as error:
            return f"{type(error).__name__}: {error}".split("\n")[0]


def installed(package):
    """The version of a package of pip or (convnetjs) npm, None if it is not installed."""
    if package == "convnetjs":
        return by_node("console.log(require('convnetjs/package.json').version)")
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def by_node(script):
    """What a script prints in Node.js; None if it fails."""
    try:
        done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def differs(gives, right):
    """Whether what is given is not what is right."""
    if isinstance(gives, str) or isinstance(right, str):
        return not (isinstance(gives, str) and gives == right)
    one, other = np.asarray(gives, float), np.asarray(right, float)
    return one.shape != other.shape or not np.allclose(one, other, rtol=CLOSE, atol=CLOSE)


def said(value):
    """A short text of an array, or a sentence as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(np.round(np.asarray(value, float), 4).tolist()).replace("NaN", "nan")


# ---- DeZero

def dezero_pool():
    import dezero.functions as F

    return F.pooling(np.full((1, 1, 1, 1), -1.0), 3, 1, 1).data.ravel()


def dezero_average():
    import dezero.functions as F

    x = _variable([[[[1.0, 3.0]]]])
    F.average_pooling(x, (1, 2)).backward()
    return x.grad.data.ravel()


def dezero_max():
    import dezero.functions as F

    x = _variable([[1.0, 1.0]])
    F.max(x, axis=1).backward()
    return x.grad.data.sum()


def dezero_norm():
    import dezero
    import dezero.functions as F

    x, one = _variable([[1.0]]), np.ones(1)
    with dezero.test_mode():
        F.batch_nrom(x, one, one, np.zeros(1), np.array([4.0]), eps=0.0).backward()
    return x.grad.data.ravel()


def _variable(values):
    from dezero import Variable

    return Variable(np.array(values))


# ---- numpy-ml

def _numpy_ml_pool(kernel):
    from numpy_ml.neural_nets.layers import Pool2D

    return Pool2D(kernel, stride=1, pad=1, mode="max")


def numpy_ml_forward():
    return _numpy_ml_pool((3, 3)).forward(np.full((1, 1, 1, 1), -1.0)).ravel()


def numpy_ml_backward():
    layer = _numpy_ml_pool((3, 3))
    y = layer.forward(np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1))
    return layer.backward(np.ones_like(y))[0, ..., 0]


# ---- npdl

FOUR = np.arange(16.0).reshape(4, 4)


def _npdl(name):
    from npdl.layers import pooling

    layer = getattr(pooling, name)((2, 2))
    layer.connect_to(SimpleNamespace(out_shape=(1, 1, 4, 4)))
    return layer, layer.forward(FOUR[None, None])


def npdl_mean():
    return _npdl("MeanPooling")[1][0, 0]


def npdl_max():
    return _npdl("MaxPooling")[1][0, 0]


def npdl_max_back():
    return _npdl("MaxPooling")[0].backward(np.array([[[[1.0, 2], [3, 4]]]]))[0, 0].sum(1)


def npdl_norm():
    from npdl.layers.normalization import BatchNormal

    layer = BatchNormal()
    layer.connect_to(SimpleNamespace(out_shape=(2, 1)))
    return layer.forward(np.array([[0.0], [20.0]])).ravel()


# ---- NumPyCNN and PyGAD

def numpycnn_pool():
    from numpycnn import pooling

    return pooling(FOUR[..., None])[..., 0]


def numpycnn_channels():
    from numpycnn import pooling

    return pooling(np.stack([np.zeros((4, 4)), np.ones((4, 4))], -1))[0, 0]


def numpycnn_relu():
    from numpycnn import relu

    return relu(np.full((1, 1, 1), -1.0)).ravel()


def pygad_pool():
    from pygad.cnn import MaxPooling2D

    layer = MaxPooling2D(2, SimpleNamespace(layer_output_size=(3, 3, 1)), stride=1)
    layer.max_pooling(np.full((3, 3, 1), 5.0))
    return layer.layer_output[..., 0]


# ---- SmallPebble

def pebble_check():
    import smallpebble as sp
    from smallpebble.gradcheck import check_grad

    def wrong(x):
        return sp.Variable(x.array**2, [(x, lambda dy: 100 * dy)])

    check_grad([np.array([1.0])], wrong, np.square, delta=1e-6)
    return "no complaint about a gradient of 100"


def pebble_setat():
    import smallpebble as sp

    x, value = sp.Variable(np.array([1.0, 2.0])), sp.Variable(np.array([5.0]))
    return sp.get_gradients(sp.sum(sp.setat(x, np.array([0]), value)))[value]


def pebble_softmax():
    import smallpebble as sp

    return sp.softmax(sp.Variable(np.array([[0.0, 0.0], [1000.0, 1000.0]]))).array


def pebble_pool():
    import smallpebble as sp

    return sp.maxpool2d(sp.Variable(np.full((1, 1, 1, 1), -1.0)), 3, 3).array.ravel()


# ---- EpyNN

def epynn_pool():
    from epynn.pooling.models import Pooling

    layer = Pooling((1, 2))
    y = layer.forward(np.ones((1, 1, 2, 1)))
    return layer.backward(np.ones_like(y)).sum()


def _epynn_conv():
    from epynn.commons.maths import identity
    from epynn.convolution.models import Convolution

    layer, x = Convolution(1, (3, 3), (1, 1), padding=1, activate=identity), np.ones((1, 3, 3, 1))
    layer.np_rng = np.random.default_rng(0)
    layer.compute_shapes(x)
    layer.initialize_parameters()
    layer.p["W"][:] = 1
    return layer, layer.forward(x)


def epynn_forward():
    return _epynn_conv()[1][0, ..., 0]


def epynn_backward():
    layer, y = _epynn_conv()
    return f"dx of shape {layer.backward(np.ones_like(y)).shape}"


# ---- ConvNetJS, in Node.js

def convnetjs_lrn():
    printed = by_node(
        "var c = require('convnetjs'), x = new c.Vol(1, 1, 2, 0);"
        "var l = new c.LocalResponseNormalizationLayer("
        "{in_sx: 1, in_sy: 1, in_depth: 2, k: 1, n: 3, alpha: 1, beta: 0.5});"
        "x.w[0] = 1; x.w[1] = 2; var y = l.forward(x, true); y.dw[0] = 1; l.backward();"
        "console.log(JSON.stringify([x.dw[0], x.dw[1]]))")
    return json.loads(printed)


def lrn_slopes():
    """The slopes of x0 / sqrt(1 + (x0^2 + x1^2) / 3) at (1, 2): of the first output."""
    s = 1 + 5 / 3
    return [s**-0.5 - s**-1.5 / 3, -2 * s**-1.5 / 3]


ONES = "no maximum is 0: the border is padded with zeros, which win over negative numbers"
WINDOWS = ("windows start at each pixel, one after the other, instead of at every window's width; "
           "the gradient goes where the right windows are")
DEFECTS = (
    Defect("dezero", "functions.pooling", "x = -1 (one pixel), window 3, pad 1", [-1], ONES,
           dezero_pool),
    Defect("dezero", "functions.average_pooling, backward", "x = [1, 3], window (1, 2)",
           [0.5, 0.5], "height and width of the window are exchanged on the way back",
           dezero_average),
    Defect("dezero", "functions.max, backward", "x = [1, 1]; dx summed", 1,
           "each of equal maxima gets the whole gradient: moved together, they would seem to count "
           "twice", dezero_max),
    Defect("dezero", "functions.batch_nrom, backward", "x = 1, variance 4, in test mode", [0.5],
           "there is no gradient in test mode, as pictures of a trained network need it",
           dezero_norm),
    Defect("numpy-ml", "layers.Pool2D(mode='max')", "x = -1 (one pixel), window 3, pad 1", [-1],
           ONES, numpy_ml_forward),
    Defect("numpy-ml", "layers.Pool2D(mode='max').backward", "x = [[1, 2], [3, 4]], window 3, "
           "pad 1", [[0, 0], [0, 4]], "the backward pass looks for the maximum in the image "
           "without its padding", numpy_ml_backward),
    Defect("npdl", "layers.MeanPooling", "x = 0 ... 15 (4 x 4), window 2",
           [[2.5, 4.5], [10.5, 12.5]], WINDOWS, npdl_mean),
    Defect("npdl", "layers.MaxPooling", "x = 0 ... 15 (4 x 4), window 2", [[5, 7], [13, 15]],
           WINDOWS, npdl_max),
    Defect("npdl", "layers.MaxPooling.backward", "the same, dy = [[1, 2], [3, 4]]; dx, rows summed",
           [0, 3, 0, 7], "an index is mistaken: each row of windows gets the gradient of the row "
           "that has the image's number", npdl_max_back),
    Defect("npdl", "layers.BatchNormal", "x = [0, 20]", [-1, 1], "divides by the square root of "
           "the deviation, not by the deviation", npdl_norm),
    Defect("numpycnn", "pooling", "x = 0 ... 15 (4 x 4), window 2", [[5, 7], [13, 15]],
           "the last windows are left out", numpycnn_pool),
    Defect("numpycnn", "pooling", "one channel of zeros, one of ones", [0, 1],
           "the maximum is taken over all channels", numpycnn_channels),
    Defect("numpycnn", "relu", "x = -1", [0], "the 0 is taken as the axis of a maximum over one "
           "number", numpycnn_relu),
    Defect("pygad", "cnn.MaxPooling2D", "x = 5 everywhere (3 x 3), window 2, stride 1",
           [[5, 5], [5, 5]], "the output has a row and a column too many, of zeros", pygad_pool),
    Defect("smallpebble", "gradcheck.check_grad", "x^2 with a wrong gradient", "a complaint",
           "the loop over the gradients compares the error of the outputs again, so that no "
           "gradient is ever found wrong", pebble_check),
    Defect("smallpebble", "setat, backward", "x = [1, 2], its first number set to 5: the gradient "
           "of the 5", [1], "the gradient that comes in is overwritten with zeros for x before the "
           "value's is read from it", pebble_setat),
    Defect("smallpebble", "softmax", "[[0, 0], [1000, 1000]]", [[0.5, 0.5], [0.5, 0.5]],
           "the largest number of all rows is subtracted, not each row's", pebble_softmax),
    Defect("smallpebble", "maxpool2d(padding='SAME')", "x = -1 (one pixel), window 3", [-1], ONES,
           pebble_pool),
    Defect("epynn", "pooling.Pooling.backward", "x = [1, 1], window (1, 2); dx summed",
           1, "each of equal maxima gets the whole gradient", epynn_pool),
    Defect("epynn", "convolution.Convolution", "x = 1 (3 x 3), window 3 of ones, padding 1",
           [[4, 6, 4], [6, 9, 6], [4, 6, 4]], "the number of windows is counted without the "
           "padding", epynn_forward),
    Defect("epynn", "convolution.Convolution.backward", "the same", "dx of shape (1, 3, 3, 1)",
           "the padding is not cut off on the way back", epynn_backward),
    Defect("convnetjs", "LocalResponseNormalizationLayer.backward", "x = [1, 2], n 3, alpha 1, "
           "beta 0.5, k 1, dy = [1, 0]", lrn_slopes(), "the cross term multiplies by the output's "
           "channel twice, not by both; with the usual alpha of 1e-4 it hardly shows",
           convnetjs_lrn),
)


def rows():
    """The row of each defect whose package is installed."""
    old_names()
    for name in ("Hashable", "Iterable", "Callable", "Mapping", "Sequence"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [row for defect in DEFECTS if (row := defect.row())]


def main():
    """Print the rows, one a line, or all as JSON."""
    found = rows()
    if "--json" in sys.argv:
        print(json.dumps(found))
    else:
        for row in found:
            print(f"{row['package']} {row['version']}: {row['function']} at {row['input']}: gives "
                  f"{row['gives']}, right is {row['right']}"
                  f"{'' if row['shown'] else ' (no longer wrong)'}")


if __name__ == "__main__":
    main()

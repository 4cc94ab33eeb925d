"""Questions that are no single call of an op: what is called, with numbers drawn from seeds.

A probe is a function ``probe(m, d, **contract)``. It calls functions of the handout through `m` and
returns values. It runs twice with the same draws `d`: once on the pages' own code, which gives what
is expected, and once on the submission. ``m.call("l2", g)`` calls a function, ``take="handle"``
keeps what it returns where it is, ``m.call((handle, "step"), ...)`` calls its method.
"""

import numpy as np

from minicnn.course.assignments.trials import VALUES, generator
from minicnn.gradcheck.own.script import numbers, typed
from minicnn.ops import conv, dense, pool, relu, sigmoid

COUNT = 6  # times that a probe is run


class Draw:
    """Sizes and numbers for one run of a probe.

    With `small`, sizes are the least possible plus a few, and numbers are small whole ones.
    """

    def __init__(self, sizes, values, small=False, index=0, dtype=np.float64):
        self.sizes, self.values, self.small, self.made = sizes, values, small, 0
        self.index, self.dtype = index, dtype  # of the run; of its numbers

    def size(self, least, most):
        """A whole number in least..most."""
        return int(self.sizes.integers(least, most + 1))

    def choice(self, options):
        """One of several."""
        return options[int(self.sizes.integers(len(options)))]

    def turn(self, options):
        """Each of several in turn, from run to run."""
        return options[self.index % len(options)]

    def array(self, *shape, values="normal"):
        """Numbers of a shape."""
        self.made += 1
        if self.small:
            return VALUES[values](numbers(*shape, seed=self.made)).astype(self.dtype)
        return VALUES[values](self.values.standard_normal(shape)).astype(self.dtype)


def draws(question, seed, submission=""):
    """The draws of a question of the kind "call"; the last `single` of its contract in float32."""
    count = question.contract.get("count", COUNT)
    return [Draw(generator(seed, question.id, index),
                 generator(seed, question.id, index, submission), index=index,
                 dtype=np.float32 if index >= count - single(question) else np.float64)
            for index in range(count)]


def single(question):
    """How many of a question's draws are in float32."""
    return question.contract.get("single", 0)


def small_draws(question, count=24):
    """Draws of small whole numbers, every fourth in float32 where the dtype counts."""
    return [Draw(generator(0, question.id, index), None, True, index,
                 np.float32 if single(question) and index % 4 == 3 else np.float64)
            for index in range(count)]


# ---- pooling

def _pooled(d, overlap, pad=0, values="normal"):
    """(x, settings) of a max pooling; every second window is oblong."""
    kh, kw = (d.size(2, 3),) * 2 if d.index % 2 else d.turn([(2, 3), (2, 3), (3, 2)])
    sh, sw = (d.size(1, k - 1) if overlap else k for k in (kh, kw))
    settings = {"window": (kh, kw), "stride": (sh, sw), "pad": (min(pad, 1),) * 2}
    high, wide = (d.size(1, 2) if d.small else d.size(2, 3) for _ in "hw")
    high, wide = kh * high + d.size(0, 1), kw * wide
    return d.array(d.turn([2, 1, 2]), high, wide, d.turn([2, 2, 1]), values=values), settings


def switches(m, d, values="normal", overlap=False, pad=0):
    """The switches of a forward pass."""
    x, settings = _pooled(d, overlap, pad, values)
    _, cache = m.call("pool_forward", x, **settings, take=("value", "handle"))
    return m.attribute(cache, "switches")


def unpool(m, d, overlap=False, pad=0):
    """Values put back where the switches of another pass say."""
    x, settings = _pooled(d, overlap, pad)
    y, cache = pool.forward(x, **settings)
    return m.call("pool_unpool", d.array(*y.shape), *cache)


# ---- ReLU

def relu_rule(m, d, rules):
    """One of the backward rules, each in turn."""
    x = d.array(d.size(1, 3), d.size(2, 5), values="zeros")
    dy = d.array(*x.shape, values="signs")
    cache = m.call("ReluCache", x > 0, take="handle")
    return m.call("relu_backward", dy, cache, rule=d.turn(rules))


# ---- gradient checking

def _told(f, text):
    """A function that knows how it is typed."""
    f.text = text
    return f


def slope(m, d):
    """Central differences of a smooth function with a strong curvature."""
    x, w = d.array(d.size(1, 2), d.size(1, 3)), d.array(3, 2)
    w = w[:x.shape[1]]
    f = _told(lambda x: np.sin(x @ w), f"lambda x: np.sin(x @ {typed(w)})")
    return m.call("slope", m.function(f), x, d.array(len(x), 2))


def kinks(m, d):
    """Half the jumps of the slopes of curves, some with a kink; each number has several outputs."""
    x = d.array(d.size(1, 2), d.size(2, 4), values="zeros")
    if d.small:
        x[0, 0] = 0
    f = _told(lambda x: np.stack([x ** 3, abs(x), np.maximum(x, 0)]),
              "lambda x: np.stack([x ** 3, abs(x), np.maximum(x, 0)])")
    return m.call("kinks", m.function(f), x, d.array(3, *x.shape))


def error(m, d, special=("",)):
    """The errors of a gradient, of its opposite, and of a plain one; `special` numbers are put in
    the first two, one in turn.

    "zeros" that agree, a "tiny" one that differs, what is equal everywhere ("alike"), one that is
    not finite ("nan"), and another "shape".
    """
    plain, expected, special = d.array(3), d.array(d.size(3, 5)), d.turn(special)
    found = expected * (1 if special == "alike" else 1 + d.array(len(expected)) / 50)
    if special in ("zeros", "tiny"):
        expected[0] = 0
        found[0] = np.abs(expected).max() / 1e4 if special == "tiny" else 0
    if special == "nan":
        found[d.size(0, 2)] = d.choice([np.nan, np.inf])
    if special == "shape":
        found = found[:, None]
    return (m.call("error", found, expected), m.call("error", -found, expected),
            m.call("error", plain * [1, 2, 1], plain))


# ---- gradient ascent

def _image(d):
    return d.array(d.size(1, 3), d.size(2, 5), d.size(2, 5), d.size(1, 3))


def normalised(m, d, by):
    """A gradient divided by its size; in one run of three, that of a further image is zero."""
    gradient = _image(d)
    return m.call(by, np.concatenate([gradient, 0 * gradient[:d.turn([0, 0, 1])]]))


def stepped(m, d, of, **settings):
    """Three steps of an optimiser, each with its own gradient."""
    value, found = _image(d), []
    settings = {name: d.turn(value) for name, value in settings.items()}
    optimizer = m.call(of, d.choice([0.5, 0.1, 0.02]), **settings, take="handle")
    for _ in range(3):
        value = m.call((optimizer, "step"), value, d.array(*value.shape))
        found.append(value)
    return tuple(found)


def regularised(m, d, by, strength):
    """An image after a regulariser."""
    image, gradient = _image(d), None
    gradient = d.array(*image.shape)
    act = m.call(by, d.choice(strength), take="handle")
    return m.call((act,), image, gradient, 0)


# ---- deconvnet

def isolated(m, d, whole=False):
    """All activations set to zero but those of one unit or map."""
    maps = np.abs(d.array(1, d.size(2, 4), d.size(2, 4), d.size(2, 3))) + 0.5
    channel = d.size(0, maps.shape[3] - 1)
    place = "all" if whole else (d.size(0, maps.shape[1] - 1), d.size(0, maps.shape[2] - 1))
    return m.call("isolate", maps, "conv2", channel, place)


def strongest(m, d):
    """The position of a map's largest activation."""
    maps = d.array(1, d.size(2, 5), d.size(2, 5), d.size(2, 3))
    return m.call("strongest_position", maps, "conv2", d.size(0, maps.shape[3] - 1))


# ---- Gram matrices

def _activation(d):
    return d.array(d.turn([2, 1]), d.size(1, 3), d.size(2, 4), d.size(2, 3))


def gram_matrix(m, d):
    """The Gram matrices of a batch."""
    return m.call("gram_matrix", _activation(d))


def gram_loss(m, d, part, of="gram_loss"):
    """A loss from the activation and the target's matrix, or its gradient."""
    a = _activation(d)
    target = d.array(a.shape[3], a.shape[3])
    return m.call(of, a, target + target.T, take=("value", "value"))[part]


PROBES = {one.__name__: one for one in (
    switches, unpool, relu_rule, slope, kinks, error, normalised, stepped, regularised, isolated,
    strongest, gram_matrix, gram_loss)}


# ---- layers for a student's gradient checker

def layers():
    """Right layers that a checker is tried on: {name: (forward, backward, inputs)}."""
    return {"dense": (dense.forward, dense.backward, ("x", "w", "b")),
            "conv": (conv.forward, conv.backward, ("x", "w", "b")),
            "sigmoid": (sigmoid.forward, sigmoid.backward, ("x",)),
            "relu": (relu.forward, relu.backward, ("x",)),
            "pool": (pool.forward, pool.backward, ("x",))}

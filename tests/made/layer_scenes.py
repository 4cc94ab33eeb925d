"""Inputs at which the known wrong layers and the right ones they were made from are compared.

A scene is (arrays, settings); its name says what is special about it. `ordinary` scenes are those
whose names do not begin with a word of SPECIAL.
"""

import numpy as np

SPECIAL = ("ties", "large", "small", "shifted", "range")


def normal(*shape, seed=1):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def integers(*shape, seed=2):
    return np.random.default_rng([seed, *shape]).integers(-1, 2, shape).astype(float)


def conv(image, kernel, bias=True, **settings):
    """x (N,H,W,C), w (KH,KW,C/G,O) and b (O,)."""
    b = normal(kernel[3], seed=3) if bias else None
    return (normal(*image), normal(*kernel, seed=2), b), settings


def transposed(image, kernel, channels, bias=True, **settings):
    """x (N,OH,OW,O), w (KH,KW,C/G,O) and b (C,)."""
    b = normal(channels, seed=3) if bias else None
    return (normal(*image), normal(*kernel, seed=2), b), settings


def one(x, **settings):
    return (x,), settings


def parts(*shapes, **settings):
    return ([normal(*shape, seed=k) for k, shape in enumerate(shapes)],), settings


def scores(x, labels):
    return (x, np.array(labels)), {}


def norm(x, **settings):
    """x, gamma and beta of layer and group normalisation."""
    c = x.shape[-1]
    return (x, 1 + normal(c, seed=4) / 4, normal(c, seed=5)), settings


def batch(x, **settings):
    """x, gamma, beta, mean and variance."""
    (x, gamma, beta), settings = norm(x, **settings)
    c = x.shape[-1]
    return (x, gamma, beta, normal(c, seed=6), 1 + normal(c, seed=7) ** 2), settings


CONV = {
    "plain": conv((2, 5, 6, 2), (3, 3, 2, 4)),
    "not square, pairs": conv((2, 7, 9, 3), (3, 2, 3, 2), stride=(2, 1), pad=(1, 2)),
    "padded, stride 2": conv((3, 6, 5, 2), (3, 3, 2, 3), stride=2, pad=1),
    "one row": conv((2, 1, 9, 2), (1, 3, 2, 2), pad=(0, 1)),
    "dilated pairs": conv((1, 8, 9, 2), (2, 3, 2, 2), dilation=(3, 2), pad=(0, 1)),
    "two groups": conv((2, 5, 4, 4), (3, 3, 2, 6), groups=2, pad=1),
    "depthwise": conv((1, 5, 6, 3), (3, 3, 1, 6), groups=3, stride=(1, 2)),
    "no bias": conv((2, 4, 5, 2), (2, 2, 2, 3), bias=False),
    "gaps": conv((2, 8, 8, 1), (2, 2, 1, 2), stride=3),
    "square channels": conv((2, 4, 4, 3), (3, 3, 3, 3), pad=1),
    "1x1": conv((2, 3, 4, 3), (1, 1, 3, 4)),
    "1x1, padded": conv((2, 3, 4, 2), (1, 1, 2, 2), pad=1, stride=2),
    "large": (tuple(1000 * array for array in conv((2, 5, 5, 2), (3, 3, 2, 2), pad=1)[0]),
              {"pad": 1}),
    "range of pixels": conv((1, 260, 270, 1), (2, 2, 1, 1), stride=3, pad=1),
    "range of outputs": conv((2, 4, 3, 2), (2, 2, 2, 20)),
    "range of channels": conv((2, 4, 3, 70), (2, 2, 70, 2)),
    "range of images": conv((140, 3, 3, 1), (2, 2, 1, 1)),
}
RISING = normal(1, 17, 18, 1) + np.arange(18).reshape(18, 1)  # the maxima are among the last
POOL = {
    "tiling": one(normal(2, 4, 6, 3), window=2),
    "overlap": one(normal(2, 7, 5, 2), window=3, stride=2, pad=1),
    "overlap, not square": one(normal(2, 6, 9, 2), window=(3, 2), stride=(2, 1), pad=(1, 0)),
    "wide window": one(normal(1, 5, 8, 2), window=(2, 4), stride=(1, 2), pad=(0, 1)),
    "negative, padded": one(-1 - normal(2, 5, 5, 2) ** 2, window=3, stride=2, pad=1),
    "ceil": one(normal(2, 6, 5, 1), window=3, stride=2, rounding="ceil"),
    "ceil, padded": one(normal(1, 4, 6, 2), window=3, stride=2, pad=1, rounding="ceil"),
    "ceil drops a window": one(normal(1, 4, 7, 1), window=2, stride=3, pad=1, rounding="ceil"),
    "gaps": one(normal(1, 8, 5, 2), window=2, stride=3),
    "one pixel": one(normal(2, 3, 4, 2), window=1),
    "ties": one(integers(2, 7, 6, 2), window=3, stride=2, pad=1),
    "large": one(-1000 + normal(2, 5, 5, 2), window=3, stride=2, pad=1),
    "shifted": one(1000 + normal(2, 6, 6, 3), window=3, stride=2),
    "range of places": one(RISING, window=17, stride=1, pad=(1, 0)),
    "range of 144 places": one(normal(2, 12, 24, 2), window=12),
    "range of pixels": one(normal(1, 260, 270, 1), window=4),
    "range of images": one(normal(140, 4, 4, 1), window=2),
    "range of channels": one(normal(2, 4, 4, 70), window=2),
}
AVERAGE = {name: scene for name, scene in POOL.items() if not name.startswith("ties")} | {
    "image border": one(normal(2, 5, 7, 2), window=3, stride=2, pad=1, border="image"),
    "image border, ceil": one(normal(1, 6, 5, 1), window=3, stride=2, pad=(1, 0), rounding="ceil",
                              border="image"),
}
CHANNELS = {
    "images": normal(3, 4, 5, 3), "one image": normal(1, 3, 4, 2), "rows": normal(6, 4),
    "one pixel": normal(4, 1, 1, 3), "large": 1000 * normal(4, 3, 3, 2),
    "shifted": 1000 + normal(4, 3, 3, 2),
    "small": 1e-4 * normal(4, 3, 3, 2), "range of images": normal(140, 4),
    "range of channels": normal(3, 2, 2, 70), "range of pixels": normal(1, 260, 270, 1),
}
POINTS = {
    "rows": one(normal(3, 5)), "images": one(normal(2, 3, 4, 2)), "all positive": one(
        1 + normal(3, 4) ** 2), "ties": one(integers(4, 5)), "large": one(1000 * normal(3, 4)),
    "small": one(1e-4 * normal(3, 4)), "range": one(normal(140, 70)),
}
SCENES = {
    "conv": CONV,
    "conv_transpose": {
        "plain": transposed((2, 4, 5, 4), (3, 3, 2, 4), 2),
        "pairs": transposed((2, 3, 4, 2), (3, 2, 3, 2), 3, stride=(2, 1), pad=(1, 0)),
        "size given": transposed((1, 3, 3, 2), (3, 3, 2, 2), 2, stride=2, pad=1, size=(6, 5)),
        "two groups": transposed((2, 3, 4, 6), (3, 3, 2, 6), 4, groups=2, pad=1),
        "dilated": transposed((1, 4, 3, 2), (2, 3, 2, 2), 2, dilation=(2, 1), stride=(1, 2)),
        "no bias": transposed((2, 3, 4, 3), (2, 2, 2, 3), 2, bias=False),
        "tiling": transposed((2, 3, 2, 3), (2, 2, 2, 3), 2, stride=2),
        "range of pixels": transposed((1, 130, 135, 1), (2, 2, 1, 1), 1, stride=2),
    },
    "pool": POOL,
    "average_pool": AVERAGE,
    "global_average_pool": {name: one(x) for name, x in CHANNELS.items() if x.ndim == 4},
    "dense": {
        "rows": ((normal(3, 4), normal(4, 5, seed=2), normal(5, seed=3)), {}),
        "images": ((normal(2, 3, 4, 2), normal(24, 3, seed=2), normal(3, seed=3)), {}),
        "no bias": ((normal(3, 4), normal(4, 2, seed=2), None), {}),
        "square weights": ((normal(4, 3), normal(3, 3, seed=2), normal(3, seed=3)), {}),
        "large": ((1000 * normal(3, 4), 1000 * normal(4, 2, seed=2), normal(2, seed=3)), {}),
        "range": ((normal(140, 70), normal(70, 20, seed=2), normal(20, seed=3)), {}),
    },
    "relu": POINTS, "sigmoid": POINTS, "tanh": POINTS,
    "softmax": {
        "rows": one(normal(3, 5)), "images": one(normal(2, 3, 4, 3)),
        "ties": one(integers(4, 5)),
        "rows far apart": one(normal(3, 4) + np.array([[-1000.0], [0.0], [1000.0]])),
        "large": one(1000 * normal(3, 5)), "range": one(normal(140, 70)),
    },
    "cross_entropy": {
        "rows": scores(normal(4, 5), [0, 3, 2, 2]), "one": scores(normal(1, 3), [1]),
        "large": scores(1000 * normal(4, 5), [1, 0, 4, 2]), "wide": scores(
            30 * normal(4, 5), [1, 0, 4, 2]),
        "range": scores(normal(140, 300), np.arange(140) * 2),
    },
    "svm_loss": {
        "rows": scores(normal(4, 5), [0, 3, 2, 2]), "one": scores(normal(1, 3), [1]),
        "wide": scores(3 * normal(6, 4), [1, 0, 3, 2, 2, 1]),
        "ties": scores(integers(5, 4), [0, 1, 2, 3, 0]),
        "large": scores(1000 * normal(4, 5), [1, 0, 4, 2]),
        "range": scores(normal(140, 300), np.arange(140) * 2),
    },
    "lrn": {
        "five of seven": one(normal(2, 3, 2, 7), size=5, alpha=1.0, beta=0.75, k=2.0),
        "paper": one(normal(1, 2, 3, 6), size=3, alpha=0.5, beta=0.6, k=1.0, convention="paper"),
        "window of one": one(normal(2, 2, 2, 4), size=1, alpha=0.7),
        "fewer channels than the window": one(normal(2, 2, 2, 3), size=7, alpha=1.0),
        "defaults": one(normal(2, 2, 2, 6)),
        "large": one(1000 * normal(2, 2, 2, 6), alpha=1.0),
        "range": one(normal(2, 2, 2, 70), alpha=1.0),
    },
    "batch_norm": {f"{name}, {'training' if training else 'in use'}": batch(x, training=training)
                   for name, x in CHANNELS.items() for training in (True, False)} | {
        "epsilon of 0.5, training": batch(normal(5, 3), epsilon=0.5, training=True)},
    "layer_norm": {name: norm(x.reshape(len(x), -1)) for name, x in CHANNELS.items()} | {
        "epsilon of 0.5": norm(normal(4, 6), epsilon=0.5)},
    "group_norm": {name: norm(x, groups=groups) for name, x, groups in [
        ("two groups", normal(3, 4, 5, 4), 2), ("one group", normal(2, 3, 4, 3), 1),
        ("a group for each channel", normal(2, 3, 4, 3), 3),
        ("large", 1000 * normal(2, 3, 3, 4), 2), ("shifted", 1000 + normal(2, 3, 3, 4), 2),
        ("small", 1e-4 * normal(2, 3, 3, 4), 2), ("range", normal(140, 2, 2, 70), 7)]} | {
        "epsilon of 0.5": norm(normal(2, 3, 3, 4), groups=2, epsilon=0.5)},
    "dropout": {
        "half": one(normal(4, 5), rate=0.5, seed=3), "images": one(
            normal(2, 3, 4, 2), rate=0.2, seed=0), "none": one(normal(3, 4), rate=0.0, seed=1),
        "most": one(normal(6, 7), rate=0.8, seed=5),
        "generator": one(normal(4, 5), rate=0.5, seed=np.random.default_rng),
        "ties": one(integers(6, 7), rate=0.4, seed=2), "range": one(normal(140, 70), rate=0.5),
    },
    "concat": {
        "three": parts((2, 3, 4, 2), (2, 3, 4, 5), (2, 3, 4, 1)), "one": parts((2, 3, 4, 2)),
        "equal": parts((2, 3, 4, 2), (2, 3, 4, 2)),
        "rows": parts((2, 3, 4, 2), (2, 1, 4, 2), axis=1),
        "range": parts((2, 3, 2), (2, 3, 1), (2, 3, 4), (2, 3, 1), (2, 3, 70)),
    },
    "add": {
        "two": parts((2, 3, 4, 2), (2, 3, 4, 2)), "one": parts((2, 3)),
        "three": parts((2, 3), (2, 3), (2, 3)),
        "range": parts(*[(2, 3)] * 5),
    },
    "resize": {
        "enlarged": one(normal(2, 3, 4, 2), size=(7, 9)), "reduced": one(
            normal(2, 7, 9, 1), size=(3, 4)),
        "mixed": one(normal(1, 4, 6, 3), size=(8, 3)), "same": one(normal(2, 3, 4, 2), size=(3, 4)),
        "twice": one(normal(2, 3, 3, 2), size=(6, 6)),
        "one pixel": one(normal(1, 1, 1, 2), size=(3, 2)),
        "range": one(normal(140, 2, 2, 70), size=(3, 3)),
        "range of pixels": one(normal(1, 200, 3, 1), size=(300, 4)),
    },
}
_X, _W, _B = conv((2, 5, 5, 4), (3, 3, 4, 2))[0]
_G = normal(3)
REFUSED = {  # calls that the op must not compute
    "conv": [((_X, _W[:, :, :3], _B), {}), ((_X, _W, _B[:1]), {}), ((_X, _W, _B), {"groups": 3}),
             ((_X[0], _W, _B), {}), ((_X[:, :2], _W, _B), {}), ((_X, _W, _B), {"stride": 0}),
             ((_X, _W, _B), {"pad": -1}), ((_X, _W[:, :, :2], _B), {})],
    "conv_transpose": [((_X, _W, None), {}), ((_X[..., :2], _W, _B), {}),
                       ((_X[..., :2], _W, None), {"size": (9, 9)}),
                       ((_X[..., :2], _W, None), {"pad": 4})],
    "pool": [((_X,), {"window": 2, "pad": 2}), ((_X,), {"window": 7}),
             ((_X,), {"window": 2, "rounding": "up"}), ((_X[0],), {"window": 2}),
             ((_X,), {"window": 2, "stride": 0})],
    "average_pool": [((_X,), {"window": 2, "pad": 2}), ((_X,), {"window": 7}),
                     ((_X,), {"window": 2, "rounding": "up"}), ((_X[0],), {"window": 2}),
                     ((_X,), {"window": 2, "border": "none"})],
    "global_average_pool": [((_X[0],), {})],
    "dense": [((_X, normal(99, 2), None), {}), ((normal(3, 4), normal(4, 2), normal(1)), {}),
              ((normal(3, 4), normal(3, 2), None), {})],
    "relu": [((np.arange(3),), {})], "sigmoid": [((np.arange(3),), {})],
    "tanh": [((np.arange(3),), {})], "softmax": [((np.arange(3),), {})],
    "cross_entropy": [scores(normal(3, 4), [0, 1, 4]), scores(normal(3, 4), [0, 1, -1]),
                      scores(normal(3, 4), [0, 1]), scores(normal(3, 4), [0.0, 1.0, 2.0]),
                      scores(normal(3, 4, 1), [0, 1, 2])],
    "lrn": [((_X,), {"size": 4}), ((_X,), {"size": 0}), ((_X,), {"convention": "none"}),
            ((_X[0],), {})],
    "batch_norm": [((normal(4, 3), _G, _G, _G, _G[:1]), {}), ((normal(4, 3), _G[:1], _G, _G, _G), {
        })],
    "layer_norm": [((normal(4, 3), _G[:1], _G), {}), ((normal(4, 3), _G, _G[:1]), {})],
    "group_norm": [((normal(2, 3, 3, 3), _G, _G), {"groups": 2}), ((normal(2, 3, 3, 3), _G[:1], _G),
                                                                   {"groups": 1})],
    "dropout": [((_X,), {"rate": 1.0}), ((_X,), {"rate": -0.1})],
    "concat": [(([normal(2, 3), normal(3, 3)],), {}), (([],), {})],
    "add": [(([normal(2, 3), normal(2, 1)],), {}), (([normal(2, 3), normal(3)],), {}), (([],), {})],
    "resize": [((_X,), {"size": (0, 3)}), ((_X[0],), {"size": (3, 3)})],
}
REFUSED["svm_loss"] = REFUSED["cross_entropy"]


def chosen(op, cause, shows=""):
    """The scenes of an op in which a mistake of this cause is looked for: {name: scene}."""
    begins = {"ties": ("ties",), "overflow": ("large", "small", "shifted", "rows far", "wide"),
              "range": ("range",)}.get(cause)
    if shows:
        begins = (shows,)
    return {name: scene for name, scene in SCENES[op].items()
            if (name.startswith(begins) if begins else not name.startswith(SPECIAL))}

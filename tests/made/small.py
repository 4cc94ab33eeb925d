"""A small network that knows how to prepare a photo, a photo, and pictures of every kind."""

import nets
import numpy as np
from PIL import Image

from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, Dense, MaxPool, ReLU, Softmax

LABELS = ["red fox", "grey fox, Urocyon", "tree frog", "frog"]


def network(seed=2, dtype=np.float32):
    """What a deconvnet meets on its way: LRN, overlapping poolings, branches, a dense layer.

    With seed 2 unit 1 of relu2 is active everywhere in `photo()`.
    """
    return nets.trained(Network("small", [
        ("conv1", Conv(6, 3, pad=1)),
        ("relu1", ReLU()),
        ("norm1", LRN(3, alpha=0.9)),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        *nets.joined(
            "mix", "pool1",
            [("mix/1x1", Conv(3, 1)), ("mix/relu_1x1", ReLU())],
            [("mix/3x3", Conv(4, 3, pad=1, groups=2)), ("mix/relu_3x3", ReLU())],
            [("mix/pool", MaxPool(3, 1, pad=1)), ("mix/project", Conv(2, 1)),
             ("mix/relu_project", ReLU())],
        ),
        ("conv2", Conv(5, 3, stride=2)),
        ("relu2", ReLU()),
        ("fc", Dense(4)),
        ("prob", Softmax()),
    ], (16, 20, 3), Preprocessing((16, 20), "BGR", (100, 110, 120), 1 / 50, resize_to=None),
        LABELS), seed, dtype)


def photo(height=16, width=20, seed=0):
    """Coloured blobs on a slope, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    picture = np.zeros((height, width, 3))
    for colour in rng.uniform(-120, 120, (6, 3)):
        r, c, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, height / 2)
        picture += np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / size**2)[..., None] * colour
    return (128 + picture + rows[..., None]).clip(0, 255).astype(np.uint8)


def picture_file(folder, kind="RGB", size=(16, 20)):
    """Write a photo as a PNG of another kind; returns its path."""
    rgb = Image.fromarray(photo(*size))
    picture = {
        "RGB": lambda: rgb, "grey": lambda: rgb.convert("L"),
        "palette": lambda: rgb.quantize(16), "RGBA": lambda: rgb.convert("RGBA"),
        "16 bits": lambda: Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257),
    }[kind]()
    path = folder / f"{kind}.png"
    picture.save(path)
    return path

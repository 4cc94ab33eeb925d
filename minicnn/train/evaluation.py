"""Evaluation: how often a network is right, and which classes it takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.backend import to_host
from minicnn.images import display, markup, normalize
from minicnn.images.preprocessing import how_to_set
from minicnn.network import Network
from minicnn.train.data import Data, as_data
from minicnn.train.losses import classes_of, loss_of, predicted


class Evaluation(NamedTuple):
    """What a network does on labelled images.

    `top1` and `top5` are the shares of images whose class is the likeliest one and among the five
    likeliest; `confusion[i, j]` is the number of images of class i that were taken for class j.
    """

    images: int
    loss: float
    top1: float
    top5: float
    confusion: np.ndarray
    classes: list[str]

    def __repr__(self):
        lines = [f"{self.images} images   loss {self.loss:.3f}   top-1 {self.top1:.1%}"
                 + f"   top-5 {self.top5:.1%}" * (len(self.classes) > 5)]
        pairs = self.confused(5)
        width = max((len(self.classes[i]) for i, _, _ in pairs), default=0)
        lines += [f"  {self.classes[i]:{width}}  taken for  {self.classes[j]}: {count} of "
                  f"{self.confusion[i].sum()}" for i, j, count in pairs]
        return "\n".join(lines)

    def _repr_html_(self):  # what a notebook asks for
        shares = self.confusion / np.maximum(self.confusion.sum(axis=1, keepdims=True), 1)
        view = markup.View("", "rows: true classes, columns: classes given", display.coloured(
            display.to_uint8(shares, 0, 1), "Blues"),
            display.ColourBar(0, 1, "share of the true class", "Blues"), blocks=True)
        pairs = [(self.classes[i], self.classes[j], f"{count} of {self.confusion[i].sum()}")
                 for i, j, count in self.confused()]
        return (markup.paragraph(repr(self).partition("\n")[0]) + markup.side_by_side([view])
                + markup.table(("true class", "taken for", "images"), pairs, right=(2,)))

    def confused(self, most: int = 10) -> list[tuple[int, int, int]]:
        """The pairs of classes confused most: (true class, class given, images)."""
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        found = [(*divmod(int(k), len(wrong)), int(wrong.flat[k])) for k in order]
        return [pair for pair in found if pair[2]]


def evaluate(network: Network, data: Data | Sequence, batch: int = 250) -> Evaluation:
    """Run a network on all images of a data set and compare with their labels.

    Parameters
    ----------
    network : Network
    data : Data or pair (images, labels)
        As for `fit`.
    batch : int
        Images in a pass.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        As for `fit`; data of another number of classes.
    """
    data = checked(network, data)
    classes, total, right = classes_of(network), 0.0, np.zeros(2)
    if data.classes and len(data.classes) != classes:
        raise ValueError(f"evaluate: network {network.name} tells {classes} classes apart, but the "
                         f"data have {len(data.classes)}; give a network trained on such data")
    confusion = np.zeros((classes, classes), int)
    for scores, labels in scored(network, data, batch):
        total += float(loss_of(network)(scores, labels)[0]) * len(labels)
        right += [top_hits(scores, labels, top) for top in (1, 5)]
        np.add.at(confusion, (labels, predicted(scores)), 1)
    names = data.classes or network.labels or [network.label(k) for k in range(classes)]
    return Evaluation(len(data), total / len(data), *(right / len(data)).tolist(), confusion,
                      list(names))


def named_otherwise(network: Network, data: Data) -> list[tuple[int, str, str]]:
    """The classes that have one name in a network and another in the data.

    Capitals, underscores, and further names after a comma make no difference.

    Parameters
    ----------
    network : Network
    data : Data

    Returns
    -------
    list of (int, str, str)
        A class's number, its name in the network, its name in the data. Empty if the names agree,
        or if one of the two has none.
    """
    def bare(name):
        return name.partition(",")[0].replace("_", " ").casefold().strip()

    names = list(data.classes or [])
    first = int(network.shapes[network.logits][-1] == 1)  # one score has the name of class 1
    pairs = zip(network.labels or [], names[first:], strict=False)
    return [(k, ours, theirs) for k, (ours, theirs) in enumerate(pairs, first)
            if bare(ours) != bare(theirs)]


def accuracy(network: Network, images: np.ndarray, labels: np.ndarray, top: int = 1,
             batch: int = 250) -> float:
    """The share of images whose true class is among the `top` most likely ones.

    Parameters
    ----------
    network : Network
    images, labels
        As for `fit`.
    top : int
    batch : int
        Images in a pass.

    Returns
    -------
    float
        From 0 to 1.
    """
    data = checked(network, (images, labels))
    return sum(top_hits(scores, truth, top)
               for scores, truth in scored(network, data, batch)) / len(data)


def scored(network, data, batch):
    """Yield (scores (n, K) on the host, labels (n,)) of all images, a batch at a time."""
    for first in range(0, len(data), batch):
        part = slice(first, first + batch)
        x = numbers(network, data.images[part])
        run = network.forward(x, to=network.logits, keep=(), caches=False)
        yield to_host(run.output).reshape(len(x), -1), data.labels[part]  # n,1,1,K -> n,K


def top_hits(scores, labels, top=1):
    """The number of images whose class is among the `top` highest scores."""
    if scores.shape[1] == 1:
        return len(labels) if top > 1 else int((predicted(scores) == labels).sum())
    best = np.argsort(-scores, axis=1)[:, :top]
    return int((best == labels[:, None]).any(axis=1).sum())


# ---- checks of what is given, for training as well

def checked(network, data, batch=1, resized=False):
    """The data, if images and labels fit the network and each other; otherwise ValueError.

    With `resized`, an augmentation brings the images to the network's size, so that any is right.
    """
    data = as_data(data)
    images, labels, classes = data.images, np.asarray(data.labels), classes_of(network)
    if len(images.shape) == 3 and network.input_shape[2] == 1:
        images = images[..., None]  # grey: N,H,W -> N,H,W,1
    if not resized and tuple(images.shape[1:]) != network.input_shape and not _greyed(
            network, images):
        raise ValueError(f"training: network {network.name} takes images (N, "
                         f"{', '.join(map(str, network.input_shape))}), got {images.shape}; "
                         "grey images need a channel axis, images[..., None]")
    if labels.ndim == 2 and labels.shape[0] == len(images):
        raise ValueError(f"training: expected a class number for each image, got labels of shape "
                         f"{labels.shape}; convert one-hot labels by labels.argmax(axis=1)")
    if labels.shape != (len(images),):
        raise ValueError(f"training: expected {len(images)} labels, one for each image, got shape "
                         f"{labels.shape}")
    if not len(labels):
        raise ValueError("training: there are no images")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        found = (f"from {labels.min()} to {labels.max()}" if labels.dtype.kind in "iuf"
                 else f"such as {str(labels[0])!r}")
        raise ValueError(f"training: network {network.name} has {classes} classes, so labels must "
                         f"be whole numbers 0 ... {classes - 1}, got {labels.dtype} {found}")
    if len(images) < batch:
        raise ValueError(f"training: {len(images)} images do not fill one batch of {batch}; use "
                         "a smaller batch")
    return Data(images, labels.astype(np.int64, copy=False), data.classes)


def _greyed(network, images):
    """Whether the network's preprocessing makes its one channel of colour pixels."""
    shape = (*network.input_shape[:2], 3)
    return (network.preprocessing is not None and network.preprocessing.order == "L"
            and images.dtype == np.uint8 and tuple(images.shape[1:]) == shape)


def numbers(network, images):
    """A batch of the network's input values: pixels are preprocessed, floats used unchanged."""
    if images.dtype.kind == "f":
        return images.astype(np.float32, copy=False)
    if network.preprocessing is None:
        raise ValueError(f"training: network {network.name} does not say how pixels become its "
                         f"input values; {how_to_set(network.input_shape)}, or give floating point "
                         "numbers, such as images / np.float32(255)")
    return normalize(images, network.preprocessing)

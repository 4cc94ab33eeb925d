"""The training loop: shuffle, cut into batches, forward, backward, step.

`epochs` is an iterator: its caller adds logging, checkpoints, early stopping and the handling of
Ctrl-C.
"""

from collections.abc import Callable, Iterator, Sequence
from math import cos, pi
from typing import NamedTuple

import numpy as np

from minicnn.ascent.optimizers import SGD, Adam
from minicnn.backend import array_module, to_host
from minicnn.fast.workspace import Workspace
from minicnn.images import normalize
from minicnn.images.preprocessing import how_to_set
from minicnn.network import Network, NotFiniteError
from minicnn.network.layers import BatchNorm
from minicnn.ops import cross_entropy
from minicnn.progress import bar


class Epoch(NamedTuple):
    """One pass over the data: its number (from 0), the mean loss, the accuracy."""

    index: int
    loss: float
    accuracy: float


def epochs(network: Network, images: np.ndarray, labels: Sequence[int] | np.ndarray,
           optimizer: SGD | Adam, count: int,
           rate: float | Callable[[float], float] | None = None,
           augment: Callable | None = None, batch: int = 64, seed: int = 0, start: int = 0,
           progress: Callable | bool = False) -> Iterator[Epoch]:
    """Train a network; yields an Epoch after each pass over the data.

    It is a generator: nothing is trained before you loop over it, as in ``for epoch in
    epochs(...)``. Each epoch is in whole batches; the images of a last, incomplete one wait for the
    next epoch's order.

    Parameters
    ----------
    network : Network
        Initialised; training replaces its parameters.
    images : (N, H, W, C) array
        In the network's own size: uint8 pixels, which its preprocessing converts a batch at a
        time, or floating point numbers, which are used unchanged.
    labels : (N,) integers
        The class of each image, counted from 0.
    optimizer : SGD or Adam
    count : int
        Epochs in all.
    rate : float or callable, optional
        The learning rate, or a function from the completed share of training, 0..1, to the
        learning rate (see `one_cycle`). By default the optimiser's own.
    augment : callable (images, rng) -> images, optional
        Applied to each batch, before the preprocessing.
    batch : int
        Images in a batch.
    seed : int
        The order, augmentation and dropout of epoch e depend on (seed, e) alone, so training
        resumed at `start` continues as if it had never stopped.
    start : int
        The first epoch to run.
    progress : bool or callable
        Show a bar for each epoch on standard error; or what wraps the iterable of an epoch's
        batches.

    Yields
    ------
    Epoch

    Raises
    ------
    ValueError
        Images or labels that do not fit the network or each other; fewer images than a batch.
    NotFiniteError
        Before a step that would make the network's arrays NaN.
    """
    images, labels = np.asarray(images), _checked(network, images, labels, batch)
    if not hasattr(optimizer, "rate"):
        raise ValueError(f"training: expected an optimiser, such as Adam(0.003), got {optimizer!r}")
    rate = optimizer.rate if rate is None else rate
    steps, rates = len(images) // batch, rate if callable(rate) else lambda done: rate
    workspace = Workspace()
    for epoch in range(start, count):
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(len(images))[: steps * batch].reshape(steps, batch)
        total, right = 0.0, 0
        for index, chosen in enumerate(_shown(order, progress, f"epoch {epoch}")):
            optimizer.rate = rates((epoch * steps + index) / (count * steps))
            pixels = images[chosen] if augment is None else augment(images[chosen], rng)
            x = _numbers(network, pixels)
            try:
                with workspace:  # every step needs arrays of the same sizes
                    loss, hits = train_step(network, x, labels[chosen], optimizer, rng)
            except NotFiniteError as error:
                raise NotFiniteError(f"training: step {index} of epoch {epoch}: {error}; a "
                                     "smaller learning rate may help") from error
            if not np.isfinite(loss):  # on a GPU only this tells
                raise NotFiniteError(f"training: the loss is {loss} at step {index} of epoch "
                                     f"{epoch}; a smaller learning rate may help")
            total, right = total + loss, right + hits
        yield Epoch(epoch, total / steps, right / (steps * batch))


def _shown(batches, progress, name):
    """The batches of an epoch, with whatever shows how far it is."""
    if callable(progress):
        yield from progress(batches)
        return
    with bar(name=name, shown=progress, total=len(batches)) as shown:
        for batch in batches:
            yield batch
            shown.update(1)


def _checked(network, images, labels, batch=1):
    """Check that images and labels fit the network, and return the labels as an array."""
    labels, classes = np.asarray(labels), network.shapes[network.logits][-1]
    if np.ndim(images) != 4 or np.shape(images)[1:] != network.input_shape:
        raise ValueError(f"training: network {network.name} takes images (N, "
                         f"{', '.join(map(str, network.input_shape))}), got {np.shape(images)}; "
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
    return labels


def _numbers(network, images):
    """A batch of the network's input values: pixels are preprocessed, floats used unchanged."""
    if images.dtype.kind == "f":
        return images.astype(np.float32, copy=False)
    if network.preprocessing is None:
        raise ValueError(f"training: network {network.name} does not say how pixels become its "
                         f"input values; {how_to_set(network.input_shape)}, or give floating point "
                         "numbers, such as images / np.float32(255)")
    return normalize(images, network.preprocessing)


def train_step(network: Network, x: np.ndarray, labels: np.ndarray, optimizer: SGD | Adam,
               seed: int | np.random.Generator = 0) -> tuple[float, int]:
    """One step on one batch: (loss, number of correctly classified images) before the step."""
    run = network.forward(x, to=network.logits, keep=(), learn=True, seed=seed)
    scores = run[network.logits]
    loss, cache = cross_entropy.forward(scores, labels)
    gradients = run.weight_gradients({network.logits: cross_entropy.backward(1.0, cache)})
    for name, named in gradients.items():
        params = network.params[name]
        params.update({key: optimizer.step(params[key], gradient, (name, key))
                       for key, gradient in named.items()})
    _track_statistics(network, run)
    hits = scores.argmax(axis=1) == array_module(scores).asarray(labels)
    return float(loss), int(hits.sum())


def accuracy(network: Network, images: np.ndarray, labels: np.ndarray, top: int = 1,
             batch: int = 250) -> float:
    """The share of images whose true class is among the `top` most likely ones.

    Parameters
    ----------
    network : Network
    images, labels
        As for `epochs`.
    top : int
    batch : int
        Images in a pass.

    Returns
    -------
    float
        From 0 to 1.
    """
    images, labels = np.asarray(images), _checked(network, images, labels)
    right = 0
    for i in range(0, len(images), batch):
        x = _numbers(network, images[i : i + batch])
        run = network.forward(x, to=network.logits, keep=(), caches=False)
        best = np.argsort(-to_host(run.output), axis=1)[:, :top]
        right += int((best == labels[i : i + batch, None]).any(axis=1).sum())
    return right / len(images)


def one_cycle(peak: float, warm: float = 0.15, end: float = 0.001) -> Callable[[float], float]:
    """A learning rate as a function of the completed share of training, 0..1.

    During the first share `warm` it rises linearly from 4 % of `peak` to `peak`; then it falls as
    half a cosine to ``end * peak``.
    """
    def rate(done):
        if done < warm:
            return peak * (0.04 + 0.96 * done / warm)
        falling = (1 + cos(pi * (done - warm) / (1 - warm))) / 2
        return peak * (end + (1 - end) * falling)
    return rate


def _track_statistics(network, run):
    """Move each batch norm's running mean and variance towards this batch's (biased) ones."""
    for name, layer, _ in network.rows:
        if isinstance(layer, BatchNorm) and name in run.caches:
            arrays, cache = network.params[name], run.caches[name]
            if not all(getattr(getattr(cache, key, None), "shape", None) == arrays[key].shape
                       for key in ("mean", "variance")):
                raise ValueError(f"layer {name}: training needs the batch's mean and variance for "
                                 "the running ones, but the cache of this batch_norm has no "
                                 f"fields `mean` and `variance` of shape {arrays['mean'].shape}")
            for key, new in (("mean", cache.mean), ("variance", cache.variance)):
                arrays[key] = layer.momentum * arrays[key] + (1 - layer.momentum) * new

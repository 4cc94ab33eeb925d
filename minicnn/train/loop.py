"""The training loop: shuffle, cut into batches, forward, backward, step.

`epochs` is an iterator, so that logging, checkpoints, early stopping and Ctrl-C are things done
with it, outside.
"""

from math import cos, pi
from typing import NamedTuple

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.fast.workspace import Workspace
from minicnn.images import normalize
from minicnn.network.layers import BatchNorm
from minicnn.ops import cross_entropy


class Epoch(NamedTuple):
    """One pass over the data: its number (from 0), the mean loss, the share classified right."""

    index: int
    loss: float
    accuracy: float


def epochs(network, images, labels, optimizer, count, rate, augment=None, batch=64, seed=0,
           start=0, progress=lambda batches: batches):
    """Train a network; yields an Epoch after each pass over the data.

    Parameters
    ----------
    network : Network
        Initialised; its parameters are replaced as training goes on.
    images : (N, H, W, 3) uint8 array
        Of the network's own size; `images.normalize` turns each batch into its numbers.
    labels : (N,) integers
    optimizer : SGD or Adam
    count : int
        Epochs in all.
    rate : callable
        The learning rate from the share of training done, 0..1 (see `one_cycle`).
    augment : callable (images, rng) -> images, optional
        Applied to each uint8 batch.
    batch : int
    seed : int
        Order, augmentation and dropout of epoch e follow from (seed, e) alone, so training taken
        up again at `start` goes on as if it had never stopped.
    start : int
        The first epoch to run.
    progress : callable
        Wraps the iterable of an epoch's batches, e.g. tqdm.

    Yields
    ------
    Epoch
    """
    steps = len(images) // batch
    if steps < 1:
        raise ValueError(f"training: {len(images)} images do not fill one batch of {batch}")
    workspace = Workspace()
    for epoch in range(start, count):
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(len(images))[: steps * batch].reshape(steps, batch)
        total, right = 0.0, 0
        for index, chosen in enumerate(progress(order)):
            optimizer.rate = rate((epoch * steps + index) / (count * steps))
            pixels = images[chosen] if augment is None else augment(images[chosen], rng)
            x = normalize(pixels, network.needed_preprocessing())
            with workspace:  # every step needs arrays of the same sizes
                loss, hits = train_step(network, x, labels[chosen], optimizer, rng)
            total, right = total + loss, right + hits
        yield Epoch(epoch, total / steps, right / (steps * batch))


def train_step(network, x, labels, optimizer, seed=0):
    """One step on one batch: (loss, number classified right) before the step."""
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


def accuracy(network, images, labels, top=1, batch=250):
    """The share of images whose true class is among the `top` likeliest."""
    right = 0
    for i in range(0, len(images), batch):
        x = normalize(images[i : i + batch], network.needed_preprocessing())
        run = network.forward(x, to=network.logits, keep=(), caches=False)
        best = np.argsort(-to_host(run.output), axis=1)[:, :top]
        right += int((best == labels[i : i + batch, None]).any(axis=1).sum())
    return right / len(images)


def one_cycle(peak, warm=0.15, end=0.001):
    """A learning rate as a function of the share of training done, 0..1.

    From 4 % of `peak` it climbs straight to `peak` during the first share `warm`, then falls as
    half a cosine to the share `end` of it.
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
            for key, new in (("mean", cache.mean), ("variance", cache.variance)):
                arrays[key] = layer.momentum * arrays[key] + (1 - layer.momentum) * new

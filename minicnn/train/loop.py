"""The training loop: shuffle, cut into batches, forward, backward, step.

`fit` is an iterator: its caller adds logging, early stopping and whatever else should happen after
each epoch. `train_step` is what happens to one batch.
"""

import fnmatch
import inspect
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import wraps
from math import inf
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.ascent.optimizers import SGD, Adam, AdamW, RMSprop
from minicnn.backend import array_module
from minicnn.fast.workspace import Workspace
from minicnn.network import Network, NotFiniteError
from minicnn.network.layers import BatchNorm
from minicnn.network.rows import near
from minicnn.progress import bar
from minicnn.train import checkpoint as checkpoints
from minicnn.train.ahead import ahead
from minicnn.train.data import Data
from minicnn.train.evaluation import accuracy, checked, evaluate, numbers
from minicnn.train.losses import classes_of, loss_of, predicted, soft
from minicnn.train.schedules import one_cycle

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)  # of training: where a checkpoint compares schedules

__all__ = ["Epoch", "accuracy", "epochs", "fit", "one_cycle", "train_step"]


class Epoch(NamedTuple):
    """One pass over the data: its number (from 0), the mean loss and the accuracy while training
    (with augmentation and dropout); then the same of the validation data, None without."""

    index: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None

    def __repr__(self):
        words = f"epoch {self.index + 1}   loss {self.loss:.3f}   accuracy {self.accuracy:.1%}"
        if self.val_loss is None:
            return words
        return f"{words}   validation: loss {self.val_loss:.3f}   accuracy {self.val_accuracy:.1%}"


class Training(Iterator):
    """The epochs of `fit`: an iterator that says what it is waiting for."""

    def __init__(self, network, epochs):
        if not isinstance(network, Network):
            raise ValueError("training: expected a Network, as `minicnn.load` gives it, got "
                             f"{type(network).__name__}")
        self._network, self._epochs = network, epochs

    def __next__(self):
        return next(self._epochs)

    def close(self):
        """End it: as of a generator."""
        self._epochs.close()

    def __repr__(self):
        begun = inspect.getgeneratorstate(self._epochs) != inspect.GEN_CREATED
        return f"<training of {self._network.name}, " + (
            "begun>" if begun else "not begun: loop over it, or list(...) trains at once>")


def _waiting(generator):
    """`fit`, whose generator is a Training."""
    @wraps(generator)
    def made(network, *arguments, **settings):
        return Training(network, generator(network, *arguments, **settings))
    return made


@_waiting
def fit(network: Network, data: Data | Sequence, epochs: int = 10,
        optimizer: SGD | RMSprop | Adam | AdamW | None = None, *,
        rate: float | Callable[[float], float] | None = None, batch: int = 64,
        validation: Data | Sequence | None = None, augment: Callable | None = None,
        smoothing: float = 0.0, mixup: float = 0.0, clip: float | None = None,
        frozen: str | Sequence[str] = (), seed: int = 0, start: int = 0,
        checkpoint: str | Path | None = None, after: Callable[[Epoch], object] | None = None,
        progress: Callable | bool = True) -> Iterator[Epoch]:
    """Train a network; yields an Epoch after each pass over the data.

    It is an iterator: nothing is trained before you loop over it, as in ``history =
    list(fit(...))``. Each epoch is in whole batches; the images of a last, incomplete one wait for
    the next epoch's order. The random numbers of a step depend on (seed, epoch, step) alone, so the
    same call gives the same bytes, also if it was interrupted and continued.

    Parameters
    ----------
    network : Network
        Initialised; training replaces its parameters. One that ends in a single sigmoid tells two
        classes apart; any other is trained with the softmax cross-entropy of its scores.
    data : Data, or pair (images, labels)
        images (N, H, W, C) in the network's own size: uint8 pixels, which its preprocessing
        converts a batch at a time, or floating point numbers, which are used unchanged. labels
        (N,): the class of each image, counted from 0.
    epochs : int
        Passes over the data, in all.
    optimizer : SGD, RMSprop, Adam, AdamW, ...
        By default ``Adam(0.001)``.
    rate : float or callable, optional
        The learning rate, at least 0, or a function from the completed share of training, 0..1,
        to the learning rate (see `minicnn.train.schedules`). By default the optimiser's own, which
        may be such a function, too: ``Adam(one_cycle(0.003))``. The optimiser keeps its own.
    batch : int
        Images in a batch.
    validation : Data, or pair (images, labels), optional
        Measured after each epoch.
    augment : callable (images, rng) -> images, optional
        Applied to each batch, before the preprocessing; see `minicnn.train.augment`. It may also
        bring the images to the network's size.
    smoothing : float in [0, 1)
        Label smoothing; see `minicnn.train.losses.soft`.
    mixup : float
        Above 0: mixup (Zhang et al. 2018). Each image becomes share l of itself and 1 - l of
        another one of its batch, and so does its target; l is drawn from Beta(mixup, mixup).
    clip : float, optional
        The most that the length of the gradient, over all parameters together, may be; a longer
        one is scaled down.
    frozen : str or sequence of str
        Names of layers that do not learn, or patterns such as "conv*".
    seed : int
    start : int
        The first epoch to run.
    checkpoint : path, optional
        A file that holds the state after each epoch, and at Ctrl-C. If it exists, its epochs are
        yielded first, as they were, and training goes on from there. It is kept at the end.
    after : callable, optional
        Called with the Epoch after each epoch that this call trains, before its checkpoint is
        written: never for one that comes from the checkpoint, when the network is already further.
        `minicnn.train.snapshots` uses it.
    progress : bool or callable
        Whether to show a bar for each epoch on standard error; or what wraps the iterable of an
        epoch's batches.

    Yields
    ------
    Epoch

    Raises
    ------
    ValueError
        Images or labels that do not fit the network or each other; fewer images than a batch;
        settings out of range, also a rate that a schedule gives.
    NotFiniteError
        Before a step that would make the network's arrays NaN; it names the layer and the step.
    KeyboardInterrupt
        At Ctrl-C, once the checkpoint is written.
    """
    optimizer = Adam(0.001) if optimizer is None else optimizer
    _check_settings(optimizer, epochs, smoothing, mixup, clip)
    data = checked(network, data, batch, resized=augment is not None)
    validation = None if validation is None else checked(network, validation)
    frozen, steps = _named(network, frozen), len(data) // batch
    own = optimizer.rate if rate is None else rate
    settings = _numbers_of(optimizer) | {
        "network": network.name, "images": len(data), "epochs": epochs, "batch": batch,
        "seed": seed, "smoothing": smoothing, "mixup": mixup, "clip": clip,
        "frozen": sorted(frozen), "rate": own}
    if callable(own):
        settings["rate"] = [own(done) for done in SHARES] if checkpoint is not None else None
    place = {"epoch": start, "step": 0, "loss": 0.0, "right": 0, "history": []}
    if checkpoint is not None and Path(checkpoint).exists():
        place = checkpoints.load(checkpoint, network, optimizer, settings)
        yield from (Epoch(*told) for told in place["history"])
    workspace = Workspace()  # every step needs arrays of the same sizes

    def one_epoch(epoch):
        order = np.random.default_rng((seed, epoch)).permutation(len(data))
        order = order[: steps * batch].reshape(steps, batch)[place["step"] :]

        def made(item):
            step, chosen = item
            rng = np.random.default_rng((seed, epoch, step, 0))
            return _prepared(network, data, chosen, augment, mixup, rng)

        with (closing(ahead(made, enumerate(order, place["step"]))) as batches,
              _shown(order, progress, f"epoch {epoch + 1}", place) as shown):
            for _, (x, targets) in zip(shown, batches, strict=False):
                step = place["step"]
                done = (epoch * steps + step) / (epochs * steps)
                rng = np.random.default_rng((seed, epoch, step, 1))
                with (_uninterrupted(), workspace, _told_where(step, epoch),
                      _at(optimizer, own(done) if callable(own) else own)):
                    loss, hits = train_step(network, x, targets, optimizer, rng, smoothing, clip,
                                            frozen)
                    place.update(step=step + 1, loss=place["loss"] + loss,
                                 right=place["right"] + hits)
        told = Epoch(epoch, place["loss"] / steps, place["right"] / (steps * batch))
        if validation is None:
            return told
        measured = evaluate(network, validation)
        return told._replace(val_loss=measured.loss, val_accuracy=measured.top1)

    def save():
        if checkpoint is not None:
            checkpoints.save(checkpoint, network, optimizer, settings, place)

    for epoch in range(place["epoch"], epochs):
        try:
            told = one_epoch(epoch)
            if after is not None:
                after(told)
            place = {"epoch": epoch + 1, "step": 0, "loss": 0.0, "right": 0,
                     "history": [*place["history"], list(told)]}
        except KeyboardInterrupt:  # between two steps
            save()
            raise
        save()
        yield told


def epochs(network: Network, images: np.ndarray, labels: Sequence[int] | np.ndarray,
           optimizer: SGD | Adam, count: int,
           rate: float | Callable[[float], float] | None = None,
           augment: Callable | None = None, batch: int = 64, seed: int = 0, start: int = 0,
           progress: Callable | bool = False) -> Iterator[Epoch]:
    """`fit` with its first parameters in another order, and no bar: for one's own loops."""
    return fit(network, (images, labels), count, optimizer, rate=rate, batch=batch,
               augment=augment, seed=seed, start=start, progress=progress)


def train_step(network: Network, x: np.ndarray, targets: np.ndarray, optimizer: SGD | Adam,
               seed: int | np.random.Generator = 0, smoothing: float = 0.0,
               clip: float | None = None, frozen: Collection[str] = ()) -> tuple[float, int]:
    """One step on one batch: (loss, number of correctly classified images) before the step.

    `targets` are class numbers (N,) or probabilities (N, K); `frozen` are names of layers. The
    other parameters are those of `fit`; the optimiser's rate is a number here.
    """
    _check_rate(optimizer.rate)
    learning = [name for name in network.names if name not in frozen]
    run = network.forward(x, to=network.logits, keep=(), learn=learning, seed=seed)
    scores = run[network.logits].reshape(len(x), -1)  # N,1,1,K -> N,K
    loss, dscores = loss_of(network)(scores, targets, smoothing)
    loss = float(loss)
    if not np.isfinite(loss):
        raise NotFiniteError(f"the loss is {loss}")
    gradients = run.weight_gradients(
        {network.logits: dscores.reshape(run[network.logits].shape)})
    length = _length(gradients)
    shrink = 1.0 if clip is None else min(1.0, clip / (length + 1e-6))
    for name, arrays in gradients.items():
        params = network.params[name]
        params.update({key: optimizer.step(
            params[key], gradient if shrink == 1 else gradient * gradient.dtype.type(shrink),
            (name, key)) for key, gradient in arrays.items()})
    _track_statistics(network, run, frozen)
    labels = targets if np.ndim(targets) == 1 else np.argmax(targets, axis=1)
    return loss, int((predicted(scores) == array_module(scores).asarray(labels)).sum())


def _check_settings(optimizer, epochs, smoothing, mixup, clip):
    if not hasattr(optimizer, "rate"):
        raise ValueError(f"training: expected an optimiser, such as Adam(0.003), got {optimizer!r}")
    if not (0 <= smoothing < 1 and mixup >= 0 and epochs > 0 and (clip is None or clip > 0)):
        raise ValueError("training: expected smoothing in [0, 1), mixup of at least 0, clip above 0"
                         f" and at least one epoch, got {smoothing}, {mixup}, {clip} and {epochs}")


def _check_rate(rate):
    if not (isinstance(rate, Real) and 0 <= rate < inf):
        raise ValueError(f"training: expected a learning rate of at least 0, got {rate!r}; give a "
                         "number, or, for a whole training, a schedule that gives numbers, such as "
                         "rate=train.one_cycle(0.01)")


@contextmanager
def _at(optimizer, rate):
    """Let the optimiser have this rate in the block."""
    own, optimizer.rate = optimizer.rate, rate
    try:
        yield
    finally:
        optimizer.rate = own


def _numbers_of(optimizer):
    """An optimiser's name and settings (momentum, decay, ...), for the checkpoint."""
    return {"optimizer": type(optimizer).__name__} | {
        name: value for name, value in vars(optimizer).items() if isinstance(value, (int, float))}


# ---- batches

def _prepared(network, data, chosen, augment, mixup, rng):
    """The batch of the images `chosen`: (input values, targets)."""
    pixels, targets = data.images[chosen], data.labels[chosen]
    x = numbers(network, pixels if augment is None else augment(pixels, rng))
    if x.shape[1:] != network.input_shape:
        raise ValueError(f"training: the augmentation gives images {x.shape[1:]}, but network "
                         f"{network.name} takes {network.input_shape}")
    if not mixup:
        return x, targets
    share, other = rng.beta(mixup, mixup), rng.permutation(len(x))
    t = soft(targets, classes_of(network))
    return (np.float32(share) * x + np.float32(1 - share) * x[other],
            share * t + (1 - share) * t[other])


def _named(network, patterns):
    """The set of the names of all layers that match one of the patterns; ValueError for none."""
    found = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        matching = fnmatch.filter(network.names, pattern)
        if not matching:
            raise ValueError(f"training: network {network.name} has no layer {pattern!r} to freeze"
                             + near(pattern, network.names, 0.4))
        found |= set(matching)
    if not network.param_shapes.keys() - found:
        raise ValueError("training: all layers with parameters are frozen; nothing would learn")
    return found


@contextmanager
def _shown(batches, progress, name, place):
    """The batches of an epoch, with whatever shows how far it is."""
    if callable(progress):
        yield progress(batches)
        return

    def counted(shown):
        for k, chosen in enumerate(batches, place["step"]):
            yield chosen
            seen = (k + 1) * len(chosen)
            shown.set_postfix_str(f"loss {place['loss'] / (k + 1):.3f}, accuracy "
                                  f"{place['right'] / seen:.1%}", refresh=False)
            shown.update(1)

    total = len(batches) + place["step"]
    with bar(name=name, shown=progress, total=total, initial=place["step"]) as shown:
        yield counted(shown)


@contextmanager
def _uninterrupted():
    """Hold Ctrl-C back until the body has ended, so that a step is done as a whole or not at all.

    Signals reach the main thread only; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = []
    before = signal.signal(signal.SIGINT, lambda *_: held.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if held:
        raise KeyboardInterrupt


# ---- numbers that are not finite

@contextmanager
def _told_where(step, epoch):
    try:
        yield
    except NotFiniteError as error:
        raise NotFiniteError(f"training: step {step} of epoch {epoch}: {error}; a smaller learning "
                             "rate may help, or clipped gradients") from error


def _length(gradients):
    """The length of the gradient, over all parameters; NotFiniteError names the layer nearest to
    the output whose gradient is not finite."""
    squares = {name: sum((g * g).sum() for g in arrays.values())
               for name, arrays in gradients.items()}
    total = float(sum(squares.values()))
    if not np.isfinite(total):
        name = next((name for name, s in squares.items() if not np.isfinite(float(s))), "all")
        raise NotFiniteError(f"the gradient at the parameters of layer {name} is not finite")
    return total**0.5


def _track_statistics(network, run, frozen):
    """Move each batch norm's running mean and variance towards this batch's (biased) ones."""
    for name, layer, _ in network.rows:
        if isinstance(layer, BatchNorm) and name in run.caches and name not in frozen:
            arrays, cache = network.params[name], run.caches[name]
            if not all(getattr(getattr(cache, key, None), "shape", None) == arrays[key].shape
                       for key in ("mean", "variance")):
                raise ValueError(f"layer {name}: training needs the batch's mean and variance for "
                                 "the running ones, but the cache of this batch_norm has no "
                                 f"fields `mean` and `variance` of shape {arrays['mean'].shape}")
            for key, new in (("mean", cache.mean), ("variance", cache.variance)):
                arrays[key] = layer.momentum * arrays[key] + (1 - layer.momentum) * new

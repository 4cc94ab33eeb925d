"""The one loop over an image: look, go back down, step.

`steps` is an iterator. Progress bars, tables, early stopping, saving and Ctrl-C are things done
with it, outside; `follow` does the usual ones. Every method of `minicnn.vis` that optimises an
image uses this loop and no other.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.ascent.parametrize import ITSELF
from minicnn.ascent.transforms import apply
from minicnn.backend import array_module, to_device, to_host
from minicnn.fast.workspace import Workspace
from minicnn.network import INPUT
from minicnn.progress import bar


class DivergedError(ValueError):
    """The objective is no longer a finite number."""


class Step(NamedTuple):
    """An image and its value: `value` (N,) and each term's share `by_term` are of this very image
    (after the step's random transforms, where there are any); step 0 is the start. The image is
    in the network's own numbers; `parameters` are what it was made from, itself where there is no
    parametrisation. Both are on the network's device, the values on the host: all that a step
    copies from a GPU, but for one bit that says whether a gradient was zero everywhere."""

    index: int
    image: Any
    value: Any
    by_term: dict
    parameters: Any


class Ascent(NamedTuple):
    """Where an ascent ended, and whether by Ctrl-C; `trace` (steps + 1, N) holds the values on the
    way, `by_term` each term's share of them by name."""

    image: Any
    trace: Any
    by_term: dict
    interrupted: bool


def look(network, objective, image, transforms=(), rng=None, backward=True, redirect=False):
    """The objective's value at an image and, if wanted, its gradient there.

    With `redirect`, a gradient that is zero everywhere gives way to the deconvnet's direction.

    Returns
    -------
    value : objectives.Value
    gradient : array of the image's shape, or None
    """
    inside, outside = objective.on_layers, objective.on_image
    value = outside.evaluate({INPUT: image})
    gradient = value.gradients.get(INPUT, 0)
    if inside.terms:
        moved, undo = apply(transforms, image, rng)
        run = network.forward(moved, to=inside.places, keep=(), caches=backward)
        seen = inside.evaluate(run)
        if backward:
            dx = run.backward(seen.gradients)
            if redirect:
                dx = _redirected(dx, run, seen.gradients)
            gradient = gradient + undo(dx)
        value = value._replace(total=seen.total + value.total, by_term=seen.by_term | value.by_term)
    return value, gradient if backward else None


def _redirected(dx, run, seeds):
    """dx, but for each image where it is zero everywhere what the deconvnet's rule gives."""
    silent = ~dx.reshape(len(dx), -1).any(axis=1)  # N,H,W,C -> N
    if not silent.any():
        return dx
    other = run.backward(seeds, relu="deconvnet")
    return array_module(dx).where(silent[:, None, None, None], other, dx)


def steps(network, objective, start, optimizer, count, transforms=(), regularizers=(),
          bounds=None, seed=0, parametrization=ITSELF, look=look):
    """Make an objective large by gradient ascent on the image.

    A layer that an image leaves silent passes no gradient, and its ascent could not begin. Where
    an image's gradient is zero everywhere, that step takes the deconvnet's rule at the ReLUs
    instead, which does not ask what was active. It is a way out more often than not; a unit that
    stays silent is better climbed by the layer before its ReLU.

    Parameters
    ----------
    network : Network
    objective : objectives.Objective
    start : array (N, H, W, C)
        The image to start from, in the network's preprocessing, or the `parametrization`'s
        parameters; each image of the batch is optimised on its own.
    optimizer : SGD or Adam
        Fresh, or with the memory of an ascent that goes on.
    count : int
        Steps to take.
    transforms : sequence of transforms
        Applied to the image each time before the network looks; image terms see it untouched.
    regularizers : sequence of callable
        Done to the image after each step, whatever the objective (`ascent.regularizers`).
    bounds : (low, high), optional
        Arrays or numbers the image is kept between (`images.bounds`: what can be shown).
    seed : int
        For the transforms.
    parametrization : parametrize.Parametrization
        What the image is a function of. Moves and bounds are for images that are their own
        parameters; others have a range of their own.
    look : callable
        Takes and gives what `look` does, where that is not to look at the whole image at once.

    Yields
    ------
    Step
        count + 1 of them: the start, then the image after every step.

    Raises
    ------
    DivergedError
        When a value is not finite; the last step yielded holds the last good image.
    ValueError
        Moves or bounds together with a parametrisation.
    """
    if parametrization is not ITSELF and (regularizers or bounds is not None):
        raise ValueError("loop: regularizers and bounds act on pixels, and here the image is made "
                         "from other numbers; leave them out, or the parametrization")
    rng, workspace = np.random.default_rng(seed), Workspace()
    parameters = start if network is None else to_device(start, network.device)
    if bounds is not None:
        bounds = [array_module(parameters).asarray(bound, dtype=start.dtype) for bound in bounds]
    for index in range(count + 1):
        with workspace:  # every step needs arrays of the same sizes
            image, back = parametrization.forward(parameters)
            value, gradient = look(network, objective, image, transforms, rng, index < count, True)
        total = to_host(value.total)
        if not np.isfinite(total).all():
            raise DivergedError(f"step {index}: the objective is {total}, not a finite number; "
                                "take smaller steps (a smaller rate)")
        by_term = {name: to_host(share) for name, share in value.by_term.items()}
        yield Step(index, image, total, by_term, parameters)
        if index < count:
            parameters = optimizer.step(parameters, -back(gradient), INPUT)
            for regularize in regularizers:
                parameters = regularize(parameters, gradient, index)
            if bounds is not None:
                parameters = array_module(parameters).clip(parameters, *bounds)


def then(first, following):
    """One ascent after another, as a single iterator of steps.

    Parameters
    ----------
    first : iterator of Step
    following : callable
        Given the parameters (without a parametrisation: the image) where the first ended, the
        second.
    """
    last = None
    for last in first:
        yield last
    for step in following(last.parameters):
        if step.index > 0:  # its start is where the first ended
            yield step._replace(index=last.index + step.index)


def follow(iterator, count, progress=False, name="", watch=None):
    """Run an ascent to its end and gather what every method returns.

    Parameters
    ----------
    iterator : iterator of Step
    count : int
        Steps expected, for the progress bar.
    progress : bool
        Show a bar on standard error when that is a terminal.
    name : str
        Written before the bar.
    watch : callable, optional
        Called with each Step as it comes: frames, tables, early stopping by an exception.

    Returns
    -------
    Ascent
        Ctrl-C ends it early, with the image so far.
    """
    taken, interrupted = [], False
    try:
        with bar(name=name, shown=progress, total=count) as shown:
            for step in iterator:
                taken.append((step.value, step.by_term))
                image = step.image
                if watch is not None:
                    watch(step)
                shown.set_postfix_str(f"{float(step.value.mean()):.4g}", refresh=False)
                shown.update(step.index > 0)
    except KeyboardInterrupt:
        if not taken:
            raise
        interrupted = True
    trace, shares = zip(*taken, strict=True)
    by_term = {term: np.array([share[term] for share in shares]) for term in shares[0]}
    return Ascent(to_host(image), np.array(trace), by_term, interrupted)

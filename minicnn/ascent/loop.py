"""The loop of gradient ascent on an image: forward pass, backward pass, step.

`steps` is an iterator. Its caller adds progress bars, tables, early stopping, saving and the
handling of Ctrl-C; `follow` does the usual ones. Every method of `minicnn.vis` that optimises an
image uses this loop and no other.
"""

from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from minicnn.ascent.lbfgs import LBFGS
from minicnn.ascent.objectives.term import Value
from minicnn.ascent.parametrize import ITSELF
from minicnn.ascent.transforms import apply
from minicnn.backend import array_module, to_device, to_host
from minicnn.fast.workspace import Workspace
from minicnn.network import INPUT, NotFiniteError
from minicnn.progress import bar


class DivergedError(ValueError):
    """The objective is no longer a finite number."""


class Step(NamedTuple):
    """An image and its value; step 0 is the start.

    `value` (N,) and each term's share of it, `by_term`, belong to this very image (after the
    step's random transforms, if any). `image` is in the network's input values; `parameters` are
    the numbers it was made from, without a parametrisation the image itself. Both are on the
    network's device, the values on the host. A step copies nothing else from a GPU but one bit:
    whether a gradient was zero everywhere; with L-BFGS also the dot products of its two loops.
    """

    index: int
    image: Any
    value: Any
    by_term: dict
    parameters: Any


class Ascent(NamedTuple):
    """The last image of an ascent, and whether Ctrl-C ended it.

    `trace` (steps + 1, N) holds the values of all steps, `by_term` each term's share of them.
    """

    image: Any
    trace: Any
    by_term: dict
    interrupted: bool


def look(network, objective, image, transforms=(), rng=None, backward=True, redirect=False):
    """The objective's value at an image and, if wanted, its gradient there.

    With `redirect`, the deconvnet's direction replaces a gradient that is zero everywhere.

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
            gradient = gradient + undo(_redirected(dx, run, seen.gradients) if redirect else dx)
        value = value._replace(total=seen.total + value.total, by_term=seen.by_term | value.by_term)
    return value, gradient if backward else None


def few_at_once(most):
    """A `look` that passes at most `most` images at a time, all with the same random numbers.

    With ``most=1`` each image's result is the same to the last bit as if it were alone in its
    batch: BLAS may round a dense layer differently for several images.
    """
    def look_at_parts(network, objective, image, transforms, rng, backward, redirect):
        drawn, seen = rng.bit_generator.state, []
        for first in range(0, len(image), most):
            part = slice(first, first + most)
            rng.bit_generator.state = drawn
            seen.append(look(network, objective.of_images(part), image[part], transforms, rng,
                             backward, redirect))
        values, gradients = zip(*seen, strict=True)
        xp = array_module(image)
        value = Value(xp.concatenate([value.total for value in values]),
                      {name: xp.concatenate([value.by_term[name] for value in values])
                       for name in values[0].by_term}, {})
        return value, xp.concatenate(gradients) if backward else None
    return look_at_parts


def averaged(count, look=look):
    """A `look` that is the mean of `count` looks, each with random numbers of its own."""
    def look_again(*arguments):
        values, gradients = zip(*[look(*arguments) for _ in range(count)], strict=True)
        value = Value(sum(one.total for one in values) / count,
                      {name: sum(one.by_term[name] for one in values) / count
                       for name in values[0].by_term}, {})
        return value, None if gradients[0] is None else sum(gradients) / count
    return look if count == 1 else look_again


def _redirected(dx, run, seeds):
    """The gradient dx, with the deconvnet's direction for images whose gradient is zero."""
    silent = ~dx.reshape(len(dx), -1).any(axis=1)  # N,H,W,C -> N
    if not silent.any():
        return dx
    other = run.backward(seeds, relu="deconvnet")
    return array_module(dx).where(silent[:, None, None, None], other, dx)


def steps(network, objective, start, optimizer, count, transforms=(), regularizers=(),
          bounds=None, seed=0, parametrization=ITSELF, look=look):
    """Maximise an objective by gradient ascent on the image.

    A ReLU whose inputs are all negative passes no gradient, so the ascent could not begin. For an
    image whose gradient is zero everywhere, the step uses the deconvnet's rule at the ReLUs, which
    does not depend on which units are active. This helps more often than not; if a unit stays
    silent, maximise the layer before its ReLU.

    Parameters
    ----------
    network : Network
    objective : objectives.Objective
    start : array (N, H, W, C)
        The image to start from, in the network's preprocessing, or the parameters of the
        `parametrization`. Each image of the batch is optimised on its own.
    optimizer : SGD, Adam or LBFGS
        New, or with the state of an ascent that continues. `lbfgs.LBFGS` looks at several images
        to find the next one, needs the same value for the same image (no transforms, no
        regularizers), and takes one image at a time.
    count : int
        Number of steps. L-BFGS takes fewer if no step leads further up.
    transforms : sequence of transforms
        Applied to the image before each forward pass; image terms see the unchanged image.
    regularizers : sequence of callable
        Applied to the image after each step, whatever the objective (`ascent.regularizers`).
    bounds : (low, high), optional
        Numbers or arrays to clip the image to (`images.bounds`: the range that can be shown).
    seed : int
        Seed of the transforms.
    parametrization : parametrize.Parametrization
        How parameters become the image. Regularizers and bounds need an image that is its own
        parameters; other parametrisations have a range of their own.
    look : callable
        Replaces `look`, with the same arguments and results, for example to work in parts.

    Yields
    ------
    Step
        count + 1 steps: the start, then the image after every step. L-BFGS steps back from an
        image whose value is not finite.

    Raises
    ------
    DivergedError
        A value is not finite; the last step yielded holds the last good image.
    ValueError
        Regularizers or bounds together with a parametrisation; L-BFGS together with transforms,
        regularizers or several images.
    """
    if parametrization is not ITSELF and (regularizers or bounds is not None):
        raise ValueError("loop: regularizers and bounds act on pixels, but a parametrization makes "
                         "the image from other numbers; leave out either them or it")
    rng, workspace = np.random.default_rng(seed), Workspace()
    parameters = start if network is None else to_device(start, network.device)
    if bounds is not None:
        bounds = [array_module(parameters).asarray(bound, dtype=start.dtype) for bound in bounds]

    def at(parameters, index, backward=True, redirect=True):
        """The Step there, the gradient at the image, and at the parameters (None: backward)."""
        with workspace:  # every step needs arrays of the same sizes
            image, back = parametrization.forward(parameters)
            try:
                value, gradient = look(network, objective, image, transforms, rng, backward,
                                       redirect)
            except NotFiniteError as error:
                raise DivergedError(f"step {index}: {error}; take smaller steps (a smaller rate)"
                                    if index else f"step 0: {error}") from error
        by_term = {name: to_host(share) for name, share in value.by_term.items()}
        return (Step(index, image, to_host(value.total), by_term, parameters), gradient,
                back(gradient) if backward else None)

    if isinstance(optimizer, LBFGS):
        yield from _searched(at, parameters, optimizer, count, bounds, transforms or regularizers)
        return
    for index in range(count + 1):
        step, gradient, slope = at(parameters, index, index < count)
        yield _finite(step)
        if index < count:
            parameters = optimizer.step(parameters, -slope, INPUT)
            for regularize in regularizers:
                parameters = regularize(parameters, gradient, index)
            if bounds is not None:
                parameters = array_module(parameters).clip(parameters, *bounds)


def _searched(at, parameters, optimizer, count, bounds, changes):
    """The steps of L-BFGS, for `steps`."""
    if changes or len(parameters) != 1:
        raise ValueError("loop: L-BFGS compares the values of images, so it takes no transforms "
                         "and no regularizers, and one image at a time; got "
                         + ("some of them" if changes else f"{len(parameters)} images"))

    begun = False

    def function(parameters):
        nonlocal begun
        try:
            step, _, slope = at(parameters, None, redirect=False)
        except DivergedError:  # too far: the search goes back
            if not begun:
                raise
            return np.inf, 0 * parameters, None
        begun = True
        return -step.value[0], -slope, step
    points = optimizer.points(function, parameters, bounds)
    for index, point in enumerate(islice(points, count + 1)):
        (step,) = point.more
        yield _finite(step._replace(index=index))


def _finite(step):
    if not np.isfinite(step.value).all():
        raise DivergedError(f"step {step.index}: the objective is {step.value}, not a finite "
                            "number; take smaller steps (a smaller rate)")
    return step


def then(first, following):
    """Two ascents, one after the other, as a single iterator of steps.

    Parameters
    ----------
    first : iterator of Step
    following : callable
        Takes the last parameters of the first ascent (without a parametrisation: its image) and
        returns the second ascent, an iterator of Step.
    """
    last = None
    for last in first:
        yield last
    for step in following(last.parameters):
        if step.index > 0:  # step 0 is the first ascent's last step
            yield step._replace(index=last.index + step.index)


def follow(iterator, count, progress=False, name="", watch=None):
    """Run an ascent to its end and collect its results.

    Parameters
    ----------
    iterator : iterator of Step
    count : int
        Number of steps expected, for the progress bar.
    progress : bool
        Show a bar on standard error if that is a terminal.
    name : str
        Label in front of the bar.
    watch : callable, optional
        Called with each Step: for frames, tables, early stopping by an exception.

    Returns
    -------
    Ascent
        After Ctrl-C it holds the image reached so far.
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

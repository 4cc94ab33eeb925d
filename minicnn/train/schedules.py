"""Schedules: the learning rate as a function of the share of training that is done, 0..1.

    constant     r
    steps        r, then r f, r f^2, ...: times f at each of some shares
    cosine       r (1 + cos(pi t)) / 2, to a small rest of r (Loshchilov & Hutter 2017)
    one_cycle    a climb to r, then half a cosine (Smith 2018, simplified)

`warm_up` puts a climb from nearly 0 before any of them. To see one: ``[rate(k / 100) for k in
range(101)]``. `train.fit` takes one where a rate is, ``Adam(one_cycle(0.003))`` or ``rate=...``.
"""

from collections.abc import Callable, Sequence
from math import cos, pi

Schedule = Callable[[float], float]


def constant(rate: float) -> Schedule:
    """The same rate all the time."""
    return lambda done: rate


def steps(rate: float, factor: float = 0.1, at: Sequence[float] = (0.5, 0.75)) -> Schedule:
    """`rate`, multiplied by `factor` at each of the shares `at`."""
    return lambda done: rate * factor ** sum(done >= share for share in at)


def cosine(rate: float, end: float = 0.001) -> Schedule:
    """From `rate` down to ``end * rate``, as half a period of a cosine."""
    return lambda done: rate * (end + (1 - end) * (1 + cos(pi * done)) / 2)


def warm_up(schedule: Schedule, share: float = 0.05, start: float = 0.04) -> Schedule:
    """`schedule`, whose values rise from `start` times themselves to all of themselves.

    The rise is linear and takes the first `share` of training. At the beginning gradients are large
    and their running means empty; small steps are safe.
    """
    def rate(done):
        return schedule(done) * (start + (1 - start) * min(done / share, 1) if share else 1)
    return rate


def one_cycle(peak: float, warm: float = 0.15, end: float = 0.001) -> Schedule:
    """A climb and a descent.

    During the first share `warm` the rate rises linearly from 4 % of `peak` to `peak`; then it
    falls as half a cosine to ``end * peak``.
    """
    falling = cosine(peak, end)

    def rate(done):
        if done < warm:
            return peak * (0.04 + 0.96 * done / warm)
        return falling((done - warm) / (1 - warm))
    return rate


SCHEDULES = {"constant": constant, "steps": steps, "cosine": cosine, "one-cycle": one_cycle}

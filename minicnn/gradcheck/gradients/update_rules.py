"""The formulas of the optimisers, and the mistakes that are often made in them.

| optimiser | g: gradient, w: parameter, lr: learning rate |
|---|---|
| sgd | w -= lr g |
| momentum | v = momentum v + g; w -= lr v, with Nesterov's lr (g + momentum v) |
| rmsprop | v = rho v + (1 - rho) g^2; w -= lr g / (sqrt(v) + epsilon) |
| adam | m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; |
| | w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ... |

Weight decay adds weight_decay w to g, or, decoupled (AdamW), takes lr weight_decay w off w.
`mistakes` gives a rule for each way to get it wrong: which of them moves the parameters as a step
does is what the step does wrong.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")


class Rule(NamedTuple):
    """An optimiser with its settings, and below them what can be wrong with it."""

    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    rho: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False
    times: int = 1  # how often each gradient is applied
    sum_of_all: bool = False  # the gradients of earlier batches are added
    forgets: bool = False  # the optimiser's state starts anew at every step
    backwards: bool = False  # the velocity has the wrong sign
    dampened: bool = False  # the velocity gets (1 - momentum) g
    corrected: bool = True  # Adam's bias correction
    late: int = 0  # how far Adam's t is behind
    inside: bool = False  # epsilon is added before the square root
    unrooted: bool = False  # the square root is missing


def moves(rule, decayed, weights, gradients):
    """How far a parameter moves in every step.

    Parameters
    ----------
    rule : Rule
    decayed : bool
        Whether weight decay applies to this parameter.
    weights, gradients : list of arrays
        The parameter before every step, and its gradient there.

    Returns
    -------
    list of arrays
    """
    state, found, total, t = (0.0, 0.0), [], 0.0, 0
    for w, gradient in zip(weights, gradients, strict=True):
        total = total + gradient
        g = total if rule.sum_of_all else gradient
        move = 0.0
        for _ in range(rule.times):
            state = (0.0, 0.0) if rule.forgets else state
            t = 1 if rule.forgets else t + 1
            one, state = step(rule, decayed, state, w + move, g, t)
            move = move + one
        found.append(move)
    return found


def step(rule, decayed, state, w, g, t):
    """(move, state) of one step, the t-th."""
    decay = rule.weight_decay * w if decayed else 0.0
    g, off = (g, rule.lr * decay) if rule.decoupled else (g + decay, 0.0)
    m, v = state
    if rule.optimizer == "momentum":
        kept = -rule.momentum * m if rule.backwards else rule.momentum * m
        m = kept + (1 - rule.momentum if rule.dampened else 1) * g
        move = rule.lr * (g + rule.momentum * m if rule.nesterov else m)
    elif rule.optimizer == "rmsprop":
        v = rule.rho * v + (1 - rule.rho) * g**2
        move = rule.lr * g / root(rule, v)
    elif rule.optimizer == "adam":
        m, v = rule.beta1 * m + (1 - rule.beta1) * g, rule.beta2 * v + (1 - rule.beta2) * g**2
        t = t - rule.late
        up, down = ((1 - rule.beta1**t, 1 - rule.beta2**t) if rule.corrected and t else (1, 1))
        move = rule.lr * m / up / root(rule, v / down)
    else:
        move = rule.lr * g
    return -move - off, (m, v)


def root(rule, v):
    """The denominator of RMSProp and Adam."""
    if rule.unrooted:
        return v + rule.epsilon
    return np.sqrt(v + rule.epsilon) if rule.inside else np.sqrt(v) + rule.epsilon


def mistakes(rule: Rule, images: int) -> Iterator[tuple[str, Rule, float]]:
    """(words, rule, factor of the gradient) of the mistakes that are often made.

    Parameters
    ----------
    rule : Rule
        What is claimed.
    images : int
        How many images a batch has.
    """
    name = rule.optimizer
    yield "the gradient of the sum instead of the mean over the batch", rule, images
    yield "the gradient is divided by the number of images twice", rule, 1 / images
    yield "it goes up the gradient instead of down", rule, -1
    yield "the gradient is twice as large", rule, 2
    yield "the gradient is half as large", rule, 0.5
    yield "the parameters are updated twice a step", rule._replace(times=2), 1
    yield ("the gradients of earlier batches are still added: they are not set to zero",
           rule._replace(sum_of_all=True), 1)
    if name != "sgd":
        yield f"it is plain SGD instead of {name}", rule._replace(optimizer="sgd"), 1
        yield "the optimiser's state is not kept from step to step", rule._replace(forgets=True), 1
    if name == "momentum":
        yield "the velocity is taken off instead of added", rule._replace(backwards=True), 1
        yield "the velocity gets (1 - momentum) g instead of g", rule._replace(dampened=True), 1
        yield ("Nesterov's momentum is " + ("missing" if rule.nesterov else "used"),
               rule._replace(nesterov=not rule.nesterov), 1)
    if name in ("rmsprop", "adam"):
        yield "epsilon is added before the square root", rule._replace(inside=True), 1
        yield "the square root is missing", rule._replace(unrooted=True), 1
        yield "epsilon is missing", rule._replace(epsilon=0.0), 1
    if name == "adam":
        yield "the bias correction is missing", rule._replace(corrected=False), 1
        yield "t of the bias correction starts at 0 instead of 1", rule._replace(late=1), 1
        yield "beta1 and beta2 are exchanged", rule._replace(beta1=rule.beta2, beta2=rule.beta1), 1
    if rule.weight_decay:
        decay = rule.weight_decay
        yield "the weight decay is missing", rule._replace(weight_decay=0.0), 1
        yield "the weight decay is twice as large", rule._replace(weight_decay=2 * decay), 1
        yield "the weight decay is half as large", rule._replace(weight_decay=decay / 2), 1
        yield "the weight decay has the wrong sign", rule._replace(weight_decay=-decay), 1
        yield ("the weight decay is " + ("part of the gradient" if rule.decoupled else
                                         "not part of the gradient but decoupled"),
               rule._replace(decoupled=not rule.decoupled), 1)

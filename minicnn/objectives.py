"""What an image is optimised for: terms with a place, a value and a gradient there.

A term looks at one place, a layer's output or the image itself, and gives one value an image of
the batch and the gradient of those values at that place. Terms add and scale:

    objectives.channel("conv4_1", 7) - 1e-3 * objectives.total_variation()

Objectives are made large (`minicnn.ascend`); a loss enters with a minus sign.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.network import INPUT
from minicnn.ops import softmax
from minicnn.threads import product


class Value(NamedTuple):
    """An objective at one batch: totals (N,), each term's share by name, gradients by place."""

    total: Any
    parts: dict
    gradients: dict


@dataclass(frozen=True)
class Term:
    """One thing looked at: `function(activation)` gives (values (N,), gradient)."""

    name: str
    place: str
    function: Callable
    weight: float = 1.0


class Objective:
    """A weighted sum of terms."""

    def __init__(self, terms):
        self.terms = tuple(terms)

    def __add__(self, other):
        return Objective(self.terms + other.terms)

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return -1 * self

    def __mul__(self, factor):
        return Objective(replace(term, weight=factor * term.weight) for term in self.terms)

    __rmul__ = __mul__

    def __repr__(self):
        return " + ".join(f"{term.weight:g} {term.name}" for term in self.terms)

    @property
    def on_image(self):
        """The terms that look at the image itself."""
        return Objective(term for term in self.terms if term.place == INPUT)

    @property
    def on_layers(self):
        """The terms that look at layers."""
        return Objective(term for term in self.terms if term.place != INPUT)

    @property
    def places(self):
        """The layers looked at, each once."""
        return [p for p in dict.fromkeys(term.place for term in self.terms) if p != INPUT]

    def evaluate(self, at):
        """The objective's Value, where ``at[place]`` is the activation there (a Run will do)."""
        total, parts, gradients = 0, {}, {}
        for term in self.terms:
            values, gradient = term.function(at[term.place])
            total = total + term.weight * values
            parts[term.name] = parts.get(term.name, 0) + term.weight * values
            gradients[term.place] = gradients.get(term.place, 0) + term.weight * gradient
        return Value(total, parts, gradients)


def channel(layer, index):
    """The mean activation of one channel; at a dense layer, one unit's value (a class's logit).

    At a convolution, before its ReLU, positive and negative responses cancel: the mean of the first
    one depends on the image's mean colour alone. Look at the ReLU to see what a filter likes.

    Parameters
    ----------
    layer : str
    index : int
        The channel, the same for the whole batch.
    """
    def function(a):
        _check_channel(a, layer, index)
        share = a[..., index].size // len(a)
        gradient = array_module(a).zeros_like(a)
        gradient[..., index] = 1 / share
        return a[..., index].reshape(len(a), -1).mean(axis=1), gradient  # N,H,W -> N
    return Objective([Term(f"{layer}:{index}", layer, function)])


def neuron(layer, index, row, column):
    """The activation of one unit: channel `index` at one position of a convolutional layer."""
    def function(a):
        _check_channel(a, layer, index)
        if a.ndim != 4 or not (0 <= row < a.shape[1] and 0 <= column < a.shape[2]):
            raise ValueError(f"neuron: {layer} has no position ({row}, {column}); its output is "
                             f"{a.shape}")
        gradient = array_module(a).zeros_like(a)
        gradient[:, row, column, index] = 1
        return a[:, row, column, index].copy(), gradient
    return Objective([Term(f"{layer}:{index}@{row},{column}", layer, function)])


def log_probability(layer, index):
    """The logarithm of a class's softmax probability, at the layer of its scores (N, K).

        log p[k] = x[k] - log(sum of exp(x[j]))        gradient at x[j]: [j = k] - p[j]

    It pushes up the class and down whichever others are ahead, and rests once the class is sure.

    Parameters
    ----------
    layer : str
        The class scores (logits), not the probabilities.
    index : int
    """
    def function(a):
        _check_channel(a, layer, index)
        xp = array_module(a)
        scores = a.reshape(len(a), -1)  # N,1,1,K -> N,K
        shifted = scores - scores.max(axis=1, keepdims=True)
        values = shifted[:, index] - xp.log(xp.exp(shifted).sum(axis=1))
        gradient = -softmax.forward(scores)[0]
        gradient[:, index] += 1
        return values, gradient.reshape(a.shape)  # N,K -> N,1,1,K
    return Objective([Term(f"log p {layer}:{index}", layer, function)])


def gram(layer, target):
    """How far a layer's Gram matrix is from a target: the texture loss of Gatys et al. (2015).

    With F the (M, C) matrix of M positions and C channels, and G = F^T F / M the mean products of
    its channels,

        E = sum over i, j of (G[i, j] - target[i, j])^2 / (4 C^2)
        dE/dF = F (G - target) / (M C^2)

    Their Gram matrix is a sum over positions, and they divide E by M^2;
    dividing G by M instead lets images of different sizes share one target.

    Parameters
    ----------
    layer : str
    target : (C, C) array
        `gram_matrix` of the texture's activation.
    """
    def function(a):
        off = gram_matrix(a, layer) - target
        n, h, w, c = a.shape
        f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
        gradient = product(f, off) / (h * w * c * c)  # (N, M, C) @ (N, C, C) -> N,M,C
        return (off * off).sum(axis=(1, 2)) / (4 * c * c), gradient.reshape(a.shape)  # -> N,H,W,C
    return Objective([Term(f"{layer} gram", layer, function)])


def gram_matrix(a, layer="the layer"):
    """(N, C, C): the mean over positions of the product of every two channels of a (N, H, W, C)."""
    if a.ndim != 4:
        raise ValueError(f"gram: a Gram matrix is a mean over positions, and {layer} has none, its "
                         f"output is {a.shape}; choose a convolutional layer")
    n, h, w, c = a.shape
    f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
    return product(f.transpose(0, 2, 1), f) / (h * w)  # (N, C, M) @ (N, M, C) -> N,C,C


def l2():
    """Half the mean square of the image; subtracted, it pulls towards the mean colour."""
    def function(x):
        size = x[0].size
        return (x * x).reshape(len(x), -1).sum(axis=1) / (2 * size), x / size
    return Objective([Term("l2", INPUT, function)])


def total_variation(beta=2.0):
    """How rough the image is (Mahendran & Vedaldi 2015), a mean over its numbers.

        V = mean over i, j, c of ((x[i, j+1] - x[i, j])^2 + (x[i+1, j] - x[i, j])^2)^(beta/2)

    Differences beyond the last row and column count as zero. Each image of a batch has its own.

    Parameters
    ----------
    beta : float, at least 1
        1 keeps edges and gives spikes, 2 is smooth.
    """
    if beta < 1:
        raise ValueError(f"total_variation: beta must be at least 1, got {beta}")

    def function(x):
        xp = array_module(x)
        across, down = xp.zeros_like(x), xp.zeros_like(x)
        across[:, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
        down[:, :-1] = x[:, 1:] - x[:, :-1]
        square = across**2 + down**2
        value = (square ** (beta / 2)).reshape(len(x), -1).mean(axis=1)
        flat = square == 0  # there the gradient is 0 (beta > 1) or chosen to be (beta = 1)
        slope = xp.where(flat, 0, beta * xp.where(flat, 1, square) ** (beta / 2 - 1)) / x[0].size
        gradient = -slope * (across + down)
        gradient[:, :, 1:] += (slope * across)[:, :, :-1]
        gradient[:, 1:] += (slope * down)[:, :-1]
        return value, gradient.astype(x.dtype)
    return Objective([Term("total variation", INPUT, function)])


def _check_channel(a, layer, index):
    if not 0 <= index < a.shape[-1]:
        raise ValueError(f"{layer} has {a.shape[-1]} channels, counted from 0; there is no {index}")

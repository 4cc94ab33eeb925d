"""Units: a channel, a neuron, or a class by its score or its probability.

An index is one number for the whole batch, or one for each image. In that case every image
maximises its own unit, and one pass serves many units.
"""

from functools import wraps

from minicnn.ascent.objectives.term import Objective, Term, each, each_image, position, words
from minicnn.backend import array_module
from minicnn.ops import softmax

BELOW = 0.1  # share of the measure "positive" that responses below 0 have


def _positive(r):
    xp = array_module(r)
    above = xp.maximum(r, 0)
    size = xp.sqrt((above * above).mean(axis=1))
    slope = above / (size + (size == 0))[:, None] + BELOW * (r <= 0)
    return size + BELOW * xp.minimum(r, 0).mean(axis=1), slope.astype(r.dtype) / r.shape[1]


MEASURES = {  # from a channel's responses r (N, M): values (N,), and the slope at each response
    "mean": lambda r: (r.mean(axis=1), 1 / r.shape[1]),
    "sum": lambda r: (r.sum(axis=1), 1),
    "squares": lambda r: ((r * r).sum(axis=1), 2 * r),
    "positive": _positive,
}


def channel(layer, index, measure="mean"):
    """One channel over all its positions; at a dense layer, one unit's value.

    At a convolution, before its ReLU, positive and negative responses cancel in a mean or sum; for
    the first convolution only the image's mean colour is left. In the sum of squares nothing
    cancels, but it also grows where a response falls far below 0, and a ReLU lets none of that
    through. To see what a filter responds to, use "positive", or the ReLU's output.

    Parameters
    ----------
    layer : str
    index : int or sequence of N ints
        The channel, counted from 0.
    measure : {"mean", "sum", "squares", "positive"}
        mean: the mean over the positions (Lucid, Keras' generate_pattern, tf-keras-vis). sum: the
        same direction, with a step that grows with the layer's size. squares: the sum of squares,
        the channel's energy (as in Wolfram's example for VGG-16). positive: what a ReLU lets
        through, by its root mean square, plus a tenth of the mean of what is below 0. The tenth
        leads up where a ReLU has no gradient.

    Examples
    --------
    What makes one channel strong and another weak:

    >>> channel("conv4_1", 7) - channel("conv4_1", 9)
    1 conv4_1:7 + -1 conv4_1:9
    """
    if measure not in MEASURES:
        raise ValueError(f"channel: measure must be one of {', '.join(MEASURES)}, got {measure!r}")

    def function(a):
        at, which = each_image(a, layer, index)
        responses = a[at, ..., which]
        values, slope = MEASURES[measure](responses.reshape(len(a), -1))  # N,H,W -> N,M
        gradient = array_module(a).zeros_like(a)
        gradient[at, ..., which] = (slope * array_module(a).ones_like(responses).reshape(
            len(a), -1)).reshape(responses.shape)  # N,M -> N,H,W
        return values, gradient
    name = f"{layer}:{words(index)}" + ("" if measure == "mean" else f" {measure}")
    return Objective([Term(name, layer, function, part=each(
        index, lambda some: channel(layer, some, measure)))])


def neuron(layer, index, row=None, column=None):
    """One unit: a channel at one position of a convolutional layer, by default the centre."""
    def function(a):
        at, which = each_image(a, layer, index)
        r, c = position(a, layer, row, column)
        gradient = array_module(a).zeros_like(a)
        gradient[at, r, c, which] = 1
        return a[at, r, c, which], gradient
    where = "centre" if row is None and column is None else f"{row},{column}"
    return Objective([Term(f"{layer}:{words(index)}@{where}", layer, function, part=each(
        index, lambda some: neuron(layer, some, row, column)))])


def logit(layer, index):
    """The score of a class before softmax, which Simonyan et al. (2014, section 2) maximise.

    Parameters
    ----------
    layer : str
        The layer of the class scores, (N, K) or (N, 1, 1, K): `Network.logits`.
    index : int or sequence of N ints
    """
    def function(scores, at, which):
        gradient = array_module(scores).zeros_like(scores)
        gradient[at, which] = 1
        return scores[at, which], gradient
    return _of_scores("", layer, index, function)


def log_probability(layer, index):
    """The logarithm of a class's softmax probability, at the layer of its scores.

        log p[k] = x[k] - log(sum of exp(x[j]))        gradient at x[j]: [j = k] - p[j]

    The gradient raises the class's score, lowers the others in proportion to their probabilities,
    and vanishes once the class is certain.

    Parameters
    ----------
    layer : str
        The class scores (logits), not the probabilities.
    index : int or sequence of N ints
    """
    def function(scores, at, which):
        xp = array_module(scores)
        shifted = scores - scores.max(axis=1, keepdims=True)
        values = shifted[at, which] - xp.log(xp.exp(shifted).sum(axis=1))
        gradient = -softmax.forward(scores)[0]
        gradient[at, which] += 1
        return values, gradient
    return _of_scores("log p ", layer, index, function)


def probability(layer, index):
    """A class's softmax probability, at the layer of its scores: for comparison.

        gradient of p[k] at x[j]:  p[k] ([j = k] - p[j])

    Making all other classes less likely also raises it, and the gradient almost vanishes where the
    class is nearly impossible or nearly certain: maximise `logit` or `log_probability` instead.

    Parameters
    ----------
    layer : str
        The class scores (logits), not the probabilities.
    index : int or sequence of N ints
    """
    def function(scores, at, which):
        p = softmax.forward(scores)[0]
        values = p[at, which]
        gradient = -values[:, None] * p
        gradient[at, which] += values
        return values, gradient
    return _of_scores("p ", layer, index, function)


def _of_scores(words_before, layer, index, function):
    """A term at class scores.

    ``function(scores, images, classes)`` returns the values (N,) and the gradient (N, K).
    """
    @wraps(function)
    def at_layer(a):
        scores = a.reshape(len(a), -1)  # N,1,1,K -> N,K
        if scores.shape[1] != a.shape[-1]:
            raise ValueError(f"{layer} has several positions, its output is {a.shape}; expected "
                             "class scores (N, K) or (N, 1, 1, K)")
        values, gradient = function(scores, *each_image(scores, layer, index))
        return values, gradient.reshape(a.shape)  # N,K -> N,1,1,K
    return Objective([Term(f"{words_before}{layer}:{words(index)}", layer, at_layer, part=each(
        index, lambda some: _of_scores(words_before, layer, some, function)))])


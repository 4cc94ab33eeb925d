"""Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

    s[c] = k + a * sum over the n channels around c of x[c']^2
    y[c] = x[c] * s[c]^(-beta)

The window of n channels is cut off at the first and last channel. What `alpha` means is written
beside it, because the weights do not say and both are in use:

    convention="caffe"   a = alpha / n   Caffe, PyTorch, MATLAB: the default
    convention="paper"   a = alpha       the paper's formula, MatConvNet, TensorFlow

Backward
    x[c] acts on y[c] directly, and on every y[c'] whose window holds c, through s[c']:

        ∂y[c']/∂x[c] = [c = c'] s[c']^(-beta)  -  2 a beta x[c] x[c'] s[c']^(-beta-1)

    so, summing over c' with the upstream gradient (x[c'] s[c']^(-beta) is y[c']),

        dx[c] = dy[c] s[c]^(-beta)  -  2 a beta x[c] * sum over the window of  dy[c'] y[c'] / s[c']

    n is odd, so the channels whose window holds c are the channels in the window of c. With
    alpha = 1e-4 and inputs near 1 the second term is tiny, and a wrong one passes a careless test:
    test it with alpha near 1.

On the way back to a picture other things than the gradient are done here, since Zeiler & Fergus
do not say how their deconvnet passes the contrast normalisation. They are named in RULES:

    gradient   the formula above
    through    dx = dy: the layer is skipped
    scale      dx = dy s^(-beta): the first term, each channel divided as it was on the way up
"""

from typing import Any, NamedTuple

from minicnn.ops.window import check_image

CONVENTIONS = ("caffe", "paper")
RULES = ("gradient", "through", "scale")


class LrnCache(NamedTuple):
    """The input, the scale s, and the settings (`a` is what multiplies the sum of squares)."""

    x: Any
    scale: Any
    size: int
    a: float
    beta: float


def forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """Divide every activation by a power of the energy of its neighbouring channels.

    Parameters
    ----------
    x : array (N, H, W, C)
    size : int
        Channels in the window, n; odd.
    alpha, beta, k : float
        Those of Caffe's AlexNet and PyTorch's defaults (Caffe's own default alpha is 1); the
        paper has a = 1e-4 and k = 2.
    convention : {"caffe", "paper"}
        Whether alpha is divided by n.

    Returns
    -------
    y : array (N, H, W, C)
    cache : LrnCache
    """
    a = checked(x, size, alpha, convention)
    scale = k + a * _window_sum(x * x, size)
    return x * scale**-beta, LrnCache(x, scale, size, a, beta)


def backward(dy, cache, rule="gradient"):
    """Pass dy (N, H, W, C) back, by the gradient or one of the other named rules."""
    x, scale, size, a, beta = cache
    check_rule(rule)
    if rule == "through":
        return dy.copy()
    direct = dy * scale**-beta
    if rule == "scale":
        return direct
    return direct - 2 * a * beta * x * _window_sum(direct * x / scale, size)


def _window_sum(v, size):
    """Sum over the `size` channels around each one, fewer at the ends."""
    total, c = v.copy(), v.shape[-1]
    for away in range(1, min(size // 2, c - 1) + 1):
        right, left = total[..., away:], total[..., : c - away]
        right += v[..., : c - away]
        left += v[..., away:]
    return total


def checked(x, size, alpha, convention):
    """What multiplies the sum of squares, a, once the input and the settings are found right."""
    check_image(x, "lrn.forward")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"lrn.forward: size must be odd and at least 1, got {size}")
    if convention not in CONVENTIONS:
        raise ValueError(f"lrn.forward: convention must be one of {', '.join(CONVENTIONS)}, "
                         f"got {convention!r}")
    return alpha / size if convention == "caffe" else alpha


def check_rule(rule):
    """Raise ValueError for a backward rule there is not."""
    if rule not in RULES:
        raise ValueError(f"lrn.backward: rule must be one of {', '.join(RULES)}, got {rule!r}")

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

from minicnn.backend import array_module
from minicnn.fast import cuda
from minicnn.fast.cuda import lrn as lrn_cuda
from minicnn.fast.threads import row_blocks, spread
from minicnn.fast.workspace import empty
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
    check_image(x, "lrn.forward")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"lrn.forward: size must be odd and at least 1, got {size}")
    if convention not in CONVENTIONS:
        raise ValueError(f"lrn.forward: convention must be one of {', '.join(CONVENTIONS)}, "
                         f"got {convention!r}")
    a = alpha / size if convention == "caffe" else alpha
    if cuda.usable(x):
        y, scale = lrn_cuda.forward(x, size, a, beta, k)
        return y, LrnCache(x, scale, size, a, beta)
    xp = array_module(x)
    y, scale = empty(xp, x.shape, x.dtype), empty(xp, x.shape, x.dtype)

    def compute(block):
        scale[block] = k + a * _window_sum(x[block] * x[block], size)
        y[block] = x[block] * scale[block] ** -beta

    spread(compute, row_blocks(x, 20))
    return y, LrnCache(x, scale, size, a, beta)


def backward(dy, cache, rule="gradient"):
    """Pass dy (N, H, W, C) back, by the gradient or one of the other named rules."""
    x, scale, size, a, beta = cache
    if rule not in RULES:
        raise ValueError(f"lrn.backward: rule must be one of {', '.join(RULES)}, got {rule!r}")
    if rule == "through":
        return dy.copy()
    if rule == "gradient" and cuda.usable(dy, x, scale):
        return lrn_cuda.backward(dy, x, scale, size, a, beta)
    dx = empty(array_module(dy), dy.shape, dy.dtype)

    def compute(block):
        direct = dy[block] * scale[block] ** -beta
        if rule == "gradient":
            cross = _window_sum(direct * x[block] / scale[block], size)
            direct -= 2 * a * beta * x[block] * cross
        dx[block] = direct

    spread(compute, row_blocks(dy, 20))
    return dx


def _window_sum(v, size):
    """Sum over the `size` channels around each one, fewer at the ends."""
    total, c = v.copy(), v.shape[-1]
    for away in range(1, min(size // 2, c - 1) + 1):
        right, left = total[..., away:], total[..., : c - away]
        right += v[..., : c - away]
        left += v[..., away:]
    return total

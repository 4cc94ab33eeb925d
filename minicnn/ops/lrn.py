"""Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

    s[c] = k + a * sum over the n channels centred on c of x[c']^2
    y[c] = x[c] * s[c]^(-beta)

at each position separately: active neighbours reduce a channel, so that channels compete. The
window of n channels is cut off at the first and last channel. `alpha` has two meanings, and weight
files do not say which one they use:

    convention="caffe"   a = alpha / n   Caffe, PyTorch, MATLAB: the default
    convention="paper"   a = alpha       the paper's formula, MatConvNet, TensorFlow

Backward
    x[c] acts on y[c] directly, and through s[c'] on every y[c'] whose window holds c. Let [c = c']
    be 1 if c equals c', else 0, and [c ~ c'] be 1 if c lies in the window of c', else 0. By the
    product rule, with ∂s[c']/∂x[c] = 2 a x[c] [c ~ c']:

        ∂y[c']/∂x[c] = [c = c'] s[c']^(-beta) - beta x[c'] s[c']^(-beta-1) * 2 a x[c] [c ~ c']

    Multiply by dy[c'] and sum over c'. With g[c'] = dy[c'] s[c']^(-beta) the power -beta-1 leaves
    g[c'] / s[c']; and n is odd, so [c ~ c'] picks the n channels centred on c:

        dx[c] = g[c] - 2 a beta x[c] * sum over the n channels centred on c of g[c'] x[c'] / s[c']

    With alpha = 1e-4 and inputs near 1 the second term is tiny, so that an error in it passes a
    careless test: test with alpha near 1.

On the way down a deconvnet has a choice of rules (RULES):

    gradient   the formula above
    through    dx = dy: the layer is skipped. Zeiler & Fergus (2014, section 2.1) use no contrast
               normalisation on the way down
    scale      dx = g: the first term, each channel scaled as in the forward pass

A projection by "gradient" is damped by s^(-beta) a second time, just where the maps were strong, so
that what is faint in the photo gets as bright as what drove the unit.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
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
    """Divide every activation by a power of s, which grows with the squares around it.

    Parameters
    ----------
    x : array (N, H, W, C)
    size : int
        Channels in the window, n; odd.
    alpha, beta, k : float
        The defaults are those of Caffe's AlexNet, and PyTorch's. The paper has alpha = 1e-4, k = 2
        and its own convention.
    convention : {"caffe", "paper"}
        Whether alpha is divided by n.

    Returns
    -------
    y : array (N, H, W, C)
    cache : LrnCache

    Examples
    --------
    Three channels at one position, a = 1, n = 3: s is 1 + 2, 1 + 3 and 1 + 2.

    >>> import numpy as np
    >>> x = np.ones((1, 1, 1, 3))
    >>> y, cache = forward(x, size=3, alpha=1.0, beta=1.0, convention="paper")
    >>> y.ravel()  # 1/3, 1/4, 1/3
    array([0.33333333, 0.25      , 0.33333333])
    >>> dy = np.array([0., 1., 0.]).reshape(1, 1, 1, 3)
    >>> backward(dy, cache).ravel()  # g = 0, 1/4, 0: g - 2 (g/s summed) = 1/4 - 2/16 in the middle
    array([-0.125,  0.125, -0.125])
    """
    a = checked(x, size, alpha, convention)
    scale = k + a * _window_sum(x * x, size)
    return x * scale**-beta, LrnCache(x, scale, size, a, beta)


def backward(dy, cache, rule="gradient"):
    """Pass dy (N, H, W, C) back, by the gradient or one of the other named rules."""
    x, scale, size, a, beta = cache
    check_backward(dy, cache, rule)
    if rule == "through":
        return dy.copy()
    g = dy * scale**-beta
    if rule == "scale":
        return g
    return g - 2 * a * beta * x * _window_sum(g * x / scale, size)


def _window_sum(v, size):
    """The sum over the `size` channels centred on each one; beyond the ends there are zeros."""
    half, c = size // 2, v.shape[-1]
    padded = array_module(v).zeros((*v.shape[:-1], c + 2 * half), v.dtype)  # N,H,W,C+2*half
    padded[..., half : half + c] = v
    return sum(padded[..., first : first + c] for first in range(size))


def checked(x, size, alpha, convention):
    """Check the input and the settings; return a, the factor of the sum of squares."""
    check_image(x, "lrn.forward")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"lrn.forward: size must be odd and at least 1, got {size}")
    if convention not in CONVENTIONS:
        raise ValueError(f"lrn.forward: convention must be one of {', '.join(CONVENTIONS)}, "
                         f"got {convention!r}")
    return alpha / size if convention == "caffe" else alpha


def check_backward(dy, cache, rule):
    """Raise ValueError unless the rule is known and dy has the shape of x."""
    if dy.shape != cache.x.shape:
        raise ValueError(f"lrn.backward: dy must have the input's shape {cache.x.shape}, got "
                         f"{dy.shape}")
    if rule not in RULES:
        raise ValueError(f"lrn.backward: rule must be one of {', '.join(RULES)}, got {rule!r}")

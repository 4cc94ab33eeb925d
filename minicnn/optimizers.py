"""Optimisers: one step along a gradient, and how to scale the gradient first.

An optimiser takes values and the gradient of something to be made small, and returns new values;
it keeps what it remembers (velocities, moments) by key, so one optimiser serves one image or all
the parameters of a network. It changes no array that it is given.

The normalisers are named for what they divide by. A gradient at the image spans orders of
magnitude from layer to layer and network to network; divided by its own size, one step length
suits them all.
"""

from minicnn.backend import array_module

EPSILON = 1e-8  # keeps a gradient of zeros zero


class SGD:
    """Gradient descent with momentum.

        v <- momentum * v - rate * (gradient + decay * value)        value <- value + v

    Parameters
    ----------
    rate : float
        Step length; may be changed between steps.
    momentum : float in [0, 1)
    decay : float
        Pull towards zero (L2 weight decay).
    normalize : str, optional
        A key of `NORMALIZERS`, applied to the gradient first.
    """

    def __init__(self, rate, momentum=0.0, decay=0.0, normalize=None):
        self.rate, self.momentum, self.decay = rate, momentum, decay
        self.normalize, self.velocity = _normalizer(normalize), {}

    def step(self, value, gradient, key=None):
        """`value` after one step; `key` tells apart the arrays this optimiser serves."""
        step = -self.rate * (self.normalize(gradient) + self.decay * value)
        if self.momentum:
            step = step + self.momentum * self.velocity.get(key, 0)
            self.velocity[key] = step
        return value + step.astype(value.dtype)


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1): steps divided by the gradient's running size.

    Parameters
    ----------
    rate : float
        Step length; about the change of each value a step.
    beta1, beta2 : float in [0, 1)
        How slowly the running mean and mean square forget.
    epsilon : float
    normalize : str, optional
        A key of `NORMALIZERS`, applied to the gradient first.
    """

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, normalize=None):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.normalize, self.moments = _normalizer(normalize), {}

    def step(self, value, gradient, key=None):
        """`value` after one step; `key` tells apart the arrays this optimiser serves."""
        g = self.normalize(gradient)
        t, m, v = self.moments.get(key, (0, 0, 0))
        t, m = t + 1, self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        self.moments[key] = t, m, v
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        step = -self.rate * m_hat / (array_module(v_hat).sqrt(v_hat) + self.epsilon)
        return value + step.astype(value.dtype)


def _per_image(gradient, size):
    """gradient / size, where size(g*g or |g|) is taken over each image of the batch on its own."""
    axes = tuple(range(1, gradient.ndim))
    return gradient / (size(gradient, axes) + EPSILON)


NORMALIZERS = {
    "mean_abs": lambda g: _per_image(g, lambda g, axes: abs(g).mean(axis=axes, keepdims=True)),
    "rms": lambda g: _per_image(g, lambda g, axes: (g * g).mean(axis=axes, keepdims=True) ** 0.5),
    "std": lambda g: _per_image(g, lambda g, axes: g.std(axis=axes, keepdims=True)),
    "l2": lambda g: _per_image(g, lambda g, axes: (g * g).sum(axis=axes, keepdims=True) ** 0.5),
}


def _normalizer(name):
    if name is None:
        return lambda gradient: gradient
    if name not in NORMALIZERS:
        raise ValueError(f"normalize must be one of {', '.join(NORMALIZERS)} or None, got {name!r}")
    return NORMALIZERS[name]

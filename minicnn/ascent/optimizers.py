"""Optimisers: one step along a gradient, and ways to scale the gradient first.

An optimiser takes values and the gradient of an objective to be minimised, and returns new values.
It keeps its state (velocities, moments) by key, so one optimiser serves one image or all the
parameters of a network. It never changes its arguments.

Each normaliser is named after what it divides by. The size of a gradient at the image varies by
orders of magnitude between layers and between networks; after division by that size, one step
length suits them all. For another epsilon, use `functools.partial(rms, epsilon=1e-5)`.
"""

from minicnn.ascent import pyramid
from minicnn.backend import array_module

EPSILON = 1e-8  # a zero gradient stays zero


class Optimizer:
    """What all have in common: they print their settings, as in "SGD(rate=0.1, momentum=0.9)"."""

    def __repr__(self):
        told = [f"{name}={value:g}" for name, value in vars(self).items()
                if isinstance(value, (int, float))]
        return f"{type(self).__name__}({', '.join(told)})"


class SGD(Optimizer):
    """Gradient descent with momentum.

        v <- momentum * v - rate * (gradient + decay * value)        value <- value + v

    Parameters
    ----------
    rate : float
        Step length; may be changed between steps.
    momentum : float in [0, 1)
    decay : float
        Pull towards zero (L2 weight decay).
    normalize : str or callable, optional
        A key of `NORMALIZERS`, or a function from gradient to gradient, applied first.
    """

    memory = "velocity"  # the name of the attribute that holds the state, by key

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


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6e), as Keras 2 computes it: steps divided by recent sizes.

        v <- rho v + (1 - rho) g^2        value <- value - rate * g / (sqrt(v) + epsilon)

    where g = gradient + decay * value. PyTorch's is the same with rho = 0.99 and epsilon = 1e-8;
    Keras 3 has the epsilon under the root.

    Parameters
    ----------
    rate : float
        Step length: roughly the change of each value in a step.
    rho : float in [0, 1)
        Decay rate of the running mean square; near 1 it forgets slowly.
    epsilon : float
    decay : float
        Pull towards zero (L2 weight decay).
    normalize : str or callable, optional
        A key of `NORMALIZERS`, or a function from gradient to gradient, applied first.
    """

    memory = "squares"

    def __init__(self, rate=0.001, rho=0.9, epsilon=1e-7, decay=0.0, normalize=None):
        self.rate, self.rho, self.epsilon, self.decay = rate, rho, epsilon, decay
        self.normalize, self.squares = _normalizer(normalize), {}

    def step(self, value, gradient, key=None):
        """`value` after one step; `key` tells apart the arrays this optimiser serves."""
        g = self.normalize(gradient) + self.decay * value
        v = self.rho * self.squares.get(key, 0) + (1 - self.rho) * g * g
        self.squares[key] = v
        step = -self.rate * g / (array_module(v).sqrt(v) + self.epsilon)
        return value + step.astype(value.dtype)


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1): steps divided by the gradient's running size.

    Parameters
    ----------
    rate : float
        Step length: roughly the change of each value in a step.
    beta1, beta2 : float in [0, 1)
        Decay rates of the running mean and mean square; near 1 they forget slowly.
    epsilon : float
    normalize : str or callable, optional
        A key of `NORMALIZERS`, or a function from gradient to gradient, applied first.
    """

    memory = "moments"

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


class AdamW(Adam):
    """Adam with weight decay of its own (Loshchilov & Hutter 2019, algorithm 2).

        value <- value - rate * decay * value, then Adam's step

    The pull towards zero does not pass through Adam's division by the gradient's running size, so
    that it is as strong for parameters with large gradients as for those with small ones.

    Parameters
    ----------
    rate, beta1, beta2, epsilon, normalize
        As for `Adam`.
    decay : float
        Share of the value, times the rate, that a step takes away.
    """

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.01, normalize=None):
        super().__init__(rate, beta1, beta2, epsilon, normalize)
        self.decay = decay

    def step(self, value, gradient, key=None):
        """`value` after one step; `key` tells apart the arrays this optimiser serves."""
        return super().step(value * value.dtype.type(1 - self.rate * self.decay), gradient, key)


class Nadam(Adam):
    """Adam that looks ahead (Dozat 2016): Nesterov's momentum, as PyTorch and Keras compute it.

        mu_t = beta1 (1 - 0.96^(0.004 t) / 2)        M_t = mu_1 ... mu_t
        value <- value - rate / (sqrt(v / (1 - beta2^t)) + epsilon)
                         * ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m)

    where m and v are Adam's running mean and mean square of the gradient g.

    Parameters
    ----------
    rate, beta1, beta2, epsilon, normalize
        As for `Adam`.
    """

    def step(self, value, gradient, key=None):
        """`value` after one step; `key` tells apart the arrays this optimiser serves."""
        g = self.normalize(gradient)
        t, m, v, product = self.moments.get(key, (0, 0, 0, 1.0))
        t, m = t + 1, self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        now, ahead = (self.beta1 * (1 - 0.96 ** (0.004 * k) / 2) for k in (t, t + 1))
        product *= now
        self.moments[key] = t, m, v, product
        v_hat = v / (1 - self.beta2**t)
        direction = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * m
        step = -self.rate * direction / (array_module(v_hat).sqrt(v_hat) + self.epsilon)
        return value + step.astype(value.dtype)


def mean_abs(gradient, epsilon=EPSILON):
    """The gradient divided by its mean magnitude, each image of the batch on its own."""
    return gradient / (_per_image(abs(gradient)) + epsilon)


def rms(gradient, epsilon=EPSILON):
    """The gradient divided by its root mean square, each image of the batch on its own."""
    return gradient / (_per_image(gradient * gradient) ** 0.5 + epsilon)


def std(gradient, epsilon=EPSILON):
    """The gradient divided by its standard deviation, each image of the batch on its own."""
    return gradient / (_per_image((gradient - _per_image(gradient)) ** 2) ** 0.5 + epsilon)


def l2(gradient, epsilon=EPSILON):
    """The gradient divided by its length, each image of the batch on its own."""
    size = gradient[0].size
    return gradient / ((size * _per_image(gradient * gradient)) ** 0.5 + epsilon)


def laplacian(gradient, epsilon=EPSILON, levels=4):
    """The gradient with each band of its Laplacian pyramid divided by the band's root mean square.

    All bands then have equal strength, so fine detail, which otherwise dominates, counts no more
    than broad shapes (TensorFlow's DeepDream tutorial; also MATLAB's deepDreamImage).

    Parameters
    ----------
    gradient : array (N, H, W, C)
    epsilon : float
    levels : int
        Number of times the size is halved; fewer for an image that is too small.
    """
    levels = min(levels, min(gradient.shape[1:3]).bit_length() - 1)
    bands = pyramid.split(gradient, levels)
    return pyramid.merge([rms(band, epsilon) for band in bands])


def progress(desired, most):
    """A normaliser whose step, at rate 1, raises the objective by about `desired`.

    A step of r times the gradient g raises it by r |g|^2 to first order, so r = desired / |g|^2,
    capped at `most` (the "progress" rate of Yosinski et al. 2015).

    Parameters
    ----------
    desired, most : float above 0
    """
    def normalizer(gradient):
        square = gradient[0].size * _per_image(gradient * gradient)
        rate = desired / array_module(gradient).maximum(square, desired / most)
        return (rate * gradient).astype(gradient.dtype)
    return normalizer


def _per_image(values):
    """The mean over each image of the batch, (N, 1, ..., 1)."""
    return values.mean(axis=tuple(range(1, values.ndim)), keepdims=True)


NORMALIZERS = {"mean_abs": mean_abs, "rms": rms, "std": std, "l2": l2, "laplacian": laplacian}


def _normalizer(chosen):
    if chosen is None:
        return lambda gradient: gradient
    if callable(chosen):
        return chosen
    if chosen not in NORMALIZERS:
        raise ValueError(f"normalize must be one of {', '.join(NORMALIZERS)}, a function or None, "
                         f"got {chosen!r}")
    return NORMALIZERS[chosen]

"""A gradient checker on one page: is this backward the gradient of this forward?

Let L(x) = sum of dy * f(x), with fixed numbers dy. The backward pass claims to compute dL/dx. The
same slope can be measured without any derivation, one number of x at a time. With e the array that
is 1 at this number and 0 elsewhere, and a small step h,

    dL/dx  ~  (L(x + h e) - L(x - h e)) / 2h

This central difference misses the slope by about h^2 times the third derivative of L, and rounding
adds about 1e-16 L / h in float64. At h = 1e-5 both are near 1e-10.

Kinks
    At a kink, such as that of max(x, 0) at x = 0, an output y[j] has two slopes, one to each side:

        right[j] = (f(x + h e)[j] - f(x)[j]) / h        left[j] = (f(x)[j] - f(x - h e)[j]) / h

    Any slope between them is right. The central difference is their mean, so a slope of y[j] may
    lie up to half their distance from it, and dL/dx, in which it counts dy[j] times, up to

        sum over j of |dy[j]| |right[j] - left[j]| / 2

    Where f is smooth the two differ by h times its second derivative only, about 1e-5, which is no
    kink. The outputs are looked at one by one: where two of them have kinks, these may cancel in L.

dy must be normal numbers: with dy of ones, a backward that ignores dy would pass. `check` is the
simplest checker that is right; `minicnn.gradcheck.check` tries more (a naive twin, complex steps,
the adjoint identity), and `minicnn.gradcheck.judge` compares with the pages.
"""

import numpy as np

STEP, TOLERANCE = 1e-5, 1e-6  # of h; and of an error: a thousand times what differences miss
KINK = 1e-3  # of two slopes: a hundred times what they differ by where L is smooth
SHARE = 1e-3  # of the largest slope: smaller ones are measured less accurately


def slope(f, x, dy, h=STEP):
    """Measure the gradient of ``sum(dy * f(x))`` by central differences.

    Parameters
    ----------
    f : function
        f(x) -> y, an array of dy's shape.
    x : float64 array
    dy : array
    h : float

    Returns
    -------
    array of x's shape

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> slope(lambda x: x**2, x, dy=np.array([1.0, 10.0])).round(6)  # dy * 2x
    array([ 2., 40.])
    """
    dx = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = h
        dx[place] = (dy * (f(x + step) - f(x - step))).sum() / (2 * h)
    return dx


def kinks(f, x, dy, h=STEP):
    """How far a right gradient may lie from `slope`: the sum above; 0 where there is no kink.

    Parameters
    ----------
    f, x, dy, h
        As for `slope`.

    Returns
    -------
    array of x's shape

    Examples
    --------
    >>> x = np.array([-1.0, 0.0])
    >>> kinks(lambda x: np.maximum(x, 0), x, dy=np.array([3.0, 4.0])).round(6)  # slopes 0 and 4
    array([0., 2.])
    """
    apart, here = np.zeros(x.shape), f(x)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = h
        right, left = (f(x + step) - here) / h, (here - f(x - step)) / h
        jump = np.abs(right - left)
        jump[jump <= KINK * np.maximum(np.abs(right) + np.abs(left), 1)] = 0
        apart[place] = (np.abs(dy) * jump).sum() / 2
    return apart


def error(found, expected, apart=0):
    """The largest relative error of a gradient.

    Parameters
    ----------
    found, expected : arrays of one shape
        The gradient, and the slopes that were measured.
    apart : array, or 0
        What `kinks` returns: a difference up to this is no error.

    Returns
    -------
    float
        The largest |found - expected|, less `apart`, over the larger of |found|, |expected| and a
        thousandth of the largest |expected|; 0 where found and expected are equal. Infinite if the
        shapes differ or a number is not finite.

    Examples
    --------
    >>> error(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    0.5
    """
    if np.shape(found) != np.shape(expected) or not np.isfinite(found).all():
        return np.inf
    gap = np.maximum(np.abs(found - expected) - apart, 0)
    least = SHARE * np.abs(expected).max(initial=0)
    size = np.maximum(np.maximum(np.abs(found), np.abs(expected)), least)
    return float(np.max(gap / np.where(gap > 0, size, 1), initial=0))


def check(forward, backward, inputs, tolerance=TOLERANCE, seed=0):
    """Find the inputs of which backward returns a wrong gradient.

    Parameters
    ----------
    forward : function
        forward(x, w, ...) -> (y, cache).
    backward : function
        backward(dy, cache) -> a tuple of gradients, one for each input in order.
    inputs : dict of str to float64 array
        The point at which to check, in the order of forward's arguments.
    tolerance : float
        The largest `error` of a right gradient.
    seed : int
        Of dy, normal numbers.

    Returns
    -------
    list of str
        Names of inputs; empty if all gradients are right.

    Examples
    --------
    >>> def forward(x, w):
    ...     return x * w, (x, w)
    >>> def backward(dy, cache):
    ...     x, w = cache
    ...     return dy * w, dy * w  # the second should be dy * x
    >>> check(forward, backward, {"x": np.array([2.0]), "w": np.array([3.0])})
    ['w']
    """
    y, cache = forward(*inputs.values())
    dy = np.random.default_rng(seed).standard_normal(np.shape(y))
    wrong = []
    for (name, x), gradient in zip(inputs.items(), backward(dy, cache), strict=True):
        def f(moved, name=name):
            return forward(*(inputs | {name: moved}).values())[0]

        if not error(gradient, slope(f, x, dy), kinks(f, x, dy)) <= tolerance:
            wrong.append(name)
    return wrong

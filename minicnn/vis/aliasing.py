"""Aliasing: the share of a map's power at frequencies too high for a coarser grid.

A layer at stride S keeps every S-th of the activations that it would have at stride 1. A grid of
that step carries frequencies up to 1/(2S) cycles per pixel, its Nyquist frequency. Higher ones fold
back: they appear as lower frequencies that are not in the photo. So aliasing is measured as the
share of a map's power that lies above the Nyquist frequency along either axis:

    P(u, v)  = | sum over y, x of  a[y, x] exp(-2 pi i (u y + v x)) |^2
    aliasing = 1 - integral of P over |u| < 1/(2 Sy), |v| < 1/(2 Sx)  /  integral of P

with u, v in cycles per pixel, from -1/2 to 1/2. No Fourier transform is needed: the ideal low-pass
filter L is the sinc, and Parseval's theorem turns both integrals into sums over pixels:

    aliasing = 1 - sum of a * (Ly a Lx)  /  sum of a^2        L[i, j] = sinc((i - j) / S) / S

with sinc(t) = sin(pi t) / (pi t). At stride 1 aliasing is 0; at stride 2 that of a single sample
is 0.75.
"""

import numpy as np


def aliasing(maps, stride):
    """The share of each map's power above the Nyquist frequency of a coarser grid.

    Parameters
    ----------
    maps : array (H, W, O) or (H, W, C, O)
        The power of a map with C channels is the sum over them.
    stride : (vertical, horizontal)
        Step of the grid, in samples of the map.

    Returns
    -------
    array (O,)
        Shares, 0..1; NaN for maps of zeros.

    Examples
    --------
    A single sample has all frequencies in equal parts. At stride 2 a quarter of them lie below both
    Nyquist frequencies, and three quarters fold.

    >>> spot = np.zeros((7, 7, 1))
    >>> spot[3, 3] = 1
    >>> aliasing(spot, (2, 2))
    array([0.75])
    """
    total, folding = power(maps, stride)
    if maps.ndim == 4:
        total, folding = total.sum(axis=0), folding.sum(axis=0)  # C,O -> O
    return share(total, folding)


def power(maps, stride):
    """The total power of maps (H, W, ...), and its part above the Nyquist frequencies: (...) each.

    Both add up over photos: the aliasing over many is `share` of the two sums.
    """
    low = [_low_pass(side, step) for side, step in zip(maps.shape, stride, strict=False)]
    passed = np.tensordot(low[0].astype(maps.dtype), maps, 1)  # H,H . H,W,... -> H,W,...
    passed = np.tensordot(low[1].astype(maps.dtype), passed, (1, 1))  # W,W . H,W,... -> W,H,...
    total = (maps * maps).sum(axis=(0, 1), dtype=np.float64)  # a^2
    below = (maps * passed.swapaxes(0, 1)).sum(axis=(0, 1), dtype=np.float64)  # a (Ly a Lx)
    return total, (total - below).clip(0)


def share(total, part):
    """part / total; NaN where the total is 0."""
    return np.divide(part, total, out=np.full(total.shape, np.nan), where=total > 0)


def faded(maps):
    """Maps (H, W, O) without their mean, faded out towards the border by a Hann window.

    A border that is not faded is an edge; it has all frequencies and would count as aliasing. The
    mean is weighted by the window, so that the faded map has the sum 0.
    """
    h, w, _ = maps.shape
    fade = (np.hanning(h)[:, None] * np.hanning(w)).astype(maps.dtype)  # H,1 * W -> H,W
    mean = np.tensordot(fade, maps, 2) / fade.sum()  # H,W . H,W,O -> O
    return (maps - mean) * fade[..., None]


def _low_pass(side, stride):
    """The ideal low-pass filter L as a matrix: it keeps frequencies below 1/(2 stride)."""
    distance = np.arange(side)[:, None] - np.arange(side)
    return np.sinc(distance / stride) / stride

"""Aliasing: how much of a map's power a coarser grid cannot carry.

A layer at stride S keeps every S-th of the values that it would have at stride 1. A grid of that
step carries frequencies up to 1/(2S) cycles a pixel, its Nyquist frequency. What a map has above
comes back folded, as a lower frequency that is not in the photo. So the measure is the share of a
map's power that lies above, along either axis:

    P(u, v)  = | sum over y, x of  a[y, x] exp(-2 pi i (u y + v x)) |^2
    aliasing = 1 - integral of P over |u| < 1/(2 Sy), |v| < 1/(2 Sx)  /  integral of P

with u, v in cycles a pixel, from -1/2 to 1/2. No Fourier transform is needed, because the ideal
low-pass filter is the sinc (Parseval's theorem turns both integrals into sums over pixels):

    aliasing = 1 - sum of a * (Ly a Lx)  /  sum of a^2        L[i, j] = sinc((i - j) / S) / S

with sinc(t) = sin(pi t) / (pi t). At stride 1 it is 0, at stride 2 a single sample has 0.75.
"""

import numpy as np


def aliasing(maps, stride):
    """The share of power above the Nyquist frequency of a coarser grid.

    Parameters
    ----------
    maps : array (H, W, O) or (H, W, C, O)
        With C the power of a map is summed over it.
    stride : (vertical, horizontal)
        Step of the grid in samples of the map.

    Returns
    -------
    array (O,)
        0..1; NaN for maps of zeros.

    Examples
    --------
    A single sample has all frequencies alike; at stride 2 a quarter of them is below both Nyquist
    frequencies, and three quarters fold.

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

    Both add up over maps, so that a share over many photos is `share` of the sums.
    """
    low = [_low_pass(side, step) for side, step in zip(maps.shape, stride, strict=False)]
    passed = np.tensordot(low[0].astype(maps.dtype), maps, 1)  # H,H . H,W,... -> H,W,...
    passed = np.tensordot(low[1].astype(maps.dtype), passed, (1, 1))  # W,W . H,W,... -> W,H,...
    total = (maps * maps).sum(axis=(0, 1), dtype=np.float64)
    below = (maps * passed.swapaxes(0, 1)).sum(axis=(0, 1), dtype=np.float64)
    return total, (total - below).clip(0)


def share(total, part):
    """part / total, NaN where there is nothing."""
    return np.divide(part, total, out=np.full(total.shape, np.nan), where=total > 0)


def faded(maps):
    """Maps (H, W, O) faded out towards the border by a Hann window, without their constant part.

    An unfaded border is an edge, which has all frequencies and would count as aliasing. What is
    taken away is the mean under the window, so that the sum of what is left is 0.
    """
    h, w, _ = maps.shape
    fade = (np.hanning(h)[:, None] * np.hanning(w)).astype(maps.dtype)  # H,1 * W -> H,W
    mean = np.tensordot(fade, maps, 2) / fade.sum()  # H,W . H,W,O -> O
    return (maps - mean) * fade[..., None]


def _low_pass(side, stride):
    """The ideal low-pass filter as a matrix: keeps frequencies below 1/(2 stride)."""
    distance = np.arange(side)[:, None] - np.arange(side)
    return np.sinc(distance / stride) / stride

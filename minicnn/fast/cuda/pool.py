"""Max pooling and unpooling as CUDA kernels; see `minicnn.ops.pool`.

Forward: one thread per output goes through its window row by row and keeps the first maximum and
its place, like the page; after a NaN no value is greater, so only another NaN replaces it. The
padding is minus infinity and never greater than a pixel, so the search starts with it as the
maximum, at the first place inside the image, and skips the padding's samples.

Unpooling: one thread per pixel gathers what the page scatters. Pixel (y, x) is at (y + P, x + P)
in the padded image. The windows p that cover row y + P are those with 0 <= y + P - S p < KH, and
the pixel's place in window (p, q) is (y + P - S p, x + P - S q). The thread adds the values of all
windows whose switch is that place, in the windows' order.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast import cuda

SWITCHES = {"uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int"}
SOURCE = r"""
extern "C" __global__ void pool_forward(
    INDEX count, const REAL* __restrict__ x, REAL* __restrict__ y, SWITCH* __restrict__ switches,
    WINDOWS, REAL padding)
{
    for (INDEX i = first(); i < count; i += step()) {
        const Place out = place(i, out_height, out_width, channels);
        const REAL* image = x + out.n * height * width * channels + out.c;  // of one channel
        const INDEX top = out.y * stride_down - pad_down;
        const INDEX left = out.x * stride_across - pad_across;

        REAL best = padding;
        INDEX place = (top < 0 ? -top : 0) * window_width + (left < 0 ? -left : 0);
        for (INDEX a = 0; a < window_height; a++) {
            const INDEX row = top + a;
            if (row < 0 || row >= height) continue;
            for (INDEX b = 0; b < window_width; b++) {
                const INDEX column = left + b;
                if (column < 0 || column >= width) continue;
                const REAL value = image[(row * width + column) * channels];
                if (value > best || value != value) {  // ">": the first of equals stays; NaN wins
                    best = value;
                    place = a * window_width + b;
                }
            }
        }
        y[i] = best;
        switches[i] = (SWITCH)place;
    }
}

extern "C" __global__ void pool_unpool(
    INDEX count, const REAL* __restrict__ values, const SWITCH* __restrict__ switches,
    REAL* __restrict__ x,
    WINDOWS)
{
    for (INDEX i = first(); i < count; i += step()) {
        const Place pixel = place(i, height, width, channels);
        const INDEX down = pixel.y + pad_down, across = pixel.x + pad_across;
        const INDEX last_p = last_window(down, stride_down, out_height);
        const INDEX first_q = first_window(across, window_width, stride_across);
        const INDEX last_q = last_window(across, stride_across, out_width);

        REAL sum = 0;
        for (INDEX p = first_window(down, window_height, stride_down); p <= last_p; p++) {
            for (INDEX q = first_q; q <= last_q; q++) {
                const INDEX at =
                    ((pixel.n * out_height + p) * out_width + q) * channels + pixel.c;
                const INDEX a = down - p * stride_down, b = across - q * stride_across;
                if ((INDEX)switches[at] == a * window_width + b) sum += values[at];
            }
        }
        x[i] = sum;
    }
}
"""
TYPES = [{"SWITCH": c} for c in SWITCHES.values()]  # the sets of open types for SOURCE


def forward(x, window, stride, pad, out):
    """Maxima and switches of windows that `pool_geometry` has checked.

    Parameters
    ----------
    x : array (N, H, W, C)
        float32 or float64, on a GPU.
    window, stride, pad, out : (vertical, horizontal)
        `out` is (OH, OW).

    Returns
    -------
    y : array (N, OH, OW, C)
    switches : array of y's shape
    """
    xp = array_module(x)
    kind = np.min_scalar_type(window[0] * window[1] - 1)
    y = xp.empty((len(x), *out, x.shape[3]), dtype=x.dtype)
    switches = xp.empty(y.shape, dtype=kind)
    cuda.launch(SOURCE, "pool_forward", y.size, xp.ascontiguousarray(x), y, switches, *x.shape[1:],
                *out, *window, *stride, *pad, float("-inf"), SWITCH=SWITCHES[kind.name])
    return y, switches


def unpool(values, switches, x_shape, window, stride, pad):
    """Like `minicnn.ops.pool.unpool`, for float32 or float64 on a GPU."""
    xp = array_module(values)
    x = xp.empty(x_shape, dtype=values.dtype)
    cuda.launch(SOURCE, "pool_unpool", x.size, xp.ascontiguousarray(values),
                xp.ascontiguousarray(switches), x, *x_shape[1:], *values.shape[1:3], *window,
                *stride, *pad, SWITCH=SWITCHES[switches.dtype.name])
    return x

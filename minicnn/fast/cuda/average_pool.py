"""Average pooling as CUDA kernels; see `minicnn.ops.average_pool`.

Forward: one thread per output adds the pixels of its window (the padding is zero) and divides by
the window's area A.

Backward: one thread per pixel adds dy/A of all windows that cover the pixel. They are found as in
`minicnn.fast.cuda.pool`.
"""

from minicnn.backend import array_module
from minicnn.fast import cuda

SOURCE = r"""
extern "C" __global__ void average_pool_forward(
    INDEX count, const REAL* __restrict__ x, const REAL* __restrict__ area, REAL* __restrict__ y,
    WINDOWS)
{
    for (INDEX i = first(); i < count; i += step()) {
        const Place out = place(i, out_height, out_width, channels);
        const REAL* image = x + out.n * height * width * channels + out.c;  // of one channel
        const INDEX top = out.y * stride_down - pad_down;
        const INDEX left = out.x * stride_across - pad_across;

        REAL sum = 0;
        for (INDEX a = 0; a < window_height; a++) {
            const INDEX row = top + a;
            if (row < 0 || row >= height) continue;
            for (INDEX b = 0; b < window_width; b++) {
                const INDEX column = left + b;
                if (column < 0 || column >= width) continue;
                sum += image[(row * width + column) * channels];
            }
        }
        y[i] = sum / area[out.y * out_width + out.x];
    }
}

extern "C" __global__ void average_pool_backward(
    INDEX count, const REAL* __restrict__ dy, const REAL* __restrict__ area, REAL* __restrict__ dx,
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
                sum += dy[at] / area[p * out_width + q];
            }
        }
        dx[i] = sum;
    }
}
"""
TYPES = [{}]  # the sets of open types that SOURCE is compiled with


def forward(x, area, window, stride, pad, out):
    """Means of windows that `pool_geometry` has checked.

    Parameters
    ----------
    x : array (N, H, W, C)
        float32 or float64, on a GPU.
    area : array (1, OH, OW, 1)
        The divisor of each window's sum.
    window, stride, pad, out : (vertical, horizontal)
        `out` is (OH, OW).

    Returns
    -------
    array (N, OH, OW, C)
    """
    xp = array_module(x)
    y = xp.empty((len(x), *out, x.shape[3]), dtype=x.dtype)
    cuda.launch(SOURCE, "average_pool_forward", y.size, xp.ascontiguousarray(x), area, y,
                *x.shape[1:], *out, *window, *stride, *pad)
    return y


def backward(dy, area, x_shape, window, stride, pad):
    """dx (N, H, W, C) from dy (N, OH, OW, C) and the fields of an AveragePoolCache."""
    xp = array_module(dy)
    dx = xp.empty(x_shape, dtype=dy.dtype)
    cuda.launch(SOURCE, "average_pool_backward", dx.size, xp.ascontiguousarray(dy), area, dx,
                *x_shape[1:], *dy.shape[1:3], *window, *stride, *pad)
    return dx

"""Local response normalisation as CUDA kernels; see `minicnn.ops.lrn`.

One thread per number, forward and backward, reads the window of n channels around its own, cut off
at the first and last channel. It does in one pass over memory what the page does in several. The
channels of one pixel are contiguous in memory, so a window's numbers are mostly in the cache.
"""

from minicnn.backend import array_module
from minicnn.fast import cuda

SOURCE = r"""
extern "C" __global__ void lrn_forward(
    INDEX count, const REAL* __restrict__ x, REAL* __restrict__ y, REAL* __restrict__ scale,
    INDEX channels, INDEX size, REAL a, REAL beta, REAL k)
{
    for (INDEX i = first(); i < count; i += step()) {
        const INDEX c = i % channels;
        REAL sum = x[i] * x[i];
        for (INDEX away = 1; away <= size / 2; away++) {
            if (c - away >= 0) sum += x[i - away] * x[i - away];
            if (c + away < channels) sum += x[i + away] * x[i + away];
        }
        const REAL s = k + a * sum;
        scale[i] = s;
        y[i] = x[i] * pow(s, -beta);
    }
}

// dy s^(-beta), and a channel's contribution to the cross term of each channel in its window
__device__ REAL direct(const REAL* dy, const REAL* scale, REAL beta, INDEX i)
{
    return dy[i] * pow(scale[i], -beta);
}
__device__ REAL crossed(const REAL* dy, const REAL* x, const REAL* scale, REAL beta, INDEX i)
{
    return direct(dy, scale, beta, i) * x[i] / scale[i];
}

extern "C" __global__ void lrn_backward(
    INDEX count, const REAL* __restrict__ dy, const REAL* __restrict__ x,
    const REAL* __restrict__ scale, REAL* __restrict__ dx,
    INDEX channels, INDEX size, REAL a, REAL beta)
{
    for (INDEX i = first(); i < count; i += step()) {
        const INDEX c = i % channels;
        REAL sum = crossed(dy, x, scale, beta, i);
        for (INDEX away = 1; away <= size / 2; away++) {
            if (c - away >= 0) sum += crossed(dy, x, scale, beta, i - away);
            if (c + away < channels) sum += crossed(dy, x, scale, beta, i + away);
        }
        dx[i] = direct(dy, scale, beta, i) - 2 * a * beta * x[i] * sum;
    }
}
"""
TYPES = [{}]  # the sets of open types that SOURCE is compiled with


def forward(x, size, a, beta, k):
    """y and the scale s, both of x's shape (N, H, W, C); float32 or float64, on a GPU."""
    xp = array_module(x)
    x = xp.ascontiguousarray(x)
    y, scale = xp.empty_like(x), xp.empty_like(x)
    cuda.launch(SOURCE, "lrn_forward", x.size, x, y, scale, x.shape[3], size, float(a),
                float(beta), float(k))
    return y, scale


def backward(dy, x, scale, size, a, beta):
    """The gradient dx, from dy and the fields of an LrnCache."""
    xp = array_module(dy)
    dx = xp.empty(dy.shape, dtype=dy.dtype)
    cuda.launch(SOURCE, "lrn_backward", dx.size, *map(xp.ascontiguousarray, (dy, x, scale)), dx,
                x.shape[3], size, float(a), float(beta))
    return dx

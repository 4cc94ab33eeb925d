"""The input gradient of a convolution as a CUDA kernel; see `minicnn.ops.conv`.

One thread per pixel gathers what the page scatters (col2im). Pixel (y, x) is at (y + P, x + P) in
the padded image. Place (i, j) of the kernel lies on it in the window (p, q) with S p + D i = y + P
and S q + D j = x + P, if these have a solution. The thread adds entry (i, j) of that window's row
of `dcols` for all such places, in their order.

The page adds to every pixel KH*KW times, in as many calls. Here each number is read once.
"""

from minicnn.backend import array_module
from minicnn.fast import cuda

SOURCE = r"""
// The window that has sample `place` at `at` (counted from the padded border); -1 if there is none.
__device__ INDEX window_at(INDEX at, INDEX place, INDEX stride, INDEX dilation)
{
    const INDEX start = at - place * dilation;
    return start < 0 || start % stride ? -1 : start / stride;
}

extern "C" __global__ void conv_read_back(
    INDEX count, const REAL* __restrict__ dcols, REAL* __restrict__ dx,
    INDEX height, INDEX width, INDEX channels, INDEX first_row, INDEX rows, INDEX out_width,
    INDEX kernel_height, INDEX kernel_width,
    INDEX stride_down, INDEX stride_across, INDEX pad_down, INDEX pad_across,
    INDEX dilation_down, INDEX dilation_across)
{
    for (INDEX i = first(); i < count; i += step()) {
        const Place pixel = place(i, height, width, channels);
        REAL sum = 0;
        for (INDEX a = 0; a < kernel_height; a++) {
            const INDEX p =
                window_at(pixel.y + pad_down, a, stride_down, dilation_down) - first_row;
            if (p < 0 || p >= rows) continue;
            for (INDEX b = 0; b < kernel_width; b++) {
                const INDEX q =
                    window_at(pixel.x + pad_across, b, stride_across, dilation_across);
                if (q < 0 || q >= out_width) continue;
                const INDEX window = (pixel.n * rows + p) * out_width + q;
                sum += dcols[((window * kernel_height + a) * kernel_width + b) * channels
                             + pixel.c];
            }
        }
        dx[i] += sum;
    }
}
"""
TYPES = [{}]  # the sets of open types that SOURCE is compiled with


def read_back(dx, dcols, cache, first_row):
    """Add dcols to the pixels from which `cols` was read.

    Parameters
    ----------
    dx : array (N, H, W, C)
        Contiguous; float32 or float64, on a GPU.
    dcols : array (N, R, OW, KH, KW, G, C/G)
        For R rows of the output.
    cache : ConvCache
    first_row : int
        The first of these rows.
    """
    _, rows, out_width, *kernel, _, _ = dcols.shape
    cuda.launch(SOURCE, "conv_read_back", dx.size, array_module(dx).ascontiguousarray(dcols), dx,
                *dx.shape[1:], first_row, rows, out_width, *kernel, *cache.stride, *cache.pad,
                *cache.dilation)

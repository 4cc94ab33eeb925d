"""Compiling and launching the CUDA kernels of the ops.

A kernel is the body of a loop over many numbers, written in CUDA C++, which a GPU runs in thousands
of threads. The kernels of an op are a string in a file of their own (`conv`, `pool`,
`average_pool`, `lrn`), next to their derivation; the op's twin in `minicnn.fast` uses them on a
GPU. An op has kernels if its page, which runs on a GPU as well, would need many passes over memory.
Every thread writes numbers that no other thread writes, and adds in a fixed order, so the same
input gives the same bytes. The page remains the text to read, and the reference for tests.

What all kernels have in common
    * REAL is the type of the numbers, float or double. INDEX is the type of indices: 32 bits wide
      if that is enough, since dividing 64-bit numbers takes a GPU several times as long.
    * Thread t of T computes numbers t, t + T, t + 2T, ...: a grid-stride loop, right for any T.
    * An index into (N, H, W, C) is split from the right (`place`). Neighbouring threads have
      neighbouring channels, so they read neighbouring memory.
    * Arrays are contiguous; `__restrict__` tells the compiler that they do not overlap.
"""

from functools import cache

import numpy as np

from minicnn.backend import array_module

THREADS = 256  # per block
BLOCKS = 1 << 16  # the most; with more work than that, each thread computes several numbers
SMALL = 1 << 30  # below this, an index plus the stride of all threads fits into 32 bits
REALS = {"f": "float", "d": "double"}  # by dtype.char
COMMON = """
__device__ INDEX first() { return (INDEX)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ INDEX step() { return (INDEX)gridDim.x * blockDim.x; }

// Where number i of an array (N, H, W, C) lies.
struct Place { INDEX n, y, x, c; };
__device__ Place place(INDEX i, INDEX height, INDEX width, INDEX channels)
{
    Place at;
    at.c = i % channels;  i /= channels;
    at.x = i % width;     i /= width;
    at.y = i % height;
    at.n = i / height;
    return at;
}

// The parameters of a kernel of pooling: both images, and the windows between them.
#define WINDOWS INDEX height, INDEX width, INDEX channels, INDEX out_height, INDEX out_width, \\
    INDEX window_height, INDEX window_width, INDEX stride_down, INDEX stride_across, \\
    INDEX pad_down, INDEX pad_across

// The windows p with  0 <= at - stride * p < window  (at is counted from the padded border):
// those that cover sample `at`, from first_window to last_window.
__device__ INDEX first_window(INDEX at, INDEX window, INDEX stride)
{
    return at < window ? 0 : (at - window) / stride + 1;
}
__device__ INDEX last_window(INDEX at, INDEX stride, INDEX windows)
{
    INDEX last = at / stride;
    return last < windows ? last : windows - 1;
}
"""


def usable(*arrays):
    """Whether kernels can run on these arrays: on a GPU, all float32 or all float64."""
    kinds = {x.dtype.char for x in arrays}
    return hasattr(array_module(arrays[0]), "RawKernel") and len(kinds) == 1 and kinds < set(REALS)


def launch(source, name, count, *arguments, **types):
    """Run kernel `name` for `count` numbers.

    Parameters
    ----------
    source : str
        CUDA C++; `COMMON` is put before it.
    name : str
        Name of an ``extern "C" __global__`` function in it, whose first parameter is `count`.
    count : int
    arguments : array, int or float
        The other parameters: a pointer for an array (all contiguous), INDEX for an int, REAL for a
        float.
    **types : str
        Further types that `source` leaves open, as {name: C type}.
    """
    arrays = [a for a in arguments if hasattr(a, "dtype")]
    xp, real = array_module(arrays[0]), arrays[0].dtype
    index = np.int32 if max(count, *(a.size for a in arrays)) < SMALL else np.int64
    types |= {"REAL": REALS[real.char], "INDEX": "int" if index is np.int32 else "long long"}
    kernel = _kernel(xp.RawKernel, source, name, tuple(sorted(types.items())))
    blocks = min(max(1, -(-count // THREADS)), BLOCKS)
    kernel((blocks,), (THREADS,), (index(count), *(_typed(a, index, real) for a in arguments)))


@cache
def _kernel(raw_kernel, source, name, types):
    return raw_kernel(program(source, dict(types)), name)


def program(source, types):
    """The complete source to compile, with definitions of its open types."""
    return "".join(f"#define {name} {c}\n" for name, c in types.items()) + COMMON + source


def _typed(argument, index, real):
    if hasattr(argument, "dtype"):
        return argument
    return index(argument) if isinstance(argument, int) else real.type(argument)

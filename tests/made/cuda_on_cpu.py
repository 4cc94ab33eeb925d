"""CUDA kernels without a GPU: compiled as C++ and run on the CPU, one thread after the other.

    with cuda_on_cpu.kernels(pool_cuda):
        y, cache = pool.forward(x, 2)

Within it, the array module of these files has what they ask of CuPy: NumPy's functions, and a
RawKernel. That takes the kernel's own source, puts a few lines before it that give CUDA's words a
meaning in C++, compiles it with the system's compiler, and calls it for every thread of every
block. Arguments are handed over by address, like CUDA's launch does: one of a wrong type is
misread here, too.

Around every array lie guards, whose bytes make a large number of any type. A kernel that reads
outside an array gets those numbers, and one that writes there is found out.

What this cannot show: races between threads (no kernel shares memory, and each writes numbers of
its own), and what a GPU's own pow and rounding do.
"""

import ctypes
import hashlib
import re
import shutil
import subprocess
import tempfile
import types
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from minicnn.fast import cuda

BLOCKS, THREADS = 2, 3  # instead of the launch's own: so every thread does many numbers
GUARD, GUARDS = 0x7F, 512  # as float32 3.4e38, as float64 1.4e306, as uint8 127; bytes a side
WORDS = """
#include <cmath>
#include <cstddef>
#include <utility>
#define __global__
#define __device__ static inline
struct Dim { unsigned int x; };
static Dim gridDim, blockDim, blockIdx, threadIdx;
using std::pow;
"""
CALLS = """
template <typename... A, size_t... I>
static void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>)
{
    kernel(*(A*)arguments[I]...);
}
template <typename... A>
static void each_thread(void (*kernel)(A...), void** arguments)
{
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
            call(kernel, arguments, std::make_index_sequence<sizeof...(A)>());
}
"""
CALL = """
extern "C" void run_{name}(unsigned int blocks, unsigned int threads, void** arguments)
{{
    gridDim.x = blocks;
    blockDim.x = threads;
    each_thread({name}, arguments);
}}
"""


@contextmanager
def kernels(*files):
    """The ops take the kernels in these files for every array; yields the array module."""
    xp = module()
    with pytest.MonkeyPatch.context() as patch:
        for file in (cuda, *files):
            patch.setattr(file, "array_module", lambda x: xp)
        yield xp


def module():
    """NumPy, and RawKernel."""
    xp = types.ModuleType("numpy_with_kernels")
    xp.__dict__.update({name: value for name, value in vars(np).items() if name[:2] != "__"})
    xp.RawKernel = RawKernel
    return xp


class RawKernel:
    """Stands for cupy.RawKernel."""

    def __init__(self, code, name):
        self.run = library(code)[f"run_{name}"]

    def __call__(self, grid, block, arguments):
        assert len(grid) == len(block) == 1 and min(*grid, *block) >= 1
        arguments = [getattr(a, "memory", a) for a in arguments]  # of strict_cupy's arrays
        guarded = [Guarded(a) if isinstance(a, np.ndarray) else a for a in arguments]
        places = [pointer(a) for a in guarded]
        self.run(BLOCKS, THREADS, (ctypes.c_void_p * len(places))(
            *(ctypes.addressof(place) for place in places)))
        for array in guarded:
            if isinstance(array, Guarded):
                array.give_back()


class Guarded:
    """A copy of an array, between guards."""

    def __init__(self, array):
        assert array.flags.c_contiguous, "a kernel was given an array that is not contiguous"
        self.array = array
        self.memory = np.full(array.nbytes + 2 * GUARDS, GUARD, np.uint8)
        self.inside = self.memory[GUARDS : GUARDS + array.nbytes]
        self.inside[:] = np.frombuffer(array.tobytes(), np.uint8)

    def give_back(self):
        """What the kernel wrote, where the array is; AssertionError if a guard has changed."""
        for guard in (self.memory[:GUARDS], self.memory[GUARDS + self.array.nbytes :]):
            assert (guard == GUARD).all(), "a kernel wrote outside an array"
        if self.array.flags.writeable:
            self.array[...] = self.inside.view(self.array.dtype).reshape(self.array.shape)


def pointer(argument):
    """The argument as a C variable, which is what a launch hands over the address of."""
    if isinstance(argument, Guarded):
        return ctypes.c_void_p(argument.inside.ctypes.data)
    return np.ctypeslib.as_ctypes_type(argument.dtype)(argument.item())


def compiler():
    """The system's; the test skips where there is none."""
    found = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
    if found is None:
        pytest.skip("needs a C++ compiler (g++, c++ or clang++)")
    return found


@cache
def library(code):
    """The compiled source."""
    names = re.findall(r'extern "C" __global__ void (\w+)', code)
    text = WORDS + code + CALLS + "".join(CALL.format(name=name) for name in names)
    path = folder() / hashlib.sha256(text.encode()).hexdigest()
    path.with_suffix(".cpp").write_text(text)
    subprocess.run([compiler(), "-std=c++14", "-O1", "-shared",
                    "-fPIC", "-ffp-contract=off", "-o", path, path.with_suffix(".cpp")], check=True)
    return ctypes.CDLL(str(path))


@cache
def _home():
    return tempfile.TemporaryDirectory(prefix="minicnn_kernels_")


def folder():
    """Where compiled kernels lie until the tests end."""
    return Path(_home().name)

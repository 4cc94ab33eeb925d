"""The CUDA kernels' sources compile, and how a kernel is launched. What each computes is in the
test of its file; those run on the CPU (tests/made/cuda_on_cpu.py)."""

import importlib
import re
from pathlib import Path

import cuda_compiler
import cuda_on_cpu
import numpy as np
import pytest
import twins

from minicnn.fast import cuda

FOLDER = Path(cuda.__file__).parent
FILES = [importlib.import_module(f"minicnn.fast.cuda.{path.stem}")
         for path in sorted(FOLDER.glob("[!_]*.py"))]
PROGRAMS = {f"{file.__name__.rpartition('.')[2]} {' '.join(types.values())}":
            cuda.program(file.SOURCE, types)
            for file in FILES for more in file.TYPES for real in cuda.REALS.values()
            for index in ("int", "long long")
            for types in [{"REAL": real, "INDEX": index} | more]}


@pytest.mark.thorough
@pytest.mark.parametrize("name", PROGRAMS)
def test_nvrtc_compiles_every_source_without_a_warning(name):
    known = cuda_compiler.architectures()
    wanted = [number for number in (70, 80, 90) if number in known]  # CUDA 13 has no 70 any more
    assert {80, 90} <= set(wanted)
    for architecture in wanted if "long long" not in name else wanted[-1:]:  # to be quick
        ptx, said = cuda_compiler.compile_source(PROGRAMS[name], architecture)
        assert said == "" and f".target sm_{architecture}" in ptx
        for kernel in re.findall(r"__global__ void (\w+)", PROGRAMS[name]):
            assert f".entry {kernel}(" in ptx


def test_the_sources_were_found():
    found = {name.split()[0] for name in PROGRAMS}
    assert {"conv", "pool", "average_pool", "lrn"} <= found


@pytest.mark.parametrize("wrong, words", [("INDEX unused = 1;", "never referenced"),
                                          ("y[i] = z;", "undefined")])
def test_a_mistake_in_a_source_is_seen(wrong, words):
    source = cuda.program(HALVE.replace("y[i] =", f"{wrong} y[i] ="), {"REAL": "float",
                                                                     "INDEX": "int"})
    assert words in cuda_compiler.compile_source(source, 90)[1]


HALVE = """
extern "C" __global__ void halve(INDEX count, const REAL* x, REAL* y, INDEX more, REAL by)
{
    for (INDEX i = first(); i < count; i += step()) {
        y[i] = x[i] / by + more;
    }
}
"""


@pytest.fixture
def xp():
    with cuda_on_cpu.kernels() as module:
        yield module


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("small", [cuda.SMALL, 3])
def test_launch(xp, dtype, small, cuda=cuda):
    """Also with indices of 64 bits, which begin at `small` numbers."""
    x = np.arange(1000, dtype=dtype)
    y = np.full_like(x, np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "SMALL", small)
        cuda.launch(HALVE, "halve", x.size, x, y, 7, 2.0)
    np.testing.assert_array_equal(y, x / 2 + 7)


PLACES = """
extern "C" __global__ void places(INDEX count, REAL* y, INDEX height, INDEX width, INDEX channels)
{
    for (INDEX i = first(); i < count; i += step()) {
        const Place at = place(i, height, width, channels);
        y[i] += 1000 * at.n + 100 * at.y + 10 * at.x + at.c;
    }
}

extern "C" __global__ void windows(INDEX count, REAL* y, INDEX window, INDEX stride, INDEX windows)
{
    for (INDEX i = first(); i < count; i += step()) {
        y[2 * i] = first_window(i, window, stride);
        y[2 * i + 1] = last_window(i, stride, windows);
    }
}
"""


def test_each_number_is_taken_once_and_its_place_is_known(xp, cuda=cuda):
    shape = 3, 2, 5, 4
    y = np.zeros(shape)
    cuda.launch(PLACES, "places", y.size, y, *shape[1:])
    np.testing.assert_array_equal(y, np.tensordot([1000, 100, 10, 1], np.indices(shape), 1))


def test_the_windows_that_cover_a_sample(xp, cuda=cuda):
    for window, stride, windows in [(3, 1, 4), (3, 2, 4), (2, 3, 3), (1, 1, 5), (4, 4, 1)]:
        y = np.zeros((15, 2))
        cuda.launch(PLACES, "windows", len(y), y, window, stride, windows)
        for at, (first, last) in enumerate(y):
            assert [*range(int(first), int(last) + 1)] == [
                p for p in range(windows) if 0 <= at - stride * p < window]


def recorded(xp, cuda, count, *arrays):
    """How a kernel was called, by a RawKernel that only keeps that."""
    def keep(code, name):
        return lambda grid, block, arguments: calls.append((code, name, grid, block, arguments))

    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xp, "RawKernel", keep)
        cuda.launch(HALVE, "halve", count, *arrays, 7, 2.0)
    return calls


def test_indices_count_what_an_array_holds_too(xp, cuda=cuda):
    """However few numbers there are to compute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "SMALL", 50)
        for size, index in [(49, np.int32), (50, np.int64)]:
            [(*_, arguments)] = recorded(xp, cuda, 3, np.zeros(2), np.zeros(size))
            assert [type(a) for a in arguments[:1] + arguments[3:]] == [index, index, np.float64]


def test_arrays_are_handed_over_as_they_are(xp, cuda=cuda):
    """Of whatever kind of numbers."""
    x, switches = np.zeros(2), np.zeros(2, np.uint8)
    [(*_, arguments)] = recorded(xp, cuda, 2, x, switches)
    assert arguments[1] is x and arguments[2] is switches


COUNTS = [(0, 1), (1, 1), (256, 1), (257, 2), (1 << 40, 1 << 16)]


@pytest.mark.parametrize("count, blocks", COUNTS)
def test_as_many_blocks_as_there_is_work_but_not_more_than_a_gpu_takes(xp, count, blocks,
                                                                       cuda=cuda):
    x = np.zeros(3, np.float32)
    [(code, name, grid, block, arguments)] = recorded(xp, cuda, count, x, x)
    assert (name, grid, block) == ("halve", (blocks,), (256,))
    index = np.int64 if count > cuda.SMALL else np.int32
    assert [type(a) for a in arguments[:1] + arguments[3:]] == [index, index, np.float32]
    assert f"#define INDEX {'long long' if index is np.int64 else 'int'}\n" in code


def test_a_kernel_is_compiled_once(xp):
    made = []

    def make(code, name):
        made.append(name)
        return lambda *arguments: None

    xp.RawKernel = make
    x = np.zeros(3, np.float32)
    for dtype in (np.float32, np.float32, np.float64):
        cuda.launch(HALVE, "halve", 3, x.astype(dtype), x.astype(dtype), 7, 2.0)
    assert len(made) == 2


def test_usable_on_a_gpu_and_for_one_kind_of_floats(xp, cuda=cuda):
    single, double = np.zeros(1, np.float32), np.zeros(1)
    assert cuda.usable(single, single) and cuda.usable(double)
    assert not cuda.usable(single, double)
    assert not cuda.usable(single.astype(np.float16)) and not cuda.usable(double.astype(complex))


def test_not_usable_on_the_cpu(cuda=cuda):
    assert not cuda.usable(np.zeros(1))


@pytest.mark.parametrize("at, message", [("y[i + 1]", "outside an array"), ("y[i - 1]", "outside")])
def test_writing_outside_an_array_is_found_out(xp, at, message):
    x = np.ones(5)
    with pytest.raises(AssertionError, match=message):
        cuda.launch(HALVE.replace("y[i]", at), "halve", x.size, x, x.copy(), 0, 2.0)


def test_reading_outside_an_array_shows(xp):
    x, y = np.ones(5), np.ones(5)
    cuda.launch(HALVE.replace("x[i]", "x[i + 1]"), "halve", x.size, x, y, 0, 2.0)
    assert y[-1] > 1e300


MISTAKES = {
    "a window too early": ("(at - window) / stride + 1", "(at - window) / stride"),
    "a window that ends before the sample": ("at < window ? 0", "at <= window ? 0"),
    "a window too late": ("at < window ? 0", "at < window - 1 ? 0"),
    "a window that is not there": ("return last < windows ?", "return last <= windows ?"),
    "the last window is left out": ("windows - 1;", "windows - 2;"),
    "as wide as high": ("at.x = i % width;     i /= width;", "at.x = i % height;     i /= height;"),
    "all in the first image": ("at.n = i / height;", "at.n = 0;"),
    "numbers that several threads take": ("blockIdx.x * blockDim.x + threadIdx.x",
                                          "blockIdx.x + threadIdx.x"),
    "steps of one block": ("(INDEX)gridDim.x * blockDim.x;", "(INDEX)blockDim.x;"),
    "steps that are one too long": ("(INDEX)gridDim.x * blockDim.x;",
                                    "(INDEX)gridDim.x * blockDim.x + 1;"),
    "kernels on the CPU": ('hasattr(array_module(arrays[0]), "RawKernel") and ', ""),
    "kernels for two kinds of numbers": ("len(kinds) == 1 and kinds < set(REALS)",
                                         "kinds <= set(REALS)"),
    "kernels for any kind of numbers": (" and kinds < set(REALS)", ""),
    "indices for what is computed only": ("max(count, *(a.size for a in arrays))", "count"),
    "indices a number too small": (") < SMALL else", ") <= SMALL else"),
    "indices of 32 bits in the source": ('"int" if index is np.int32 else "long long"', '"int"'),
    "numbers of 32 bits in the source": ("REALS[real.char]", '"float"'),
    "copies of arrays": ('if hasattr(argument, "dtype"):', "if False:"),
    "arguments of 32 bits": ("return index(argument)", "return np.int32(argument)"),
    "numbers of 64 bits": ("real.type(argument)", "np.float64(argument)"),
    "no block for no numbers": ("max(1, -(-count // THREADS))", "-(-count // THREADS)"),
    "the last numbers without a block": ("-(-count // THREADS)", "count // THREADS"),
    "more blocks than a GPU takes": ("min(max(1, -(-count // THREADS)), BLOCKS)",
                                     "max(1, -(-count // THREADS))"),
    "the first kernel of a name for all types": (
        "@cache\ndef _kernel(raw_kernel, source, name, types):\n"
        "    return raw_kernel(program(source, dict(types)), name)",
        "def _kernel(raw_kernel, source, name, types, kept={}):\n"
        "    if name not in kept:\n"
        "        kept[name] = raw_kernel(program(source, dict(types)), name)\n"
        "    return kept[name]"),
}


def is_right(module):
    test_not_usable_on_the_cpu(module)
    with cuda_on_cpu.kernels(module) as xp:
        test_usable_on_a_gpu_and_for_one_kind_of_floats(xp, module)
        for count, blocks in COUNTS:
            test_as_many_blocks_as_there_is_work_but_not_more_than_a_gpu_takes(xp, count, blocks,
                                                                               module)
        test_indices_count_what_an_array_holds_too(xp, module)
        test_arrays_are_handed_over_as_they_are(xp, module)
        test_each_number_is_taken_once_and_its_place_is_known(xp, module)
        test_the_windows_that_cover_a_sample(xp, module)
        for dtype in (np.float32, np.float64):
            for small in (cuda.SMALL, 3):
                test_launch(xp, dtype, small, module)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_right, cuda, MISTAKES[name])

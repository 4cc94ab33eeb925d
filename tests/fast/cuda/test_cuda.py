"""The CUDA kernels' sources compile, and how a kernel is launched. What each computes is in the
test of its file; those run on the CPU (tests/made/cuda_on_cpu.py)."""

import importlib
import re
from pathlib import Path

import cuda_compiler
import cuda_on_cpu
import numpy as np
import pytest

from minicnn.fast import cuda

FOLDER = Path(cuda.__file__).parent
FILES = [importlib.import_module(f"minicnn.fast.cuda.{path.stem}")
         for path in sorted(FOLDER.glob("[!_]*.py"))]
PROGRAMS = {f"{file.__name__.rpartition('.')[2]} {' '.join(types.values())}":
            cuda.program(file.SOURCE, types)
            for file in FILES for more in file.TYPES for real in cuda.REALS.values()
            for index in ("int", "long long")
            for types in [{"REAL": real, "INDEX": index} | more]}


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
def test_launch(xp, monkeypatch, dtype, small):
    """Also with indices of 64 bits, which begin at `small` numbers."""
    monkeypatch.setattr(cuda, "SMALL", small)
    x = np.arange(1000, dtype=dtype)
    y = np.full_like(x, np.nan)
    cuda.launch(HALVE, "halve", x.size, x, y, 7, 2.0)
    np.testing.assert_array_equal(y, x / 2 + 7)


def record(calls):
    """A RawKernel that only keeps how it is called."""
    def make(code, name):
        return lambda grid, block, arguments: calls.append((code, name, grid, block, arguments))
    return make


@pytest.mark.parametrize("count, blocks", [(0, 1), (1, 1), (256, 1), (257, 2), (1 << 40, 1 << 16)])
def test_as_many_blocks_as_there_is_work_but_not_more_than_a_gpu_takes(xp, count, blocks):
    calls = []
    xp.RawKernel = record(calls)
    x = np.zeros(3, np.float32)
    cuda.launch(HALVE, "halve", count, x, x, 7, 2.0)
    [(code, name, grid, block, arguments)] = calls
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


def test_usable_on_a_gpu_and_for_one_kind_of_floats(xp):
    single, double = np.zeros(1, np.float32), np.zeros(1)
    assert cuda.usable(single, single) and cuda.usable(double)
    assert not cuda.usable(single, double)
    assert not cuda.usable(single.astype(np.float16)) and not cuda.usable(double.astype(complex))


def test_not_usable_on_the_cpu():
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

"""Which array module, which device. CuPy is played by a stand-in: no GPU is needed."""

import importlib.util
import sys
import types

import numpy as np
import pytest
import small

from minicnn import backend
from minicnn.backend import DeviceError


class FakeRuntimeError(Exception):
    """Stands for cupy.cuda.runtime.CUDARuntimeError."""


class OutOfMemoryError(MemoryError):
    """Stands for cupy.cuda.memory.OutOfMemoryError."""


OutOfMemoryError.__module__ = "cupy.cuda.memory"


class Array:
    """What cupy.asarray returns: knows its host copy, and the little arithmetic of a trial."""
    def __init__(self, host):
        self.host = host

    def get(self):
        return self.host

    def __matmul__(self, other):
        return Array(self.host @ other.host)

    def __add__(self, other):
        return Array(self.host + other.host)

    def sum(self):
        return self.host.sum()


Array.__module__ = "cupy._core.core"


class Pool:
    """Stands for CuPy's memory pool."""
    limit = 0

    def set_limit(self, size):
        self.limit = size

    def get_limit(self):
        return self.limit


class Products(types.ModuleType):
    """Stands for cupy._core._routines_linalg."""
    COMPUTE_TYPE_DEFAULT, COMPUTE_TYPE_TF32 = 1, 7
    kinds = {}

    def set_compute_type(self, dtype, kind):
        self.kinds[dtype] = kind

    def get_compute_type(self, dtype):
        return self.kinds.get(dtype, self.COMPUTE_TYPE_DEFAULT)


def fake_cupy(count):
    """A module that looks like CuPy with `count` GPUs, or one whose driver fails."""
    def count_devices():
        if count is None:
            raise FakeRuntimeError("no CUDA-capable device is detected")
        return count

    pool = Pool()
    cupy = types.ModuleType("cupy")
    cupy.asarray = lambda x: x if isinstance(x, Array) else Array(x)
    cupy.ones = lambda shape, dtype: Array(np.ones(shape, dtype))
    cupy.get_default_memory_pool = lambda: pool
    cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(
        getDeviceCount=count_devices, CUDARuntimeError=FakeRuntimeError))
    return cupy


@pytest.fixture
def with_gpu(monkeypatch):
    cupy = fake_cupy(1)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setitem(sys.modules, "cupy._core._routines_linalg", Products("products"))
    return cupy


@pytest.fixture
def without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # makes importing it raise


def test_numpy_s_own_things_belong_to_numpy(without_cupy):
    for x in (np.zeros(2), np.float32(1), [1, 2], 3.0):
        assert backend.array_module(x) is np


def test_a_gpu_array_belongs_to_cupy(with_gpu):
    assert backend.array_module(with_gpu.asarray(np.zeros(2))) is with_gpu


def test_arrays_go_there_and_back(with_gpu):
    x = np.arange(3.0)
    there = backend.to_device(x, "gpu")
    assert backend.array_module(there) is with_gpu
    assert backend.to_host(there) is x and backend.to_device(there, "cpu") is x


def test_arrays_already_there_are_not_copied(with_gpu):
    x, there = np.arange(3.0), with_gpu.asarray(np.arange(3.0))
    assert backend.to_host(x) is x and backend.to_device(x, "cpu") is x
    assert backend.to_device(there, "gpu") is there


def test_lists_become_arrays_on_the_host():
    np.testing.assert_array_equal(backend.to_host([1.0, 2.0]), np.array([1.0, 2.0]), strict=True)


def test_device_names_with_a_gpu(with_gpu):
    assert [backend.device_name(name) for name in ("cpu", "gpu", "auto")] == ["cpu", "gpu", "gpu"]


def test_a_device_is_its_array_module(with_gpu):
    assert backend.device("cpu") is np and backend.device("gpu") is with_gpu


def test_device_names_without_cupy(without_cupy):
    assert backend.device_name("cpu") == backend.device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match=r"needs CuPy.*pip install \"minicnn\[cuda1[23]\]\""):
        backend.device_name("gpu")
    with pytest.raises(DeviceError, match="needs CuPy"):
        backend.to_device(np.zeros(2), "gpu")


@pytest.mark.parametrize("count, message", [
    (0, "sees no GPU; use device 'cpu'"),
    (None, r"finds no usable GPU \(no CUDA-capable device is detected; installed: .*\)")])
def test_cupy_without_a_gpu(monkeypatch, count, message):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(count))
    assert backend.device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match=message):
        backend.device_name("gpu")


def test_packages_that_cannot_work_together_are_said_before_cupy_is_imported(monkeypatch,
                                                                             without_cupy):
    monkeypatch.setattr(backend.driver, "conflict", lambda: "two packages")
    with pytest.raises(DeviceError, match="^device 'gpu': two packages$"):
        backend.device_name("gpu")


def failing(error):
    """A cupy.ones whose arrays cannot be computed with."""
    def ones(shape, dtype):
        raise error
    return ones


@pytest.mark.parametrize("error, words", [
    (RuntimeError("CuPy failed to load libnvrtc.so.12: OSError"), "says: CuPy failed to load libn"),
    (RuntimeError("=====\n\n kern.cu(1): cannot open source file \"cuda_fp16.h\"\nmore"),
     "says: kern.cu.1.: cannot open source file"),
    (OutOfMemoryError("Out of memory allocating 512 bytes."), "enough memory: Out of memory")])
def test_a_cupy_that_cannot_compute(with_gpu, error, words):
    with_gpu.ones = failing(error)
    with pytest.raises(DeviceError, match=words) as raised:
        backend.device_name("gpu")
    assert "\n" not in str(raised.value)
    assert backend.device_name("auto") == "cpu"


def test_a_cupy_that_computes_wrongly(with_gpu):
    with_gpu.ones = lambda shape, dtype: Array(np.zeros(shape, dtype))
    with pytest.raises(DeviceError, match="wrong sums"):
        backend.device_name("gpu")


def test_what_was_found_to_work_is_not_tried_again(with_gpu):
    backend.device_name("gpu")
    with_gpu.ones = failing(RuntimeError("tried again"))
    assert backend.device_name("gpu") == "gpu"


def test_memory_limit(with_gpu):
    assert backend.memory_limit() == 0
    assert backend.memory_limit(1 << 30) == backend.memory_limit() == 1 << 30
    for wrong in (-1, 1.5, "1G"):
        with pytest.raises(ValueError, match="memory_limit: expected a whole number of bytes"):
            backend.memory_limit(wrong)


@pytest.mark.parametrize("text, limit", [("", 0), ("1000", 1000), ("3K", 3072), ("6g", 6 << 30)])
def test_the_environment_limits_memory(with_gpu, monkeypatch, text, limit):
    monkeypatch.setenv("MINICNN_GPU_MEMORY", text)
    assert backend.memory_limit() == limit


@pytest.mark.parametrize("text", ["much", "0", "-1", "G", "1KG", "1.5G", "50%"])
def test_a_wrong_limit_in_the_environment(with_gpu, monkeypatch, text):
    monkeypatch.setenv("MINICNN_GPU_MEMORY", text)
    with pytest.raises(ValueError, match="MINICNN_GPU_MEMORY: expected a number of bytes, or one"):
        backend.memory_limit()


def test_tf32_is_off_until_asked_for(with_gpu):
    assert [backend.tf32(), backend.tf32(True), backend.tf32()] == [False, True, True]
    assert backend.tf32(False) is backend.tf32() is False


def test_out_of_memory_is_one_error(with_gpu):
    with pytest.raises(backend.DeviceMemoryError, match="fewer or smaller") as raised, \
            backend.memory_errors():
        raise OutOfMemoryError("Out of memory allocating 9 bytes (allocated so far: 3 bytes).")
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, MemoryError)
    for error in (MemoryError("the host's"), ValueError("OutOfMemoryError"), KeyError("x")):
        with pytest.raises(type(error)) as raised, backend.memory_errors():
            raise error
        assert raised.value is error


def test_a_pass_that_runs_out_of_memory(monkeypatch):
    """Forward, and on the way back."""
    def full(*arguments):
        raise OutOfMemoryError("Out of memory allocating 9 bytes.")

    network = small.network()
    run = network.forward(network.prepare(small.photo()), to="relu2")
    layer = type(network["conv1"])
    monkeypatch.setattr(layer, "forward", full)
    monkeypatch.setattr(layer, "backward", full)
    with pytest.raises(backend.DeviceMemoryError):
        network.forward(network.prepare(small.photo()))
    with pytest.raises(backend.DeviceMemoryError):
        run.backward({"relu2": run["relu2"]})


@pytest.mark.parametrize("name", ["cuda", "CPU", "", None])
def test_other_words_are_refused(name):
    with pytest.raises(DeviceError, match="expected 'cpu', 'gpu' or 'auto', got"):
        backend.device_name(name)


def test_nothing_imports_cupy_until_asked(without_cupy, monkeypatch):
    """A second copy of the module loads where importing cupy would raise."""
    spec = importlib.util.spec_from_file_location("second_copy", backend.__file__)
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, copy)
    spec.loader.exec_module(copy)
    assert copy.array_module(np.zeros(1)) is np and copy.device_name("auto") == "cpu"

"""Which array module, which device. CuPy is played by a stand-in: no GPU is needed."""

import importlib.util
import sys
import types

import numpy as np
import pytest

from minicnn import backend
from minicnn.backend import DeviceError


class FakeRuntimeError(Exception):
    """Stands for cupy.cuda.runtime.CUDARuntimeError."""


def fake_cupy(count):
    """A module that looks like CuPy with `count` GPUs, or one whose driver fails."""
    def count_devices():
        if count is None:
            raise FakeRuntimeError("no CUDA-capable device is detected")
        return count

    class Array:
        """What cupy.asarray returns: knows its host copy."""
        def __init__(self, host):
            self.host = host

        def get(self):
            return self.host

    Array.__module__ = "cupy._core.core"
    cupy = types.ModuleType("cupy")
    cupy.asarray = lambda x: x if isinstance(x, Array) else Array(x)
    cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(
        getDeviceCount=count_devices, CUDARuntimeError=FakeRuntimeError))
    return cupy


@pytest.fixture
def with_gpu(monkeypatch):
    cupy = fake_cupy(1)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
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


def test_device_names_without_cupy(without_cupy):
    assert backend.device_name("cpu") == backend.device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match="needs CuPy.*pip install cupy-cuda12x"):
        backend.device_name("gpu")
    with pytest.raises(DeviceError, match="needs CuPy"):
        backend.to_device(np.zeros(2), "gpu")


@pytest.mark.parametrize("count, message", [
    (0, "sees no GPU; use device 'cpu'"),
    (None, r"finds no usable GPU \(no CUDA-capable device is detected\)")])
def test_cupy_without_a_gpu(monkeypatch, count, message):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(count))
    assert backend.device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match=message):
        backend.device_name("gpu")


@pytest.mark.parametrize("name", ["cuda", "CPU", "", None])
def test_other_words_are_refused(name):
    with pytest.raises(DeviceError, match="expected 'cpu', 'gpu' or 'auto', got"):
        backend.device_name(name)


def test_nothing_imports_cupy_until_asked(without_cupy):
    """A second copy of the module loads where importing cupy would raise."""
    spec = importlib.util.spec_from_file_location("second_copy", backend.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert copy.array_module(np.zeros(1)) is np and copy.device_name("auto") == "cpu"

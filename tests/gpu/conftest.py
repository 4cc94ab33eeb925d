"""The device that every test here runs on: the stand-in for CuPy, the same with the CUDA kernels,
compiled for the CPU, and a GPU where there is one."""

import sys
import warnings

import cuda_on_cpu
import pytest
import strict_cupy

from minicnn import backend


@pytest.fixture(scope="session")
def no_gpu():
    """Why no GPU can be used, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what importing CuPy has to say is no error of ours
        try:
            backend.device("gpu")
        except backend.DeviceError as error:
            return str(error)
    return None


@pytest.fixture(params=["stand-in", "kernels", pytest.param("gpu", marks=pytest.mark.gpu)])
def xp(request, no_gpu, monkeypatch):
    """The array module of device "gpu": CuPy on a GPU, or what stands in for it everywhere."""
    if request.param == "kernels":
        cuda_on_cpu.compiler()  # or skip
        monkeypatch.setattr(strict_cupy, "RawKernel", cuda_on_cpu.RawKernel, raising=False)
    if request.param != "gpu":
        monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
        return strict_cupy
    if no_gpu:
        pytest.skip(no_gpu)
    return backend.device("gpu")

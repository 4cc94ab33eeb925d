"""What the work runs on: which array module, host or device, how many threads.

This is the only file that imports CuPy, and it does so only when a CuPy array or the GPU is
actually asked for. Everything else asks ``array_module(x)`` and computes with what it gets.

Random numbers are always drawn by NumPy on the host and then moved, so that a seed means the same
numbers on every device.
"""

import importlib
import os
import sys
from contextlib import contextmanager

import numpy as np

from minicnn.backend import driver

VARIABLE = "MINICNN_THREADS"
MEMORY_VARIABLE = "MINICNN_GPU_MEMORY"
NO_MEMORY = ("OutOfMemoryError", "cudaErrorMemoryAllocation", "CUBLAS_STATUS_ALLOC_FAILED")
_COUNT = {}  # how many threads, once it has been asked for
_STARTED = {}  # the CuPy that was found to work


class DeviceError(ValueError):
    """The device that was asked for is not there, or does not work."""


class DeviceMemoryError(DeviceError, MemoryError):
    """The device has not the memory that was asked for."""


def array_module(x):
    """The module whose functions work on `x`: ``numpy``, or ``cupy`` for an array on a GPU."""
    if type(x).__module__.partition(".")[0] == "cupy":
        return importlib.import_module("cupy")
    return np


def device(name):
    """The array module of a device, "cpu", "gpu" or "auto": ``numpy`` or ``cupy``.

    Raises
    ------
    DeviceError
        As `device_name` does.
    """
    return np if device_name(name) == "cpu" else _cupy()


def to_host(x):
    """`x` as a NumPy array; a NumPy array is returned as it is."""
    return x.get() if array_module(x) is not np else np.asarray(x)


def to_device(x, device):
    """`x` on `device` ("cpu" or "gpu"); an array already there is returned as it is."""
    if device_name(device) == "cpu":
        return to_host(x)
    with memory_errors():
        return _cupy().asarray(x)


def device_name(device):
    """Resolve "cpu", "gpu" or "auto" (the GPU where CuPy finds one) to "cpu" or "gpu".

    Raises
    ------
    DeviceError
        For any other word, and for "gpu" where something is missing: it says what there is and
        what to install.
    """
    if device == "cpu":
        return "cpu"
    if device == "gpu":
        _cupy()
        return "gpu"
    if device == "auto":
        try:
            _cupy()
        except DeviceError:
            return "cpu"
        return "gpu"
    raise DeviceError(f"device: expected 'cpu', 'gpu' or 'auto', got {device!r}")


# ---- settings of the GPU -------------------------------------------------------------------------


def memory_limit(limit=None):
    """How many bytes of a GPU's memory arrays may take, and from now on if `limit` is given.

    At first it is the environment variable MINICNN_GPU_MEMORY, a number of bytes or one with K, M
    or G (powers of 1024) behind it, as in "6G"; all there is where that is not set. Whoever needs
    more gets a DeviceMemoryError.

    Parameters
    ----------
    limit : int, optional
        Bytes; 0 for all there is.

    Returns
    -------
    int
        0 where there is no limit.
    """
    pool = _cupy().get_default_memory_pool()
    if limit is not None:
        if not isinstance(limit, int) or limit < 0:
            raise ValueError(f"memory_limit: expected a whole number of bytes, got {limit!r}")
        pool.set_limit(size=limit)
    return pool.get_limit()


def tf32(on=None):
    """Whether float32 products on the GPU are rounded to TF32, and from now on if `on` is given.

    TF32 keeps 10 of float32's 23 bits of each factor (sums stay float32), and multiplies several
    times as fast on tensor cores, from compute capability 8.0 on. It is off unless switched on
    here or by CuPy's environment variable CUPY_TF32=1: tests of gradients do not hold with it.
    CuPy multiplies stacks of matrices (the Gram matrices of several images) without it.

    Parameters
    ----------
    on : bool, optional

    Returns
    -------
    bool
    """
    _cupy()
    products = importlib.import_module("cupy._core._routines_linalg")
    if on is not None:
        kind = products.COMPUTE_TYPE_TF32 if on else products.COMPUTE_TYPE_DEFAULT
        products.set_compute_type("float32", kind)
    return products.get_compute_type("float32") == products.COMPUTE_TYPE_TF32


@contextmanager
def memory_errors():
    """Within it, a GPU that runs out of memory raises one DeviceMemoryError that says what to do.

    Nothing else is changed, and no error of another kind.
    """
    try:
        yield
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        raise DeviceMemoryError(
            f"the memory of the GPU does not suffice: {_first_line(error)} Use fewer or smaller "
            f"images, end what else runs on the GPU, or raise the limit ({MEMORY_VARIABLE}) if "
            "there is one") from None


def _is_out_of_memory(error):
    said = f"{type(error).__name__} {error}"
    return type(error).__module__.startswith("cupy") and any(word in said for word in NO_MEMORY)


# ---- is there a GPU, and does CuPy work on it? ---------------------------------------------------


def _cupy():
    """CuPy, once everything between it and the GPU is known to work."""
    cupy = _STARTED.get("cupy")
    if cupy is None or sys.modules.get("cupy") is not cupy:
        _STARTED["cupy"] = cupy = _start_cupy()
    return cupy


def _start_cupy():
    conflict = driver.conflict()
    if conflict:
        raise DeviceError(f"device 'gpu': {conflict}")
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        raise DeviceError(f"device 'gpu' needs CuPy, and importing it says: {_first_line(error)}. "
                          f"{driver.remedy()}") from None
    _check_gpu(cupy)
    _try_out(cupy)
    limit = _memory_from_environment()
    if limit:
        cupy.get_default_memory_pool().set_limit(size=limit)
    return cupy


def _check_gpu(cupy):
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"device 'gpu': CuPy finds no usable GPU ({_first_line(error)}; "
                          f"{driver.found()}); use device 'cpu'") from None
    if count == 0:
        raise DeviceError("device 'gpu': CuPy is installed but sees no GPU; use device 'cpu'")


def _try_out(cupy):
    """One product and one sum: they need cuBLAS, the compiler NVRTC and CUDA's headers, which
    CuPy looks for only now."""
    try:
        with memory_errors():
            ones = cupy.ones((2, 2), dtype=np.float32)
            total = float((ones @ ones + ones).sum())
    except DeviceError:
        raise
    except Exception as error:  # of many kinds: a library, a header or the GPU's code is missing
        raise DeviceError(
            f"device 'gpu': CuPy cannot compute here; it says: {_first_line(error)} "
            f"({driver.found()}). CUDA's libraries, its compiler NVRTC and its headers come with "
            f"{driver.extra()}") from None
    if total != 12:
        raise DeviceError(f"device 'gpu': CuPy computes wrong sums here ({driver.found()}); use "
                          "device 'cpu'")


def _first_line(error):
    """The first line of an error's text that says something, without CuPy's rulers of `=`."""
    lines = (line.strip(" =-") for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def _memory_from_environment():
    text = os.environ.get(MEMORY_VARIABLE, "").strip().upper()
    if not text:
        return 0
    number = text.rstrip("KMG")
    if len(text) - len(number) > 1 or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{MEMORY_VARIABLE}: expected a number of bytes, or one with K, M or G "
                         f"behind it, as in 6G, got {text!r}")
    return int(number) << 10 * " KMG".index(text[-1] if number != text else " ")


# ---- threads -------------------------------------------------------------------------------------


def threads(count=None):
    """How many threads the ops use (`minicnn.fast.threads`), and from now on if `count` is given.

    At first it is the environment variable MINICNN_THREADS, or the number of cores this process
    may use. Results are the same bytes for any number.

    Parameters
    ----------
    count : int, optional
        At least 1.

    Returns
    -------
    int
    """
    if count is not None:
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"threads: expected a whole number of at least 1, got {count!r}")
        _COUNT["threads"] = count
    if not _COUNT:
        _COUNT["threads"] = _from_environment()
    return _COUNT["threads"]


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _from_environment():
    text = os.environ.get(VARIABLE, "")
    if not text:
        return cores()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{VARIABLE}: expected a whole number of at least 1, got {text!r}")
    return int(text)

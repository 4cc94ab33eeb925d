"""The array module (NumPy or CuPy), the device, and the number of threads.

This is the only file that imports CuPy, and only when a CuPy array or the GPU is requested. All
other code calls ``array_module(x)`` and computes with the module it returns.

NumPy always draws random numbers on the host and they are then moved, so that a seed gives the
same numbers on every device.
"""

import importlib
import os
import sys
from contextlib import contextmanager
from math import ceil

import numpy as np

from minicnn.backend import control_groups, driver
from minicnn.rooms import offered

VARIABLE = "MINICNN_THREADS"
MEMORY_VARIABLE = "MINICNN_GPU_MEMORY"
NO_MEMORY = ("OutOfMemoryError", "cudaErrorMemoryAllocation", "CUBLAS_STATUS_ALLOC_FAILED")
_COUNT = {}  # the number of threads, once it is known
_STARTED = {}  # the CuPy module, once it is known to work
__getattr__, __dir__ = offered(__name__)


class DeviceError(ValueError):
    """The requested device is missing or does not work."""


class DeviceMemoryError(DeviceError, MemoryError):
    """The device does not have enough memory."""


def array_module(x):
    """The module for computing with `x`: ``numpy``, or ``cupy`` if `x` is on a GPU."""
    if type(x).__module__.partition(".")[0] == "cupy":
        return importlib.import_module("cupy")
    return np


def device(name):
    """The array module of a device, "cpu", "gpu" or "auto": ``numpy`` or ``cupy``.

    Raises
    ------
    DeviceError
        As from `device_name`.
    """
    return np if device_name(name) == "cpu" else _cupy()


def to_host(x):
    """`x` as a NumPy array; a NumPy array is returned unchanged."""
    return x.get() if array_module(x) is not np else np.asarray(x)


def to_device(x, device):
    """`x` on `device` ("cpu" or "gpu"); an array already there is returned unchanged."""
    if device_name(device) == "cpu":
        return to_host(x)
    with memory_errors():
        return _cupy().asarray(x)


def device_name(device):
    """Resolve "cpu", "gpu" or "auto" (the GPU if CuPy finds one) to "cpu" or "gpu".

    Raises
    ------
    DeviceError
        Any other word; or "gpu" when something is missing: the error says what is installed and
        what to install.
    """
    if device not in ("cpu", "gpu", "auto"):
        raise DeviceError(f"device: expected 'cpu', 'gpu' or 'auto', got {device!r}")
    if device == "cpu":
        return "cpu"
    try:
        _cupy()
    except DeviceError:
        if device == "gpu":
            raise
        return "cpu"
    return "gpu"


# ---- settings of the GPU -------------------------------------------------------------------------


def memory_limit(limit=None):
    """Return the most GPU memory that arrays may use; `limit` sets a new value first.

    The initial value is that of the environment variable MINICNN_GPU_MEMORY, in bytes or with a
    suffix K, M or G (powers of 1024), as in "6G"; without it there is no limit. Arrays that need
    more raise a DeviceMemoryError.

    Parameters
    ----------
    limit : int, optional
        Bytes; 0 for no limit.

    Returns
    -------
    int
        Bytes; 0 for no limit.
    """
    pool = _cupy().get_default_memory_pool()
    if limit is not None:
        if not isinstance(limit, int) or limit < 0:
            raise ValueError(f"memory_limit: expected a whole number of bytes, got {limit!r}")
        pool.set_limit(size=limit)
    return pool.get_limit()


def tf32(on=None):
    """Return whether float32 products on the GPU are rounded to TF32; `on` sets this first.

    TF32 keeps 10 of the 23 bits of each float32 factor (sums stay float32) and multiplies several
    times as fast on tensor cores, from compute capability 8.0 on. It is off unless switched on
    here or by CuPy's environment variable CUPY_TF32=1, because gradient checks fail with it. CuPy
    multiplies stacks of matrices (the Gram matrices of several images) without it.

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
    """A context that turns a GPU's out-of-memory errors into a DeviceMemoryError with a remedy.

    All other errors pass unchanged.
    """
    try:
        yield
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        raise DeviceMemoryError(
            f"the GPU does not have enough memory: {_first_line(error)} Use fewer or smaller "
            f"images, end other programs on the GPU, or raise the limit ({MEMORY_VARIABLE}) if "
            "one is set") from None


def _is_out_of_memory(error):
    said = f"{type(error).__name__} {error}"
    return type(error).__module__.startswith("cupy") and any(word in said for word in NO_MEMORY)


# ---- is there a GPU, and does CuPy work on it? ---------------------------------------------------


def _cupy():
    """The CuPy module, after a check that it works on this GPU."""
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
        raise DeviceError(f"device 'gpu' needs CuPy, but importing it fails: {_first_line(error)}. "
                          f"{driver.remedy()}") from None
    _check_gpu(cupy)
    _try_out(cupy)
    if limit := _memory_from_environment():
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
    """Compute a product and a sum: only these make CuPy look for cuBLAS, NVRTC and CUDA's headers.
    """
    try:
        with memory_errors():
            ones = cupy.ones((2, 2), dtype=np.float32)
            total = float((ones @ ones + ones).sum())
    except DeviceError:
        raise
    except Exception as error:  # many kinds: a missing library, header or GPU code
        raise DeviceError(
            f"device 'gpu': CuPy cannot compute here; it says: {_first_line(error)} "
            f"({driver.found()}). To get CUDA's libraries, its compiler NVRTC and its headers: "
            f"{driver.extra()}") from None
    if total != 12:
        raise DeviceError(f"device 'gpu': CuPy computes wrong sums here ({driver.found()}); use "
                          "device 'cpu'")


def _first_line(error):
    """The first line of an error's text that is not empty and not one of CuPy's lines of `=`."""
    lines = (line.strip(" =-") for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def _memory_from_environment():
    text = os.environ.get(MEMORY_VARIABLE, "").strip().upper()
    if not text:
        return 0
    number = text.rstrip("KMG")
    if len(text) - len(number) > 1 or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{MEMORY_VARIABLE}: expected a number of bytes, or one followed by K, M "
                         f"or G, as in 6G, got {text!r}")
    return int(number) << 10 * " KMG".index(text[-1] if number != text else " ")


# ---- threads -------------------------------------------------------------------------------------


def threads(count=None):
    """Return the number of threads the ops use (`minicnn.fast.threads`); `count` sets it first.

    The initial number is that of the environment variable MINICNN_THREADS, or without it the
    number of cores this process may use. Results are the same bytes for any number.

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
        text = os.environ.get(VARIABLE, "")
        if text and (not text.isdecimal() or int(text) < 1):
            raise ValueError(f"{VARIABLE}: expected a whole number of at least 1, got {text!r}")
        _COUNT["threads"] = int(text) if text else cores()
    return _COUNT["threads"]


def cores():
    """The number of cores this process may use; a container's limit of 1.5 counts as 2."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = control_groups.cpu_limit()
    return there if limit is None else min(there, ceil(limit))


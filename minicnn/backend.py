"""What the work runs on: which array module, host or device, how many threads.

This is the only file that imports CuPy, and it does so only when a CuPy array or the GPU is
actually asked for. Everything else asks ``array_module(x)`` and computes with what it gets.
"""

import importlib
import os

import numpy as np

VARIABLE = "MINICNN_THREADS"
_COUNT = {}  # how many threads, once it has been asked for


class DeviceError(ValueError):
    """The device that was asked for is not there."""


def array_module(x):
    """The module whose functions work on `x`: ``numpy``, or ``cupy`` for an array on a GPU."""
    if type(x).__module__.partition(".")[0] == "cupy":
        return importlib.import_module("cupy")
    return np


def to_host(x):
    """`x` as a NumPy array; a NumPy array is returned as it is."""
    return x.get() if array_module(x) is not np else np.asarray(x)


def to_device(x, device):
    """`x` on `device` ("cpu" or "gpu"); an array already there is returned as it is."""
    if device_name(device) == "cpu":
        return to_host(x)
    return _cupy().asarray(x)


def device_name(device):
    """Resolve "cpu", "gpu" or "auto" (the GPU where CuPy finds one) to "cpu" or "gpu".

    Raises
    ------
    DeviceError
        For any other word, and for "gpu" where CuPy or a GPU is missing.
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


def _cupy():
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        raise DeviceError(
            f"device 'gpu' needs CuPy, and importing it says: {error}. Install the wheel of your "
            "CUDA version (pip install cupy-cuda12x or cupy-cuda13x), or use device 'cpu'"
        ) from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"device 'gpu': CuPy finds no usable GPU ({error}); use 'cpu'") from None
    if count == 0:
        raise DeviceError("device 'gpu': CuPy is installed but sees no GPU; use device 'cpu'")
    return cupy


def threads(count=None):
    """How many threads the ops use (`minicnn.threads`), and from now on if `count` is given.

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


def _from_environment():
    text = os.environ.get(VARIABLE, "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{VARIABLE}: expected a whole number of at least 1, got {text!r}")
    return int(text)

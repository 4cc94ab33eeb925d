"""The NVIDIA driver and its GPUs, the CuPy that fits them, and whether CuPy works.

The driver is examined without CuPy, so that the report can say which CuPy to install. The driver's
own library gives the latest CUDA that it supports (`backend.driver`), `nvidia-smi` names the GPUs,
and on Linux /proc has the driver's version if that program is missing.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from minicnn import backend
from minicnn.backend import driver
from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding, asked
from minicnn.doctor.libraries import numbers

VERSION = Path("/proc/driver/nvidia/version")
FIELDS = ("name,memory.total,driver_version,compute_cap", "name,memory.total,driver_version")
PATIENCE = 3  # seconds to wait for nvidia-smi, which normally takes less than one
# first driver for each CUDA (NVIDIA, "CUDA Compatibility", minor version compatibility)
BRANCHES = ((580, 13), (525, 12), (450, 11))
LEAST = {13: (7, 5), 12: (5, 0)}  # least compute capability; CUDA 13 needs Turing or later
CONTAINER = ("in a container, start it with --gpus all and "
             "NVIDIA_DRIVER_CAPABILITIES=compute,utility")


class Gpu(NamedTuple):
    """One GPU: its name, memory in MiB, and compute capability, () if unknown."""

    name: str
    memory: int
    capability: tuple

    def __str__(self):
        told = ".".join(map(str, self.capability)) or "unknown"
        return f"{self.name}, {self.memory / 1024:.0f} GiB, compute capability {told}"


class Driver(NamedTuple):
    """What is known about the driver.

    Attributes
    ----------
    version : str
        "" if unknown.
    cuda : tuple of int
        The latest CUDA it supports: (12, 4), or (12,) if only the major version is known; () for
        none.
    gpus : tuple of Gpu
    fault : str
        What is wrong with it; "" for nothing.
    """

    version: str = ""
    cuda: tuple = ()
    gpus: tuple = ()
    fault: str = ""

    @property
    def there(self):
        """Whether there is a driver at all."""
        return bool(self.version or self.cuda)


def gpu(device="auto"):
    """Yield the findings on the driver, the GPUs and CuPy.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        The requested device. CuPy is tried unless this is "cpu"; only for "gpu" is an unusable
        CuPy bad.
    """
    found = find_driver()
    yield from _driver(found)
    if device == "cpu":
        yield from asked("CuPy", wheel, found, device)
        return
    try:
        xp = backend.device("gpu")
    except Exception as error:  # a DeviceError, or anything a broken CuPy raises while it loads
        yield from asked("CuPy", wheel, found, device, error)
    else:
        yield from asked("CuPy", at_work, xp)


# ---- the driver

def find_driver():
    """What nvidia-smi, the driver's library and /proc say about the driver.

    Returns
    -------
    Driver
    """
    served, gpus, version, fault = driver.driver_version() or (), (), "", ""
    try:
        version, gpus = from_smi()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        fault = f"nvidia-smi fails: {' '.join(str(error).split())}"
    version = version or _from_proc()
    if version and not served and not fault:
        fault = "its library libcuda is missing; without it nothing runs on the GPU"
    return Driver(version, served or cuda_of(version), gpus, fault)


def from_smi():
    """The (version, GPUs) that nvidia-smi reports; ("", ()) if there is no such program.

    Raises
    ------
    ValueError
        nvidia-smi fails; the message is its output.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return "", ()
    for fields in FIELDS:  # before driver 510 it does not know compute_cap
        shown = subprocess.run([program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
                               capture_output=True, text=True, errors="replace", timeout=PATIENCE)
        if shown.returncode == 0:
            break
    else:
        raise ValueError((shown.stdout + shown.stderr)[:200] or f"status {shown.returncode}")
    rows = [[cell.strip() for cell in line.split(",")] for line in shown.stdout.splitlines()]
    rows = [row for row in rows if len(row) >= 3]
    if not rows:
        raise ValueError(f"it lists no GPU: {shown.stdout[:200]!r}")
    return rows[0][2], tuple(Gpu(row[0], _first(row[1]), numbers("".join(row[3:4])))
                             for row in rows)  # "NVIDIA H200", "143771", "580.65.06", "9.0"


def _first(text):
    """The whole number at the start of a text, or 0 if there is none: "535.129" -> 535."""
    return (numbers(text) or (0,))[0]


def _from_proc():
    """The driver's version from Linux's /proc; "" if there is none."""
    text = VERSION.read_text() if VERSION.is_file() else ""
    match = re.search(r"Kernel Module\D*(\d+(\.\d+)+)", text)
    return match.group(1) if match else ""


def cuda_of(version):
    """The major version of CUDA that a driver of this version supports: "535.129" -> (12,)."""
    return next(((cuda,) for least, cuda in BRANCHES if _first(version) >= least), ())


def _driver(found):
    """Yield the version of a Driver, its GPUs, and what is wrong with it."""
    if found.there:
        served = (f"supports CUDA up to {driver.dotted(found.cuda)}" if found.cuda
                  else "too old for any current CUDA")
        yield Finding("driver", f"{found.version or 'NVIDIA, unknown version'}; {served}")
    for number, one in enumerate(found.gpus):
        yield Finding(f"GPU {number}", str(one))
    if found.fault:
        yield Finding("driver", found.fault, WARNING,
                      f"reinstall the driver and restart; {CONTAINER}")
    elif not found.there:
        yield Finding("driver", "no NVIDIA driver here; everything runs on the CPU", NOTE)


# ---- CuPy

def fitting(found):
    """The CUDA (12 or 13) whose CuPy fits a Driver and all its GPUs; None if neither fits."""
    known = [one.capability for one in found.gpus if one.capability]
    return next((cuda for cuda, least in LEAST.items() if (found.cuda or (0,))[0] >= cuda
                 and all(capability >= least for capability in known)), None)


def wheel(found, device="auto", error=None):
    """Yield which CuPy is installed, whether it fits, and which one to install instead.

    Parameters
    ----------
    found : Driver
    device : {"cpu", "gpu", "auto"}
    error : Exception, optional
        The error with which CuPy failed.
    """
    state = BAD if device == "gpu" else WARNING
    installed, fits, conflict = driver.wheels(), fitting(found), driver.conflict()
    listed, newest = driver.listed(installed), max(map(driver.wheel_cuda, installed), default=0)
    change = f"pip uninstall {' '.join(installed)}, then: {_how(found)}"
    if conflict:  # only its first sentence: the remedy here also takes the GPUs' age into account
        yield Finding("CuPy", conflict.partition(". ")[0], BAD if len(installed) > 1 else state,
                      change)
    elif not installed:
        yield Finding("CuPy", "not installed", BAD if device == "gpu" else NOTE,
                      _how(found) if found.there or device == "gpu" else "")
    elif not found.there:
        yield Finding("CuPy", f"{listed}, but there is no driver for it", state, _how(found))
    elif fits is None or newest > fits:
        yield Finding("CuPy", f"{listed}, which does not fit this driver and GPU", state, change)
    elif error is not None:
        yield Finding("CuPy", f"{listed}, which fits the driver, but: {error}", state)
    else:
        yield Finding("CuPy", f"{listed}, which fits the driver")


def _how(found):
    """The command that installs the CuPy that fits, or what to do before that."""
    fits = fitting(found)
    if fits:
        return driver.EXTRAS[fits]
    if found.there:
        return "install driver 525 or later first: CuPy needs one that supports CUDA 12"
    return "install an NVIDIA GPU with its driver first, or use --device cpu"


def at_work(xp):
    """Yield the versions and the GPU memory that a working CuPy reports.

    Parameters
    ----------
    xp : module
        CuPy.
    """
    name = ", ".join(driver.wheels()) or "CuPy"
    yield Finding("CuPy", f"{name} {xp.__version__} multiplies, adds and compiles kernels")
    runtime = xp.cuda.runtime
    runs, serves = (driver.dotted(driver.cuda_version(number)) for number in
                    (runtime.runtimeGetVersion(), runtime.driverGetVersion()))
    yield Finding("CUDA", f"runtime {runs}, driver {serves}")
    free, total = runtime.memGetInfo()
    yield Finding("GPU memory", f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free")
    if limit := backend.memory_limit():
        yield Finding("memory limit", f"{limit / 2**30:.1f} GiB ({backend.MEMORY_VARIABLE})", NOTE)

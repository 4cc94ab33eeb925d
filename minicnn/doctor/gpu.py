"""The NVIDIA driver and its GPUs, which CuPy fits them, and whether CuPy works.

The driver is asked without CuPy, so that a machine without it learns what to install: the driver's
own library says up to which CUDA it goes (`backend.driver`), `nvidia-smi` names the GPUs, and on
Linux /proc has the driver's version where that program is not there.
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
PATIENCE = 3  # seconds for nvidia-smi, which takes less than one where all is well
# the first driver that serves each CUDA (NVIDIA, "CUDA Compatibility", minor version compatibility)
BRANCHES = ((580, 13), (525, 12), (450, 11))
LEAST = {13: (7, 5), 12: (5, 0)}  # compute capability; CUDA 13 dropped what is older than Turing
CONTAINER = ("in a container, start it with --gpus all and "
             "NVIDIA_DRIVER_CAPABILITIES=compute,utility")


class Gpu(NamedTuple):
    """One GPU: its name, memory in MiB, and compute capability, () where that is not told."""

    name: str
    memory: int
    capability: tuple

    def __str__(self):
        told = ".".join(map(str, self.capability)) or "not told"
        return f"{self.name}, {self.memory / 1024:.0f} GiB, compute capability {told}"


class Driver(NamedTuple):
    """What is known of the driver.

    Attributes
    ----------
    version : str
        "" where it is not told.
    cuda : tuple of int
        The latest CUDA it serves, (12, 4), or (12,) where only that is known; () for none.
    gpus : tuple of Gpu
    fault : str
        What is wrong with it, "" where nothing is.
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
    """Yield what there is to say of driver, GPUs and CuPy.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        What was asked for. CuPy is tried unless it is "cpu"; only for "gpu" it is bad if it cannot
        be used.
    """
    found = find_driver()
    yield from _driver(found)
    if device == "cpu":
        yield from asked("CuPy", wheel, found, device)
        return
    try:
        xp = backend.device("gpu")
    except Exception as error:  # a DeviceError, or whatever a broken CuPy raises as it loads
        yield from asked("CuPy", wheel, found, device, error)
    else:
        yield from asked("CuPy", at_work, xp)


# ---- the driver

def find_driver():
    """What nvidia-smi, the driver's library and /proc tell of the driver.

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
        fault = "its library libcuda is not to be found, without which nothing runs on the GPU"
    return Driver(version, served or cuda_of(version), gpus, fault)


def from_smi():
    """(version, GPUs) that nvidia-smi tells of; ("", ()) where there is no such program.

    Raises
    ------
    ValueError
        If it fails, with what it says.
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
    """The whole number that a text begins with, 0 where there is none: "535.129" -> 535."""
    return (numbers(text) or (0,))[0]


def _from_proc():
    """The driver's version as Linux has it; "" where it has none."""
    text = VERSION.read_text() if VERSION.is_file() else ""
    match = re.search(r"Kernel Module\D*(\d+(\.\d+)+)", text)
    return match.group(1) if match else ""


def cuda_of(version):
    """The major version of CUDA that a driver serves, by its own version: "535.129" -> (12,)."""
    return next(((cuda,) for least, cuda in BRANCHES if _first(version) >= least), ())


def _driver(found):
    """Yield what a Driver is, its GPUs, and what is wrong with it."""
    if found.there:
        served = (f"serves CUDA up to {driver.dotted(found.cuda)}" if found.cuda
                  else "too old for any CUDA of today")
        yield Finding("driver", f"{found.version or 'NVIDIA, version not told'}; {served}")
    for number, one in enumerate(found.gpus):
        yield Finding(f"GPU {number}", str(one))
    if found.fault:
        yield Finding("driver", found.fault, WARNING,
                      f"install the driver anew and restart; {CONTAINER}")
    elif not found.there:
        yield Finding("driver", "no NVIDIA driver here; the work is done on the CPU", NOTE)


# ---- CuPy

def fitting(found):
    """The CUDA (12 or 13) whose CuPy fits a Driver and all its GPUs; None where none does."""
    known = [one.capability for one in found.gpus if one.capability]
    return next((cuda for cuda, least in LEAST.items() if (found.cuda or (0,))[0] >= cuda
                 and all(capability >= least for capability in known)), None)


def wheel(found, device="auto", error=None):
    """Yield which CuPy is installed, whether it fits, and which one would.

    Parameters
    ----------
    found : Driver
    device : {"cpu", "gpu", "auto"}
    error : Exception, optional
        With which it failed, where it was tried.
    """
    state = BAD if device == "gpu" else WARNING
    installed, fits, conflict = driver.wheels(), fitting(found), driver.conflict()
    listed, newest = driver.listed(installed), max(map(driver.wheel_cuda, installed), default=0)
    change = f"pip uninstall {' '.join(installed)}, then: {_how(found)}"
    if conflict:  # its first sentence; for what to do, the GPUs' age counts as well
        yield Finding("CuPy", conflict.partition(". ")[0], BAD if len(installed) > 1 else state,
                      change)
    elif not installed:
        yield Finding("CuPy", "not installed", BAD if device == "gpu" else NOTE,
                      _how(found) if found.there or device == "gpu" else "")
    elif not found.there:
        yield Finding("CuPy", f"{listed}, but no driver to run it with", state, _how(found))
    elif fits is None or newest > fits:
        yield Finding("CuPy", f"{listed}, which does not fit this driver and GPU", state, change)
    elif error is not None:
        yield Finding("CuPy", f"{listed}, which fits the driver, but: {error}", state)
    else:
        yield Finding("CuPy", f"{listed}, which fits the driver")


def _how(found):
    """The command that installs the CuPy which fits, or what has to come before it."""
    fits = fitting(found)
    if fits:
        return driver.EXTRAS[fits]
    if found.there:
        return "install driver 525 or later first: CuPy needs one that serves CUDA 12"
    return "there must be an NVIDIA GPU with its driver first; else use --device cpu"


def at_work(xp):
    """Yield what CuPy, which works, says of itself and its GPUs.

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

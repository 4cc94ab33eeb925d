"""What a GPU needs and what of it is installed: NVIDIA's driver, and one CuPy wheel that it serves.

The driver belongs to the machine and serves every CUDA up to its own version. A CuPy wheel is made
for one major version of CUDA; CUDA's libraries, the compiler NVRTC and the headers that CuPy hands
to it come as wheels, too. Nothing here imports CuPy: these are the questions to ask before.
"""

import ctypes
import sys
from importlib import metadata

EXTRAS = {12: 'pip install "minicnn[cuda12]"', 13: 'pip install "minicnn[cuda13]"'}
WHEELS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")  # all fill one folder, cupy/


def driver_version():
    """The latest CUDA that the NVIDIA driver serves, as (12, 4); None where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    number = ctypes.c_int()
    failed = driver.cuDriverGetVersion(ctypes.byref(number))
    return None if failed else cuda_version(number.value)


def cuda_version(number):
    """CUDA's number of a version as (major, minor): 12040 -> (12, 4)."""
    return divmod(number // 10, 100)


def dotted(version):
    """A version as it is written: (12, 4) -> "12.4"."""
    return ".".join(map(str, version))


def wheels():
    """{name: version} of the CuPy packages that are installed."""
    found = {}
    for name in WHEELS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def listed(packages):
    """{name: version} as words: "cupy-cuda12x 14.2.0, cupy-cuda13x 14.1.0"."""
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def wheel_cuda(name):
    """The major version of CUDA that a CuPy package is made for: "cupy-cuda12x" -> 12.

    0 for "cupy", which is compiled against whatever CUDA the machine has.
    """
    return int(name.removeprefix("cupy").removeprefix("-cuda").removesuffix("x") or 0)


def conflict():
    """Why the installed packages cannot work together, and the way out; None where they can."""
    installed, driver = wheels(), driver_version()
    if len(installed) > 1:
        return (f"several CuPy packages overwrite each other here ({listed(installed)}). Remove "
                f"them all (pip uninstall {' '.join(installed)}). {remedy()}")
    for name in installed:
        needed = wheel_cuda(name)
        if driver is not None and driver[0] < needed:
            return (f"{listed(installed)} needs a driver for CUDA {needed}, and the one here "
                    f"serves CUDA up to {dotted(driver)}. Update the driver, or pip uninstall "
                    f"{name} and {EXTRAS[12]}")
    return None


def found():
    """What is installed, in a few words."""
    driver = driver_version()
    served = f"a driver for CUDA up to {dotted(driver)}" if driver else "no NVIDIA driver"
    return f"installed: {listed(wheels()) or 'no CuPy wheel'}, {served}"


def extra():
    """The command that installs the CuPy which this driver serves, with CUDA's libraries."""
    driver = driver_version()
    return EXTRAS[12 if driver and driver < (13, 0) else 13]


def remedy():
    """What to do about a CuPy that is missing or cannot be imported."""
    driver = driver_version()
    if driver is None:
        return ("There is no NVIDIA driver here either: with an NVIDIA GPU, install its driver and "
                f"then {extra()}; without one, use device 'cpu'")
    return f"The driver serves CUDA up to {dotted(driver)}: {extra()}, or use device 'cpu'"

"""What a GPU needs, and whether it is installed: NVIDIA's driver and a matching CuPy wheel.

The driver belongs to the machine and supports every CUDA up to its own version. A CuPy wheel is
made for one major version of CUDA; CUDA's libraries, the compiler NVRTC and the headers it needs
come as wheels, too. Nothing here imports CuPy: these checks come before that.
"""

import ctypes
import sys
from importlib import metadata

EXTRAS = {12: 'pip install "minicnn[cuda12]"', 13: 'pip install "minicnn[cuda13]"'}
WHEELS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")  # all fill one folder, cupy/


def driver_version():
    """The latest CUDA that the NVIDIA driver supports, as (12, 4); None without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    number = ctypes.c_int()
    failed = driver.cuDriverGetVersion(ctypes.byref(number))
    return None if failed else cuda_version(number.value)


def cuda_version(number):
    """CUDA's integer for a version as (major, minor): 12040 -> (12, 4)."""
    return divmod(number // 10, 100)


def dotted(version):
    """A version as text: (12, 4) -> "12.4"."""
    return ".".join(map(str, version))


def installed(name):
    """The version of an installed package, a str; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def wheels():
    """{name: version} of the installed CuPy packages."""
    return {name: version for name in WHEELS if (version := installed(name))}


def listed(packages):
    """{name: version} as text: "cupy-cuda12x 14.2.0, cupy-cuda13x 14.1.0"."""
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def wheel_cuda(name):
    """The major version of CUDA that a CuPy package is made for: "cupy-cuda12x" -> 12.

    0 for "cupy", which is compiled for the CUDA of the machine.
    """
    return int(name.removeprefix("cupy").removeprefix("-cuda").removesuffix("x") or 0)


def conflict():
    """Why the installed packages cannot work together, and the remedy; None if they can."""
    packages, driver = wheels(), driver_version()
    if len(packages) > 1:
        return (f"several CuPy packages overwrite each other here ({listed(packages)}). Remove "
                f"them all (pip uninstall {' '.join(packages)}). {remedy()}")
    for name in packages:
        needed = wheel_cuda(name)
        if driver is not None and driver[0] < needed:
            return (f"{listed(packages)} needs a driver for CUDA {needed}, but the one here "
                    f"supports CUDA up to {dotted(driver)}. Update the driver, or pip uninstall "
                    f"{name} and {EXTRAS[12]}")
    return None


def found():
    """The installed CuPy wheels and the driver, in a few words."""
    driver = driver_version()
    served = f"a driver for CUDA up to {dotted(driver)}" if driver else "no NVIDIA driver"
    return f"installed: {listed(wheels()) or 'no CuPy wheel'}, {served}"


def extra():
    """The command that installs the CuPy for this driver, with CUDA's libraries."""
    driver = driver_version()
    return EXTRAS[12 if driver and driver < (13, 0) else 13]


def remedy():
    """What to do if CuPy is missing or cannot be imported."""
    driver = driver_version()
    if driver is None:
        return ("There is no NVIDIA driver here either: with an NVIDIA GPU, install its driver and "
                f"then {extra()}; without one, use device 'cpu'")
    return f"The driver supports CUDA up to {dotted(driver)}: {extra()}, or use device 'cpu'"

"""Python and the machine: version, environment, cores, memory, and the limits of a container.

Linux has most of this in /proc and /sys. On other systems less is known; the findings leave out or
name what is unknown.
"""

import os
import platform
import sys

from minicnn import backend
from minicnn.backend import VARIABLE, control_groups, threads
from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding

OLDEST = (3, 10)
VGG16 = 1.0  # GB: VGG-16 with a gradient at its image, see benchmarks/results/speed.md


def python():
    """Yield the version of Python and its environment."""
    version = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.version_info < OLDEST:
        yield Finding("Python", f"{version} on {system}: too old", BAD,
                      f"install Python {OLDEST[0]}.{OLDEST[1]} or later")
    elif sys.maxsize < 1 << 32:
        yield Finding("Python", f"{version} on {system}, 32-bit: at most 4 GB of memory",
                      WARNING, "install a 64-bit Python")
    else:
        yield Finding("Python", f"{version} on {system}")
    yield Finding("environment", _environment())


def _environment():
    if os.environ.get("CONDA_PREFIX") and sys.prefix == os.environ["CONDA_PREFIX"]:
        return f"conda, {sys.prefix}"
    if sys.prefix != sys.base_prefix:
        return f"virtual environment, {sys.prefix}"
    return f"no virtual environment, {sys.prefix}"


def cores():
    """Yield the number of cores for this process, and the number of threads the ops use."""
    there, allowed = os.cpu_count(), backend.cores()
    limit = control_groups.cpu_limit()
    words = f"{allowed} of {there} for this process" if allowed < there else f"{there}"
    yield Finding("cores", words + (f", limited to {limit:g} by a container" if limit else ""))
    yield _threads(allowed)


def _threads(usable):
    """Compare the number of threads the ops use with the number of usable cores."""
    said_so = f" ({VARIABLE})" if os.environ.get(VARIABLE) else ""
    try:
        count = threads()
    except ValueError as error:
        return Finding("threads", str(error), BAD,
                       f"unset {VARIABLE}, or set it to {usable}: no op runs until then")
    if count > usable:
        return Finding("threads", f"{count}{said_so}, for {usable} cores: they wait for each other",
                       WARNING, f"set {VARIABLE}={usable}")
    if count < usable:
        return Finding("threads", f"{count}{said_so}, for {usable} cores", NOTE)
    return Finding("threads", f"{count}{said_so}, one per core")


def memory():
    """Yield the total and the free memory, and the limit of a container."""
    total, free = _memory()
    limit = control_groups.memory_limit()
    if total is None:
        yield Finding("memory", "unknown on this system", NOTE)
        return
    words = _gigabytes(total)
    if limit and limit < total:
        words += f", limited to {_gigabytes(limit)} by a container"
        free = limit if free is None else min(free, limit)
    words += "" if free is None else f"; {_gigabytes(free)} free"
    if free is not None and free < VGG16 * 1e9:
        yield Finding("memory", words, WARNING, f"VGG-16 needs {VGG16:g} GB: end other programs, or"
                                                " use a smaller network or image")
    else:
        yield Finding("memory", words)


def _memory():
    """(total, available) in bytes; None if unknown."""
    if found := control_groups.meminfo():
        return found.get("MemTotal"), found.get("MemAvailable")
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), None
    return None, None


def _gigabytes(count):
    return f"{count / 1e9:.1f} GB"

"""The machine on which the figures were measured, and the memory of a process."""

import platform
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from minicnn import backend

STATUS, MEMORY = Path("/proc/self/status"), Path("/proc/meminfo")
LIMIT = Path("/sys/fs/cgroup/memory.max")


def about():
    """Processor, cores, Python and the time of day."""
    return {"processor": _processor(), "cores": backend.cores(),
            "system": platform.platform(terse=True), "python": platform.python_version(),
            "date": datetime.now(UTC).isoformat(timespec="minutes")}


def resident():
    """(now, peak) resident memory of this process in MB; (None, None) if the system hides it.

    The peak is Linux's VmHWM, which starts again with each program. `getrusage` is not suitable:
    it also counts the memory that the parent process held when it started this one.
    """
    if not STATUS.exists():
        return None, None
    text = STATUS.read_text()
    return tuple(_kb(text, name) / 1024 for name in ("VmRSS", "VmHWM"))


def forget_peak():
    """Reset the peak to the current memory, if the system allows it."""
    with suppress(OSError):  # then the peak includes earlier work
        Path("/proc/self/clear_refs").write_text("5")


def room():
    """MB that can still be allocated, a fifth of it left to others; None if unknown."""
    if not MEMORY.exists():
        return None
    free = _kb(MEMORY.read_text(), "MemAvailable") / 1024
    limit = LIMIT.read_text().strip() if LIMIT.exists() else "max"
    return 0.8 * (free if limit == "max" else min(free, int(limit) / 2**20))


def _kb(text, name):
    return int(re.search(rf"^{name}:\s*(\d+) kB", text, re.MULTILINE).group(1))


def _processor():
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)", info.read_text() if info.exists() else "",
                       re.MULTILINE)
    return names[0] if names else platform.processor()

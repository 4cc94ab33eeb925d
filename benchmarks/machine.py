"""What the figures were measured on: the machine, and the memory of a process."""

import platform
import re
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from minicnn import backend

STATUS, MEMORY = Path("/proc/self/status"), Path("/proc/meminfo")
LIMIT = Path("/sys/fs/cgroup/memory.max")


def about():
    """Processor, cores, Python and the time of day."""
    return {"processor": _processor(), "cores": backend.cores(),
            "system": platform.platform(terse=True), "python": platform.python_version(),
            "date": datetime.now(timezone.utc).isoformat(timespec="minutes")}


def resident():
    """(now, peak) resident memory of this process in MB; (None, None) where that is not told.

    The peak is Linux' VmHWM, which begins anew with a program. `getrusage` does not serve: what
    the parent process held when it started this one counts there as this one's.
    """
    if not STATUS.exists():
        return None, None
    text = STATUS.read_text()
    return tuple(_kb(text, name) / 1024 for name in ("VmRSS", "VmHWM"))


def forget_peak():
    """Let the peak begin anew at what is held now, where the system allows it."""
    with suppress(OSError):  # else the peak includes what was done before
        Path("/proc/self/clear_refs").write_text("5")


def room():
    """MB that can still be asked for, with a fifth of it left to others; None where not known."""
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

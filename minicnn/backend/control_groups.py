"""The limits that a container sets: Linux' control groups, in versions 1 and 2.

Each group of processes may have a limit, and so may the groups around it; the least counts. Where
there are no control groups, on other systems for example, there is no limit.
"""

import re
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60  # bytes: version 1 gives a larger number for "no limit"


def cpu_limit():
    """The number of cores, a float, that the control groups allow this process; None: no limit."""
    limits = []
    for folder in _groups("cpu"):
        quota, period = _numbers(folder / "cpu.max", 2) or (  # version 2, else version 1
            _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us"))
        if quota and period and quota > 0:
            limits.append(quota / period)
    return min(limits, default=None)


def memory_limit():
    """The number of bytes that the control groups allow this process; None: no limit."""
    found = [_number(folder / name) for folder in _groups("memory")
             for name in ("memory.max", "memory.limit_in_bytes")]
    return min((limit for limit in found if limit and limit < UNLIMITED), default=None)


def memory_available():
    """The number of bytes that this process may still take; None if unknown.

    The least of what the system says is available and, for each control group, what its limit
    leaves; a file's pages that could be dropped count as free.
    """
    free = [meminfo().get("MemAvailable")]
    for folder in _groups("memory"):
        limit, used = (_number(folder / names[0]) or _number(folder / names[1]) for names in
                       (("memory.max", "memory.limit_in_bytes"),
                        ("memory.current", "memory.usage_in_bytes")))
        if limit and used and limit < UNLIMITED:
            stat = folder / "memory.stat"
            dropped = re.search(r"^inactive_file (\d+)", stat.read_text() if stat.is_file() else "",
                                re.MULTILINE)
            free.append(max(0, limit - used + (int(dropped[1]) if dropped else 0)))
    return min((count for count in free if count is not None), default=None)


def meminfo():
    """The system's memory by name, MemTotal, MemAvailable and more, in bytes; {} if unknown."""
    info = PROC / "meminfo"
    return {name: int(kb) * 1024 for name, kb in re.findall(
        r"^(\w+):\s*(\d+) kB", info.read_text() if info.is_file() else "", re.MULTILINE)}


def _groups(controller):
    """This process's folder of a controller's limits, and its parents up to the top."""
    listed = PROC / "self" / "cgroup"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        _, controllers, inside = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = CGROUP / controllers  # in version 2 the field `controllers` is empty
        folder = top / inside.lstrip("/")
        yield from [folder, *(up for up in folder.parents if up == top or top in up.parents)]


def _number(path):
    """The whole number in a file; None if the file holds anything else."""
    return (_numbers(path, 1) or [None])[0]


def _numbers(path, count):
    """The `count` whole numbers in a file; None if it is missing or holds anything else."""
    words = path.read_text().split() if path.is_file() else []
    whole = len(words) == count and all(re.fullmatch(r"-?\d+", word) for word in words)
    return [int(word) for word in words] if whole else None

"""The limits of containers that are made up here."""

import containers
import pytest

from minicnn import backend
from minicnn.backend import control_groups


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Of four cores."""
    return containers.machine(tmp_path, monkeypatch, 4)


@pytest.mark.parametrize("files, limit, cores", [
    ({}, None, 4),
    ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "max 100000\n"}, None, 4),
    ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "150000 100000\n"}, 1.5, 2),
    ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/cpu.max": "50000 100000\n",
      "cgroup/a/b/cpu.max": "max 100000\n"}, 0.5, 1),
    ({"proc/self/cgroup": "0::/elsewhere\n", "cgroup/cpu.max": "300000 100000\n"}, 3, 3),
    ({"proc/self/cgroup": "4:cpu,cpuacct:/job\n2:memory:/job\n",
      "cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "250000\n",
      "cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"}, 2.5, 3),
    ({"proc/self/cgroup": "4:cpu:/\n", "cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "cgroup/cpu/cpu.cfs_period_us": "100000\n"}, None, 4),
    ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "what is this\n"}, None, 4)])
def test_cpu_limits(machine, files, limit, cores):
    machine(files)
    assert control_groups.cpu_limit() == limit and backend.cores() == backend.threads() == cores


MEMINFO = {"proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n"}


@pytest.mark.parametrize("files, available", [
    ({}, None),
    (MEMINFO, 8_192_000_000),
    (MEMINFO | {"proc/self/cgroup": "0::/a\n", "cgroup/a/memory.max": "max\n",
                "cgroup/a/memory.current": "5\n"}, 8_192_000_000),
    (MEMINFO | {"proc/self/cgroup": "0::/a\n", "cgroup/a/memory.max": "4000000000\n",
                "cgroup/a/memory.current": "3000000000\n"}, 1_000_000_000),
    (MEMINFO | {"proc/self/cgroup": "0::/a\n", "cgroup/a/memory.max": "4000000000\n",
                "cgroup/a/memory.current": "3000000000\n",
                "cgroup/a/memory.stat": "anon 1\ninactive_file 500000000\n"}, 1_500_000_000),
    (MEMINFO | {"proc/self/cgroup": "0::/a\n", "cgroup/memory.max": "4000000000\n",
                "cgroup/memory.current": "4100000000\n"}, 0),
    ({"proc/self/cgroup": "2:memory:/job\n",
      "cgroup/memory/job/memory.limit_in_bytes": "2000000000\n",
      "cgroup/memory/job/memory.usage_in_bytes": "500000000\n"}, 1_500_000_000)])
def test_memory_available_is_what_every_limit_leaves(machine, files, available):
    machine(files)
    assert control_groups.memory_available() == available

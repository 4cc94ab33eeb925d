"""Python, cores and memory, on machines and in containers that are made up here."""

import os
import sys

import containers
import pytest

from minicnn.backend import control_groups
from minicnn.doctor import system
from minicnn.doctor.findings import BAD, GOOD, NOTE, WARNING

GB = 10**9
MEMINFO = "MemTotal:       16000000 kB\nMemFree:  1 kB\nMemAvailable:    8000000 kB\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Of four cores, two for us."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    return containers.machine(tmp_path, monkeypatch, 2)


def only(findings):
    (found,) = findings
    return found


# ---- Python

def test_this_python():
    version, environment = system.python()
    assert version.state == GOOD and sys.version.split()[0] in version.value
    assert sys.prefix in environment.value


def test_an_old_python_and_one_of_32_bits(monkeypatch):
    monkeypatch.setattr(system, "OLDEST", (99, 1))
    found = next(system.python())
    assert (found.state, found.remedy) == (BAD, "install Python 99.1 or later")
    monkeypatch.setattr(system, "OLDEST", (3, 1))
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert next(system.python()).state == WARNING


@pytest.mark.parametrize("prefix, conda, words", [
    ("/base", None, "no virtual environment"), ("/venv", None, "virtual environment, /venv"),
    ("/conda", "/conda", "conda, /conda"), ("/venv", "/conda", "virtual environment, /venv")])
def test_the_environment(monkeypatch, prefix, conda, words):
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "base_prefix", "/conda" if prefix == "/conda" else "/base")
    monkeypatch.setenv("CONDA_PREFIX", conda) if conda else monkeypatch.delenv(
        "CONDA_PREFIX", raising=False)
    assert words in list(system.python())[1].value


# ---- cores and threads

def test_cores_without_proc(machine):
    cores, threads = system.cores()
    assert (cores.value, cores.state) == ("2 of 4 for this process", GOOD)
    assert (threads.value, threads.state) == ("2, one per core", GOOD)


@pytest.mark.parametrize("text, value, state", [
    ("1", "1 (MINICNN_THREADS), for 2 cores", NOTE),
    ("2", "2 (MINICNN_THREADS), one per core", GOOD),
    ("9", "9 (MINICNN_THREADS), for 2 cores: they wait for each other", WARNING),
    ("many", "MINICNN_THREADS: expected a whole number of at least 1, got 'many'", BAD),
    ("-3", "MINICNN_THREADS: expected a whole number of at least 1, got '-3'", BAD)])
def test_minicnn_threads(machine, monkeypatch, text, value, state):
    monkeypatch.setenv("MINICNN_THREADS", text)
    threads = list(system.cores())[1]
    assert (threads.value, threads.state) == (value, state)
    assert bool(threads.remedy) == (state in (WARNING, BAD))


def test_a_container_that_gives_less_time_than_cores(machine, monkeypatch):
    machine({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "100000 100000\n"})
    cores, threads = system.cores()
    assert cores.value == "1 of 4 for this process, limited to 1 by a container"
    assert (threads.value, threads.state) == ("1, one per core", GOOD)


# ---- memory

def test_memory(machine):
    machine({"proc/meminfo": MEMINFO})
    found = only(system.memory())
    assert (found.value, found.state) == ("16.4 GB; 8.2 GB free", GOOD)


def test_little_memory(machine):
    machine({"proc/meminfo": MEMINFO.replace("8000000", "800000")})
    found = only(system.memory())
    assert found.state == WARNING and "VGG-16 needs 1 GB" in found.remedy


@pytest.mark.parametrize("files", [
    {"proc/self/cgroup": "0::/\n", "cgroup/memory.max": f"{GB // 2}\n"},
    {"proc/self/cgroup": "7:memory:/a\n", "cgroup/memory/a/memory.limit_in_bytes": f"{GB // 2}"}])
def test_memory_of_a_container(machine, files):
    machine({"proc/meminfo": MEMINFO} | files)
    found = only(system.memory())
    assert found.value == "16.4 GB, limited to 0.5 GB by a container; 0.5 GB free"
    assert found.state == WARNING


@pytest.mark.parametrize("text", ["max\n", "9223372036854771712\n", "\n"])
def test_no_limit_of_memory(machine, text):
    machine({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": text})
    assert control_groups.memory_limit() is None


def test_memory_without_proc(machine, monkeypatch):
    monkeypatch.setattr(os, "sysconf_names", {"SC_PHYS_PAGES": 1}, raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 1000,
                                                     "SC_PAGE_SIZE": 10**6}[name], raising=False)
    assert only(system.memory()).value == "1.0 GB"
    monkeypatch.setattr(os, "sysconf_names", {})
    assert only(system.memory()).state == NOTE

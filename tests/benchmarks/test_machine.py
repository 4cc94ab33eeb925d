"""What is said of the machine, and memory."""

import subprocess
import sys
from pathlib import Path

import machine
import numpy as np
import pytest

LINUX = pytest.mark.skipif(not machine.STATUS.exists(), reason="needs /proc")


def test_about_names_processor_and_time():
    about = machine.about()
    assert about["processor"] and about["cores"] >= 1
    assert about["date"].startswith("20") and about["python"].startswith("3.")


@LINUX
def test_the_peak_begins_anew_when_forgotten():
    block = np.ones(25_000_000)  # 191 MB
    high = machine.resident()[1]
    del block
    assert machine.resident()[0] < high - 150
    machine.forget_peak()
    now, peak = machine.resident()
    assert now <= peak < high - 150


@LINUX
def test_a_process_does_not_inherit_its_parent_s_peak():
    """getrusage's maximum does: the reason for VmHWM."""
    block = np.ones(25_000_000)
    code = "import machine; print(machine.resident()[1])"
    printed = subprocess.run([sys.executable, "-c", code], cwd=Path(machine.__file__).parent,
                             capture_output=True, text=True, check=True).stdout
    assert 1 < float(printed) < 100 < block.nbytes / 2**20 < machine.resident()[1]


def test_without_proc_nothing_is_made_up(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "STATUS", tmp_path / "status")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    assert machine.resident() == (None, None) and machine.room() is None


def test_room_is_what_is_free_or_what_the_group_may_have(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  1024000 kB\n")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "LIMIT", tmp_path / "max")
    assert machine.room() == pytest.approx(800)
    (tmp_path / "max").write_text("max\n")
    assert machine.room() == pytest.approx(800)
    (tmp_path / "max").write_text(f"{500 * 2**20}\n")
    assert machine.room() == pytest.approx(400)

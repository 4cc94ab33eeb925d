"""A machine whose /proc and /sys are made up, as they are in a container."""

import os

from minicnn import backend
from minicnn.backend import control_groups


def machine(folder, monkeypatch, cores):
    """make({path: text}), whose files are all there is of /proc and /sys; `cores` are ours."""
    monkeypatch.setattr(control_groups, "PROC", folder / "proc")
    monkeypatch.setattr(control_groups, "CGROUP", folder / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {*range(cores)}, raising=False)
    monkeypatch.setattr(backend, "_COUNT", {})
    monkeypatch.delenv("MINICNN_THREADS", raising=False)

    def make(files):
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return make

"""The whole examination: its sections, and that nothing broken stops it."""

import sys
import time

import pytest
import strict_cupy

from minicnn import backend
from minicnn.doctor import examination, examine, libraries, selftest, stored, system
from minicnn.doctor.findings import BAD, GOOD, WARNING, Finding

TITLES = ["Python", "Machine", "Libraries", "GPU", "Ops", "Shipped networks", "Cache"]


@pytest.fixture(autouse=True)
def its_own(tmp_path, monkeypatch):
    """A cache of its own, and a sensible number of threads."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(backend, "_COUNT", {"threads": 1})


def test_here_nothing_is_bad():
    began = time.process_time()  # not by the clock, for other tests may be running
    report = examine(device="cpu")
    assert time.process_time() - began < 3 and report.seconds > 0
    assert [section.title for section in report.sections] == TITLES and report.bad == []


def test_with_weights(weights):
    report = examine(weights, device="cpu")
    assert [section.title for section in report.sections] == [*TITLES, f"Weights {weights}"]
    assert "network" in [f.what for f in report[f"Weights {weights}"]]


def test_every_device_there_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    monkeypatch.setattr(stored, "shipped", lambda devices: [])
    for device, expected in [("cpu", ["cpu"]), ("auto", ["cpu", "gpu"]), ("gpu", ["cpu", "gpu"])]:
        found = examine(device=device)["Ops"]
        ops = [f.what for f in found if f.what != "precision"]
        assert ops == [f"ops on {name}" for name in expected]
        assert {f.state for f in found} == {GOOD}


def test_a_gpu_that_is_asked_for_and_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    report = examine(device="gpu")
    assert [f.what for f in report.bad] == ["CuPy"]
    assert [f.what for f in report["Ops"]] == ["ops on cpu", "precision"]


def test_a_device_of_no_such_name():
    with pytest.raises(ValueError, match="device must be 'cpu', 'gpu' or 'auto', got 'tpu'"):
        examine(device="tpu")


def test_threads_that_make_no_sense(monkeypatch):
    monkeypatch.setattr(backend, "_COUNT", {})
    monkeypatch.setenv("MINICNN_THREADS", "lots")
    report = examine(device="cpu")
    threads = next(f for f in report["Machine"] if f.what == "threads")
    assert threads.state == BAD and "'lots'" in threads.value and threads.remedy
    (ops,) = report["Ops"]
    assert ops.state == BAD and "MINICNN_THREADS" in ops.value


QUESTIONS = [
    (system, "python", "Python", WARNING), (libraries, "minicnn", "Python", WARNING),
    (system, "cores", "Machine", WARNING), (system, "memory", "Machine", WARNING),
    (libraries, "numpy", "Libraries", WARNING), (libraries, "others", "Libraries", WARNING),
    (examination.gpu, "gpu", "GPU", WARNING), (selftest, "examine_ops", "Ops", BAD),
    (stored, "shipped", "Shipped networks", BAD), (stored, "cached", "Cache", WARNING)]


@pytest.mark.parametrize("module, question, title, state", QUESTIONS)
def test_a_question_that_fails_stops_nothing(monkeypatch, module, question, title, state):
    def fail(*arguments):
        raise RuntimeError("not on this machine")

    for other, name, _, _ in QUESTIONS:  # the others, quickly
        monkeypatch.setattr(other, name, lambda *arguments: [Finding("asked", "and answered")])
    monkeypatch.setattr(module, question, fail)
    report = examine(device="cpu")
    assert [section.title for section in report.sections] == TITLES
    (found,) = [f for f in report[title] if "RuntimeError: not on this machine" in f.value]
    assert found.state == state and len(report.bad) == (state == BAD)
    assert len([f for f in report.findings if f.what == "asked"]) == len(QUESTIONS) - 1

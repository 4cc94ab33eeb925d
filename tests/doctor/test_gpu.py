"""Driver, GPUs and CuPy: with a made-up nvidia-smi, driver's library, /proc and packages."""

import os
import sys
from types import SimpleNamespace

import cupy_packages
import pytest
import strict_cupy

from minicnn import backend
from minicnn.doctor import gpu
from minicnn.doctor.findings import BAD, GOOD, NOTE, WARNING

H200 = "NVIDIA H200, 143771, {driver}, 9.0"
V100 = "Tesla V100-SXM2-16GB, 16384, {driver}, 7.0"
PROC = ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n"
        "GCC version:  gcc version 12.2.0\n")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """machine(...) has this driver and these packages, and nothing else of the kind."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(gpu, "VERSION", tmp_path / "version")

    def make(smi=None, library=None, proc=None, **packages):
        if smi is not None:
            program = tmp_path / "nvidia-smi"
            program.write_text(f"#!/bin/sh\n{smi}\n")
            program.chmod(0o755)
        if proc is not None:
            (tmp_path / "version").write_text(proc)
        cupy_packages.install(monkeypatch, library, packages)
    return make


needs_a_shell = pytest.mark.skipif(os.name != "posix", reason="nvidia-smi is a shell script here")


def listing(*rows, driver):
    """A script that prints what nvidia-smi prints."""
    return "\n".join(f"echo '{row.format(driver=driver)}'" for row in rows)


def of(what, findings):
    """The one finding about something."""
    (found,) = [finding for finding in findings if finding.what == what]
    return found


# ---- the driver

def test_no_driver(machine):
    machine()
    found = list(gpu.gpu("auto"))
    assert of("driver", found).state == NOTE and "no NVIDIA driver" in of("driver", found).value
    assert (of("CuPy", found).state, of("CuPy", found).remedy) == (NOTE, "")


@needs_a_shell
@pytest.mark.parametrize("version, library, served, extra", [
    ("580.65.06", (13, 0), "13.0", "cuda13"), ("575.57.08", (12, 9), "12.9", "cuda12"),
    ("525.60.13", (12, 0), "12.0", "cuda12"), ("590.1", (13, 1), "13.1", "cuda13"),
    ("535.129.03", None, "12", "cuda12"), ("580.65.06", None, "13", "cuda13"),
    ("575.57.08", None, "12", "cuda12")])
def test_the_wheel_that_fits_the_driver(machine, version, library, served, extra):
    machine(listing(H200, driver=version), library)
    found = list(gpu.gpu("cpu"))
    assert of("GPU 0", found).value == "NVIDIA H200, 140 GiB, compute capability 9.0"
    assert [f for f in found if f.what == "driver"][0].value == (
        f"{version}; supports CUDA up to {served}")
    assert of("CuPy", found)[1:4] == ("not installed", NOTE, f'pip install "minicnn[{extra}]"')


@needs_a_shell
@pytest.mark.parametrize("version, words", [
    ("470.82.01", "supports CUDA up to 11"), ("390.157", "too old for any current CUDA")])
def test_a_driver_too_old(machine, version, words):
    machine(listing(V100, driver=version), None)
    found = list(gpu.gpu("cpu"))
    assert words in found[0].value and "driver 525 or later" in of("CuPy", found).remedy


@needs_a_shell
def test_a_gpu_that_cuda_13_dropped(machine):
    machine(listing(H200, V100, driver="580.65.06"), (13, 0))
    found = list(gpu.gpu("cpu"))
    assert of("GPU 1", found).value == "Tesla V100-SXM2-16GB, 16 GiB, compute capability 7.0"
    assert "[cuda12]" in of("CuPy", found).remedy


@needs_a_shell
def test_an_nvidia_smi_that_knows_no_compute_capability(machine):
    machine('case "$1" in *compute_cap*) echo "Field \\"compute_cap\\" is not a valid field to '
            f"query.\"; exit 2;; esac\n{listing('Tesla K80, 11441, {driver}', driver='470.82.01')}",
            (11, 4))
    found = list(gpu.gpu("cpu"))
    assert of("GPU 0", found).value == "Tesla K80, 11 GiB, compute capability unknown"


@needs_a_shell
@pytest.mark.parametrize("script, words", [
    ("echo 'NVIDIA-SMI has failed because it could not reach the driver'; exit 9",
     "could not reach the driver"),
    ("exit 3", "status 3"), ("true", "lists no GPU"), ("exec /no/such", "nvidia-smi fails")])
def test_an_nvidia_smi_that_fails(machine, script, words):
    machine(script)
    found = list(gpu.gpu("cpu"))
    assert found[0].state == WARNING and words in found[0].value and found[0].remedy


@needs_a_shell
def test_an_nvidia_smi_that_hangs(machine, monkeypatch):
    monkeypatch.setattr(gpu, "PATIENCE", 0.2)
    machine("exec /bin/sleep 5")
    assert "timed out" in next(gpu.gpu("cpu")).value


@needs_a_shell
def test_a_driver_without_its_library(machine):
    machine(listing(H200, driver="535.129.03"), None)
    driver, fault = [f for f in gpu.gpu("cpu") if f.what == "driver"]
    assert driver.state == GOOD and fault.state == WARNING and "libcuda" in fault.value


@pytest.mark.parametrize("library, proc, words", [
    ((12, 2), PROC, "535.129.03; supports CUDA up to 12.2"),
    (None, PROC, "535.129.03; supports CUDA up to 12"),
    ((12, 2), None, "NVIDIA, unknown version; supports CUDA up to 12.2")])
def test_a_driver_without_nvidia_smi(machine, library, proc, words):
    machine(None, library, proc)
    assert next(gpu.gpu("cpu")).value == words


# ---- the wheel

def wheel(device="auto"):
    return of("CuPy", gpu.wheel(gpu.find_driver(), device))


def test_the_right_wheel(machine):
    for library, package in [((12, 4), "cupy_cuda12x"), ((13, 0), "cupy_cuda12x"),
                             ((13, 0), "cupy_cuda13x")]:
        machine(None, library, **{package: "14.2.0"})
        name = package.replace("_", "-")
        assert wheel()[1:3] == (f"{name} 14.2.0, which fits the driver", GOOD)


def test_several_wheels_at_once(machine):
    machine(None, (12, 4), cupy_cuda11x="13.0.0", cupy_cuda12x="13.6.0")
    found = wheel()
    assert found.state == BAD and "cupy-cuda11x 13.0.0, cupy-cuda12x 13.6.0" in found.value
    assert "pip uninstall cupy-cuda11x cupy-cuda12x" in found.remedy
    assert "[cuda12]" in found.remedy


@pytest.mark.parametrize("device, state", [("auto", WARNING), ("gpu", BAD)])
def test_a_wheel_too_new_for_the_driver(machine, device, state):
    machine(None, (12, 4), cupy_cuda13x="14.2.0")
    assert wheel(device).state == state and "[cuda12]" in wheel(device).remedy


@needs_a_shell
def test_a_wheel_too_new_for_the_gpu(machine):
    machine(listing(V100, driver="580.65.06"), (13, 0), cupy_cuda13x="14.2.0")
    found = wheel()
    assert found.state == WARNING and found.remedy == (
        'pip uninstall cupy-cuda13x, then: pip install "minicnn[cuda12]"')


def test_a_wheel_without_a_driver(machine):
    machine(None, None, cupy_cuda12x="14.2.0")
    assert wheel().state == WARNING and "no driver" in wheel().value


@pytest.mark.parametrize("library", [None, (12, 4)])
def test_the_gpu_asked_for_and_no_cupy(machine, monkeypatch, library):
    monkeypatch.setitem(sys.modules, "cupy", None)
    machine(None, library)
    found = of("CuPy", gpu.gpu("gpu"))
    assert (found.state, found.value) == (BAD, "not installed") and found.remedy


# ---- CuPy at work

@pytest.fixture
def runtime(monkeypatch):
    """The stand-in for CuPy, with the questions about a GPU that it has no answer to."""
    answers = SimpleNamespace(
        getDeviceCount=lambda: 1, CUDARuntimeError=strict_cupy.CUDARuntimeError,
        runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 13000,
        memGetInfo=lambda: (3 << 30, 8 << 30))
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    monkeypatch.setattr(backend, "_STARTED", {})  # it was found to work in another test
    monkeypatch.setattr(strict_cupy, "cuda", SimpleNamespace(runtime=answers))
    monkeypatch.setattr(strict_cupy, "get_default_memory_pool", lambda: SimpleNamespace(
        get_limit=lambda: 1 << 30), raising=False)
    return answers


def test_cupy_at_work(machine, runtime):
    machine(None, (13, 0), cupy_cuda12x="14.2.0")
    found = list(gpu.gpu("gpu"))
    assert {f.state for f in found} == {GOOD, NOTE}
    assert of("CuPy", found).value == "cupy-cuda12x stand-in multiplies, adds and compiles kernels"
    assert of("CUDA", found).value == "runtime 12.9, driver 13.0"
    assert of("GPU memory", found).value == "3.0 of 8.0 GiB free"
    assert of("memory limit", found).value == "1.0 GiB (MINICNN_GPU_MEMORY)"


def test_cupy_is_not_loaded_for_the_cpu(machine, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    machine(None, (13, 0), cupy_cuda12x="14.2.0")
    assert of("CuPy", gpu.gpu("cpu")).state == GOOD


@pytest.mark.parametrize("device, state", [("auto", WARNING), ("gpu", BAD)])
def test_a_cupy_that_fits_and_fails(machine, runtime, device, state):
    runtime.getDeviceCount = lambda: 0
    machine(None, (13, 0), cupy_cuda12x="14.2.0")
    found = of("CuPy", gpu.gpu(device))
    assert found.state == state and "sees no GPU" in found.value


def test_a_question_that_cupy_cannot_answer(machine, runtime):
    del runtime.memGetInfo
    machine(None, (13, 0), cupy_cuda12x="14.2.0")
    *first, last = gpu.gpu("gpu")
    assert last.state == WARNING and "memGetInfo" in last.value
    assert of("CUDA", first).state == GOOD

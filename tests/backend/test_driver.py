"""What is installed for a GPU, and what is said of it. Driver and packages are made up here."""

import ctypes
import types

import cupy_packages
import pytest

from minicnn.backend import driver


@pytest.fixture
def machine(monkeypatch):
    """machine(version, name=version, ...) has that driver (or None) and those packages."""
    return lambda version, **packages: cupy_packages.install(monkeypatch, version, packages)


@pytest.mark.parametrize("number, version", [(12040, (12, 4)), (13000, (13, 0)), (11080, (11, 8)),
                                             (12100, (12, 10))])
def test_the_driver_s_version(monkeypatch, number, version):
    def ask(pointer):
        pointer._obj.value = number
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda name: types.SimpleNamespace(cuDriverGetVersion=ask))
    assert driver.driver_version() == version


@pytest.mark.parametrize(("number", "words"), [(12080, "12.8"), (13000, "13.0"), (11040, "11.4")])
def test_versions_of_cuda(number, words):
    assert driver.dotted(driver.cuda_version(number)) == words


@pytest.mark.parametrize(("name", "version"), [("cupy", 0), ("cupy-cuda11x", 11),
                                               ("cupy-cuda13x", 13)])
def test_the_cuda_of_a_wheel(name, version):
    assert driver.wheel_cuda(name) == version


def test_a_driver_that_is_missing_or_fails(monkeypatch):
    def no_library(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert driver.driver_version() is None
    failing = types.SimpleNamespace(cuDriverGetVersion=lambda pointer: 100)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: failing)
    assert driver.driver_version() is None


@pytest.mark.parametrize("version, packages", [
    (None, {}), ((12, 4), {"cupy_cuda12x": "14.2.0"}), ((13, 0), {"cupy_cuda12x": "14.2.0"}),
    ((13, 1), {"cupy_cuda13x": "14.2.0"}), ((12, 4), {"cupy": "14.2.0"}),
    (None, {"cupy_cuda13x": "14.2.0"})])
def test_packages_that_fit(machine, version, packages):
    machine(version, **packages)
    assert driver.conflict() is None


def test_several_packages(machine):
    machine((13, 0), cupy_cuda12x="14.2.0", cupy_cuda13x="14.1.0")
    assert driver.wheels() == {"cupy-cuda12x": "14.2.0", "cupy-cuda13x": "14.1.0"}
    assert driver.conflict() == (
        "several CuPy packages overwrite each other here (cupy-cuda12x 14.2.0, cupy-cuda13x "
        "14.1.0). Remove them all (pip uninstall cupy-cuda12x cupy-cuda13x). The driver supports "
        "CUDA up to 13.0: pip install \"minicnn[cuda13]\", or use device 'cpu'")


def test_a_package_too_new_for_the_driver(machine):
    machine((12, 4), cupy_cuda13x="14.2.0")
    assert driver.conflict() == (
        "cupy-cuda13x 14.2.0 needs a driver for CUDA 13, but the one here supports CUDA up to "
        "12.4. Update the driver, or pip uninstall cupy-cuda13x and pip install "
        "\"minicnn[cuda12]\"")


@pytest.mark.parametrize("version, extra", [((12, 9), "cuda12"), ((13, 0), "cuda13"),
                                            ((14, 0), "cuda13"), (None, "cuda13")])
def test_what_to_install_follows_the_driver(machine, version, extra):
    machine(version)
    assert f"[{extra}]" in driver.extra() and driver.extra() in driver.remedy()
    assert ("no NVIDIA driver" in driver.remedy()) == (version is None)


def test_what_is_found(machine):
    machine((12, 4), cupy_cuda12x="14.2.0")
    assert driver.found() == "installed: cupy-cuda12x 14.2.0, a driver for CUDA up to 12.4"
    machine(None)
    assert driver.found() == "installed: no CuPy wheel, no NVIDIA driver"

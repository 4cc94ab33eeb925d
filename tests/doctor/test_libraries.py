"""NumPy, BLAS and the others: versions, faults, and which copy of minicnn this is."""

import importlib
import importlib.metadata
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import minicnn
from minicnn.doctor import libraries
from minicnn.doctor.findings import BAD, GOOD, NOTE, WARNING, asked

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
SKYLAKE = {"internal_api": "openblas", "version": "0.3.31", "num_threads": 4,
           "architecture": "SkylakeX"}


def only(findings):
    (found,) = findings
    return found


def package(folder, name, version, **files):
    """An installed package without any code, first on Python's path."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for file, text in files.items():
        (about / file).write_text(text)


def test_the_versions_needed_are_the_project_s():
    listed = re.search(r"^dependencies = \[(.*?)\]", PROJECT.read_text(), re.DOTALL | re.M)
    assert dict(re.findall(r'"(\w+)>=([\d.]+)"', listed.group(1))) == libraries.NEEDED


def test_here_all_is_well():
    assert {f.state for f in libraries.others()} == {GOOD}
    version, *rest = libraries.numpy()
    assert version.value == np.__version__ and {f.state for f in rest} <= {GOOD, NOTE}


@pytest.mark.parametrize("version, numbers", [
    ("1.26", (1, 26)), ("13.6.0rc1", (13, 6, 0)), ("2.13.0+cpu", (2, 13, 0)), ("x", ())])
def test_numbers_of_a_version(version, numbers):
    assert libraries.numbers(version) == numbers


def test_a_library_that_is_missing(monkeypatch):
    monkeypatch.setitem(libraries.NEEDED, "no-such-library", "1.0")
    found = only(libraries.needed("no-such-library"))
    assert (found.state, found.value) == (BAD, "not installed")
    assert found.remedy == 'pip install --upgrade "no-such-library>=1.0"'


def test_a_library_that_is_old(tmp_path, monkeypatch):
    package(tmp_path, "tqdm", "4.9")
    monkeypatch.syspath_prepend(tmp_path)
    found = only(libraries.needed("tqdm"))
    assert (found.state, found.value) == (BAD, "4.9: older than 4.60")


def test_a_library_that_does_not_load(monkeypatch):
    def fail(name):
        raise ImportError("libhdf5.so: cannot open")

    monkeypatch.setattr(libraries.importlib, "import_module", fail)
    found = only(libraries.needed("h5py"))
    assert found.state == BAD and "ImportError: libhdf5.so: cannot open" in found.value
    assert found.remedy == "pip install --force-reinstall h5py"


def test_pytorch_is_told_but_not_loaded(tmp_path, monkeypatch):
    package(tmp_path, "torch", "9.9")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)  # loading it would fail
    assert list(libraries.others())[-1].value == "9.9, for comparisons only"
    monkeypatch.setattr(libraries, "installed", lambda name: None)
    assert "torch" not in [found.what for found in libraries.others()]


# ---- BLAS

def blas(monkeypatch, loaded, simd=("X86_V2", "X86_V3")):
    monkeypatch.setattr(libraries, "loaded_blas", lambda: loaded)
    return list(libraries.blas(simd))


def test_a_blas_with_its_kernels(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    library, threads = blas(monkeypatch, [SKYLAKE])
    assert (library.value, library.state) == ("OpenBLAS 0.3.31 with kernels for SkylakeX", GOOD)
    assert threads.value.startswith("4;")


@pytest.mark.parametrize("kernels", ["Nehalem", "Prescott", "Sandybridge"])
def test_kernels_of_an_older_processor(monkeypatch, kernels):
    monkeypatch.setenv("OPENBLAS_CORETYPE", kernels)
    library = blas(monkeypatch, [SKYLAKE | {"architecture": kernels}])[0]
    assert (library.state, library.remedy) == (WARNING, "unset OPENBLAS_CORETYPE")
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    assert "numpy" in blas(monkeypatch, [SKYLAKE | {"architecture": kernels}])[0].remedy
    old = blas(monkeypatch, [SKYLAKE | {"architecture": kernels}], ("X86_V2",))[0]
    assert old.state == GOOD  # the processor is as old


def test_kernels_that_were_chosen(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    library = blas(monkeypatch, [SKYLAKE | {"architecture": "Haswell"}])[0]
    assert library.value.endswith("kernels for Haswell, chosen by OPENBLAS_CORETYPE")
    assert library.state == NOTE and "unset OPENBLAS_CORETYPE" in library.remedy


def test_a_blas_that_says_little(monkeypatch):
    library, _ = blas(monkeypatch, [{"internal_api": "flexiblas", "version": None}])
    assert library.value == "flexiblas (unknown version)"


def test_a_blas_that_is_not_seen(monkeypatch):
    built = {"Build Dependencies": {"blas": {"name": "accelerate", "version": "unknown"}}}
    monkeypatch.setattr(np, "show_config", lambda mode: built)
    assert only(blas(monkeypatch, [])).state == NOTE
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    found = only(blas(monkeypatch, []))
    assert found.state == WARNING and "without one" in found.value


def test_without_threadpoolctl_the_rest_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    *_, found = asked("numpy", libraries.numpy)
    assert found.what == "BLAS" and found.state == WARNING and "ModuleNotFoundError" in found.value
    assert "BAD" not in [f.state for f in asked("numpy", libraries.numpy)]


# ---- minicnn itself

def test_this_copy(tmp_path, monkeypatch):
    folder = str(Path(minicnn.__file__).parent)
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, "minicnn", minicnn.__version__)
    found = only(libraries.minicnn())
    assert (found.state, found.value) == (GOOD, f"{minicnn.__version__} from {folder}")


def test_an_editable_copy(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, "minicnn", minicnn.__version__,
            **{"direct_url.json": '{"url": "file:///x", "dir_info": {"editable": true}}'})
    assert "editable" in only(libraries.minicnn()).value


def test_another_copy_is_installed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, "minicnn", "99.0")
    found = only(libraries.minicnn())
    assert found.state == WARNING and "99.0 is installed" in found.value


def test_a_copy_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(libraries, "installed", lambda name: None)
    found = only(libraries.minicnn())
    assert found.state == NOTE and "not installed" in found.value


def test_the_modules_that_show_a_broken_installation_exist():
    for module in libraries.COMPILED.values():
        importlib.import_module(module)

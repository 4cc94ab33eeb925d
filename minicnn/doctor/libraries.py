"""What minicnn stands on: NumPy and the BLAS beneath it, the other libraries; and minicnn."""

import importlib
import importlib.metadata
import json
import os
import re
from pathlib import Path

import numpy as np

from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding, asked, said

NEEDED = {"numpy": "1.26", "pillow": "10.1", "h5py": "3.10", "matplotlib": "3.8", "tqdm": "4.60",
          "threadpoolctl": "3.1"}  # as in pyproject.toml
# what a broken installation fails to import: tqdm and threadpoolctl have nothing compiled, and
# matplotlib takes long to load
COMPILED = {"numpy": "numpy", "pillow": "PIL._imaging", "h5py": "h5py"}
NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}
CHOICE = "OPENBLAS_CORETYPE"  # the environment variable that OpenBLAS takes its kernels from
BEFORE_AVX2 = {"prescott", "core2", "penryn", "dunnington", "nehalem", "sandybridge", "generic"}
AVX2 = {"AVX2", "X86_V3", "AVX512F", "X86_V4"}


def numpy():
    """Yield NumPy's version, the processor's instructions it uses, and its BLAS."""
    yield from needed("numpy")
    told = np.show_config(mode="dicts").get("SIMD Extensions", {})
    simd = [*told.get("baseline", []), *told.get("found", [])]  # the plainest first
    if simd:
        yield Finding("SIMD", ", ".join(simd))
    yield from asked("BLAS", blas, simd)


def blas(simd=()):
    """Yield each BLAS that is loaded: its name, version, kernels and threads.

    Parameters
    ----------
    simd : sequence of str
        The instruction sets NumPy found.
    """
    libraries = loaded_blas()
    if not libraries:
        yield _unseen()
    for library in libraries:
        kernels = library.get("architecture")
        name = NAMES.get(library["internal_api"], library["internal_api"])
        words = " ".join([name, library.get("version") or "(no version said)"]
                         + ([f"with kernels for {kernels}"] if kernels else []))
        if str(kernels).lower() in BEFORE_AVX2 and AVX2 & set(simd):
            yield Finding("BLAS", f"{words}, though this processor has AVX2", WARNING,
                          f"unset {CHOICE}" if os.environ.get(CHOICE) else
                          "pip install --upgrade numpy, for a BLAS that knows this processor")
        elif library["internal_api"] == "openblas" and os.environ.get(CHOICE):
            yield Finding("BLAS", f"{words}, chosen by {CHOICE}", NOTE,
                          f"unset {CHOICE} for the kernels that fit this processor best")
        else:
            yield Finding("BLAS", words)
        yield Finding("BLAS threads", f"{library.get('num_threads')}; while an op runs, one for "
                                      "each of the op's own threads")


def loaded_blas():
    """What threadpoolctl says of each BLAS in this process, a list of dicts."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").info()


def _unseen():
    """What NumPy says that it was built with, where no BLAS shows itself."""
    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    if not built.get("name") or built["name"] == "none":
        return Finding("BLAS", "NumPy was built without one: products are slow", WARNING,
                       "pip install --force-reinstall numpy")
    return Finding("BLAS", f"{built['name']} {built.get('version', '')}".strip() + ", which does "
                   "not show itself: its threads cannot be held to one while an op runs", NOTE)


def others():
    """Yield the other libraries' versions; PyTorch's where it is installed, without loading it."""
    for name in NEEDED:
        if name != "numpy":
            yield from needed(name)
    if torch := installed("torch"):
        yield Finding("torch", f"{torch}, for comparisons only")


def needed(name):
    """Yield what is to be said of a library that minicnn needs: its version, or what is wrong."""
    version, least = installed(name), NEEDED[name]
    remedy = f'pip install --upgrade "{name}>={least}"'
    if version is None:
        yield Finding(name, "not installed", BAD, remedy)
    elif numbers(version) < numbers(least):
        yield Finding(name, f"{version}: older than {least}", BAD, remedy)
    else:
        yield _loaded(name, version)


def _loaded(name, version):
    """What comes of importing a library's compiled part, where it has one."""
    try:
        module = importlib.import_module(COMPILED[name]) if name in COMPILED else None
    except Exception as error:  # ImportError, and whatever a broken library raises while it loads
        return Finding(name, f"{version}, but loading it fails: {said(error)}", BAD,
                       f"pip install --force-reinstall {name}")
    beneath = f", HDF5 {module.version.hdf5_version}" if name == "h5py" else ""
    return Finding(name, version + beneath)


def installed(name):
    """The version of an installed package, a str; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def numbers(version):
    """The numbers a version begins with, to compare: "13.6.0rc1" -> (13, 6, 0)."""
    return tuple(int(n) for n in re.match(r"[\d.]*", version).group().split(".") if n)


def minicnn():
    """Yield minicnn's version, and which copy of it this is."""
    from minicnn import __version__

    folder, version = Path(__file__).resolve().parents[1], installed("minicnn")
    if version is None:
        yield Finding("minicnn", f"{__version__}, not installed, from {folder}", NOTE,
                      "`pip install .` there makes the command `minicnn`")
    elif version != __version__:
        yield Finding("minicnn", f"{__version__} from {folder}, but {version} is installed",
                      WARNING, "another copy lies before the installed one on Python's path "
                      "(PYTHONPATH, the current folder): pip install that one, or move away")
    else:
        yield Finding("minicnn", f"{version}{_editable()} from {folder}")


def _editable():
    """The word for a copy whose files pip uses where they are; "" for another."""
    text = importlib.metadata.distribution("minicnn").read_text("direct_url.json")
    editable = json.loads(text or "{}").get("dir_info", {}).get("editable", False)
    return ", editable," if editable else ""

"""The libraries minicnn needs, NumPy with its BLAS and the others, and minicnn itself."""

import importlib
import importlib.metadata
import json
import os
import re
from pathlib import Path

import numpy as np

from minicnn.backend.driver import installed
from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding, asked, said

NEEDED = {"numpy": "1.26", "pillow": "10.1", "h5py": "3.10", "matplotlib": "3.8", "tqdm": "4.60",
          "threadpoolctl": "3.1"}  # as in pyproject.toml
# the compiled parts, which a broken installation fails to import; tqdm and threadpoolctl have none,
# and matplotlib takes long to load
COMPILED = {"numpy": "numpy", "pillow": "PIL._imaging", "h5py": "h5py"}
NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}
CHOICE = "OPENBLAS_CORETYPE"  # the environment variable that chooses OpenBLAS's kernels
BEFORE_AVX2 = {"prescott", "core2", "penryn", "dunnington", "nehalem", "sandybridge", "generic"}
AVX2 = {"AVX2", "X86_V3", "AVX512F", "X86_V4"}


def numpy():
    """Yield NumPy's version, the instruction sets it uses, and its BLAS."""
    yield from needed("numpy")
    told = np.show_config(mode="dicts").get("SIMD Extensions", {})
    simd = [*told.get("baseline", []), *told.get("found", [])]  # the oldest first
    if simd:
        yield Finding("SIMD", ", ".join(simd))
    yield from asked("BLAS", blas, simd)


def blas(simd=()):
    """Yield the name, version, kernels and threads of each loaded BLAS.

    Parameters
    ----------
    simd : sequence of str
        The instruction sets that NumPy found.
    """
    libraries = loaded_blas()
    if not libraries:
        yield _unseen()
    for library in libraries:
        kernels = library.get("architecture")
        name = NAMES.get(library["internal_api"], library["internal_api"])
        words = " ".join([name, library.get("version") or "(unknown version)"]
                         + ([f"with kernels for {kernels}"] if kernels else []))
        if str(kernels).lower() in BEFORE_AVX2 and AVX2 & set(simd):
            yield Finding("BLAS", f"{words}, although this processor has AVX2", WARNING,
                          f"unset {CHOICE}" if os.environ.get(CHOICE) else
                          "pip install --upgrade numpy, for a BLAS that supports this processor")
        elif library["internal_api"] == "openblas" and os.environ.get(CHOICE):
            yield Finding("BLAS", f"{words}, chosen by {CHOICE}", NOTE,
                          f"unset {CHOICE} for the kernels that fit this processor best")
        else:
            yield Finding("BLAS", words)
        yield Finding("BLAS threads", f"{library.get('num_threads')}; while an op runs, one in "
                                      "each of minicnn's own threads")


def loaded_blas():
    """threadpoolctl's information on each BLAS in this process, a list of dicts."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").info()


def _unseen():
    """The finding if threadpoolctl sees no BLAS: the BLAS that NumPy was built with."""
    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    if not built.get("name") or built["name"] == "none":
        return Finding("BLAS", "NumPy was built without one: products are slow", WARNING,
                       "pip install --force-reinstall numpy")
    return Finding("BLAS", f"{built['name']} {built.get('version', '')}".strip() + ", which "
                   "threadpoolctl does not see: minicnn cannot limit its threads", NOTE)


def others():
    """Yield the other libraries' versions, and PyTorch's if installed, without loading it."""
    for name in NEEDED:
        if name != "numpy":
            yield from needed(name)
    if torch := installed("torch"):
        yield Finding("torch", f"{torch}, for comparisons only")


def needed(name):
    """Yield the version of a library that minicnn needs, or what is wrong with it."""
    version, least = installed(name), NEEDED[name]
    remedy = f'pip install --upgrade "{name}>={least}"'
    if version is None:
        yield Finding(name, "not installed", BAD, remedy)
    elif numbers(version) < numbers(least):
        yield Finding(name, f"{version}: older than {least}", BAD, remedy)
    else:
        yield _loaded(name, version)


def _loaded(name, version):
    """Import a library's compiled part, if it has one: the version, or the error."""
    try:
        module = importlib.import_module(COMPILED[name]) if name in COMPILED else None
    except Exception as error:  # a broken library may raise anything while it loads
        return Finding(name, f"{version}, but loading it fails: {said(error)}", BAD,
                       f"pip install --force-reinstall {name}")
    beneath = f", HDF5 {module.version.hdf5_version}" if name == "h5py" else ""
    return Finding(name, version + beneath)


def numbers(version):
    """The leading numbers of a version, for comparisons: "13.6.0rc1" -> (13, 6, 0)."""
    return tuple(int(n) for n in re.match(r"[\d.]*", version).group().split(".") if n)


def minicnn():
    """Yield minicnn's version, and which copy of it is running."""
    from minicnn import __version__

    folder, version = Path(__file__).resolve().parents[1], installed("minicnn")
    if version is None:
        yield Finding("minicnn", f"{__version__}, not installed, from {folder}", NOTE,
                      "`pip install .` there makes the command `minicnn`")
    elif version != __version__:
        yield Finding("minicnn", f"{__version__} from {folder}, but {version} is installed",
                      WARNING, "Python's path (PYTHONPATH, the current folder) has another copy "
                      "before the installed one: pip install that copy, or leave its folder")
    else:
        yield Finding("minicnn", f"{version}{_editable()} from {folder}")


def _editable():
    """The word for an editable installation; "" for any other."""
    text = importlib.metadata.distribution("minicnn").read_text("direct_url.json")
    editable = json.loads(text or "{}").get("dir_info", {}).get("editable", False)
    return ", editable," if editable else ""

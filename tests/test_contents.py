"""The table of contents, and the version, which stands in one place."""

import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minicnn
from minicnn.files import cache, digests, hdf5, manifest, photos, probe, verification
from minicnn.foreign import convert, fetch, load
from minicnn.images import display, pictures, preprocessing, showing, writing
from minicnn.train import augment, batch_norm, loop

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["ascent", "backend", "course", "doctor", "estimate", "fast", "files", "foreign",
         "gradcheck", "images", "load", "models", "naive", "network", "Network", "ops", "report",
         "Run", "show", "train", "vis"]


def after_import(expression):
    """What a fresh Python prints for an expression after `import minicnn`, and nothing else."""
    return subprocess.run(
        [sys.executable, "-c", f"import minicnn\nprint({expression})"], check=True, text=True,
        capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)}).stdout


def test_the_table_names_all_there_is():
    table = minicnn.__doc__.split("\n\n")[1]
    assert set(re.findall(r"``(\w+)``", table)) == set(minicnn.__all__) == set(NAMES)


def test_every_room_is_in_the_table():
    rooms = {path.parent.name for path in (ROOT / "minicnn").glob("*/__init__.py")}
    assert rooms - {"cli"} <= set(minicnn.__all__)  # which is the program, not for import


def test_every_name_is_there_after_import_minicnn():
    assert after_import("[hasattr(minicnn, name) for name in minicnn.__all__]") == (
        f"{[True] * len(NAMES)}\n")


def test_the_examples_in_the_table_work():
    table = " ".join(minicnn.__doc__.split("\n\n")[1].split())
    examples = re.findall(r"minicnn((?:\.\w+)+)", table)
    assert examples == [".load", ".estimate", ".models.vgg16", ".vis.deconvnet", ".gradcheck.check"]
    called = ", ".join(f"callable(minicnn{example})" for example in examples)
    assert after_import(called) == "True True True True True\n"


def test_names_that_are_also_a_room_s():
    """`Network` is the class, `network` the room it lives in."""
    assert minicnn.network.Network is minicnn.Network and minicnn.network.Run is minicnn.Run
    assert minicnn.foreign.load.load is minicnn.load


# ---- type hints

DOORS = [cache, digests, hdf5, manifest, probe, verification, convert, fetch, load, display, photos,
         pictures, preprocessing, showing, writing, augment, batch_norm, loop]


def of_a_module(module):
    return {f"{module.__name__}.{name}": value for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__}


def of_a_class(kind):
    return {f"{kind.__name__}.{name}": getattr(value, "fget", value)
            for name, value in vars(kind).items()
            if inspect.isfunction(value) or isinstance(value, property)}


PUBLIC = {name: value for found in [
    *map(of_a_module, DOORS), *map(of_a_class, (minicnn.Network, minicnn.Run)),
    {f"models.{name}": getattr(minicnn.models, name) for name in minicnn.models.__all__},
    {"gradcheck.check": minicnn.gradcheck.check, "Network.": minicnn.Network.__init__},
] for name, value in found.items() if not name.rpartition(".")[2].startswith("_")}


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_has_type_hints(name):
    """Every parameter, and what comes back; `minicnn/py.typed` tells type checkers so."""
    signature = inspect.signature(PUBLIC[name])
    bare = [parameter.name for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")]
    assert bare == [] and signature.return_annotation is not signature.empty


def test_the_public_functions_were_found():
    assert {"minicnn.foreign.load.load", "minicnn.images.showing.show", "Network.forward",
            "Network.logits", "Network.save", "Run.backward", "models.vgg16"} <= set(PUBLIC)
    assert (Path(minicnn.__file__).parent / "py.typed").is_file()


# ---- the version

def test_the_version_stands_in_the_package_alone():
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        pytest.skip("not a checkout: there is no pyproject.toml here")
    text = project.read_text(encoding="utf-8")
    assert re.search(r'(?m)^dynamic = \["version"\]$', text)
    assert '[tool.hatch.version]\npath = "minicnn/__init__.py"\n' in text
    assert not re.search(r"(?m)^version\b", text) and minicnn.__version__ not in text
    assert re.fullmatch(r"\d+\.\d+\.\d+", minicnn.__version__)


def test_what_is_installed_has_it():
    """Where this package, and not another checkout, is what is installed."""
    try:
        installed = importlib.metadata.distribution("minicnn")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("minicnn is not installed")
    if Path(installed.locate_file("minicnn")).resolve() != Path(minicnn.__file__).parent:
        pytest.skip("another minicnn is installed")
    assert installed.version == minicnn.__version__

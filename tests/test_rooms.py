"""What rooms offer, for Tab among others."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import minicnn

ROOT = Path(__file__).resolve().parents[1]
ROOMS = [name for name in minicnn.__all__ if isinstance(getattr(minicnn, name), ModuleType)]


def defined(room):
    """What a room's own source defines, and its files."""
    source = Path(room.__file__)
    names = {path.stem for path in source.parent.iterdir()
             if path.suffix == ".py" or (path / "__init__.py").is_file()
             } if source.stem == "__init__" else set()
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        names |= {node.name} if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else set()
        names |= {target.id for target in getattr(node, "targets", ())
                  if isinstance(node, ast.Assign) and isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("name", ["", *ROOMS])
def test_tab_offers_the_public_names_all_of_them_and_nothing_else(name):
    room = getattr(minicnn, name) if name else minicnn
    public = getattr(room, "__all__", None) or defined(room)
    assert [one for one in dir(room) if not one.startswith("_")] == sorted(public)
    assert {"__doc__", "__file__", "__name__"} <= set(dir(room))


def test_what_is_offered_is_there_when_it_is_first_used():
    program = ("import minicnn; print(minicnn.ops.sigmoid.__name__, 'tanh' in vars(minicnn.ops), "
               "minicnn.gradcheck.check.__name__, hasattr(minicnn.ops, 'nothing'))")
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True).stdout
    assert shown == "minicnn.ops.sigmoid False check False\n"
    with pytest.raises(AttributeError, match="'minicnn.ops' has no attribute 'nothing'"):
        _ = minicnn.ops.nothing

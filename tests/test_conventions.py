"""The habits of the house that a machine can check: who imports whom, what has a test, a
docstring, a specification, and what must not be in a committed file."""

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from functools import cache, wraps
from pathlib import Path

import pytest

import minicnn
from minicnn import naive
from minicnn.fast import TWINS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "minicnn", ROOT / "tests"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted(TESTS.rglob("test_*.py"))

# The rooms of the house, floor by floor from the roof down. A room imports itself, rooms of the
# floors below, and on its own floor the rooms left of it: what is low can be read, tested and taken
# away without what is high. An import inside a function counts like any other.
FLOORS = [
    ["cli", "__main__"],  # commands
    ["report", "doctor", "course"],  # pages
    ["ascent", "train", "vis"],  # methods
    ["images", "network", "files", "models", "foreign"],  # networks
    ["rooms", "backend", "terminal", "progress", "ops", "fast", "naive", "gradcheck"],  # arithmetic
]
ROOMS = [room for floor in FLOORS for room in reversed(floor)]
LEVEL = {room: level for level, room in enumerate(ROOMS)}
MOST_LINES = 600
LONGER = {"minicnn/naive.py": 1000}  # one function after another, two for each op


def short(path):
    return str(path.relative_to(ROOT))


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def each(paths):
    """One test of many files: it tells all those that break its rule."""
    def of_one(test):
        @wraps(test)
        def of_all():
            broken = []
            for each_path in paths:
                try:
                    test(each_path)
                except AssertionError as error:
                    broken.append(f"{short(each_path)}: {str(error).splitlines()[0]}")
            assert not broken, "\n".join(broken)
        del of_all.__wrapped__  # whose argument pytest would take for a fixture
        return of_all
    return of_one


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Every module a file imports, anywhere in it, as dotted names; `from a import b` is a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def definitions(path):
    """The functions and classes at the top of a file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node for node in tree(path).body if isinstance(node, kinds)]


# ---- imports

def test_every_file_is_in_a_room_of_the_table():
    assert {room_of(path) for path in SOURCES} - {"__init__"} <= set(LEVEL)


@each([p for p in SOURCES if room_of(p) != "__init__"])
def test_imports_go_down(path):
    """minicnn/__init__.py alone is above the roof: it is the table of contents."""
    here = LEVEL[room_of(path)]
    for name in imported(path):
        first, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if first == "minicnn" and room in LEVEL:
            assert LEVEL[room] >= here, f"{short(path)} imports {name}, which is above it"
        elif first == "minicnn":
            assert room == "__version__", f"{short(path)} imports {name} from the top"


def test_no_relative_imports():
    """The rule above reads absolute names; one way to write an import is enough."""
    relative = [short(path) for path in SOURCES for node in ast.walk(tree(path))
                if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []


def at_the_top(path):
    """The first names of the modules that importing a file imports."""
    top = ast.Module([node for node in tree(path).body
                      if isinstance(node, (ast.Import, ast.ImportFrom))], [])
    for node in ast.walk(top):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


PAGES_ON_PAGES = {"cross_entropy": "softmax", "conv_transpose": "conv"}  # which is built on which


@each(sorted((PACKAGE / "ops").glob("[a-z]*.py")))
def test_a_page_can_be_read_with_nothing_else_open(path):
    """Of ours it imports the array module and the geometry of windows; no threads, no memory pool,
    no kernels, which are its twin's."""
    allowed = ["minicnn.backend.array_module", "minicnn.ops.window."]
    if path.stem in PAGES_ON_PAGES:
        allowed.append(f"minicnn.ops.{PAGES_ON_PAGES[path.stem]}")
    extra = [name for name in imported(path) if name.startswith("minicnn")
             and not name.startswith(tuple(allowed))]
    assert extra == [], f"{short(path)} imports {extra}"


MOST_CODE = {"conv": 45, "pool": 30, "lrn": 20, "relu": 12}  # lines of a page; of the others 40


def code_lines(path):
    """Lines of code of a page: without docstrings, comments, imports, the class of its cache, and
    checks of arguments."""
    text, left_out = path.read_text(encoding="utf-8"), set()
    for node in ast.walk(ast.parse(text)):
        checks = isinstance(node, ast.FunctionDef) and re.match("check|describe", node.name)
        checks = checks or isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
        words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if checks or words or isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef)):
            left_out |= set(range(node.lineno, node.end_lineno + 1))
    return sum(number not in left_out and bool(line.strip()) and line.lstrip()[0] != "#"
               for number, line in enumerate(text.splitlines(), 1))


@each(sorted((PACKAGE / "ops").glob("[a-z]*.py")))
def test_a_page_is_a_page(path):
    assert code_lines(path) <= MOST_CODE.get(path.stem, 40)


def signature(path, name):
    """The parameters of a function of a file, with their defaults, as they are written."""
    (found,) = [node for node in definitions(path) if node.name == name]
    return ast.unparse(found.args)


@pytest.mark.parametrize("op", TWINS)
def test_a_twin_has_its_page_s_functions(op):
    page, twin = PACKAGE / "ops" / f"{op}.py", PACKAGE / "fast" / f"{op}.py"
    both = ["forward", "backward"] + ["unpool"] * (op == "pool")
    assert [signature(twin, name) for name in both] == [signature(page, name) for name in both]


def test_every_twin_is_in_the_table():
    pages = {path.stem for path in (PACKAGE / "ops").glob("*.py")} - {"window", "__init__"}
    assert {path.stem for path in (PACKAGE / "fast").glob("*.py")} & pages == set(TWINS)


def test_naive_and_gradcheck_need_numpy_only():
    """PyTorch is imported by name where a check is given a torch function; the plugin is read by
    pytest alone."""
    for path in [p for p in SOURCES if room_of(p) in ("naive", "gradcheck")]:
        extra = set(at_the_top(path)) - sys.stdlib_module_names - {"numpy"}
        extra -= {"pytest"} if short(path) == "minicnn/gradcheck/judge/plugin.py" else set()
        assert extra <= {"minicnn"}, f"{short(path)} imports {extra}"
        own = {name for name in imported(path) if name.startswith("minicnn.")}
        own -= {"minicnn.rooms.offered"}  # which needs Python alone
        of_its_own = room_of(path) == "gradcheck"
        assert all(of_its_own and name.startswith("minicnn.gradcheck") for name in own), short(path)


@each([p for p in SOURCES if room_of(p) != "backend"])
def test_cupy_is_named_in_backend_only(path):
    """Neither imported nor used by name, nor by a string that something else imports; and in
    `driver`, which looks for the package but imports nothing."""
    for node in ast.walk(tree(path)):
        assert not (isinstance(node, ast.Name) and node.id in ("cupy", "cp"))
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, str)
                    and node.value.partition(".")[0] == "cupy")
    assert not any(name.partition(".")[0] in ("cupy", "cupyx") for name in imported(path))


def modules():
    """Every module of the package, by its dotted name."""
    names = [info.name for info in pkgutil.walk_packages(minicnn.__path__, "minicnn.")]
    return {name: importlib.import_module(name) for name in names
            if not name.endswith("__main__")}  # which runs


def test_no_function_or_class_hides_the_module_it_lives_in():
    """`import minicnn.vis.deconvnet` gives the module: a package's name for it is nothing else."""
    found, hidden = modules(), []
    for name, module in found.items():
        package, _, last = name.rpartition(".")
        if getattr(found.get(package, minicnn), last) is not module:
            hidden.append(name)
    assert hidden == [] and len(found) >= len(SOURCES) - 2  # minicnn itself, and __main__


def test_what_is_slow_to_import_waits_until_it_is_needed():
    """`import minicnn` and `minicnn --help` need the standard library alone, and a command that
    only reads a network no method of `vis`, no reader of foreign files and no user's own op."""
    program = ("import sys, minicnn.cli; minicnn.cli.build_parser()\n"
               "slow = {'numpy', 'matplotlib', 'h5py', 'PIL', 'tqdm', 'threadpoolctl'}\n"
               "there = slow & set(sys.modules); import minicnn.cli.classify\n"
               "print(sorted(there | {'minicnn.vis', 'minicnn.foreign.convert', 'matplotlib', "
               "'minicnn.gradcheck'} & set(sys.modules)))")
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True).stdout
    assert shown == "[]\n"


# ---- what everything has

def mirror(path):
    """Where the tests of a source file are."""
    inside = path.relative_to(PACKAGE)
    if inside.parts[:2] in (("gradcheck", "gradients"), ("gradcheck", "own")):
        door = {"gradients": "checker", "own": "forms"}[inside.parts[1]]  # tested through one file
        return TESTS / "gradcheck" / inside.parts[1] / f"test_{door}.py"
    if inside.parts[:2] == ("gradcheck", "cause") and inside.stem in (
            "candidates", "general", "norms", "windows"):
        return TESTS / "gradcheck" / "cause" / "test_own_formulas.py"
    if inside.parts[:2] == ("gradcheck", "apart"):
        return TESTS / "gradcheck" / "apart" / "test_child.py"
    if inside.parts[:2] == ("gradcheck", "mistakes"):
        return TESTS / "gradcheck" / "test_mistakes.py"
    return TESTS / inside.with_name(f"test_{inside.name}")


@each([p for p in SOURCES if not p.name.startswith("__")])
def test_every_file_has_its_tests(path):
    assert mirror(path).is_file(), f"{short(path)} has no {short(mirror(path))}"


def test_every_test_file_has_its_source():
    """A file renamed leaves no orphan behind; a part of the name may be added. A room's door is
    tested under the name of the room."""
    whole = {"conventions", "mutants", "golden", "contents", "pages", "site", "commands",  # of all,
             "scripts", "distribution", "methods"}  # not one; of a room: what all of it share
    orphans = []
    for path in [p for p in TEST_FILES if p.parent.name != "gpu"]:  # there: of all, on a device
        name, inside = path.stem.removeprefix("test_"), path.parent.relative_to(TESTS)
        folder = (ROOT if inside.parts[:1] == ("benchmarks",) else PACKAGE) / inside
        parts = name.split("_")
        named = ["_".join(parts[:k]) for k in range(len(parts), 0, -1)]
        if name not in whole | {folder.name} and not any(
                (folder / f"{n}.py").is_file() or (folder / n).is_dir() for n in named):
            orphans.append(short(path))
    assert orphans == []


@each([p for p in SOURCES if p.name != "__main__.py"])
def test_what_is_public_has_a_docstring(path):
    assert ast.get_docstring(tree(path)), f"{short(path)} says not what it holds"
    bare = [node.name for node in definitions(path)
            if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert bare == [], f"{short(path)}: no docstring"


OPS = [path.stem for path in sorted((PACKAGE / "ops").glob("*.py"))
       if "forward" in [node.name for node in definitions(path)]]


@pytest.mark.parametrize("op", OPS)
def test_every_op_has_its_specification(op):
    assert callable(getattr(naive, f"{op}_forward", None))
    assert callable(getattr(naive, f"{op}_backward", None))


def test_the_ops_were_found():
    assert {"conv", "pool", "lrn", "relu", "dense", "softmax"} <= set(OPS) and len(OPS) >= 15


@each(sorted((ROOT / "lessons").glob("[0-9]*.py")))
def test_no_cell_of_a_lesson_ends_in_a_comment(path):
    """As a notebook each cell gets a semicolon at its end, to show no value: not behind a #."""
    cells = re.split(r"^# %%.*\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ends = [cell.rstrip().splitlines()[-1] for cell in cells if cell.strip()]
    assert [end for end in ends if end[0] != "#" and "  # " in end] == []


@each(SOURCES)
def test_no_file_is_too_long(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    most = LONGER.get(path.relative_to(ROOT).as_posix(), MOST_LINES)
    assert lines <= most, f"{short(path)} has {lines} lines: it holds two things"


# ---- no test that pytest would not collect

def names_used(module):
    """Every name a file reads, and every argument (a fixture is used by being one)."""
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    marks = [node for node in ast.walk(module) if isinstance(node, ast.Call)
             and getattr(node.func, "attr", "") == "usefixtures"]
    return used | {mark.value for node in marks for mark in node.args}


def idle(module):
    """Functions of a test file that are neither a test, nor used, nor a fixture used by pytest."""
    used = names_used(module)
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
            automatic = any("autouse" in ast.unparse(d) for d in node.decorator_list)
            if node.name not in used and not automatic:
                yield node.name
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}.{inner.name}" for inner in node.body
                        if isinstance(inner, ast.FunctionDef)
                        and not inner.name.startswith("test_")
                        and inner.name not in used | {a.attr for a in ast.walk(module)
                                                      if isinstance(a, ast.Attribute)})


@each(TEST_FILES)
def test_every_test_is_collected(path):
    module = tree(path)
    assert list(idle(module)) == [], "neither a test nor used: is its name misspelt?"
    tests = [node.name for node in module.body if getattr(node, "name", "").startswith("test_")]
    assert len(tests) == len(set(tests)), "of two tests of one name only the last runs"
    assert tests or any(getattr(n, "name", "").startswith("Test") for n in module.body)


def test_the_rule_finds_a_misspelt_test():
    module = ast.parse("def text_a(): pass\ndef helper(): pass\ndef test_b(): helper()\n"
                       "class TestC:\n    def tset_d(self): pass\n    def test_e(self): pass\n")
    assert list(idle(module)) == ["text_a", "TestC.tset_d"]


def test_no_test_hides_in_a_file_that_is_not_collected():
    others = [p for p in TESTS.rglob("*.py") if not p.name.startswith("test_")]
    hidden = [f"{short(p)}: {node.name}" for p in others for node in definitions(p)
              if node.name.startswith(("test_", "Test"))]
    assert hidden == []


# ---- what is committed

def committed():
    """Files that are or would be committed; the test skips outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: there is no .git here")
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in listed.decode().split("\0") if name
            for path in [ROOT / name] if path.is_file()]


# written so that this file does not contain what it looks for
MACHINE = rb"(?<![\w./:-])/(?:wor[k]|hom[e]|roo[t]|User[s]|mn[t])/[\w.-]"
REGISTRY = rb"https?://[^/\s\"'<>]*(?:pyp[i]|pythonhoste[d]|artifactor[y]|nexu[s]|devp[i])"
INDEX = rb"--(?:extra-)?index-ur[l]|--find-link[s]"
UNKNOWN = rb"seed documen[t]"  # to a reader


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY, INDEX, UNKNOWN],
                         ids=["machine", "host", "index", "unknown"])
def test_no_committed_file_names_one_machine_or_registry(pattern):
    found = {short(path): match.group().decode(errors="replace") for path in committed()
             if (match := re.search(pattern, path.read_bytes()))}
    assert found == {}


def test_the_patterns_find_what_they_are_for():
    for path in ("wor" + "k/main", "hom" + "e/someone/x", "roo" + "t/.cache"):
        assert re.search(MACHINE, f'open("/{path}")'.encode())
    assert not re.search(MACHINE, b"see docs/" + b"work/x and https://a.org/ho" + b"me/x")
    assert re.search(REGISTRY, b"https://mirror.pyp" + b"i.example/simple")

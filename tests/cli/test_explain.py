"""The command explain: what it shows is what the files say."""

import ast
import io
import re
import sys
from pathlib import Path

import pytest

import minicnn
from minicnn import naive
from minicnn.cli import explain, main
from minicnn.fast import TWINS
from minicnn.network import layers

PACKAGE = Path(minicnn.__file__).parent
OPS = [op for op in explain.PAGES if op != explain.GEOMETRY]
WITH_AN_EXAMPLE = {"conv", "conv_transpose", "lrn", "pool", "relu"}


def source(name):
    return (PACKAGE / name).read_text(encoding="utf-8")


def parts(text):
    """The derivation, the code, and the rows of related files."""
    derivation, _, rest = text.partition("\nThe code\n\n")
    code, _, rows = rest.partition("\nRelated files\n\n")
    return derivation, code, rows


def test_every_page_is_there():
    assert {"conv", "lrn", "pool", "relu", "add"} < set(OPS) and len(OPS) >= 17
    for op in OPS:
        assert callable(getattr(naive, f"{op}_forward"))


# ---- the page

@pytest.mark.parametrize("op", explain.PAGES)
def test_the_page_is_shown_whole_but_for_signs(said, op):
    """Without signs every line of the docstring is there as it is written."""
    whole = ast.get_docstring(ast.parse(source(f"ops/{op}.py")))
    derivation, _, _ = parts(explain.explain(op, signs=False))
    assert derivation == f"minicnn/ops/{op}.py\n\n{whole}\n"
    shown, _, _ = parts(said("explain", op))
    assert len(shown.splitlines()) == len(derivation.splitlines())
    assert shown.splitlines()[2] == whole.splitlines()[0]


def test_formulas_have_signs(said):
    assert "y[c] = x[c] · s[c]⁻ᵝ\n" in said("explain", "lrn")
    shown = said("explain", "conv")
    assert "= b[o] + Σ_{i, j, c}" in shown and "colsᵀ @ dy" in shown


@pytest.mark.parametrize("op", explain.PAGES)
def test_the_code_is_the_page_s_code(said, op):
    """Read by Python it is the page's functions, in order, without checks and long docstrings."""
    _, code, _ = parts(said("explain", op))
    code, _, example = code.partition("\nAn example\n")
    shown, _, left_out = code.partition("\nNot shown: ")
    body = ast.parse(source(f"ops/{op}.py")).body
    page = [n for n in body if isinstance(n, ast.FunctionDef)]
    checks = [n.name for n in page if re.match("_?(check|describe)", n.name)]
    kept = [n.name for n in body if isinstance(n, ast.ClassDef)]
    assert left_out.strip() == ", ".join([*kept, *checks])
    assert bool(example) == (op in WITH_AN_EXAMPLE) == (">>> import numpy" in example)
    computing = [node for node in page if node.name not in checks]
    for node in computing:
        if text := ast.get_docstring(node):
            node.body[0].value.value = text.partition("\n\n")[0]
    again = [n for n in ast.parse(shown).body if isinstance(n, ast.FunctionDef)]
    for node in again:
        if text := ast.get_docstring(node):
            node.body[0].value.value = text
    assert list(map(ast.unparse, again)) == list(map(ast.unparse, computing))
    assert "Parameters\n" not in shown and ">>>" not in shown
    if op in OPS:
        assert {"forward", "backward"} <= {node.name for node in again}


@pytest.mark.parametrize("op, names", [
    ("conv", ["_columns", "_read_back", "matrices"]), ("pool", ["unpool"]),
    ("lrn", ["_window_sum"]), ("average_pool", ["_area"]), ("window", ["output_size", "views"])])
def test_what_they_call_on_the_page_is_shown(said, op, names):
    _, code, _ = parts(said("explain", op))
    assert all(f"def {name}(" in code for name in names)


def test_constants_are_shown_where_the_code_names_them(said):
    assert "RULES = {" in parts(said("explain", "relu"))[1]
    assert "RULES = " not in parts(said("explain", "lrn"))[1]  # only a check names it


def test_comments_stay(said):
    assert "# \">\": the first of equals stays" in said("explain", "pool")


# ---- related files

@pytest.mark.parametrize("op", OPS)
def test_every_op_names_its_loops_with_their_lines(said, op):
    _, _, rows = parts(said("explain", op))
    found = dict(reversed(pair) for pair in
                 re.findall(r"minicnn/naive\.py:(\d+) +(\w+)$", rows, re.MULTILINE))
    assert {f"{op}_forward", f"{op}_backward"} <= set(found)
    lines = source("naive.py").splitlines()
    for name, number in found.items():
        assert lines[int(number) - 1].startswith(f"def {name}(")
    assert all(re.fullmatch(rf"{op}_[a-z]+", name) for name in found)


@pytest.mark.parametrize("op", explain.PAGES)
def test_files_that_are_named_are_there(said, op):
    _, _, rows = parts(said("explain", op))
    named = re.findall(r"\b(?:minicnn|tests|lessons)/\S+?\.py", rows)
    assert f"tests/ops/test_{op}.py" in named
    assert all((explain.ROOT / name).is_file() for name in named)
    assert (f"minicnn/fast/{op}.py" in named) == (f"tests/fast/test_{op}.py" in named) == (
        op in TWINS)


def test_the_twin_with_what_its_table_says(said):
    _, _, rows = parts(said("explain", "conv"))
    assert re.search(r"^fast twin +minicnn/fast/conv\.py +always: Winograd for .*, or tiles\n"
                     r" +gained over this page: VGG-16 .*; depthwise ", rows, re.MULTILINE)
    assert "fast twin     none: networks use this page\n" in said("explain", "tanh")
    assert "fast twin     none\n" in said("explain", "cross_entropy")  # which no layer is


@pytest.mark.parametrize("op", TWINS)
def test_the_table_says_something_of_every_twin(op):
    serves, gained = explain._table(minicnn.fast.__doc__)[op]
    assert serves and gained and "=" not in serves + gained


def test_a_table():
    edge = "====  ===  =====\n"
    text = f"words\n{edge}`a`   one  two\n      and  more\n`b`   x    y\n{edge}after it"
    assert explain._table(text) == {"a": ["one and", "two more"], "b": ["x", "y"]}


@pytest.mark.parametrize("op", OPS)
def test_the_layers_that_use_it(said, op):
    _, _, rows = parts(said("explain", op))
    found = re.findall(r"minicnn/network/layers\.py:(\d+) +(\w+)$", rows, re.MULTILINE)
    assert [name for _, name in found] == [n for n, kind in layers.KINDS.items() if kind.op == op]
    lines = source("network/layers.py").splitlines()
    for number, name in found:
        assert f"class {name}(Layer):" in lines[int(number) - 1 : int(number) + 1]
    assert found or re.search(r"^layer +none$", rows, re.MULTILINE)


@pytest.mark.thorough
def test_geometry_is_named_where_it_is_used(said):
    assert re.search(r"^geometry +minicnn/ops/window\.py +.*\bviews$",
                     said("explain", "conv"), re.MULTILINE)
    assert "geometry" not in parts(said("explain", "tanh"))[2]
    assert "check_float" not in parts(said("explain", "tanh"))[2]


def test_an_installed_minicnn_has_no_tests(said, monkeypatch, tmp_path):
    assert "in the source checkout" not in said("explain", "conv")
    monkeypatch.setattr(explain, "ROOT", tmp_path)
    _, _, rows = parts(said("explain", "conv"))
    assert re.search(r"^tests +tests/ops/test_conv\.py +in the source checkout\n"
                     r" +tests/fast/test_conv\.py +in the source checkout$", rows, re.MULTILINE)
    assert "lesson" not in rows


def test_the_lesson_if_there_is_one(said, monkeypatch, tmp_path):
    monkeypatch.setattr(explain, "ROOT", tmp_path)
    (tmp_path / "lessons").mkdir()
    for name in ("03_conv.py", "04_conv_transpose.py", "conv.py", "05_conv.txt"):
        (tmp_path / "lessons" / name).touch()
    assert re.findall("lesson.*", said("explain", "conv")) == ["lesson        lessons/03_conv.py"]
    assert "lesson" not in said("explain", "pool")


# ---- the list, errors, and where the text goes

def test_the_list(said):
    lines = said("explain").splitlines()
    assert [line.split()[0] for line in lines[: len(explain.PAGES)]] == list(explain.PAGES)
    assert "pool                 Max pooling, its switches, and unpooling." in lines
    assert lines[-1] == "`minicnn explain OP` shows one page."


@pytest.mark.parametrize("wrong, near", [
    ("convv", "near it: conv"), ("MaxPool", "near it: pool"), ("BatchNorm", "near it: batch_norm"),
    ("xyzzy", "there are add, average_pool,"), ("__init__", "there are add"), ("", "there are add"),
    ("../naive", "minicnn.ops has no page '../naive'")])
def test_a_wrong_name_is_one_line_with_near_ones(complaint, wrong, near):
    assert near in complaint("explain", wrong)


def test_wrong_usage_is_2(capsys):
    with pytest.raises(SystemExit) as end:
        main(["explain", "conv", "pool"])
    assert end.value.code == 2 and "pool" in capsys.readouterr().err


@pytest.fixture
def terminal(capsys, monkeypatch):
    """Standard output as a terminal that shows bold type."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_bold_on_a_terminal(said, terminal):
    styled = said("explain", "lrn")
    assert "\n\033[1m    y[c] = x[c] · s[c]⁻ᵝ\033[0m\n" in styled
    assert "\n\033[1mBackward\033[0m\n" in styled and "\n\033[1mRelated files\033[0m\n" in styled
    assert "\ndef forward(x" in styled
    assert re.sub("\033\\[[01]m", "", styled) == said("explain", "lrn", "--plain-text")


def test_no_codes_but_on_a_terminal_that_shows_them(said, terminal, monkeypatch, tmp_path):
    plain = said("explain", "lrn", "--plain-text")
    assert "\033" not in plain and "s[c]⁻ᵝ" in plain
    assert said("explain", "lrn", "--out", tmp_path / "lrn.txt") == ""
    assert (tmp_path / "lrn.txt").read_text(encoding="utf-8") == plain
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert said("explain", "lrn") == plain
    with monkeypatch.context() as patch:
        patch.setenv("NO_COLOR", "")  # set, but to nothing: as if it were not
        assert "\033[1m" in said("explain", "lrn")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: False)
    assert said("explain", "lrn") == plain


@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_an_encoding_without_the_signs_gets_formulas_as_they_are_written(
        monkeypatch, tmp_path, encoding):
    into = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", into)
    assert main(["explain", "lrn"]) == 0
    into.flush()
    said = into.buffer.getvalue().decode(encoding)
    assert said == explain.explain("lrn", signs=False).replace("∂", "partial ") + "\n"
    assert "s[c]^(-beta)" in said and "partial y[c']/partial x[c]" in said
    assert main(["explain", "lrn", "--out", str(tmp_path / "lrn.txt")]) == 0  # a file has them all
    assert "s[c]⁻ᵝ" in (tmp_path / "lrn.txt").read_text(encoding="utf-8")


def test_what_checks_your_own(said):
    text = said("explain", "conv")
    assert "\nyour own      minicnn check mine.py " in text
    assert "\n              minicnn doctor --ops conv=mine.py " in text
    assert "minicnn check mine.py" not in said("explain", "window")
    assert "doctor" not in said("explain", "cross_entropy")  # which no layer is

"""The code of a function as a program: it runs as it is, and gives what the function gives."""

import math
from collections import OrderedDict as Ordered

import pytest

from minicnn.report.listing import listing

LIMIT = 3


def half(x):
    """Half of it."""
    return x / 2


def example(x, names=("b", "a")):
    """Something that uses imports, another function and a constant."""
    text = [half(math.floor(x)) + LIMIT for _ in names]
    return Ordered(zip(sorted(names), text, strict=True))


def bare():
    return 1


def result(code):
    there = {}
    exec(code, there)  # noqa: S102 - the code that is shown
    return there


def test_it_runs_as_it_is():
    code = listing(example, "found = example(5.5)")
    assert result(code)["found"] == example(5.5) == {"a": 5.5, "b": 5.5}
    assert code.splitlines()[:3] == [
        "import math", "from collections import OrderedDict as Ordered",
        f"from {__name__} import LIMIT, half"]
    assert '"""' not in code


def test_what_only_the_calls_use_is_imported_too():
    code = listing(bare, "found = half(bare())", "name = minicnn.__name__")
    assert code.startswith(f"import minicnn\nfrom {__name__} import half\n\ndef bare():\n")
    assert result(code)["found"] == 0.5 and result(code)["name"] == "minicnn"


@pytest.mark.parametrize("function", [half, example])
def test_local_names_are_not_imported(function):
    assert " x" not in listing(function).partition("def ")[0]

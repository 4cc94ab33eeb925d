"""Other names, in the same layout."""

import pytest

from minicnn.course.handout.names import narrow, rename


def renamed(text, own=(), **names):
    """`text` with other names; a__b=c renames the attribute a.b."""
    names = {old.replace("__", "."): new for old, new in names.items()}
    return rename(text, lambda use: names.get(f"{use.name}.{use.attribute}".rstrip(".")),
                  dict(own), lambda words: words.replace("`f`", "`op_f`"))


def test_uses_and_definition():
    text = "def f(x):\n    return x if g(x) else f(x - 1)  # as `f` does\n"
    assert renamed(text, {"f": "op_f"}, f="op_f", g="other") == (
        "def op_f(x):\n    return x if other(x) else op_f(x - 1)  # as `op_f` does")


def test_a_variable_of_the_same_name_stays():
    assert renamed("def a(f):\n    return f(1)", f="op_f") == "def a(f):\n    return f(1)"


def test_no_new_name_is_hidden():
    with pytest.raises(ValueError, match="f cannot be called op_f"):
        renamed("def a(op_f):\n    return f(1)", f="op_f")


def test_the_functions_of_a_module():
    assert renamed("def a(x):\n    return op.f(x).T", op__f="op_f") == (
        "def a(x):\n    return op_f(x).T")


def test_lines_stay_below_their_bracket():
    text = "def a(x):\n    y = f(x,\n          g(x,\n            1))\n    return y"
    assert renamed(text, f="op_f", g="h_g") == (
        "def a(x):\n    y = op_f(x,\n             h_g(x,\n                 1))\n    return y")


def test_strings():
    """Names between the braces of f-strings, of several in a row, too; elsewhere only words."""
    text = 'def a(x):\n    raise E(f"f {f(x)} {op.f(x)!r} "\n            f"{{f}} {f}" "`f`")'
    assert renamed(text, f="g", op__f="op_f") == (
        'def a(x):\n    raise E(f"f {g(x)} {op_f(x)!r} "\n            f"{{f}} {g}" "`op_f`")')


def test_letters_of_more_than_one_byte():
    assert renamed('A = "∂∂", f(1)  # ∂', {"A": "OP_A"}, f="op_f") == 'OP_A = "∂∂", op_f(1)  # ∂'


def test_several_names_are_defined():
    assert renamed("A, B = 1, C", {"A": "X"}, C="Y") == "X, B = 1, Y"


def test_long_lines():
    assert narrow("    x = compute(1)  # a comment", 25) == "    # a comment\n    x = compute(1)"
    assert narrow("    >>> f(1)  # a comment", 20) == "    >>> # a comment\n    >>> f(1)"
    assert narrow("    some words and more words", 20) == "    some words and\n    more words"
    assert narrow('    raise E(f"some words {x}")', 25) == (
        '    raise E(f"some "\n            f"words {x}")')
    with pytest.raises(ValueError, match="no line break"):
        narrow("x = compute(1, 2, 3, 4)", 20)

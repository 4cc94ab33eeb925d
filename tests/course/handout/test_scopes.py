"""Which names mean something outside of a definition."""

import ast

from minicnn.course.handout.scopes import bound, uses

TEXT = '''\
@mark
def function(x: Kind, size=SIZE) -> Result:
    """Words with names."""
    local = outer(x)
    def inner(y):
        return y + local + deep
    return [item * factor for item in local if item > size], inner, op.check(x), f"{told(x)} {x}"
'''


def test_names_from_outside():
    assert [use.name for use in uses(TEXT)] == [
        "mark", "SIZE", "Kind", "Result", "outer", "deep", "factor", "op", "told"]


def test_attributes_strings_and_time():
    found = {use.name: use for use in uses(TEXT)}
    assert found["op"].attribute == "check" and not found["outer"].attribute
    assert found["told"].string is not None and found["op"].string is None
    assert {name for name, use in found.items() if use.early} == {"mark", "SIZE", "Kind", "Result"}
    assert "local" in found["deep"].local and "y" not in found["outer"].local


def test_a_class_hides_its_names_from_its_methods():
    text = "class A(Base):\n    size: int = SIZE\n    def f(self):\n        return size\n"
    assert [(use.name, use.early) for use in uses(text)] == [
        ("Base", True), ("int", True), ("SIZE", True), ("size", False)]


def test_a_lambda_is_called_later():
    assert [(use.name, use.early) for use in uses("RULES = {1: lambda x: f(x), 2: g}")] == [
        ("f", False), ("g", True)]


def test_what_a_scope_binds():
    text = "def f(a, *b, c=1, **d):\n    for e in a:\n        g = [h for h in e]\n    import os\n"
    assert bound(ast.parse(text).body[0]) == {"a", "b", "c", "d", "e", "g", "os"}

"""Text of strangers, harmless."""

import pytest

from minicnn.course.grader import plain


@pytest.mark.parametrize("text, made", [
    ("a\r\nb\tc", "a b c"), ("\x1b[2J\x1b]0;title\x07x", "]0;titlex"), ("\u202eabc", "abc"),
    ("\ud800é", "é"), ("x" * 300, "x" * 197 + "..."), (3, "3"), ("a\u2028b", "a b")])
def test_a_line(text, made):
    assert plain.line(text) == made


def test_a_block_keeps_its_lines():
    assert plain.block("a\r\n\tb\x00\n") == "a\n    b\n"
    assert len(plain.block("x" * 9000)) == plain.MOST

"""JSON that may be anybody's."""

import tracemalloc

import pytest

from minicnn.foreign import json_text


def test_plain_values():
    text = '{"a": [1, -2.5, true, null, "\\u00e9"], "b": {"c": 18446744073709551615}}'
    expected = {"a": [1, -2.5, True, None, "é"], "b": {"c": 2**64 - 1}}
    assert json_text.parsed(text, "it") == expected
    assert json_text.parsed(text.encode(), "it") == expected


@pytest.mark.parametrize("text, message", [
    (b"", "its header is not JSON"), (b"{", "its header is not JSON"),
    (b'"\xff"', "its header is not text in UTF-8"),
    (b"[" * 100_000, "its header nests lists too deeply"),
    (b'{"a":' * 100_000, "its header nests lists too deeply"),
    (b"9" * 3_000_000, "its header has a number of 3000000 digits"),
    (b"-" + b"9" * 20, "its header has a number of 21 digits"),
    (b'{"w": {"a": 1, "a": 2}}', "its header has the same name twice"),
    (b" " * 4_000_001, "its header would take 4,000,001 bytes, more than 4,000,000")])
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(ValueError, match=message) as error:
        json_text.parsed(text, "its header")
    assert "\n" not in str(error.value)


@pytest.mark.thorough
@pytest.mark.parametrize("piece", [b"[],", b"{},", b'{"":1},', b"1.0,", b'"ab",'])
def test_no_text_takes_200_mb(piece):
    text = b"[" + piece * ((json_text.LONGEST - 2) // len(piece) - 1) + piece.rstrip(b",") + b"]"
    tracemalloc.start()
    json_text.parsed(text, "it")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4_000_000 < peak < 200_000_000

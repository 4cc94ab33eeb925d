"""The wire format: every kind of field, and every way in which bytes can lie about themselves."""

import time
import tracemalloc

import numpy as np
import pytest
from caffe_files import encode, sized, tag, varint

from minicnn.foreign import protobuf
from minicnn.foreign.protobuf import (
    DOUBLES,
    FIXED32,
    FIXED64,
    FLOAT,
    FLOATS,
    IGNORED,
    INT,
    TEXT,
    VARINT,
    Reader,
    WireError,
    joined,
)

INNER = {1: ("dim", INT), 2: ("name", TEXT)}
SCHEMA = {1: ("count", INT), 2: ("label", TEXT), 3: ("rate", FLOAT), 4: ("data", FLOATS),
          5: ("wide", DOUBLES), 6: ("inner", INNER), 7: ("noise", IGNORED)}


def read(data):
    return Reader(data).message(SCHEMA)


def test_a_message_worked_out_by_hand():
    """150 is 1 00010110 in groups of seven bits: the example of protobuf.dev."""
    assert read(b"\x08\x96\x01" + b"\x12\x02hi") == {"count": [150], "label": ["hi"]}


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -2**63])
def test_whole_numbers_of_64_bits(value):
    assert read(encode({"count": [value]}, SCHEMA)) == {"count": [value]}


def test_fields_come_in_order_and_again():
    message = {"count": [3, -1], "label": ["a", "ü"], "inner": [{"dim": [7]}, {"name": ["b"]}]}
    assert read(encode(message, SCHEMA)) == message
    assert read(sized(1, varint(5) + varint(300))) == {"count": [5, 300]}  # packed


def test_a_float_is_the_decimal_it_was_written_as():
    assert read(encode({"rate": [1e-4, 0.75]}, SCHEMA)) == {"rate": [1e-4, 0.75]}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name, dtype", [("data", "<f4"), ("wide", "<f8")])
def test_arrays_packed_and_one_by_one(packed, name, dtype):
    values = np.random.default_rng(0).standard_normal(1000).astype(dtype)
    data = encode({"label": ["x"], name: [values], "count": [1]}, SCHEMA, packed)
    found = read(data)
    assert found["label"] == ["x"] and found["count"] == [1]
    (array,) = found[name]
    np.testing.assert_array_equal(array, values, strict=True)
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))


def test_a_run_of_floats_ends_where_another_field_begins():
    for count in (1, 63, 64, 65, 200):
        data = encode({"data": [np.arange(count)], "noise": [0], "rate": [2.0]},
                      SCHEMA | {7: ("noise", INT)}, packed=False)
        found = read(data)
        np.testing.assert_array_equal(found["data"][0], np.arange(count))
        assert found["rate"] == [2.0]


def test_pieces_are_joined():
    data = encode({"data": [[1, 2], [3]]}, SCHEMA)
    np.testing.assert_array_equal(joined(read(data)["data"], "data"), np.float32([1, 2, 3]))
    with pytest.raises(WireError, match="'data' is in 101 pieces"):
        joined([np.zeros(1)] * 101, "data")


def test_what_the_schema_does_not_name_is_noted_and_what_it_ignores_is_not():
    data = tag(9, VARINT) + b"\1" + tag(50, FIXED64) + bytes(8) + tag(7, FIXED32) + bytes(4)
    assert read(data) == {"field 9": [None], "field 50": [None]}


def test_a_name_that_is_no_text_is_kept_apart():
    assert read(sized(2, b"a\xff")) == {"label": ["a\\xff"]}


@pytest.mark.parametrize("data, message", [
    (b"\x08", "at byte 1: it ends in the middle of a number"),
    (b"\x08\xff", "at byte 1: it ends in the middle of a number"),
    (b"\x08" + b"\xff" * 10 + b"\1", "at byte 1: a number of more than 64 bits"),
    (b"\x00", r"at byte 0: not the beginning of a field \(number 0, wire type 0\)"),
    (tag(1, 3), "wire type 3"),
    (tag(1, 4), "wire type 4"),
    (tag(1, 7), "wire type 7"),
    (sized(2, b"hello")[:-1], "at byte 0: a field declares 5 bytes, but 4 are left"),
    (tag(2, 2) + varint(2**63), "a field declares 9,223,372,036,854,775,808 bytes"),
    (sized(6, tag(2, 2) + b"\x7f"), "at byte 2: a field declares 127 bytes, but 0 are left"),
    (tag(3, FIXED32) + bytes(3), "at byte 0: it ends in the middle of a number"),
    (tag(5, FIXED64) + bytes(7), "at byte 0: it ends in the middle of a number"),
    (sized(4, bytes(7)), "'data' has 7 bytes, not a multiple of 4"),
    (tag(2, VARINT) + b"\1", "field 'label' has wire type 0, expected 2"),
    (tag(1, FIXED32) + bytes(4), "field 'count' has wire type 5, expected 0 or 2"),
    (tag(6, VARINT) + b"\1", "field 'inner' has wire type 0, expected 2"),
    (sized(2, b"a" * 10_001), "'label' is a text of 10,001 bytes"),
])
def test_bytes_that_lie_are_refused(data, message):
    with pytest.raises(WireError, match=message):
        read(data)


def test_every_cut_is_refused_or_read():
    """Between two fields a message may end; anywhere else it may not."""
    whole = encode({"count": [300], "label": ["abc"], "inner": [{"dim": [1, 2]}],
                    "data": [[1.5, 2.5]], "rate": [0.5]}, SCHEMA)
    ends = np.cumsum([0, 3, 5, 6, 10, 5])
    assert ends[-1] == len(whole)
    for length in range(len(whole) + 1):
        if length in ends:
            read(whole[:length])
        else:
            with pytest.raises(WireError):
                read(whole[:length])


@pytest.mark.parametrize("data", [
    tag(9, VARINT) + b"\0",                  # fields that are skipped
    sized(6, b""),                           # empty messages
    tag(3, FIXED32) + bytes(4) + tag(1, VARINT) + b"\0",  # arrays of one
    sized(2, b""),
], ids=["skipped", "empty", "alternating", "texts"])
def test_fields_are_counted(data, monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 1000)
    read(data * 300)
    with pytest.raises(WireError, match="more than 1,000 fields"):
        read(data * 1001)


@pytest.mark.parametrize("data", [sized(1, b"\1" * 1001), sized(3, bytes(4 * 1001)),
                                  sized(2, b"a" * 9000) * 2],
                         ids=["packed numbers", "packed settings", "long texts"])
def test_what_is_packed_is_counted_too(data, monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 1000)
    with pytest.raises(WireError, match="more than 1,000 fields"):
        read(data)


def test_messages_nest_as_deep_as_the_schema():
    """What is skipped is not entered: depth costs nothing."""
    data = b""
    for _ in range(3000):
        data = sized(9, data)
    assert read(data) == {"field 9": [None]}


def test_neither_time_nor_memory_grows_with_what_is_said():
    """Ten megabytes of numbers one by one: read in place, in one go."""
    data = encode({"data": [np.zeros(10)]}, SCHEMA, packed=False) * 200_000
    tracemalloc.start()
    start = time.perf_counter()
    (array,) = read(data)["data"]
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert array.size == 2_000_000
    assert seconds < 2  # 0.02 s measured; one field after the other would take 4 s
    assert peak < len(data)  # for looking at the tags of half of it; the numbers are not copied

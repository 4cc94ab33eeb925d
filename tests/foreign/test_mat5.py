"""MATLAB's files of level 5: what SciPy writes is read, and what lies about itself is refused."""

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from mat_files import COMPRESSED, MATRIX, element, file, header, matrix, start, variable

from minicnn.foreign import mat5

VALUES = {
    "singles": np.arange(24, dtype="f4").reshape(2, 3, 4),
    "doubles": np.array([[1.5, -2.25]]),
    "bytes": np.arange(6, dtype="u1").reshape(2, 3),
    "text": "conv1_1", "nothing": "", "umlaut": "Grün",
    "cell": [np.ones((1, 1)), "b", ["c", []]],
    "record": {"type": "conv", "stride": np.array([[2.0]]), "inner": {"a": "b"}},
    "records": ({"n": "x"}, {"n": "y"}),
}


def read(data, *wanted):
    return mat5.read(memoryview(data), set(wanted) or set(VALUES))


def same(found, expected):
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        same(list(found.values()), list(expected.values()))
    elif isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_array_equal(found, expected)
        assert found.dtype.newbyteorder("=") == expected.dtype


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
def test_every_kind_of_value(order, compressed):
    found = read(file(VALUES, compressed, order))
    assert list(found) == list(VALUES)
    for name, expected in VALUES.items():
        same(found[name], expected)


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes(compressed):
    """An independent writer; its cells are arrays of objects, its texts arrays."""
    scipy_io = pytest.importorskip("scipy.io")
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = np.ones((2, 3, 4, 5), np.float32), "relu"
    stream = io.BytesIO()
    scipy_io.savemat(stream, {
        "layers": cell, "meta": {"size": np.array([[8.0, 8.0, 3.0]]), "ok": True, "none": []},
        "lines": np.array(["one", "three"]), "small": np.int16([[7]]), "z": np.array([[1 + 2j]]),
    }, do_compression=compressed)
    found = read(stream.getvalue(), "layers", "meta", "lines", "small", "z")
    same(found["layers"], [np.ones((2, 3, 4, 5), np.float32), "relu"])
    same(found["meta"]["size"], np.array([[8.0, 8.0, 3.0]]))
    assert found["meta"]["ok"] == 1 and found["meta"]["none"].size == 0
    assert found["lines"] == ["one", "three"] and found["small"] == 7 and found["z"] is None


def test_numbers_are_looked_at_in_place_in_matlabs_order():
    data = file({"singles": VALUES["singles"]})
    array = read(data)["singles"]
    assert np.shares_memory(array, np.frombuffer(data, np.uint8)) and not array.flags.writeable
    assert array.flags.f_contiguous and array[1, 2, 3] == 23 and array[0, 1, 0] == 4


def test_whole_numbers_saved_in_fewer_bytes_become_what_they_were():
    """MATLAB writes the double 255 as one byte, and says that it is a double."""
    data = header() + element(MATRIX, start(6, (1, 3), "x") + element(2, bytes([1, 2, 255])))
    np.testing.assert_array_equal(read(data, "x")["x"], np.array([[1.0, 2.0, 255.0]]), strict=True)


def test_what_is_not_wanted_and_what_is_no_value_is_passed_over():
    """A function handle (class 16) has other contents; it is never looked into."""
    handle = element(MATRIX, start(16, (1, 1), "f") + b"anything")
    data = header() + variable("x", "a") + handle + variable("y", "b")
    assert read(data, "y", "f") == {"y": "b"}
    inner = element(1, b"name")
    cell = element(MATRIX, start(1, (1, 2), "c") + element(MATRIX, start(17, (1, 1)) + inner)
                   + matrix("after"))
    assert read(header() + cell, "c") == {"c": [None, "after"]}


def test_several_lines_lie_column_by_column():
    data = header() + element(MATRIX, start(4, (2, 3), "x") + element(1, b"acbd e"))
    assert read(data, "x") == {"x": ["ab", "cde"]}


def packed(data):
    whole = zlib.compress(data)
    return struct.pack("<II", COMPRESSED, len(whole)) + whole


@pytest.mark.parametrize("data, message", [
    (b"", "does not begin like a MATLAB file of level 5"),
    (header()[:127], "does not begin like"),
    (b"MATLAB 7.3 MAT-file, Platform" + bytes(200), "saved with -v7.3.*again with -v7"),
    (header()[:126] + b"XX", "does not give the byte order"),
    (header() + b"\0" * 7, "ends in the middle of an element"),
    (header() + struct.pack("<II", MATRIX, 100), "declares 100 bytes, but 0 are left"),
    (header() + struct.pack("<II", MATRIX, 2**32 - 1), "declares 4,294,967,295 bytes"),
    (header() + element(9, bytes(8)), "at byte 128: expected a variable, got an element of type 9"),
    (header() + struct.pack("<II", 5 << 16 | 1, 0), "a short element declares 5 bytes"),
    (header() + element(COMPRESSED, b"garbage!"), "at byte 128: cannot be decompressed"),
    (header() + packed(matrix("a", "x"))[:-4], "declares"),
    (header() + element(MATRIX, start(6, (2, 3), "x") + element(9, bytes(8))),
     r"1 numbers do not fill the shape \(2, 3\)"),
    (header() + element(MATRIX, start(6, (2**31 - 1, 2**31 - 1), "x") + element(9, bytes(8))),
     "do not fill the shape"),
    (header() + element(MATRIX, start(6, (-1, 3), "x") + element(9, b"")),
     "an array has the shape"),
    (header() + element(MATRIX, start(6, (1,), "x") + element(9, bytes(8))), "has the shape"),
    (header() + element(MATRIX, start(6, (1, 1), "x") + element(99, bytes(8))),
     "expected numbers, got 8 bytes of an element of type 99"),
    (header() + element(MATRIX, start(6, (1, 1), "x") + element(9, bytes(7))), "got 7 bytes"),
    (header() + element(MATRIX, start(1, (1, 2**31 - 1), "x")),
     "declares 2,147,483,647 values, more than fit into it"),
    (header() + element(MATRIX, start(1, (1, 1), "x") + element(9, bytes(8))),
     r"expected a matrix element \(type 14\), got an element of type 9"),
    (header() + element(MATRIX, start(2, (1, 1), "x") + element(5, bytes(4))
                        + element(1, b"name")), "fields cannot be read"),
    (header() + element(MATRIX, start(2, (1, 1), "x") + element(5, struct.pack("<i", 3))
                        + element(1, b"name")), "fields cannot be read"),
    (header() + element(MATRIX, start(4, (2, 3), "x") + element(1, b"abc")),
     "3 letters do not fill"),
    (header() + element(MATRIX, start(4, (1, 3), "x") + element(9, bytes(8))), "expected text"),
])
def test_bytes_that_lie_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read(data, "x")


def test_what_is_packed_and_breaks_off_is_refused():
    whole = packed(matrix("a" * 100, "x"))
    cut = struct.pack("<II", COMPRESSED, len(whole) - 12) + whole[8:-4]
    with pytest.raises(ValueError, match="the compressed data are cut short"):
        read(header() + cut, "x")


def test_depth_and_count_are_bounded(monkeypatch):
    value = "x"
    for _ in range(30):
        value = [value]
    with pytest.raises(ValueError, match="more than 20 deep"):
        read(file({"x": value}), "x")
    monkeypatch.setattr(mat5, "MOST_VALUES", 100)
    with pytest.raises(ValueError, match="more than 100 values"):
        read(file({"x": [""] * 101}), "x")


def test_a_bomb_is_refused_before_it_unpacks():
    """256 MB of zeros pack to one."""
    size = 1 << 28
    whole = start(9, (1, size), "x") + struct.pack("<II", 2, size)
    engine = zlib.compressobj(1)
    parts = [engine.compress(struct.pack("<II", MATRIX, len(whole) + size) + whole)]
    parts += [engine.compress(bytes(1 << 24)) for _ in range(16)] + [engine.flush()]
    body = b"".join(parts)
    data = header() + struct.pack("<II", COMPRESSED, len(body)) + body
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(ValueError, match="decompresses to far more than the file's size"):
        read(data, "x")
    seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(data) + 200e6 and seconds < 10


def test_small_numbers_that_grow_are_counted():
    """A double stored as a byte takes eight times the room."""
    size = 40 << 20
    data = header() + element(MATRIX, start(6, (1, size), "x") + element(2, bytes(size)))
    with pytest.raises(ValueError, match="decompresses to far more"):
        read(data, "x")


@pytest.mark.parametrize("compressed", [False, True])
def test_every_cut_is_refused_or_read(compressed):
    """Between two variables a file may end."""
    whole = file(VALUES, compressed)
    for length in range(0, len(whole), 3):
        try:
            assert len(read(whole[:length])) < len(VALUES)
        except ValueError as error:
            assert str(error)

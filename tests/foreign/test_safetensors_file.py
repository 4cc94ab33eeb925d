"""safetensors: numbers beside a JSON header, of which nothing is believed."""

import json
import struct
import time

import numpy as np
import pytest
import weight_bytes as wb
from fuzz import runner
from fuzz import safetensors_file as fuzz

from minicnn.files.errors import WeightsError
from minicnn.foreign import safetensors_file


def read(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    return safetensors_file.read(tmp_path / "f")


def test_arrays_in_the_files_order(tmp_path):
    found = read(tmp_path, wb.safetensors(metadata={"format": "pt", "author": "x"}))
    assert list(found.arrays) == list(wb.small()) and found.layout == "OIHW" and found.notes == []
    for name, array in wb.small().items():
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)
    assert found.says == {"format": "pt", "author": "x"} and found.format == "safetensors"
    assert not any(array.flags.writeable for array in found.arrays.values())


def test_a_file_as_its_own_writer_lays_it_out(tmp_path):
    """The header padded with spaces to a multiple of 8, arrays by size and not by name."""
    header = (b'{"b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},'
              b'"a":{"dtype":"F64","shape":[2,1],"data_offsets":[0,16]}}')
    header += b" " * (-len(header) % 8)
    numbers = np.array([1, 2.5]).tobytes() + np.float32([3, 4]).tobytes()
    found = read(tmp_path, wb.with_header(header, numbers)).arrays
    assert list(found) == ["b", "a"] and found["b"].tolist() == [3, 4]
    assert found["a"].tolist() == [[1], [2.5]] and found["a"].dtype == np.float64


@pytest.mark.parametrize("dtype", ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "|u1", "|b1",
                                   "<u2", "<u4", "<u8"])
def test_types_of_numbers(tmp_path, dtype):
    array = np.array([[0, 1, 3], [1, 100, 5]]).astype(dtype)
    np.testing.assert_array_equal(read(tmp_path, wb.safetensors({"w": array})).arrays["w"], array,
                                  strict=True)


def test_bfloat16_becomes_float32(tmp_path):
    bits = np.array([0x3F80, 0xC020, 0x7F80], "<u2")
    found = read(tmp_path, wb.safetensors({"w": bits}, {"w": "BF16"}, {"format": "pt"}))
    np.testing.assert_array_equal(found.arrays["w"], np.float32([1, -2.5, np.inf]), strict=True)
    assert found.notes == ["Its bfloat16 numbers were widened to float32, which loses nothing."]


@pytest.mark.parametrize("metadata, shape, layout", [
    ({"format": "pt"}, (3, 3, 8, 16), "OIHW"), ({"format": "tf"}, (16, 8, 3, 3), "HWIO"),
    ({"format": "flax"}, (16, 8, 3, 3), "HWIO"), (None, (3, 3, 8, 16), "HWIO"),
    (None, (16, 8, 3, 3), "OIHW"), (None, (3, 3, 3, 3), "OIHW"), ({"format": "np"}, (4,), "OIHW"),
])
def test_the_layout_is_the_frameworks_or_the_one_the_shapes_fit(tmp_path, metadata, shape, layout):
    found = read(tmp_path, wb.safetensors({"w": np.zeros(shape, "<f4")}, metadata=metadata))
    assert found.layout == layout
    guessed = metadata in (None, {"format": "np"})
    assert found.notes == [f"The file does not name a framework; the shapes of its kernels "
                           f"suggest the layout {layout}."] * guessed


def test_the_prefix_of_a_wrapper_is_taken_off(tmp_path):
    found = read(tmp_path, wb.safetensors({"module.w": np.ones(2)}, metadata={"format": "pt"}))
    assert list(found.arrays) == ["w"] and "DataParallel" in found.notes[0]


def entry(**changes):
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}


@pytest.mark.parametrize("header, message", [
    (b"{", "its header is not JSON"),
    (b"\xff{}", "its header is not text in UTF-8"),
    (b"[]", "its header is not a table of arrays"),
    (b"[" * 100_000, "its header nests lists too deeply"),
    (b'{"a":' * 100_000, "nests lists too deeply"),
    (b'{"w": ' + b"9" * 3_000_000 + b"}", "a number of 3000000 digits"),
    (b'{"w":1,"w":2}', "its header has the same name twice"),
    ({"w": 1}, "'w': expected an entry of data_offsets, dtype, shape"),
    ({"w": {}}, "'w': expected an entry"),
    (entry(more=1), "'w': expected an entry"),
    (entry(dtype="F8_E4M3"), "the type of its numbers, 'F8_E4M3', is not known"),
    (entry(dtype=["F32"]), "the type of its numbers"),
    (entry(shape=2), "expected a shape and offsets of whole numbers"),
    (entry(shape=[-2]), "of whole numbers"),
    (entry(shape=[2.0]), "of whole numbers"),
    (entry(shape=[1] * 17), "of whole numbers"),
    (entry(shape=[2**62, 2**62]), r"it takes \d+ bytes, but its offsets are \[0, 8\]"),
    (entry(shape=[3]), r"with shape \(3,\) and type F32 it takes 12 bytes"),
    (entry(data_offsets=[8, 0]), "its offsets are"),
    (entry(data_offsets=[0]), "its offsets are"),
    (entry(data_offsets=[0, 8, 9]), "its offsets are"),
    (entry(data_offsets=[4, 12]), "overlap or leave a hole at byte 0"),
    ({"__metadata__": {"a": 1}}, "its __metadata__ is not a table of texts"),
    ({"__metadata__": []}, "its __metadata__ is not a table of texts"),
    (entry() | {"__metadata__": {"format": "mlx"}}, "of the framework 'mlx', whose layout is not"),
    ({"a\x1b": entry()["w"]}, "expected a name of printable characters"),
])
def test_headers_that_lie_are_refused(tmp_path, header, message):
    began = time.process_time()
    with pytest.raises(WeightsError, match=f"f: cannot be read as a safetensors file: .*{message}"):
        read(tmp_path, wb.with_header(header, bytes(8)))
    assert time.process_time() - began < 3


def test_arrays_must_fill_the_file_and_not_overlap(tmp_path):
    two = entry() | {"v": entry(data_offsets=[4, 12])["w"]}
    with pytest.raises(WeightsError, match="overlap or leave a hole at byte 8"):
        read(tmp_path, wb.with_header(two, bytes(12)))
    for size in (0, 7, 9, 100):
        with pytest.raises(WeightsError, match=f"its arrays take 8 bytes, but it has {size}"):
            read(tmp_path, wb.with_header(entry(), bytes(size)))


def test_every_truncation_is_refused(tmp_path):
    data = wb.safetensors()
    for size in range(len(data)):
        with pytest.raises(WeightsError, match="cannot be read as a safetensors file"):
            read(tmp_path, data[:size])


@pytest.mark.parametrize("size", [4_000_001, 2**40, 2**63, 2**64 - 1])
def test_headers_of_absurd_size_are_refused(tmp_path, size):
    with pytest.raises(WeightsError, match=f"its header would take {size:,} bytes"):
        read(tmp_path, struct.pack("<Q", size) + b"{}" + bytes(100))


def test_it_recognises_its_files_only(tmp_path):
    good = [wb.safetensors(), wb.with_header(b"{}"), wb.safetensors()[:20],
            wb.with_header(b"{ " + json.dumps(entry()).encode()[1:], bytes(8))]
    bad = [b"", wb.torch_zip(), wb.npz(), b"\x89HDF\r\n\x1a\n" + bytes(99), b'{"a": 1}' * 3,
           struct.pack("<Q", 2**40) + b'{"', struct.pack("<Q", 50) + b"{x"]
    for data, expected in [(data, True) for data in good] + [(data, False) for data in bad]:
        (tmp_path / "f").write_bytes(data)
        assert safetensors_file.recognises(tmp_path / "f") is expected
    assert not safetensors_file.recognises(tmp_path)


def test_files_spoiled_at_random_are_read_or_refused():
    outcome = runner.run(safetensors_file.read, fuzz.seeds, 200, seed=1)
    assert outcome["read"] + outcome["refused"] == 200 and min(outcome.values()) > 5

"""NumPy's own files: arrays of numbers, and never of objects."""

import io

import numpy as np
import pytest
import weight_bytes as wb
from fuzz import numpy_file as fuzz
from fuzz import runner

from minicnn.files.errors import WeightsError
from minicnn.foreign import numpy_file


def read(tmp_path, data, name="f"):
    (tmp_path / name).write_bytes(data)
    return numpy_file.read(tmp_path / name)


def kernels(*shapes):
    return {f"w{k}": np.zeros(shape, "<f4") for k, shape in enumerate(shapes)}


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_of_an_archive(tmp_path, compressed):
    arrays = {"conv1/w": np.random.default_rng(0).standard_normal((3, 3, 4, 5)), "b": np.arange(3),
              "turned": np.asfortranarray(np.arange(6).reshape(2, 3)), "one": np.array(2.5),
              "none": np.zeros((0, 3)), "flags": np.array([True, False])}
    found = read(tmp_path, wb.npz(arrays, compressed))
    assert list(found.arrays) == list(arrays) and found.format == "NumPy archive (.npz)"
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)
        assert not found.arrays[name].flags.owndata
    assert found.layout == "HWIO" and found.notes == [
        "The file does not give the layout of its kernels; their shapes suggest HWIO."]


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<i8", ">i2", "|u1", "|b1", "<u4"])
def test_one_array(tmp_path, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for turned in (array, np.asfortranarray(array), array.T):
        found = read(tmp_path, wb.npy(turned), "ilsvrc_mean.npy")
        np.testing.assert_array_equal(found.arrays["ilsvrc_mean"], turned, strict=True)
    assert found.format == "NumPy array (.npy)" and found.notes == []


def test_headers_of_the_second_version_and_of_python_2(tmp_path):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.arange(4.0), version=(2, 0))
    assert read(tmp_path, out.getvalue()).arrays["f"].tolist() == [0, 1, 2, 3]
    old = wb.npy(np.zeros((2, 3), "<f4")).replace(b"(2, 3), }  ", b"(2L, 3L), }")
    assert read(tmp_path, old).arrays["f"].shape == (2, 3)


@pytest.mark.parametrize("shapes, layout", [
    ([(3, 3, 3, 64), (3, 3, 64, 64), (1, 1, 64, 64)], "HWIO"),
    ([(64, 3, 3, 3), (64, 64, 3, 3)], "OIHW"),
    ([(1, 7, 8, 8), (3, 3, 4, 8), (3, 3, 8, 16)], "HWIO"),  # one that misleads, two that tell
    ([(6, 1, 5, 5)], "OIHW"), ([(5, 5, 1, 6)], "HWIO"), ([(9, 4)], "HWIO"),
])
def test_the_layout_is_the_one_that_shapes_fit(tmp_path, shapes, layout):
    assert read(tmp_path, wb.npz(kernels(*shapes))).layout == layout


@pytest.mark.parametrize("shapes", [[(3, 3, 3, 3)], [(3, 3, 1, 4), (4, 1, 3, 3)], [(2, 3, 4, 5)]])
def test_shapes_that_fit_neither_or_both_are_refused(tmp_path, shapes):
    with pytest.raises(WeightsError, match="do not tell whether their axes are .out, in, height"):
        read(tmp_path, wb.npz(kernels(*shapes)))


def test_arrays_of_objects_are_refused_and_not_unpickled(tmp_path):
    array = np.array([fuzz.Gadget(tmp_path / "ran")], object)
    np.load(io.BytesIO(wb.npy(array)), allow_pickle=True)
    assert (tmp_path / "ran").exists()  # it is a gadget
    (tmp_path / "ran").unlink()
    for data in (wb.npy(array), wb.npz({"a": np.ones(3), "x": array}), wb.npz({"x": array}, True),
                 wb.npy(np.array({"conv1": [np.ones(3)]}, object))):
        with pytest.raises(WeightsError, match="holds Python objects; .* it is not opened. Save"):
            read(tmp_path, data)
    assert not (tmp_path / "ran").exists()


GOOD = wb.npy(np.arange(6, dtype="<f4").reshape(2, 3))


@pytest.mark.parametrize("data, message", [
    (GOOD.replace(b"(2, 3)", b"(2, 4)"), r"numbers of shape \(2, 4\) and type <f4 take 32 bytes"),
    (GOOD.replace(b"(2, 3), }            ", b"(4294967296, 4294967296,)"), "take 73,786,"),
    (GOOD.replace(b"(2, 3), }            ", b"(99999999999999999999,), "), "take 399,"),
    (GOOD.replace(b"(2, 3), ", b"(-2, -3)"), "does not describe an array of numbers"),
    (GOOD.replace(b"<f4", b"<c8"), "does not describe an array of numbers"),
    (GOOD.replace(b"<f4", b"<U4"), "does not describe an array of numbers"),
    (GOOD.replace(b"<f4", b"<f1"), "cannot be read as a NumPy file"),
    (GOOD.replace(b"'<f4'", b"[0,1]"), "does not describe"),
    (GOOD.replace(b"fortran", b"fartran"), "does not describe"),
    (GOOD[:6] + b"\x03" + GOOD[7:], "version 1 or 2"),
    (GOOD[:8] + b"\xff\xff" + GOOD[10:], "its header would take 65,535 bytes"),
    (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + GOOD, "its header would take 4,294,967,295 bytes"),
    (GOOD + b"x", "take 24 bytes, but it has 25"),
    (b"\x93NUMPX" + GOOD, "does not begin like version"),
    (wb.zipped({"a": b"x"}), "without any .npy"),
    (wb.zipped({"a.npy": b"x"}), "damaged or cut short"),
    (wb.zipped({"a\x07.npy": GOOD}), "expected a name of printable characters"),
])
def test_files_that_lie_are_refused(tmp_path, data, message):
    with pytest.raises(WeightsError, match=f"f: cannot be read as a NumPy file: .*{message}|"
                                           f"f: {message}"):
        read(tmp_path, data)


def test_a_header_of_thousands_of_dimensions(tmp_path):
    shape = "(" + "1, " * 3000 + ")"
    header = f"{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}, }}\n".encode()
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(4)
    with pytest.raises(WeightsError, match="at most 16 dimensions"):
        read(tmp_path, data)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    zeros = np.zeros(60_000_000, "<f4")
    with pytest.raises(WeightsError, match=r"its arrays would take 240,[\d,]+ bytes, and the file"):
        read(tmp_path, wb.npz({"w": zeros}, compressed=True))


def test_every_truncation_is_refused(tmp_path):
    for data in (GOOD, wb.npz(), wb.npz(compressed=True)):
        for size in [*range(0, len(data), max(1, len(data) // 100)), len(data) - 1]:
            with pytest.raises(WeightsError, match="cannot be read as a NumPy file|empty"):
                read(tmp_path, data[:size])


def test_other_members_are_left_out_and_said(tmp_path):
    found = read(tmp_path, wb.zipped({"a.npy": GOOD, "notes.txt": b"hello"}))
    assert list(found.arrays) == ["a"]
    assert found.notes == ["1 members that are not .npy are left out, the first 'notes.txt'."]


def test_it_recognises_its_files_only(tmp_path):
    for data, expected in [(GOOD, True), (wb.npz(), True), (wb.npz()[:-30], True), (GOOD[:8], True),
                           (b"", False), (wb.torch_zip(), False), (b"PK\3\4", False),
                           (wb.safetensors(), False)]:
        (tmp_path / "f.npz").write_bytes(data)
        assert numpy_file.recognises(tmp_path / "f.npz") is expected
    assert not numpy_file.recognises(tmp_path)


def test_files_spoiled_at_random_are_read_or_refused():
    outcome = runner.run(numpy_file.read, fuzz.seeds, 200, seed=1)
    assert outcome["read"] + outcome["refused"] == 200 and min(outcome.values()) > 5

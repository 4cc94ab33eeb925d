"""Arrays as views of a file's bytes: the right numbers, nothing beyond the file, one error."""

import numpy as np
import pytest

from minicnn.files import mapped
from minicnn.files.errors import WeightsError
from minicnn.files.mapped import Region

DATA = memoryview(np.arange(24, dtype="<f4").tobytes())


def one(*part):
    return mapped.arrays(DATA, [Region("a", *part)])["a"]


def test_views_of_the_bytes():
    found = mapped.arrays(DATA, [Region("a", "<f4", (2, 3), 8), Region("b", "<f4", (), 92)])
    np.testing.assert_array_equal(found["a"], np.float32([[2, 3, 4], [5, 6, 7]]), strict=True)
    assert list(found) == ["a", "b"] and found["b"] == 23 and found["b"].shape == ()
    assert not found["a"].flags.writeable and not found["a"].flags.owndata


def test_strides_are_in_elements():
    np.testing.assert_array_equal(one("<f4", (3, 2), 4, (1, 12)), [[1, 13], [2, 14], [3, 15]])
    np.testing.assert_array_equal(one("<f4", (2, 2), 0, (0, 1)), [[0, 1], [0, 1]])
    assert mapped.row_major((2, 3, 4)) == (12, 4, 1) and mapped.row_major(()) == ()
    assert mapped.extent((2, 3, 4), (12, 4, 1)) == 24 and mapped.extent((0, 5), (5, 1)) == 0
    assert mapped.extent((), ()) == 1


def test_a_place_that_is_no_multiple_of_the_size():
    data = memoryview(b"x" + np.float32([1, 2]).tobytes())
    np.testing.assert_array_equal(mapped.arrays(data, [Region("a", "<f4", (2,), 1)])["a"], [1, 2])


@pytest.mark.parametrize("order", "<>")
def test_bfloat16_is_widened(order):
    """Every one of its numbers, special ones too, is the float32 of which it is the upper half."""
    bits = np.arange(2**16, dtype=np.uint16)
    data = memoryview(bits.astype(order + "u2").tobytes())
    found = mapped.arrays(data, [Region("a", order + "bf2", (2, 3, 4), 0, (3, 0, 9)),
                                 Region("b", order + "bf2", (2**16,), 0)])
    expected = (bits.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(found["b"].view(np.uint32), expected.view(np.uint32), strict=True)
    assert found["b"].dtype == np.float32 and found["b"][0x3FC0] == 1.5
    np.testing.assert_array_equal(found["a"][1, 2], expected[3:39:9], strict=True)


@pytest.mark.parametrize("part, message", [
    (("<f4", (5, 5), 0), r"'a': its numbers, \(5, 5\) from byte 0 on, end beyond the file's 96"),
    (("<f4", (1,), 93), "end beyond"),
    (("<f4", (2, 2), 0, (24, 1)), "end beyond"),
    (("<f4", (2**62, 2**62), 0), "end beyond"),
    (("<f4", (2**31, 2**32, 2), 0), "end beyond"),
    (("<f4", (2, 2), 0, (1, -1)), "whole numbers that are not negative"),
    (("<f4", (-1,), 0), "not negative"),
    (("<f4", (2**70,), 0), "not negative"),
    (("<f4", (2.0,), 0), "not negative"),
    (("<f4", (True,), 0), "not negative"),
    (("<f4", (2,), -4), "not negative"),
    (("<f4", (1,) * 17, 0), "at most 16 dimensions"),
    (("<f4", (2, 2), 0, (1,)), "at most 16 dimensions, with one stride each"),
])
def test_what_is_not_in_the_file_is_refused(part, message):
    with pytest.raises(ValueError, match=message):
        one(*part)


@pytest.mark.parametrize("name", ["a\x1b[2J", "a\nb", "x" * 501, 5, ("a",)])
def test_names_can_be_shown(name):
    with pytest.raises(ValueError, match="expected a name of printable characters"):
        mapped.arrays(DATA, [Region(name, "<f4", (1,), 0)])


def test_arrays_may_share_numbers_but_not_come_to_far_more_than_the_file():
    most = 3 * 96 + 2**26
    found = mapped.arrays(DATA, [Region("a", "<f4", (most // 4,), 0, (0,))])
    assert found["a"].nbytes == most
    for parts in ([Region("a", "<f4", (most // 4 + 1,), 0, (0,))],
                  [Region(str(k), "<f4", (2**20,), 0, (0,)) for k in range(17)],
                  [Region("a", "<bf2", (most // 4 + 1,), 0, (0,))]):
        with pytest.raises(ValueError, match=r"would take [\d,]+ bytes, and the file has 96"):
            mapped.arrays(DATA, parts)
    with pytest.raises(ValueError, match="it lists 50001 arrays"):
        mapped.arrays(DATA, [Region(str(k), "<f4", (), 0) for k in range(50_001)])


def test_bytes_are_taken_or_missed():
    assert mapped.take(DATA, 4, 4) == np.float32(1).tobytes() and mapped.take(DATA, 96, 0) == b""
    for start, size in [(93, 4), (-1, 1), (0, -1), (0, 2**70), (2**70, 1)]:
        with pytest.raises(ValueError, match="damaged or cut short"):
            mapped.take(DATA, start, size)


def test_a_file_is_opened_or_named(tmp_path):
    (tmp_path / "empty").touch()
    for name, message in [("none", "no such file"), (".", "is a folder"), ("empty", "is empty")]:
        with pytest.raises(WeightsError) as error, mapped.opened(tmp_path / name, "a file of X"):
            pass
        assert str(error.value).startswith(f"{tmp_path / name}: ") and message in str(error.value)
        assert "a file of X" in str(error.value)
    (tmp_path / "good").write_bytes(b"abc")
    with mapped.opened(tmp_path / "good", "a file of X") as data:
        assert bytes(data) == b"abc" and data.readonly
    assert mapped.head(tmp_path / "good", 2) == b"ab" and mapped.head(tmp_path / "none", 2) == b""


@pytest.mark.parametrize("error", [OSError(5, "bad disk"), ValueError("odd"), OverflowError("big"),
                                   RecursionError("deep"), KeyError("k")])
def test_whatever_goes_wrong_inside_names_the_file(tmp_path, error):
    (tmp_path / "f").write_bytes(b"abc")
    with pytest.raises(WeightsError, match=f"f: cannot be read as a file of X: {error.args[-1]}"), \
            mapped.opened(tmp_path / "f", "a file of X"):
        raise error


def test_arrays_outlive_the_opening(tmp_path):
    (tmp_path / "f").write_bytes(bytes(DATA))
    with mapped.opened(tmp_path / "f", "a file") as data:
        found = mapped.arrays(data, [Region("a", "<f4", (24,), 0)])
    np.testing.assert_array_equal(found["a"], np.arange(24))

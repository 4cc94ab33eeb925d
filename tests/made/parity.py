"""What is computed on the device must be what NumPy computes."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from minicnn.backend import array_module, to_host

# Sums are added up in another order there. In float64 that shows in the last digits; in float32 a
# sum of some hundred products is off by a few units in the seventh.
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}


def check(xp, function, *arrays):
    """function(*arrays) gives arrays: on the device the same as on the host, in every dtype, and
    the same bytes twice."""
    for dtype in TOLERANCE:
        here = [a.astype(dtype) for a in arrays]
        there = [xp.asarray(a) for a in here]
        expected, found, again = function(*here), function(*there), function(*there)
        for a, b, c in zip(expected, found, again, strict=True):
            alike(b, a, TOLERANCE[dtype])
            alike(c, a, TOLERANCE[dtype])
            assert to_host(b).tobytes() == to_host(c).tobytes(), "not repeatable"
        for a, b in zip(here, there, strict=True):
            assert np.array_equal(to_host(b), a, equal_nan=True), "an argument was changed"


def counts(xp):
    """What the stand-in writes down of copies to the host; CuPy does not: there the test skips."""
    if not hasattr(xp, "COPIES"):
        pytest.skip("only the stand-in counts what is copied to the host")
    return xp.COPIES


def alike(found, expected, tolerance):
    """An array of the device, of one dtype and shape with NumPy's, and close to it: the tolerance
    is a share of the largest number."""
    assert array_module(found) is not np, "computed on the host"
    assert found.dtype == expected.dtype and found.shape == expected.shape
    close(to_host(found), expected, tolerance)


def close(found, expected, tolerance):
    """Two arrays of the host; the tolerance is a share of the largest number."""
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0) if expected.size else 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(largest, 1e-30))


def same(found, expected, tolerance, where="result"):
    """Two results of a method, whatever they are made of: numbers within a share of the largest,
    pictures within one grey level, all else equal. What stays on the device is an error."""
    assert type(found) is type(expected), where
    if is_dataclass(found):
        for field in fields(found):
            if field.name not in ("caption", "unfinished"):  # numbers in four digits; a folder
                same(getattr(found, field.name), getattr(expected, field.name), tolerance,
                     f"{where}.{field.name}")
    elif isinstance(found, np.ndarray) and found.dtype == np.uint8:
        assert np.abs(found.astype(int) - expected.astype(int)).max(initial=0) <= 1, where
    elif isinstance(found, np.ndarray) and found.dtype.kind == "f":
        assert found.dtype == expected.dtype and found.shape == expected.shape, where
        close(found, expected, tolerance)
    elif isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, expected, err_msg=where)
    elif isinstance(found, dict):
        assert list(found) == list(expected), where
        for key in found:
            same(found[key], expected[key], tolerance, f"{where}[{key!r}]")
    elif isinstance(found, (list, tuple)):
        assert len(found) == len(expected), where
        for k, (a, b) in enumerate(zip(found, expected, strict=True)):
            same(a, b, tolerance, f"{where}[{k}]")
    elif isinstance(found, float):
        np.testing.assert_allclose(found, expected, rtol=tolerance, err_msg=where)
    else:
        assert found == expected, where

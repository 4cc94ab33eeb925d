"""Rows as they are written: completed, checked, and traced."""

import numpy as np
import pytest
from checks import refuses

from minicnn.network.layers import Add, Conv, Dense, ReLU
from minicnn.network.rows import INPUT, LayerNameError, Row, complete, initial, traced


def test_a_row_reads_the_row_above_it_or_what_it_names():
    rows = complete([("a", ReLU()), ("b", ReLU()), ("c", Add(), ["a", "b"]), ("d", ReLU(), "a")],
                    "net")
    assert [row.inputs for row in rows] == [(INPUT,), ("a",), ("a", "b"), ("a",)]
    assert all(isinstance(row, Row) for row in rows)


WRONG = {
    "none": (["at least one row, got none"], []),
    "a layer alone": (["a row is (name, layer)"], [Conv(4, 3)]),
    "a class": (["layer a: ReLU is a class; write ReLU(...)"], [("a", ReLU)]),
    "too long": (["a row is (name, layer)"], [("a", ReLU(), "image", 1)]),
    "twice": (["two layers are called 'a'"], [("a", ReLU()), ("a", ReLU())]),
    "several": (["ReLU reads one array", "2"], [("a", ReLU()), ("b", ReLU(), ["image", "a"])]),
    "no input": (["Add reads at least one array"], [("a", Add(), [])]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_refused(what):
    words, rows = WRONG[what]
    refuses(["net", *words], complete, rows, "net")


def test_a_name_that_is_not_above():
    with pytest.raises(LayerNameError, match=r"layer b: it reads 'conv_1'.*near it: conv1"):
        complete([("conv1", Conv(2, 3)), ("b", ReLU(), "conv_1")], "net")


def test_shapes_along_the_rows():
    rows = complete([("a", Conv(4, 3)), ("b", Dense(5))], "net")
    read, shapes, params = traced(rows, (6, 8, 3), "net")
    assert read == {"a": (6, 8, 3), "b": (4, 6, 4)} and shapes == {"a": (4, 6, 4), "b": (5,)}
    assert params["b"] == {"w": (96, 5), "b": (5,)}
    refuses(["layer a", "does not fit", "its input is (2, 2, 3)"], traced, rows, (2, 2, 3), "net")


def test_initial_arrays():
    rng = np.random.default_rng(0)
    w = initial("w", (3, 3, 64, 200), rng)
    assert w.dtype == np.float32
    # the deviation of 115,200 draws is right to 1 % in all but one of 10^5 cases
    assert w.std() == pytest.approx((2 / 576) ** 0.5, rel=0.01)
    assert (initial("gamma", (3,), rng) == 1).all() and (initial("b", (3,), rng) == 0).all()

"""What readers return."""

import dataclasses

import numpy as np
import pytest

from minicnn.foreign.contents import Foreign


def test_only_format_arrays_and_layout_are_needed():
    one, other = (Foreign("npz", {"a": np.zeros(3)}, "OIHW") for _ in range(2))
    assert one.layers is one.input_shape is one.preprocessing is one.labels is None
    one.notes.append("said of one file")
    assert other.notes == [] and other.says == {}


def test_it_prints_without_its_arrays_and_cannot_be_changed():
    foreign = Foreign("npz", {"a": np.zeros(1000)}, "HWIO")
    assert "array" not in repr(foreign) and "HWIO" in repr(foreign)
    with pytest.raises(dataclasses.FrozenInstanceError):
        foreign.layout = "OIHW"

"""The error that all readers raise is one, wherever it is imported from."""

from minicnn.files import errors, hdf5, mapped
from minicnn.foreign import keras_hdf5


def test_there_is_one_error():
    assert all(room.WeightsError is errors.WeightsError for room in (hdf5, mapped, keras_hdf5))
    assert issubclass(errors.WeightsError, ValueError)
    assert errors.WeightsError not in errors.READING_ERRORS  # it is the outcome, not a cause

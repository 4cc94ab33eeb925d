"""Another program's arrays, one by one: names taken apart, axes turned, inputs in our order."""

import numpy as np
import pytest

from minicnn.foreign.arrays import by_layer, fitted, our_part, reordered, turned
from minicnn.network import Network
from minicnn.network.layers import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
)


def test_names_are_taken_apart_and_counters_left_out():
    held = by_layer(["a.b.weight", "a.b.bias", "c/d/0", "n.num_batches_tracked", "x"])
    assert held == {"a.b": {"weight": "a.b.weight", "bias": "a.b.bias"}, "c/d": {"0": "c/d/0"},
                    "x": {"": "x"}}


def test_weight_and_bias_mean_something_else_in_a_batch_norm():
    assert [our_part(Conv(1, 1), p) for p in ("weight", "kernel", "0", "bias", "1", "odd")] == [
        "w", "w", "w", "b", "b", None]
    assert [our_part(BatchNorm(), p) for p in ("weight", "bias", "running_var", "0")] == [
        "gamma", "beta", "variance", None]


def test_a_dense_layer_reads_the_image_in_our_order():
    image = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)  # H,W,C
    w = np.random.default_rng(0).standard_normal((24, 5))  # reads C,H,W
    np.testing.assert_allclose(image.ravel() @ reordered(w, image.shape),
                               image.transpose(2, 0, 1).ravel() @ w)  # one sum, another order


def test_turned_is_a_view():
    w = np.zeros((7, 3, 5, 6))
    assert turned(w, "OIHW").shape == (5, 6, 3, 7) and turned(w, "OIHW").base is w
    assert turned(w, "HWIO") is w and turned(np.zeros((4, 9)), "OIHW").shape == (9, 4)


@pytest.mark.parametrize("between, image", [
    ([], (4, 6, 3)), ([("flat", Flatten())], (4, 6, 3)),
    ([("pool", MaxPool(2, 2)), ("drop", Dropout()), ("flat", Flatten()), ("out", Dropout())],
     (2, 3, 3)),
    ([("gap", GlobalAveragePool())], None)])
def test_a_dense_layer_above_an_image_has_its_inputs_moved(between, image):
    """Whatever lies between that changes no order; nothing moves where there is no image."""
    network = Network("net", [*between, ("fc", Dense(5))], (4, 6, 3))
    count = int(np.prod(image or (3,)))
    theirs = np.random.default_rng(0).standard_normal((5, count))  # out, C*H*W
    ours, done = fitted(theirs, network, "fc", "w", "OIHW")
    expected = theirs.T if image is None else reordered(theirs.T, image)
    np.testing.assert_array_equal(ours, expected)
    assert ("inputs from C,H,W to H,W,C" in done) == (image is not None)
    plain = np.ascontiguousarray(theirs.T)
    same, done = fitted(plain, network, "fc", "w", "HWIO")
    np.testing.assert_array_equal(same, plain)
    assert done == "as it is"


def test_a_view_of_the_file_is_copied_and_an_array_in_memory_is_not():
    """Views of a file cannot be written to; a copy of any other would only take memory."""
    network = Network("net", [("fc", Dense(5))], (3,))
    memory = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    view = memory.view()
    view.flags.writeable = False
    for w, layout in ((view, "HWIO"), (view.T, "OIHW"), (view[0], "HWIO")):
        ours, _ = fitted(w, network, "fc", "w" if w.ndim == 2 else "b", layout)
        assert not np.may_share_memory(ours, memory) and ours.flags.writeable
        assert ours.flags.c_contiguous
    assert fitted(memory, network, "fc", "w", "HWIO")[0] is memory


def test_a_dense_layer_written_as_a_convolution_over_the_whole_map():
    network = Network("net", [("fc", Dense(5))], (4, 6, 3))
    kernel = np.random.default_rng(0).standard_normal((4, 6, 3, 5))
    for w, layout in ((kernel, "HWIO"), (kernel.transpose(3, 2, 0, 1), "OIHW")):
        ours, done = fitted(w, network, "fc", "w", layout)
        np.testing.assert_array_equal(ours, kernel.reshape(72, 5))
        assert "a convolution over the whole map" in done

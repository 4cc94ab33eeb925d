"""Blobs become arrays of the shape a layer of that kind has, however old the file."""

import numpy as np
import pytest
from caffe_files import blob, layer, legacy_blob, normal

from minicnn.foreign import caffe_blobs
from minicnn.foreign.caffe_graph import translated


def weights(kind, *blobs):
    return caffe_blobs.weights([layer("x", kind, blobs=list(blobs))])["x"]


@pytest.mark.parametrize("kind, shapes", [
    ("Convolution", [(4, 3, 2, 5), (4,)]), ("Convolution", [(1, 1, 1, 1), (1,)]),
    ("InnerProduct", [(6, 7), (6,)]), ("InnerProduct", [(1, 7), (1,)]),
    ("BatchNorm", [(4,), (4,), (1,)]), ("Scale", [(4,), (4,)])])
@pytest.mark.parametrize("form", [blob, legacy_blob])
def test_shapes_old_and_new(kind, shapes, form):
    arrays = [normal(*shape, seed=k) for k, shape in enumerate(shapes)]
    found_kind, found = weights(kind, *map(form, arrays))
    assert found_kind == kind
    for got, expected in zip(found, arrays, strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)


def test_old_sizes_win_over_new_as_in_caffe():
    both = blob(normal(6)) | legacy_blob(normal(2, 3))
    assert caffe_blobs.array(both).shape == (1, 1, 2, 3)


def test_doubles_win_over_floats():
    wide = np.arange(3) / 3
    np.testing.assert_array_equal(
        caffe_blobs.array({"shape": [{"dim": [3]}], "double_data": [wide], "data": []}), wide,
        strict=True)


def test_without_a_shape_it_is_flat():
    assert caffe_blobs.array({"data": [normal(6)]}).shape == (6,)


def test_other_kinds_of_layers_keep_their_shapes():
    _, found = weights("Deconvolution", legacy_blob(normal(3, 4)))
    assert found[0].shape == (1, 1, 3, 4)
    _, found = weights("InnerProduct", blob(normal(2, 1, 3, 4)))  # not ones in front
    assert found[0].shape == (2, 1, 3, 4)


@pytest.mark.parametrize("message, match", [
    ({"shape": [{"dim": [2, 3]}], "data": [normal(5)]}, r"5 weights do not fill the shape \(2, 3"),
    ({"shape": [{"dim": [-2, -3]}], "data": [normal(6)]}, "6 weights do not fill"),
    ({"shape": [{"dim": [2**62, 2**62, 2**62]}], "data": [normal(6)]}, "6 weights do not fill"),
    ({"shape": [{"dim": [1] * 40}], "data": [normal(1)]}, "1 weights do not fill"),
    ({"shape": [{"dim": [2**35 - 1] * 400_000}], "data": [normal(1)]}, "1 weights do not fill"),
    ({"shape": [{"dim": [6]}, {"dim": [6]}], "data": [normal(6)]}, "shape is given 2 times"),
    ({"num": [2], "data": [normal(2)]}, r"2 weights do not fill the shape \(2, 0, 0, 0\)"),
    ({}, "0 weights do not fill"),
])
def test_sizes_that_lie_are_refused(message, match):
    with pytest.raises(ValueError, match=f"layer 'x': {match}"):
        weights("Convolution", message)


def test_two_layers_of_one_name_are_refused():
    twice = [layer("x", "Convolution", blobs=[blob(normal(2))])] * 2
    with pytest.raises(ValueError, match="two layers with weights are called 'x'"):
        caffe_blobs.weights(twice)


def described(*layers):
    return {"input": ["data"], "layer": list(layers)}


def test_inputs():
    conv = layer("c", "Convolution", convolution_param=[{"group": [2]}],
                 blobs=[blob(normal(4, 3, 5, 5))])
    dense = layer("f", "InnerProduct", blobs=[blob(normal(4, 7))])
    turned = layer("t", "InnerProduct", inner_product_param=[{"transpose": ["true"]}],
                   blobs=[blob(normal(7, 4))])
    other = layer("s", "Scale", blobs=[blob(normal(7))])
    held = caffe_blobs.weights([conv, dense, turned, other])
    found = [caffe_blobs.inputs(one, held) for one in (conv, dense, turned, other, layer("z", "Z"))]
    assert found == [6, 7, 7, None, None]


def test_a_batch_norm_takes_its_scale_and_caffes_sums():
    mean, variance, gamma, beta = (normal(4, seed=k) for k in range(4))
    bn = layer("bn", "BatchNorm", "data",
               blobs=[blob(mean), blob(variance), blob(np.float32([4]))])
    scale = layer("sc", "Scale", "bn", blobs=[blob(gamma), blob(beta)])
    net = described(bn, scale)
    arrays, notes = caffe_blobs.arrays(translated(net), net, caffe_blobs.weights(net["layer"]))
    assert notes == [] and list(arrays) == [f"bn/{key}" for key in
                                            ("gamma", "beta", "mean", "variance")]
    for key, expected in [("gamma", gamma), ("beta", beta), ("mean", mean / 4),
                          ("variance", variance / 4)]:
        np.testing.assert_array_equal(arrays[f"bn/{key}"], expected, strict=True)


@pytest.mark.parametrize("scale, factor", [([], 1), ([np.float32([2, 3])], 1), ([], 0)])
def test_a_batch_norm_without_all_of_it(scale, factor):
    """Without a Scale, with one that has no shift, and before training, when nothing is summed."""
    layers = [layer("bn", "BatchNorm", "data", blobs=[
        blob(np.float32([1, 2])), blob(np.float32([3, 4])), blob(np.float32([factor]))])]
    layers += [layer("sc", "Scale", "bn", blobs=list(map(blob, scale)))] if scale else []
    net = described(*layers)
    arrays, _ = caffe_blobs.arrays(translated(net), net, caffe_blobs.weights(layers))
    np.testing.assert_array_equal(arrays["bn/gamma"], scale[0] if scale else [1, 1])
    np.testing.assert_array_equal(arrays["bn/beta"], [0, 0])
    np.testing.assert_array_equal(arrays["bn/mean"], np.multiply(factor, [1, 2]))


def test_turned_weights_and_those_left_out_are_noted():
    dense = layer("fc", "InnerProduct", "data", blobs=[blob(normal(7, 4)), blob(normal(4))],
                  inner_product_param=[{"num_output": [4], "transpose": [1]}])
    net = described(dense)
    held = caffe_blobs.weights([dense, layer("old", "Scale", blobs=[blob(normal(4))])])
    arrays, notes = caffe_blobs.arrays(translated(net), net, held)
    np.testing.assert_array_equal(arrays["fc/0"], normal(7, 4).T)
    assert arrays["fc/1"].shape == (4,)
    assert notes == ["The weights of 'fc', (in, out) in the file, were transposed.",
                     "Left out, since the network's end does not depend on them: 'old'."]

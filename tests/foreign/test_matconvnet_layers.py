"""MatConvNet's settings become ours, its conventions turned round."""

import numpy as np
import pytest

from minicnn.foreign.matconvnet_layers import build, kernels, named
from minicnn.network.layers import (
    LRN,
    AveragePool,
    Conv,
    Dense,
    Dropout,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
)
from minicnn.ops import average_pool, lrn, pool


def row(*values):
    return np.array([values], float)


def conv(kh, kw, depth, filters, bias=True, **settings):
    weights = np.arange(kh * kw * depth * filters, dtype="f4").reshape(kh, kw, depth, filters)
    biases = np.ones((1, filters), "f4") if bias else np.zeros((0, 0), "f4")
    return {"type": "conv", "weights": [weights, biases]} | settings


def one(record, shape=(12, 12, 4)):
    (found,), arrays = build({"x": record}, shape, [])
    return found[1], list(arrays.values())


def same(record, expected, shape=(12, 12, 4)):
    layer, _ = one(record, shape)
    assert type(layer) is type(expected) and layer.settings() == expected.settings()


def test_convolutions():
    same(conv(3, 3, 4, 8, pad=row(1, 1, 1, 1), stride=row(2, 2)), Conv(8, 3, stride=2, pad=1))
    same(conv(3, 5, 4, 8, pad=row(1, 1, 2, 2), stride=row(1)),
         Conv(8, (3, 5), stride=1, pad=(1, 2)))
    same(conv(3, 3, 2, 8), Conv(8, 3, groups=2))  # kernels of half the depth
    same(conv(3, 3, 4, 8, bias=False, dilate=row(2)), Conv(8, 3, dilation=2, bias=False))
    same(conv(1, 1, 4, 8, stride=row(2, 1)), Conv(8, 1, stride=(2, 1)))


def test_kernels_and_biases_old_and_new():
    new = conv(3, 3, 4, 8)
    old = {"type": "conv", "filters": new["weights"][0], "biases": new["weights"][1]}
    for record in (new, old):
        kernel, bias = one(record)[1]
        np.testing.assert_array_equal(kernel, new["weights"][0], strict=True)
        np.testing.assert_array_equal(bias, np.ones(8, "f4"), strict=True)


def test_matlab_drops_the_last_side_of_one():
    flat = conv(3, 3, 4, 1) | {"weights": [np.ones((3, 3, 4), "f4"), np.ones((1, 1), "f4")]}
    layer, (kernel, _) = one(flat)
    assert layer.filters == 1 and kernel.shape == (3, 3, 4, 1)


def test_a_convolution_over_the_whole_map_is_dense():
    notes = []
    records = {"fc6": conv(4, 5, 3, 7), "relu6": {"type": "relu"}, "fc7": conv(1, 1, 7, 2)}
    layers, arrays = build(records, (4, 5, 3), notes)
    assert [type(layer) for _, layer in layers] == [Dense, ReLU, Dense]
    assert layers[-1][1].output_shape((7,)) == (2,)
    np.testing.assert_array_equal(arrays["fc6/0"],
                                  records["fc6"]["weights"][0].reshape(60, 7), strict=True)
    assert arrays["fc7/0"].shape == (7, 2)
    assert notes == ["Convolutions over the whole map became dense layers: fc6, fc7."]
    for kept in (conv(4, 5, 3, 7, pad=row(1)), conv(3, 5, 3, 7)):
        assert isinstance(one(kept, (4, 5, 3))[0], Conv)
    assert isinstance(one(conv(4, 5, 1, 6), (4, 5, 3))[0], Conv)  # in groups


def pooled(shape=(12, 12, 4), method="max", window=(3, 3), stride=(2, 2), pad=(0, 0, 0, 0)):
    return one({"type": "pool", "method": method, "pool": row(*window), "stride": row(*stride),
                "pad": row(*pad)}, shape)[0]


def test_padding_at_the_end_is_rounding_up():
    assert pooled().settings() == MaxPool(3, 2).settings()
    for window, stride, begin, end in [((3, 3), (2, 2), (0, 0), (1, 1)),
                                       ((2, 2), (2, 2), (0, 0), (1, 1)),
                                       ((3, 3), (2, 2), (1, 1), (2, 2)),
                                       ((3, 2), (3, 2), (0, 1), (2, 1))]:
        pad = (begin[0], end[0], begin[1], end[1])
        layer = pooled(window=window, stride=stride, pad=pad)
        assert layer.rounding == ("ceil" if begin != end else "floor")
    assert pooled(window=(3, 3), stride=(1, 1), pad=(1, 1, 1, 1)).rounding == "floor"


def test_an_older_importer_padded_only_as_far_as_its_size_needed():
    """55 -> 27 needs nothing, 54 -> 27 one row: with 3/2 windows both mean rounding up."""
    assert pooled((54, 55, 4), pad=(0, 1, 0, 0)).rounding == "ceil"
    with pytest.raises(ValueError, match="which matches neither rounding"):
        pooled((54, 55, 4), pad=(0, 1, 0, 2))
    with pytest.raises(ValueError, match="pads .0, 0. above and left, .3, 3. below"):
        pooled(pad=(0, 3, 0, 3))


@pytest.mark.parametrize("side", [11, 12, 13, 14])
@pytest.mark.parametrize("method", ["max", "avg"])
def test_poolings_give_matconvnets_numbers(side, method):
    """vl_nnpool written out: windows are clipped to the image, and averages to their pixels."""
    x = np.random.default_rng(0).standard_normal((1, side, side, 2))
    window, stride, begin, end = 3, 2, 1, 2
    count = (side + begin + end - window) // stride + 1
    expected = np.empty((1, count, count, 2))
    for p, q in np.ndindex(count, count):
        rows, columns = (slice(max(k * stride - begin, 0), min(k * stride - begin + window, side))
                         for k in (p, q))
        part = x[:, rows, columns]
        expected[:, p, q] = part.max(axis=(1, 2)) if method == "max" else part.mean(axis=(1, 2))
    layer = pooled((side, side, 2), method, (3, 3), (2, 2), (1, 2, 1, 2))
    op = pool if isinstance(layer, MaxPool) else average_pool
    np.testing.assert_allclose(op.forward(x, **layer.settings())[0], expected, rtol=1e-12)


def test_average_poolings_without_a_border_are_plain():
    assert pooled(method="avg").settings() == AveragePool(3, 2).settings()
    assert pooled(method="avg", pad=(1, 1, 1, 1)).border == "image"


def test_lrn_divides_what_matconvnet_multiplies():
    record = {"type": "lrn", "param": row(5, 1, 1e-4 / 5, 0.75)}
    same(record, LRN(5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"))
    same(record | {"type": "normalize"}, LRN(5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"))
    single = {"type": "lrn", "param": np.float32([[5, 2, 2e-5, 0.75]])}
    same(single, LRN(5, alpha=1e-4, beta=0.75, k=2.0, convention="caffe"))
    same({"type": "lrn"}, LRN(5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"))  # the defaults
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 6))
    layer, _ = one({"type": "lrn", "param": row(3, 2, 0.7, 0.5)}, (2, 2, 6))
    energy = np.stack([(x[..., max(c - 1, 0):c + 2] ** 2).sum(axis=-1) for c in range(6)], -1)
    np.testing.assert_allclose(lrn.forward(x, **layer.settings())[0],
                               x * (2 + 0.7 * energy) ** -0.5, rtol=1e-12)


def test_the_other_layers():
    same({"type": "relu", "leak": row(0)}, ReLU())
    same({"type": "softmax"}, Softmax())
    same({"type": "softmaxloss", "class": row(1, 2)}, Softmax())
    same({"type": "sigmoid"}, Sigmoid())
    same({"type": "dropout", "rate": row(0.4)}, Dropout(0.4))
    same({"type": "dropout"}, Dropout(0.5))
    same({"type": "relu", "precious": np.zeros((1, 1)), "opts": [], "odd": []}, ReLU())


def test_names():
    records = named([{"type": "relu", "name": "a"}, {"type": "relu"}, {"name": ""}])
    assert list(records) == ["a", "layer2", "layer3"]
    for wrong, message in [(["text"], "layer 1 is not a structure"),
                           ([{"name": "a"}, {"name": "a"}], "two layers are called 'a'"),
                           ([{"name": "a\n"}], "layer 1 is called"),
                           ([{"name": "a" * 501}], "layer 1 is called")]:
        with pytest.raises(ValueError, match=message):
            named(wrong)


def test_all_weights_as_they_are():
    found = kernels({"c": conv(3, 3, 4, 8), "r": {"type": "relu"}})
    assert {name: array.shape for name, array in found.items()} == {"c/0": (3, 3, 4, 8),
                                                                    "c/1": (1, 8)}


@pytest.mark.parametrize("record, message", [
    ({"type": "bnorm"}, "type 'bnorm' is not supported; the supported types are conv, relu"),
    ({}, "type None is not supported"),
    ({"type": "custom", "forward": None}, "type 'custom' is not supported"),
    ({"type": "relu", "leak": row(0.1)}, "its leak is not supported; .* only the plain ReLU"),
    ({"type": "relu", "slope": row(1)}, "'slope' is an unknown setting of relu"),
    (conv(3, 3, 4, 8, opts=["verbose"]), "opts holds unknown settings of conv"),
    (conv(3, 3, 3, 8), "its kernels read 3 channels, .* 4 input channels are not a multiple"),
    (conv(3, 3, 4, 8, pad=row(0, 1, 0, 1)), "pads 0 above and 1 below"),
    (conv(3, 3, 4, 8, pad=row(0, 1)), "pad: expected 1 or 4 whole numbers"),
    (conv(3, 3, 4, 8, stride=row(0.5)), "stride: expected 1 or 2 whole numbers"),
    (conv(3, 3, 4, 8, stride=row(0)), "stride: expected .* of at least 1, got .0.0"),
    (conv(3, 3, 4, 8) | {"weights": "none"}, "weights are not floating point numbers"),
    (conv(3, 3, 4, 8) | {"weights": [np.ones((3, 3), "i4")]}, "not floating point numbers"),
    ({"type": "conv"}, "not floating point numbers"),
    ({"type": "conv", "weights": []}, "expected kernels"),
    ({"type": "pool", "method": "stochastic", "pool": row(2)}, "method 'stochastic' is not"),
    ({"type": "pool"}, "pool: expected 1 or 2 whole numbers of at least 1, got .None"),
    ({"type": "lrn", "param": row(5, 1, 2)}, "param: expected the four numbers"),
    ({"type": "lrn", "param": row(4, 1, 1, 1)},
     "number of summed channels: expected an odd number, got 4"),
    ({"type": "lrn", "param": row(5, 1, np.nan, 1)}, "param: expected the four numbers"),
    (conv(13, 13, 4, 8), r"does not fit in 12 samples .*\(its input is \(12, 12, 4\)\)"),
])
def test_what_has_no_counterpart_is_refused_by_name(record, message):
    with pytest.raises(ValueError, match=f"layer 'x': .*({message})"):
        one(record)


def test_a_pooling_after_a_dense_layer_is_refused():
    with pytest.raises(ValueError, match="layer 'p': it needs an image"):
        build({"f": conv(4, 4, 3, 2), "p": {"type": "pool", "pool": row(2)}}, (4, 4, 3), [])

"""Layers: settings and parameters handed to the right op, shapes foretold, nothing remembered."""

from dataclasses import FrozenInstanceError
from importlib import import_module

import nets
import numpy as np
import pytest

from minicnn.network.layers import (
    KINDS,
    LRN,
    Add,
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    MaxPool,
    ReLU,
    Rules,
    Sigmoid,
    Softmax,
    Tanh,
)
from minicnn.ops import average_pool, batch_norm, conv, dense, dropout, lrn, pool

IMAGE = (7, 10, 6)
EVERY_KIND = {
    "conv": Conv(4, (3, 2), stride=(2, 1), pad=(1, 0), groups=2, dilation=(1, 2)),
    "conv without bias": Conv(4, 1, bias=False),
    "dense": Dense(5),
    "dense without bias": Dense(5, bias=False),
    "batch norm": BatchNorm(epsilon=0.5),
    "batch norm without scale": BatchNorm(epsilon=0.5, scale=False),
    "max pool": MaxPool(3, 2, pad=1, rounding="ceil"),
    "max pool, no stride": MaxPool((2, 3)),
    "average pool": AveragePool(3, 2, pad=1, rounding="ceil", border="image"),
    "global average pool": GlobalAveragePool(),
    "relu": ReLU(), "lrn": LRN(3, alpha=0.5, beta=0.6, k=2.0, convention="paper"),
    "dropout": Dropout(0.25),
    "flatten": Flatten(), "softmax": Softmax(), "sigmoid": Sigmoid(), "tanh": Tanh(),
}
every_kind = pytest.mark.parametrize("name", EVERY_KIND)


class Filled:
    """A layer with arrays, none of them 0 or 1, and the page of its op."""

    def __init__(self, layer, seed=0):
        rng = np.random.default_rng(seed)
        self.layer, self.op = layer, layer.op and import_module(f"minicnn.ops.{layer.op}")
        self.params = {key: rng.uniform(0.5, 1.5, shape)
                       for key, shape in layer.param_shapes(IMAGE).items()}

    def forward(self, x, learn=False, rng=None):
        return self.layer.forward(self.op, x, self.params, learn, rng)

    def backward(self, dy, cache, *rest):
        return self.layer.backward(self.op, dy, cache, *rest)


def filled(name):
    return Filled(EVERY_KIND[name])


def x():
    return nets.images(2, IMAGE)


@every_kind
def test_the_output_has_the_shape_foretold(name):
    layer = filled(name)
    y, _ = layer.forward(x())
    assert y.shape == (2, *layer.layer.output_shape(IMAGE))


@every_kind
def test_backward_gives_the_input_s_shape_and_the_named_gradients(name):
    layer = filled(name)
    y, cache = layer.forward(x(), learn=True, rng=np.random.default_rng(1))
    dx, none = layer.backward(nets.like(y), cache)
    assert dx.shape == (2, *IMAGE) and none == {}
    both, gradients = layer.backward(nets.like(y), cache, Rules(), ("x", "w", "b"))
    np.testing.assert_array_equal(both, dx)
    trained = set(layer.params) - {"mean", "variance"}
    assert {key: d.shape for key, d in gradients.items()} == {
        key: layer.params[key].shape for key in trained}


@every_kind
def test_settings_rebuild_the_layer(name):
    layer = EVERY_KIND[name]
    again = KINDS[type(layer).__name__](**layer.settings())
    assert again == layer and type(again) is type(layer)


@every_kind
def test_settings_are_frozen(name):
    for setting in [*EVERY_KIND[name].settings(), "params"]:
        with pytest.raises(FrozenInstanceError):
            setattr(EVERY_KIND[name], setting, 1)


@pytest.mark.parametrize("name, alone", [
    ("conv", lambda p: conv.forward(x(), p["w"], p["b"], (2, 1), (1, 0), 2, (1, 2))),
    ("conv without bias", lambda p: conv.forward(x(), p["w"], None)),
    ("dense", lambda p: dense.forward(x(), p["w"], p["b"])),
    ("batch norm", lambda p: batch_norm.forward(x(), **p, epsilon=0.5)),
    ("batch norm without scale",
     lambda p: batch_norm.forward(x(), np.ones(6), **p, epsilon=0.5)),
    ("max pool", lambda p: pool.forward(x(), 3, 2, 1, "ceil")),
    ("max pool, no stride", lambda p: pool.forward(x(), (2, 3), (2, 3))),
    ("average pool", lambda p: average_pool.forward(x(), 3, 2, 1, "ceil", "image")),
    ("lrn", lambda p: lrn.forward(x(), 3, 0.5, 0.6, 2.0, "paper")),
])
def test_every_setting_reaches_the_op(name, alone):
    layer = filled(name)
    np.testing.assert_array_equal(layer.forward(x())[0], alone(layer.params)[0], strict=True)


def test_parameter_shapes():
    assert EVERY_KIND["conv"].param_shapes(IMAGE) == {"w": (3, 2, 3, 4), "b": (4,)}
    assert EVERY_KIND["conv without bias"].param_shapes(IMAGE) == {"w": (1, 1, 6, 4)}
    assert Dense(5).param_shapes(IMAGE) == {"w": (7 * 10 * 6, 5), "b": (5,)}
    assert Dense(5).param_shapes((8,)) == {"w": (8, 5), "b": (5,)}
    assert BatchNorm().param_shapes((8,)) == dict.fromkeys(
        ("gamma", "beta", "mean", "variance"), (8,))
    assert BatchNorm(scale=False).param_shapes((8,)) == dict.fromkeys(
        ("beta", "mean", "variance"), (8,))
    assert ReLU().param_shapes(IMAGE) == {}


def test_rectangles_are_height_first():
    assert Conv(1, (3, 1)).output_shape((9, 9, 1)) == (7, 9, 1)
    assert MaxPool((1, 3)).output_shape((9, 9, 1)) == (9, 3, 1)
    assert AveragePool(2, (1, 2)).output_shape((8, 8, 1)) == (7, 4, 1)


def test_dropout_acts_while_learning_only():
    layer, seen = Filled(Dropout(0.5)), x()
    y, cache = layer.forward(seen)
    np.testing.assert_array_equal(y, seen)
    np.testing.assert_array_equal(layer.backward(seen, cache)[0], seen)
    dropped, _ = layer.forward(seen, True, np.random.default_rng(3))
    np.testing.assert_array_equal(dropped, dropout.forward(seen, 0.5, 3)[0])
    assert (dropped == 0).any()


def test_batch_norm_uses_the_batch_s_statistics_while_learning_only():
    layer, seen = filled("batch norm"), x()
    _, cache = layer.forward(seen, learn=True)
    np.testing.assert_allclose(cache.mean, seen.mean(axis=(0, 1, 2)), rtol=1e-12)  # float64
    assert layer.forward(seen)[1].mean is layer.params["mean"]


def test_inputs_are_kept_for_learning_only():
    for name in ("conv", "dense"):
        layer, seen = filled(name), x()
        assert layer.forward(seen)[1].x is None
        assert layer.forward(seen, learn=True)[1].x is seen


@pytest.mark.parametrize("kind, op, rules", [(ReLU, "relu", Rules(relu="guided")),
                                             (LRN, "lrn", Rules(lrn="scale"))])
def test_rules_reach_the_op(kind, op, rules):
    layer, dy = Filled(kind()), nets.images(2, IMAGE, seed=8)
    _, cache = layer.forward(x())
    expected = layer.op.backward(dy, cache, getattr(rules, op))
    np.testing.assert_array_equal(layer.backward(dy, cache, rules)[0], expected)
    assert (expected != layer.backward(dy, cache)[0]).any()


def test_flatten_reads_row_by_row_pixel_by_pixel():
    y, cache = filled("flatten").forward(np.arange(24.0).reshape(1, 2, 3, 4))
    np.testing.assert_array_equal(y, [np.arange(24.0)])
    np.testing.assert_array_equal(filled("flatten").backward(y, cache)[0].shape, (1, 2, 3, 4))


def test_concat_adds_the_channels_and_add_the_numbers():
    assert Concat().output_shape([(4, 5, 3), (4, 5, 2)]) == (4, 5, 5)
    assert Add().output_shape([(4, 5, 3), (4, 5, 3)]) == (4, 5, 3)
    with pytest.raises(ValueError, match=r"Concat: its inputs differ in size, \[\(2, 3, 5\), "):
        Concat().output_shape([(2, 3, 5), (4, 5, 3)])
    with pytest.raises(ValueError, match=r"Add: its inputs differ in shape, \[\(4, 5, 1\), "):
        Add().output_shape([(4, 5, 1), (4, 5, 3)])
    parts = [x(), nets.images(2, IMAGE, seed=3)]
    for layer, whole in ((Concat(), np.concatenate(parts, axis=3)), (Add(), parts[0] + parts[1])):
        y, cache = Filled(layer).forward(parts)
        np.testing.assert_array_equal(y, whole)
        dx, none = Filled(layer).backward(nets.like(y), cache)
        assert [d.shape for d in dx] == [(2, *IMAGE)] * 2 and none == {}


@pytest.mark.parametrize("filters, groups", [(4, 4), (5, 2)])
def test_groups_must_divide_both_sides(filters, groups):
    with pytest.raises(ValueError, match=f"groups={groups} must divide the 6 channels in and the "
                                         f"{filters} filters"):
        Conv(filters, 1, groups=groups).param_shapes(IMAGE)


def test_kinds_names_every_layer_once():
    assert set(KINDS.values()) == set(Layer.__subclasses__())
    assert all(name == kind.__name__ for name, kind in KINDS.items())


# ---- traps

def test_settings_after_the_first_are_named():
    """Conv(1, 8, 3) is PyTorch's Conv2d(in, out, kernel), and would be 1 filter of 8 x 8 here."""
    with pytest.raises(TypeError, match=r"Conv: only filters and kernel may be given without a "
                                        r"name, got 1, 8, 3; name the rest: stride=..., pad=..."):
        Conv(1, 8, 3)
    assert MaxPool(3, 2) == MaxPool(window=3, stride=2)
    for kind, values in ((MaxPool, (3, 2, 1)), (LRN, (5, 1e-4)), (Dense, (4, True)),
                         (BatchNorm, (1e-3,))):
        with pytest.raises(TypeError, match=f"{kind.__name__}: only .* without a name, got"):
            kind(*values)


def test_padding_to_the_same_size():
    for kernel, dilation in ((3, 1), (5, 1), (1, 1), (3, 2), ((3, 5), 1), ((5, 1), (1, 2))):
        layer = Conv(4, kernel, pad="same", dilation=dilation)
        assert layer.output_shape((9, 11, 3)) == (9, 11, 4)
        assert layer.settings()["pad"] == layer.pad != "same"  # stored as numbers
    assert Conv(4, 3, pad="same") == Conv(4, 3, pad=1)
    for kernel, stride in ((2, 1), (3, 2), ((3, 4), 1)):
        with pytest.raises(ValueError, match='pad="same" needs an odd kernel and a stride of 1'):
            Conv(4, kernel, stride=stride, pad="same")


def test_settings_that_a_layer_has_not():
    with pytest.raises(TypeError, match="Conv has no setting 'padding'; did you mean pad?"):
        Conv(8, 3, padding=1)
    with pytest.raises(TypeError, match="MaxPool has no setting 'zzz'$"):
        MaxPool(2, zzz=1)
    with pytest.raises(TypeError, match="The number of input channels is not given"):
        Conv(1, 8, 3)

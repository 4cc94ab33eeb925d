"""Layers: settings and parameters handed to the right op, shapes foretold, nothing remembered."""

import nets
import numpy as np
import pytest

from minicnn.network import layers
from minicnn.network.layers import (
    KINDS,
    LRN,
    AveragePool,
    BatchNorm,
    Branches,
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
    "max pool": MaxPool(3, 2, 1, "ceil"),
    "max pool, no stride": MaxPool((2, 3)),
    "average pool": AveragePool(3, 2, 1, "ceil", "image"),
    "global average pool": GlobalAveragePool(),
    "relu": ReLU(), "lrn": LRN(3, 0.5, 0.6, 2.0, "paper"), "dropout": Dropout(0.25),
    "flatten": Flatten(), "softmax": Softmax(), "sigmoid": Sigmoid(), "tanh": Tanh(),
}
every_kind = pytest.mark.parametrize("name", EVERY_KIND)


def filled(name, seed=0):
    """The layer with parameters, none of them 0 or 1."""
    layer, rng = EVERY_KIND[name], np.random.default_rng(seed)
    layer.params = {key: rng.uniform(0.5, 1.5, shape)
                    for key, shape in layer.param_shapes(IMAGE).items()}
    return layer


def x():
    return nets.images(2, IMAGE)


@every_kind
def test_the_output_has_the_shape_foretold(name):
    layer = filled(name)
    y, _ = layer.forward(x())
    assert y.shape == (2, *layer.output_shape(IMAGE))


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
def test_a_pass_leaves_nothing_in_the_layer(name):
    layer = filled(name)
    before = vars(layer) | {"params": dict(layer.params)}
    y, cache = layer.forward(x(), learn=True, rng=np.random.default_rng(1))
    layer.backward(nets.like(y), cache)
    assert vars(layer) == before  # the very same arrays: comparing others would raise


@every_kind
def test_settings_rebuild_the_layer(name):
    layer = EVERY_KIND[name]
    again = KINDS[type(layer).__name__](**layer.settings())
    assert again.settings() == layer.settings() and type(again) is type(layer)
    assert again.params == {} and "params" not in layer.settings()


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
    layer, seen = Dropout(0.5), x()
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
    layer, dy = kind(), nets.images(2, IMAGE, seed=8)
    _, cache = layer.forward(x())
    expected = getattr(layers, op).backward(dy, cache, getattr(rules, op))
    np.testing.assert_array_equal(layer.backward(dy, cache, rules)[0], expected)
    assert (expected != layer.backward(dy, cache)[0]).any()


def test_flatten_reads_row_by_row_pixel_by_pixel():
    y, cache = Flatten().forward(np.arange(24.0).reshape(1, 2, 3, 4))
    np.testing.assert_array_equal(y, [np.arange(24.0)])
    np.testing.assert_array_equal(Flatten().backward(y, cache)[0].shape, (1, 2, 3, 4))


def test_branches_add_their_channels():
    mix = Branches([[("a", Conv(5, 3, pad=1))], [], [("b", MaxPool(3, 1, 1)), ("c", Conv(2, 1))]])
    assert mix.output_shape((4, 5, 3)) == (4, 5, 5 + 3 + 2)
    with pytest.raises(ValueError, match=r"different sizes, \[\(2, 3, 5\), \(4, 5, 3\)\]"):
        Branches([[("a", Conv(5, 3))], []]).output_shape((4, 5, 3))


def test_walk_goes_into_branches_inside_branches():
    inner = Branches([[("c", ReLU())], []])
    names = [name for name, _ in layers.walk(
        [("a", ReLU()), ("outer", Branches([[("b", ReLU()), ("inner", inner)], [("d", ReLU())]])),
         ("e", ReLU())])]
    assert names == ["a", "b", "c", "inner", "d", "outer", "e"]


@pytest.mark.parametrize("filters, groups", [(4, 4), (5, 2)])
def test_groups_must_divide_both_sides(filters, groups):
    with pytest.raises(ValueError, match=f"groups={groups} must divide the 6 channels in and the "
                                         f"{filters} filters"):
        Conv(filters, 1, groups=groups).param_shapes(IMAGE)


def test_kinds_names_every_layer_once():
    assert set(KINDS.values()) == set(Layer.__subclasses__())
    assert all(name == kind.__name__ for name, kind in KINDS.items())


def test_the_base_class_computes_nothing():
    for use in (lambda: Layer().forward(x()), lambda: Layer().backward(x(), None)):
        with pytest.raises(NotImplementedError, match="Layer"):
            use()

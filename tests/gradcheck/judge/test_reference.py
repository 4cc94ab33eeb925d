"""The ops without a page, against their formulas and against their own central differences."""

import numpy as np
import pytest
from checks import normal

from minicnn.gradcheck.gradients.checker import check
from minicnn.gradcheck.judge.reference import OWN, SANDWICHES, passes, results
from minicnn.ops import batch_norm, conv, dense, pool, relu

GAMMA, BETA = 1 + normal(6, seed=2) / 4, normal(6, seed=3)
W, B = normal(3, 3, 2, 6, seed=4), normal(6, seed=5)
STATISTICS = {"mean": normal(6, seed=6), "variance": 1 + normal(6, seed=7) ** 2}
LABELS = np.array([0, 2, 1, 1])
BLOCK = {"gamma": GAMMA, "beta": BETA}
CHECKED = {  # op: inputs with a gradient, other arrays, settings
    "layer_norm": ({"x": normal(4, 6), **BLOCK}, {}, {"epsilon": 1e-2}),
    "group_norm": ({"x": normal(2, 3, 2, 6), **BLOCK}, {}, {"groups": 3, "epsilon": 1e-2}),
    "svm_loss": ({"x": 2 * normal(4, 3)}, {"labels": LABELS}, {}),
    "affine_relu": ({"x": normal(3, 5), "w": normal(5, 6), "b": B}, {}, {}),
    "affine_bn_relu": ({"x": normal(4, 5), "w": normal(5, 6), "b": B, **BLOCK}, STATISTICS,
                       {"training": True}),
    "conv_relu": ({"x": normal(2, 3, 4, 2), "w": W, "b": B}, {}, {"stride": 2, "pad": 1}),
    "conv_bn_relu": ({"x": normal(2, 4, 3, 2), "w": W, "b": B, **BLOCK}, STATISTICS,
                     {"pad": 1, "training": False}),
    "conv_relu_pool": ({"x": normal(1, 4, 5, 2), "w": W, "b": B}, {},
                       {"pad": 1, "window": 2, "pool_stride": 2}),
}


def test_every_op_without_a_page_is_checked():
    assert CHECKED.keys() == {*OWN, *SANDWICHES}


@pytest.mark.parametrize("op", CHECKED)
def test_backward_is_the_gradient_of_forward(op):
    inputs, others, settings = CHECKED[op]
    report = check(lambda *arrays: passes(op).forward(*arrays, *others.values(), **settings),
                   lambda dy, cache: as_list(passes(op).backward(dy, cache))[: len(inputs)],
                   inputs, only=("central differences",))
    report.raise_if_failed()


def as_list(gradients):
    return list(gradients) if isinstance(gradients, (list, tuple)) else [gradients]


# ---- the forward passes, each against its formula

def test_layer_norm_normalises_each_row():
    x = normal(4, 6)
    y, _ = passes("layer_norm").forward(x, GAMMA, BETA, epsilon=1e-2)
    for row, out in zip(x, y, strict=True):
        z = (row - row.mean()) / np.sqrt(row.var() + 1e-2)
        np.testing.assert_allclose(out, GAMMA * z + BETA, rtol=0, atol=1e-14)  # six terms


def test_group_norm_normalises_runs_of_channels_of_each_image():
    x = normal(2, 3, 4, 6)
    y, _ = passes("group_norm").forward(x, GAMMA, BETA, groups=3, epsilon=1e-2)
    for n in range(2):
        for first in (0, 2, 4):
            some = slice(first, first + 2)
            part = x[n, :, :, some]
            z = (part - part.mean()) / np.sqrt(part.var() + 1e-2)
            np.testing.assert_allclose(y[n, :, :, some], GAMMA[some] * z + BETA[some],
                                       rtol=0, atol=1e-14)  # sums of 24 terms


def test_svm_loss_is_the_mean_of_the_violated_margins():
    x = 2 * normal(4, 3)
    loss, _ = passes("svm_loss").forward(x, LABELS)
    terms = [max(0.0, x[n, k] - x[n, label] + 1) for n, label in enumerate(LABELS)
             for k in range(3) if k != label]
    assert loss == pytest.approx(sum(terms) / 4, rel=1e-14) and sum(term > 0 for term in terms) > 1


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 3, 0], [0, -1, 1, 0], [[0], [1], [1], [2]]])
def test_svm_loss_refuses_labels_that_do_not_fit(labels):
    with pytest.raises(ValueError, match="labels must be 4 numbers in 0 .. 2"):
        passes("svm_loss").forward(normal(4, 3), labels)


def test_a_sandwich_is_its_layers_one_after_the_other():
    inputs, others, settings = CHECKED["conv_relu_pool"]
    y, _ = passes("conv_relu_pool").forward(*inputs.values(), **settings)
    inner = relu.forward(conv.forward(*inputs.values(), pad=1)[0])[0]
    np.testing.assert_array_equal(y, pool.forward(inner, 2, 2)[0])
    inputs, others, settings = CHECKED["affine_bn_relu"]
    y, _ = passes("affine_bn_relu").forward(*inputs.values(), *others.values(), **settings)
    inner = dense.forward(*list(inputs.values())[:3])[0]
    inner = batch_norm.forward(inner, GAMMA, BETA, *others.values(), training=True)[0]
    np.testing.assert_array_equal(y, relu.forward(inner)[0])


# ---- as data

def test_results_are_named():
    y, gradients = results("dense", {"x": normal(2, 3), "w": normal(3, 4), "b": normal(4)}, {},
                           np.ones((2, 4)))
    assert [*gradients] == ["x", "w", "b"] and (gradients["b"] == 2).all() and y.shape == (2, 4)
    _, gradients = results("dense", {"x": normal(2, 3), "w": normal(3, 4)}, {"b": None},
                           np.ones((2, 4)))
    assert [*gradients] == ["x", "w"]
    assert results("dense", {"x": normal(2, 3), "w": normal(3, 4)}, {"b": None}, None)[1] == {}
    _, gradients = results("concat", {"x0": normal(2, 3), "x1": normal(2, 1)}, {"axis": 1},
                           np.ones((2, 4)))
    assert {name: value.shape for name, value in gradients.items()} == {"x0": (2, 3), "x1": (2, 1)}

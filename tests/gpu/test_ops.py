"""Every op and its twin, forward and backward, over the configurations of tests/ops, on the device.
"""

from pathlib import Path

import checks
import numpy as np
import parity
import pytest

import minicnn
from minicnn.backend import array_module
from minicnn.fast import TWINS, winograd
from minicnn.gradcheck.judge.matrix import CONV, POOL, conv_inputs, settings
from minicnn.ops import (
    add,
    average_pool,
    batch_norm,
    concat,
    conv,
    conv_transpose,
    cross_entropy,
    dense,
    dropout,
    global_average_pool,
    lrn,
    pool,
    relu,
    resize,
    sigmoid,
    softmax,
    tanh,
)

BATCHES = (1, 2, 7, 33)


def page_and_twin(page):
    """A test of the page `op` of `minicnn.ops`, and of its twin in `minicnn.fast`."""
    name = page.__name__.rpartition(".")[2]
    return pytest.mark.parametrize("op", [page, TWINS[name]], ids=["page", "twin"])


def arrays(y, cache, backward):
    """The output and all gradients of a pass, for an upstream gradient of normal numbers."""
    dy = array_module(y).asarray(checks.normal(*y.shape, seed=9), dtype=y.dtype)
    gradients = backward(dy, cache)
    if not isinstance(gradients, (tuple, list)):
        gradients = [gradients]
    return [y, *[gradient for gradient in gradients if gradient is not None]]


def batches(shape, seed=1):
    """Normal numbers of a shape (N, ...), for each N of BATCHES."""
    return [checks.normal(n, *shape[1:], seed=seed) for n in BATCHES]


@pytest.mark.thorough
@page_and_twin(conv)
@pytest.mark.parametrize("case", CONV, ids=str)
def test_conv(xp, case, op):
    options = settings(case, "stride", "pad", "groups", "dilation")
    for n in BATCHES:
        inputs = conv_inputs(case._replace(image=(n, *case.image[1:])))
        parity.check(xp, lambda *given: arrays(*op.forward(*given, **options), op.backward),
                     *inputs.values())


@pytest.mark.parametrize("case", CONV, ids=str)
def test_conv_transpose(xp, case):
    options = settings(case, "stride", "pad", "groups", "dilation") | {"size": case.image[1:3]}
    for n in BATCHES:
        inputs = conv_inputs(case._replace(image=(n, *case.image[1:])))
        y, _ = conv.forward(inputs["x"], inputs["w"], None, *list(options.values())[:4])
        parity.check(xp, lambda *given: arrays(*conv_transpose.forward(*given, None, **options),
                                               conv_transpose.backward), y, inputs["w"])


@pytest.mark.thorough
@page_and_twin(pool)
@pytest.mark.parametrize("case", POOL, ids=str)
def test_pool(xp, case, op):
    options = settings(case, "window", "stride", "pad", "rounding")

    def both(x):
        y, cache = op.forward(x, **options)
        return [*arrays(y, cache, op.backward), cache.switches]
    for n in BATCHES:
        parity.check(xp, both, case._replace(image=(n, *case.image[1:])).x())


@pytest.mark.thorough
@page_and_twin(average_pool)
@pytest.mark.parametrize("border", average_pool.BORDERS)
@pytest.mark.parametrize("case", POOL, ids=str)
def test_average_pool(xp, case, border, op):
    options = settings(case, "window", "stride", "pad", "rounding") | {"border": border}
    for n in BATCHES:
        parity.check(xp, lambda x: arrays(*op.forward(x, **options), op.backward),
                     case._replace(image=(n, *case.image[1:])).x())


@page_and_twin(lrn)
@pytest.mark.parametrize("size, alpha, beta, k, convention, channels", checks.LRNS)
@pytest.mark.parametrize("rule", lrn.RULES)
def test_lrn(xp, size, alpha, beta, k, convention, channels, rule, op):
    for x in batches((2, 2, 3, channels)):
        parity.check(xp, lambda x: arrays(*op.forward(x, size, alpha, beta, k, convention),
                                          lambda dy, cache: op.backward(dy, cache, rule)), x)


@page_and_twin(relu)
@pytest.mark.parametrize("rule", relu.RULES)
def test_relu(xp, rule, op):
    for x in [*batches((2, 3, 4, 2)), np.array([[-2.0, 0.0, 1.5, -0.0]])]:
        parity.check(xp, lambda x: arrays(*op.forward(x),
                                          lambda dy, cache: op.backward(dy, cache, rule)), x)


@pytest.mark.parametrize("op", [sigmoid, tanh, softmax, global_average_pool],
                         ids=lambda op: op.__name__.rpartition(".")[2])
def test_ops_without_settings(xp, op):
    for x in batches((2, 3, 4, 5)):
        parity.check(xp, lambda x: arrays(*op.forward(x), op.backward), x)


@pytest.mark.parametrize("shape, size", checks.RESIZES)
def test_resize(xp, shape, size):
    for x in batches(shape):
        parity.check(xp, lambda x: arrays(*resize.forward(x, size), resize.backward), x)


@page_and_twin(dense)
@pytest.mark.parametrize("shape", [(2, 6), (2, 2, 3, 2)])
def test_dense(xp, shape, op):
    w, b = checks.normal(int(np.prod(shape[1:])), 5, seed=2), checks.normal(5, seed=3)
    for x in batches(shape):
        parity.check(xp, lambda *given: arrays(*op.forward(*given), op.backward), x, w, b)
        parity.check(xp, lambda *given: arrays(*op.forward(*given), op.backward), x, w)


@page_and_twin(batch_norm)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 2, 3), (2, 4)])
def test_batch_norm(xp, shape, training, op):
    c = shape[-1]
    fixed = [checks.normal(c, seed=2), checks.normal(c, seed=3), checks.normal(c, seed=4),
             1 + checks.normal(c, seed=5) ** 2]
    for x in batches(shape)[training:]:  # one number has no variance
        parity.check(xp, lambda *given: arrays(
            *op.forward(*given, epsilon=1e-3, training=training), op.backward), x, *fixed)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_dropout_drops_the_same_numbers(xp, rate):
    for x in batches((2, 3, 4, 2)):
        parity.check(xp, lambda x: arrays(*dropout.forward(x, rate, seed=3), dropout.backward), x)


@pytest.mark.parametrize("shapes", checks.ADDS)
def test_add(xp, shapes):
    parts = [checks.normal(*shape, seed=k) for k, shape in enumerate(shapes)]
    parity.check(xp, lambda *given: arrays(*add.forward(list(given)), add.backward), *parts)


@pytest.mark.parametrize("axis, shapes", checks.CONCATS)
def test_concat(xp, axis, shapes):
    parts = [checks.normal(*shape, seed=k) for k, shape in enumerate(shapes)]
    parity.check(xp, lambda *given: arrays(*concat.forward(list(given), axis), concat.backward),
                 *parts)


@pytest.mark.parametrize("on_device", [False, True])
def test_cross_entropy(xp, on_device):
    """The labels may be where the data set is."""
    for x in batches((2, 5)):
        labels = np.arange(len(x)) % 5

        def both(x, labels=labels):
            if on_device and not isinstance(x, np.ndarray):
                labels = xp.asarray(labels)
            loss, cache = cross_entropy.forward(x, labels)
            return [loss[None], cross_entropy.backward(1.0, cache)]
        parity.check(xp, both, x)


def test_winograd_is_for_the_host(xp):
    x, w = checks.normal(2, 8, 8, 16), checks.normal(3, 3, 16, 16)
    x, w = (xp.asarray(a, dtype=np.float32) for a in (x, w))
    assert winograd.choose(x, w, pad=1) == "direct"
    with pytest.raises(ValueError, match="winograd.*CPU"):
        winograd.forward(x, w, pad=1)


def test_no_op_is_left_out():
    """Every op has its test above."""
    tested = {module.__name__.rpartition(".")[2] for module in globals().values()
              if getattr(module, "__package__", "") == "minicnn.ops"}
    files = {path.stem for path in (Path(minicnn.__file__).parent / "ops").glob("*.py")
             if "def forward" in path.read_text(encoding="utf-8")}
    assert files and files <= tested

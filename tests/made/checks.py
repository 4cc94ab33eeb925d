"""What is checked of each op: one function an op, which takes the forward and backward to check.

The real ops must pass (tests/ops) and every planted bug must not (tests/test_mutants.py): both
come through these functions.  They raise GradientError or AssertionError.  Each takes `only`,
the kinds of check to run: the PyTorch kind runs in tests of its own, so that the planted bugs are
caught without it.
"""

import numpy as np
import torch_ops

from minicnn import gradcheck, naive
from minicnn.gradcheck.judge.matrix import CONV, POOL, conv_inputs, settings

WITHOUT_TORCH = (
    "naive twin", "central differences", "complex step", "adjoint identity",
    "arguments untouched", "dtype kept", "float32 as float64", "any memory layout", "no aliasing",
    "same bytes twice", "backward twice", "another forward between", "results kept", "linear in dy",
)


def normal(*shape, seed=1):
    """Normal numbers, the same in every run."""
    return np.random.default_rng(seed).standard_normal(shape)


def run(name, forward, backward, inputs, twin, twin_gradient, options, only, **about):
    """Check a pair with its settings bound; gradients beyond the inputs (db of no b) are cut."""

    def gradients(dy, *rest, of=backward, **options):
        returned = of(dy, *rest, **options)
        return returned[: len(inputs)] if isinstance(returned, (tuple, list)) else returned

    report = gradcheck.check(
        lambda *arrays: forward(*arrays, **options),
        gradients,
        inputs if isinstance(inputs, dict) else {"x": inputs},
        twin=lambda *arrays: twin(*arrays, **options),
        twin_gradient=lambda dy, *arrays: gradients(dy, *arrays, of=twin_gradient, **options),
        name=name, only=only, **about,
    )
    report.raise_if_failed()


# ---- ops with a window ---------------------------------------------------------------------------


def conv(forward, backward, cases=CONV, only=WITHOUT_TORCH):
    for case in cases:
        inputs, options = conv_inputs(case), settings(case, "stride", "pad", "groups", "dilation")
        twin = torch_ops.conv(**options)
        options |= {} if case.bias else {"b": None}
        run(f"conv, {case}", forward, backward, inputs, naive.conv_forward, naive.conv_backward,
            options, only, linear=tuple(inputs), smooth=True, torch=twin)


def conv_transpose(forward, backward, cases=CONV, only=WITHOUT_TORCH):
    """The convolution's settings, from the shape of its output to that of its input."""
    for case in cases:
        along, options = conv_inputs(case), settings(case, "stride", "pad", "groups", "dilation")
        shape = naive.conv_forward(along["x"], along["w"], None, **options).shape
        inputs = {"x": normal(*shape), "w": along["w"]}
        inputs |= {"b": normal(case.image[3], seed=2)} if case.bias else {}
        options |= {"size": case.image[1:3]}
        twin = torch_ops.conv_transpose(**options)
        options |= {} if case.bias else {"b": None}
        run(f"conv_transpose, {case}", forward, backward, inputs, naive.conv_transpose_forward,
            naive.conv_transpose_backward, options, only, linear=tuple(inputs), smooth=True,
            torch=twin)


def pool(forward, backward, cases=POOL, only=WITHOUT_TORCH):
    for case in cases:
        options = settings(case, "window", "stride", "pad", "rounding")
        run(f"pool, {case}", forward, backward, case.x(), naive.pool_forward, naive.pool_backward,
            options, only, torch=torch_ops.pool(**options))
        switches = forward(case.x(), **options)[1].switches
        expected = naive.pool_switches(case.x(), **options)
        np.testing.assert_array_equal(switches, expected, err_msg=f"switches, {case}", strict=True)


def unpool(place, cases=POOL, only=WITHOUT_TORCH):
    """place(p, switches, ...) puts values where fixed switches say, which is linear in p."""
    for case in cases:
        names = ("window", "stride", "pad")
        options = {name: torch_ops.both(getattr(case, name)) for name in names}
        options |= {"switches": naive.pool_switches(case.x(), **options, rounding=case.rounding),
                    "x_shape": case.image}
        run(f"unpool, {case}", place, lambda dy, p, options=options: picked(dy, **options),
            {"p": normal(*options["switches"].shape)}, naive.pool_unpool,
            lambda dy, p, **options: picked(dy, **options), options, only, linear=("p",))


def picked(x, switches, x_shape, window, stride, pad):
    """The adjoint of unpool: read from every pixel that a switch points at."""
    p = np.zeros(switches.shape, x.dtype)
    for n, u, v, c in np.ndindex(p.shape):
        i, j = divmod(int(switches[n, u, v, c]), window[1])
        p[n, u, v, c] = x[n, u * stride[0] - pad[0] + i, v * stride[1] - pad[1] + j, c]
    return p


def average_pool(forward, backward, cases=POOL, only=WITHOUT_TORCH):
    for case in cases:
        for border in ("padding", "image"):
            options = settings(case, "window", "stride", "pad", "rounding") | {"border": border}
            run(f"average_pool, {case}, border {border}", forward, backward, case.x(),
                naive.average_pool_forward, naive.average_pool_backward, options, only,
                linear=("x",), smooth=True, torch=torch_ops.average_pool(**options))


def global_average_pool(forward, backward, shapes=((2, 3, 4, 2), (1, 1, 1, 1), (3, 1, 5, 1)),
                        only=WITHOUT_TORCH):
    for shape in shapes:
        run("global_average_pool", forward, backward, normal(*shape),
            naive.global_average_pool_forward, naive.global_average_pool_backward, {}, only,
            linear=("x",), smooth=True, torch=torch_ops.global_average_pool)


RESIZES = [((2, 3, 4, 2), (6, 8)), ((1, 5, 7, 1), (3, 2)), ((1, 4, 3, 2), (4, 3)),
           ((1, 3, 5, 1), (7, 4)), ((2, 1, 1, 2), (3, 2)), ((1, 4, 6, 1), (1, 1))]


def resize(forward, backward, cases=RESIZES, only=WITHOUT_TORCH):
    for shape, size in cases:
        run(f"resize {shape} to {size}", forward, backward, normal(*shape), naive.resize_forward,
            naive.resize_backward, {"size": size}, only, linear=("x",), smooth=True,
            torch=torch_ops.resize(size))


# ---- ops on single values ------------------------------------------------------------------------


def relu(forward, backward, only=WITHOUT_TORCH):
    signs = np.array([[-2.0, 0.0, 1.5, 0.0], [0.0, 3.0, -0.1, 0.2]])
    for x in (normal(2, 3, 4, 2), signs):
        run("relu", forward, backward, x, naive.relu_forward, naive.relu_backward, {}, only,
            torch=torch_ops.relu)
    for rule in ("gradient", "deconvnet", "guided"):
        run(f"relu, rule {rule}", forward, lambda dy, cache, rule=rule: backward(dy, cache, rule),
            normal(2, 3, 4, 2), naive.relu_forward,
            lambda dy, x, rule=rule: naive.relu_backward(dy, x, rule), {}, only, is_gradient=False)


def sigmoid(forward, backward, only=WITHOUT_TORCH):
    for x in (normal(2, 3, 2, 2), 4 * normal(5)):
        run("sigmoid", forward, backward, x, naive.sigmoid_forward, naive.sigmoid_backward, {},
            only, smooth=True, torch=torch_ops.sigmoid)


def tanh(forward, backward, only=WITHOUT_TORCH):
    for x in (normal(2, 3, 2, 2), 3 * normal(5)):
        run("tanh", forward, backward, x, naive.tanh_forward, naive.tanh_backward, {}, only,
            smooth=True, torch=torch_ops.tanh)


def dropout(forward, backward, rates=(0.0, 0.3, 0.5, 0.9), only=WITHOUT_TORCH):
    for rate in rates:
        run(f"dropout, rate {rate}", forward, backward, normal(2, 3, 4, 2), naive.dropout_forward,
            naive.dropout_backward, {"rate": rate, "seed": 3}, only, linear=("x",))


# ---- ops across channels -------------------------------------------------------------------------

LRNS = [  # size, alpha, beta, k, convention, channels
    (5, 1e-4, 0.75, 1.0, "caffe", 8),
    (5, 1e-4, 0.75, 2.0, "paper", 8),
    (5, 1.0, 0.75, 1.0, "caffe", 8),
    (5, 0.9, 0.75, 2.0, "paper", 7),
    (3, 1.1, 0.5, 1.0, "caffe", 5),
    (5, 1.0, 0.75, 2.0, "caffe", 3),
    (9, 1.0, 0.6, 1.0, "paper", 2),
    (1, 1.0, 1.0, 1.0, "caffe", 4),
    (5, 1.0, 0.75, 1.0, "caffe", 1),
]


def lrn(forward, backward, cases=LRNS, only=WITHOUT_TORCH):
    for size, alpha, beta, k, convention, channels in cases:
        options = {"size": size, "alpha": alpha, "beta": beta, "k": k, "convention": convention}
        run(f"lrn, {channels} channels, {options}", forward, backward, normal(2, 2, 3, channels),
            naive.lrn_forward, naive.lrn_backward, options, only, smooth=True,
            torch=torch_ops.lrn(**options))


def batch_norm(forward, backward, shapes=((2, 3, 2, 3), (4, 2), (3, 2, 2, 1)),
               only=WITHOUT_TORCH):
    for shape in shapes:
        c = shape[-1]
        inputs = {"x": 2 + 3 * normal(*shape), "gamma": normal(c, seed=2),
                  "beta": normal(c, seed=3)}
        fixed = {"mean": normal(c, seed=4), "variance": 1 + normal(c, seed=5) ** 2}
        for training in (False, True):
            options = fixed | {"epsilon": 1e-3, "training": training}
            run(f"batch_norm, {shape}, training {training}", single(forward), backward, inputs,
                naive.batch_norm_forward, naive.batch_norm_backward, options, only, smooth=True,
                linear=("gamma", "beta") if training else ("x", "gamma", "beta"),
                torch=torch_ops.batch_norm(**options))


def single(forward):
    """Batch normalisation with its fixed statistics in the dtype of x, as a network holds them."""

    def typed(x, gamma, beta, mean, variance, **options):
        kind = x.real.dtype
        return forward(x, gamma, beta, mean.astype(kind), variance.astype(kind), **options)

    return typed


# ---- dense, scores, joining ----------------------------------------------------------------------


def dense(forward, backward, shapes=((3, 4), (2, 2, 3, 2), (1, 5)), only=WITHOUT_TORCH):
    for shape in shapes:
        inputs = {"x": normal(*shape), "w": normal(int(np.prod(shape[1:])), 3, seed=2)}
        for bias, options in [({"b": normal(3, seed=3)}, {}), ({}, {"b": None})]:
            given = inputs | bias
            run(f"dense, {shape}, {', '.join(given)}", forward, backward, given,
                naive.dense_forward, naive.dense_backward, options, only, linear=tuple(given),
                smooth=True, torch=torch_ops.dense)


def softmax(forward, backward, only=WITHOUT_TORCH):
    for x in (normal(3, 5), normal(2, 2, 2, 3), 100 + normal(2, 4), normal(2, 1)):
        run(f"softmax, {x.shape}", forward, backward, x, naive.softmax_forward,
            naive.softmax_backward, {}, only, smooth=True, torch=torch_ops.softmax)


SCORES = [(normal(4, 3), [0, 2, 1, 1]), (normal(1, 5), [4]), (50 + normal(3, 2), [1, 0, 0])]


def cross_entropy(forward, backward, only=WITHOUT_TORCH):
    for x, labels in SCORES:
        run(f"cross_entropy, {x.shape}", forward, backward, x, naive.cross_entropy_forward,
            naive.cross_entropy_backward, {"labels": np.array(labels)}, only, smooth=True,
            torch=torch_ops.cross_entropy(labels))


ADDS = [[(2, 2, 3, 2)] * 2, [(1, 2, 2, 3)] * 4, [(2, 3)] * 3]


def add(forward, backward, cases=ADDS, only=WITHOUT_TORCH):
    for shapes in cases:
        inputs = {f"x{i}": normal(*shape, seed=i) for i, shape in enumerate(shapes)}
        run(f"add, {len(shapes)} of {shapes[0]}", lambda *parts: forward(list(parts)), backward,
            inputs, lambda *parts: naive.add_forward(parts),
            lambda dy, *parts: naive.add_backward(dy, parts), {}, only,
            linear=tuple(inputs), smooth=True, torch=torch_ops.add)


CONCATS = [(-1, [(2, 2, 3, 2), (2, 2, 3, 4), (2, 2, 3, 1)]), (3, [(1, 2, 2, 3), (1, 2, 2, 1)]),
           (1, [(2, 1, 3, 2), (2, 3, 3, 2)]), (0, [(2, 3)])]


def concat(forward, backward, cases=CONCATS, only=WITHOUT_TORCH):
    for axis, shapes in cases:
        inputs = {f"x{i}": normal(*shape, seed=i) for i, shape in enumerate(shapes)}
        run(f"concat, axis {axis}",
            lambda *parts, axis: forward(list(parts), axis), backward, inputs,
            lambda *parts, axis: naive.concat_forward(parts, axis),
            lambda dy, *parts, axis: naive.concat_backward(dy, parts, axis), {"axis": axis}, only,
            linear=tuple(inputs), smooth=True, torch=torch_ops.concat(axis))


# ---- transforms and parametrisations: linear, so the way back is the transpose -------------------


def adjoint(forward, shape):
    """forward(x) -> (y, back), linear in x (N, *shape): one number of x and of dy at a time."""
    points = np.eye(np.prod(shape))
    y, back = forward(points.reshape(-1, *shape))
    matrix = y.reshape(len(points), -1).T  # a row for each number of the result
    returned = [back(dy.reshape(1, *y.shape[1:])).ravel() for dy in np.eye(len(matrix))]
    # sums of few numbers of about 1, in another order
    np.testing.assert_allclose(returned, matrix, rtol=0, atol=1e-13)


# ---- the one objective with a public bug of its own ----------------------------------------------


def total_variation(make):
    """make(beta) is an Objective of one term, which gives a value an image, and the gradient."""
    x = normal(3, 4, 5, 2)
    for beta in (1.0, 1.5, 2.0):
        function = make(beta).terms[0].function
        gradcheck.check(
            lambda x, function=function: function(x)[0],
            lambda dy, x, function=function: dy[:, None, None, None] * function(x)[1],
            {"x": x}, twin=lambda x, beta=beta: roughness(x, beta), only=WITHOUT_TORCH,
            name=f"total_variation, beta {beta}",
        ).raise_if_failed()


def roughness(x, beta):
    """The mean over an image's numbers of (difference across^2 + difference down^2)^(beta/2)."""
    values = np.zeros(len(x))
    for n, i, j, c in np.ndindex(x.shape):
        across = x[n, i, j + 1, c] - x[n, i, j, c] if j + 1 < x.shape[2] else 0.0
        down = x[n, i + 1, j, c] - x[n, i, j, c] if i + 1 < x.shape[1] else 0.0
        values[n] += (across**2 + down**2) ** (beta / 2) / x[0].size
    return values


# ---- errors --------------------------------------------------------------------------------------


def refuses(words, function, *args, **kwargs):
    """function raises a ValueError, and its text holds every one of the words."""
    try:
        function(*args, **kwargs)
    except ValueError as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"the message lacks {missing}: {error}"
    else:
        raise AssertionError("no ValueError was raised")

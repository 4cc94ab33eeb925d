"""Checkers of gradients that one can install, each as one function: is this layer wrong?

`caught(forward, backward, inputs)` takes forward(*arrays) -> (y, cache), backward(dy, cache) -> a
list of gradients, and the arrays. The layer becomes an op of the checker's own library in the way
that its manual shows, and the checker runs as it is called first there, with its own tolerances.
Where a library leaves the verdict to its user, the tolerance stands here. A library is imported
only when its checker runs.

An error that the library raises about the layer (a gradient of another shape, say) counts as
caught. `judge.py` keeps errors apart that arise inside the layer.
"""

import importlib.metadata
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

NOTES, SCIPY, TENSORFLOW = 1e-7, 1e-5, 1e-4  # relative, of the gradient's length, absolute


class Checker(NamedTuple):
    """A checker: its function, the package that it needs ("" for none), and what is called."""

    caught: Callable
    package: str
    words: str

    def version(self):
        """The installed version, "" if the checker needs none; None if it cannot be had."""
        try:
            return self.package and importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None


# ---- the loop of a course's notebooks, written anew

def notes_loop(forward, backward, inputs):
    """Each number moved by 1e-5 both ways; the worst relative error must stay below 1e-7."""
    arrays = [array.copy() for array in inputs]
    y, cache = forward(*arrays)
    dy = np.random.default_rng(0).standard_normal(np.shape(y))
    gradients = backward(dy, cache)
    slopes = [_slope_everywhere(lambda: forward(*arrays)[0], array, dy) for array in arrays]
    return not all(_relative(got, says) < NOTES
                   for got, says in zip(gradients, slopes, strict=True))


def _slope_everywhere(value, array, dy, step=1e-5):
    """The slope of sum(value() * dy) in each number of `array`, which is moved and put back."""
    slope = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        middle = array[place]
        ends = []
        for moved in (middle + step, middle - step):
            array[place] = moved
            ends.append(np.array(value()))
        array[place] = middle
        slope[place] = np.sum((ends[0] - ends[1]) * dy) / (2 * step)
    return slope


def _relative(one, other):
    """The largest |one - other| / (|one| + |other|)."""
    return np.max(np.abs(one - other) / np.maximum(1e-8, np.abs(one) + np.abs(other)))


def scipy_check(forward, backward, inputs):
    """scipy.optimize.check_grad for each array, with the sum of y * dy as the function."""
    from scipy.optimize import check_grad

    dy = np.random.default_rng(0).standard_normal(np.shape(forward(*inputs)[0]))

    def far(k):
        def arrays(flat):
            return [flat.reshape(one.shape) if i == k else one for i, one in enumerate(inputs)]

        def value(flat):
            return np.sum(forward(*arrays(flat))[0] * dy)

        def gradient(flat):
            return np.ravel(backward(dy, forward(*arrays(flat))[1])[k])

        start = inputs[k].ravel()
        return check_grad(value, gradient, start) / max(1, np.linalg.norm(gradient(start)))

    return not all(far(k) < SCIPY for k in range(len(inputs)))


# ---- libraries of automatic differentiation

def autograd_check(forward, backward, inputs):
    """autograd.test_util.check_grads on a primitive with a vector-Jacobian product, first order."""
    from autograd.extend import defvjp_argnums, primitive
    from autograd.test_util import check_grads

    np.random.seed(0)

    @primitive
    def own(*arrays):
        return np.asarray(forward(*arrays)[0])

    def product(argnums, _, arrays, __):
        cache = forward(*arrays)[1]

        def back(dy):
            gradients = backward(dy, cache)
            return tuple(gradients[k] for k in argnums)

        return back

    defvjp_argnums(own, product)
    every = tuple(range(len(inputs)))  # without this only the first array is checked
    return _complains(check_grads(own, every, modes=["rev"], order=1), *inputs)


def jax_check(forward, backward, inputs):
    """jax.test_util.check_grads on a custom_vjp that calls back into NumPy, first order."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    y = np.asarray(forward(*inputs)[0])
    shapes = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in (y, *inputs)]

    def run(*arrays):
        return np.asarray(forward(*map(np.asarray, arrays))[0])

    def run_back(dy, *arrays):
        cache = forward(*map(np.asarray, arrays))[1]
        return tuple(backward(np.asarray(dy), cache))

    @jax.custom_vjp
    def own(*arrays):
        return jax.pure_callback(run, shapes[0], *arrays)

    own.defvjp(lambda *arrays: (own(*arrays), arrays),
               lambda arrays, dy: jax.pure_callback(run_back, tuple(shapes[1:]), dy, *arrays))
    return _complains(check_grads, own, tuple(inputs), order=1, modes=["rev"])


def torch_full(forward, backward, inputs):
    """torch.autograd.gradcheck on an autograd.Function that calls NumPy."""
    return _by_gradcheck(forward, backward, inputs)


def torch_fast(forward, backward, inputs):
    """The same with fast_mode=True: random directions for all numbers at once."""
    return _by_gradcheck(forward, backward, inputs, fast_mode=True)


def _by_gradcheck(forward, backward, inputs, **options):
    import torch

    torch.manual_seed(0)

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            y, ctx.cache = forward(*(tensor.detach().numpy() for tensor in tensors))
            return _tensor(y)

        @staticmethod
        def backward(ctx, dy):
            return tuple(map(_tensor, backward(dy.numpy(), ctx.cache)))

    leaves = [torch.tensor(array, requires_grad=True) for array in inputs]
    return _complains(torch.autograd.gradcheck, Own.apply, leaves, **options)


def _tensor(array):
    """A tensor that shares an array's memory, or copies it where PyTorch cannot share."""
    import torch

    array = array if array is None else np.asarray(array)
    if array is None:
        return None
    return torch.from_numpy(array.copy() if min(array.strides, default=0) < 0 else array)


def tensorflow_check(forward, backward, inputs):
    """tensorflow.test.compute_gradient on a custom_gradient that calls NumPy."""
    import tensorflow as tf

    @tf.custom_gradient
    def own(*tensors):
        y, cache = forward(*(tensor.numpy() for tensor in tensors))
        return tf.convert_to_tensor(np.asarray(y)), lambda dy: [
            tf.convert_to_tensor(gradient) for gradient in backward(dy.numpy(), cache)]

    pairs = zip(*tf.test.compute_gradient(own, list(inputs)), strict=True)
    return not all(np.max(np.abs(one - other)) < TENSORFLOW for one, other in pairs)


def pytensor_check(forward, backward, inputs):
    """pytensor.gradient.verify_grad on an Op that runs NumPy."""
    from pytensor.compile.mode import Mode
    from pytensor.gradient import verify_grad
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    class Own(Op):
        def make_node(self, *arrays):
            return Apply(self, arrays, [_variable(np.asarray(forward(*inputs)[0]))])

        def perform(self, node, arrays, outputs):
            outputs[0][0] = np.asarray(forward(*arrays)[0])

        def pullback(self, arrays, outputs, dys):
            return OwnBack()(dys[0], *arrays, return_list=True)

    class OwnBack(Op):
        def make_node(self, dy, *arrays):
            return Apply(self, [dy, *arrays], [_variable(array) for array in inputs])

        def perform(self, node, given, outputs):
            for output, gradient in zip(outputs, backward(given[0], forward(*given[1:])[1]),
                                        strict=True):
                output[0] = gradient

    return _complains(verify_grad, Own(), list(inputs), rng=np.random.default_rng(0),
                      mode=Mode(linker="py", optimizer=None))


def _variable(array):
    from pytensor.tensor.type import TensorType

    return TensorType(array.dtype, shape=array.shape)()


# ---- libraries that teach, or taught

def chainer_check(forward, backward, inputs):
    """chainer.gradient_check.check_backward on a FunctionNode: one random direction."""
    import chainer
    from chainer.gradient_check import check_backward

    np.random.seed(0)

    class Own(chainer.FunctionNode):
        def forward(self, arrays):
            y, self.cache = forward(*arrays)
            return (np.asarray(y),)

        def backward(self, indexes, dys):
            return tuple(chainer.Variable(g) for g in backward(dys[0].array, self.cache))

    y = np.asarray(forward(*inputs)[0])
    dy = np.asarray(np.random.default_rng(0).standard_normal(y.shape), y.dtype)
    return _complains(check_backward, lambda *xs: Own().apply(xs)[0], tuple(inputs), dy)


def dezero_check(forward, backward, inputs):
    """dezero.utils.gradient_check on a Function, for each array in turn; its dy is all ones."""
    old_names()
    from dezero import Function, Variable
    from dezero.utils import gradient_check

    class Own(Function):
        def forward(self, *arrays):
            y, self.cache = forward(*arrays)
            return y

        def backward(self, dy):
            return tuple(Variable(g) for g in backward(dy.data, self.cache))

    def right(k):
        def of_one(x):
            return Own()(*(x if i == k else one for i, one in enumerate(inputs)))

        return gradient_check(of_one, inputs[k].copy())

    return not all(right(k) for k in range(len(inputs)))


def old_names():
    """Give NumPy the names back that it dropped in 2023, for packages that still use them."""
    for name, means in {"int": int, "float": float, "bool": np.bool_, "float_": np.float64}.items():
        if not hasattr(np, name):
            setattr(np, name, means)


def _complains(check, *arguments, **options):
    """Whether a checker that returns nothing, or raises, raises."""
    try:
        check(*arguments, **options)
    except Exception:
        return True
    return False


CHECKERS = {
    "CS231n's loop": Checker(
        notes_loop, "", "the loop over all numbers of the course's notebooks, written anew; step "
        "1e-5, relative error below 1e-7"),
    "autograd": Checker(
        autograd_check, "autograd", "`autograd.test_util.check_grads(f, (0, 1, 2), modes=['rev'], "
        "order=1)`"),
    "JAX": Checker(
        jax_check, "jax", "`jax.test_util.check_grads(f, x, order=1, modes=['rev'])` in float64"),
    "Chainer": Checker(
        chainer_check, "chainer", "`chainer.gradient_check.check_backward(f, x, dy)`"),
    "torch, full": Checker(torch_full, "torch", "`torch.autograd.gradcheck(f, x)`"),
    "torch, fast": Checker(torch_fast, "torch", "`torch.autograd.gradcheck(f, x, fast_mode=True)`"),
    "TensorFlow": Checker(
        tensorflow_check, "tensorflow-cpu", "`tensorflow.test.compute_gradient(f, x)`, largest "
        "difference below 1e-4"),
    "PyTensor": Checker(
        pytensor_check, "pytensor", "`pytensor.gradient.verify_grad(f, x, rng=rng)`"),
    "SciPy": Checker(
        scipy_check, "scipy", "`scipy.optimize.check_grad(f, df, x)` below 1e-5 of the gradient's "
        "length"),
    "DeZero": Checker(dezero_check, "dezero", "`dezero.utils.gradient_check(f, x)`"),
}
# looked for in the installed packages, and not there
NONE = {"mygrad": "its checks are in its repository's tests, not in the package",
        "tinygrad": "the package has no gradient checker",
        "smallpebble": "its `check_grad` compares the outputs, never the gradients (see below)"}

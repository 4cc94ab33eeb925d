"""Layers that are objects: forward(x) -> y keeps what backward(dy) -> dx needs, and the parameters
and their gradients are attributes, `W` and `dW`, or lists or dicts `params` and `grads`.

For the checks such a layer becomes a pair of functions of its inputs and its parameters.  Every
forward gets a copy of the layer that holds the arrays it is given, wherever the layer refers to its
parameters; so one check cannot affect the next.
"""

import inspect
from copy import deepcopy

import numpy as np

from minicnn.gradcheck.gradients.subject import arrays_in

PREFIXES = ("d", "grad_", "g")  # dW, grad_W, gW
SUFFIXES = ("_grad", "grad")


def of_layer(layer, inputs, outputs=1):
    """(forward, backward, inputs) of a module or layer object with both passes.

    Parameters
    ----------
    layer : object
        Its backward takes (dy, cache), as a module's does, or dy alone.
    inputs : dict of str to array, or one array
        What its forward takes.
    outputs : int
        How many arrays its forward returns.

    Raises
    ------
    ValueError
        A name is both an input and a parameter.
    """
    if inspect.ismodule(layer) or _needs(layer.backward) > outputs:
        return layer.forward, layer.backward, inputs
    inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
    params, read = parameters(layer)
    both = sorted(params.keys() & inputs.keys())
    if both:
        raise ValueError(f"gradcheck: {both} are names of inputs and of parameters of the layer; "
                         f"call the inputs otherwise")

    def forward(*arrays):
        given, own = arrays[:len(inputs)], arrays[len(inputs):]
        copy = with_arrays(layer, list(params.values()), own)
        y = copy.forward(*given)
        return (*y, copy) if isinstance(y, tuple) else (y, copy)

    def backward(*arguments):
        *dy, copy = arguments
        if hasattr(copy, "zero_grad"):
            copy.zero_grad()
        found = copy.backward(*dy)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        return found[:len(inputs)] + [read(copy, name) for name in params]

    forward.again = lambda copy, arrays: copy.forward(*arrays[:len(inputs)])
    return forward, backward, inputs | params


def _needs(function):
    """How many arguments a function needs; 0 if it does not say."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    return sum(one.default is one.empty and one.kind in (one.POSITIONAL_ONLY,
                                                         one.POSITIONAL_OR_KEYWORD)
               for one in found)


def with_arrays(layer, params, arrays):
    """A deep copy of a layer in which other arrays stand for its parameters; its further arrays of
    the parameters' dtype get the dtype of the new ones."""
    memo = {id(old): new for old, new in zip(params, arrays, strict=True)}
    if params:
        for array in arrays_in(vars(layer)):
            if id(array) not in memo and array.dtype == params[0].dtype:
                memo[id(array)] = array.astype(arrays[0].dtype)
    return deepcopy(layer, memo)


def parameters(layer):
    """({name: array}, read) of a layer's parameters; read(layer, name) is the gradient of one."""
    params = getattr(layer, "params", None)
    if isinstance(params, (tuple, list)):
        names = [f"params{k}" for k in range(len(params))]
        return (dict(zip(names, params, strict=True)),
                lambda layer, name: layer.grads[names.index(name)])
    if isinstance(params, dict) and isinstance(getattr(layer, "grads", None), dict):
        return dict(params), lambda layer, name: _among(layer.grads, name)
    found = {name: value for name, value in vars(layer).items()
             if isinstance(value, np.ndarray) and value.dtype.kind == "f"
             and any(hasattr(layer, called) for called in _gradients_of(name))}
    return found, lambda layer, name: _among(vars(layer), name)


def _gradients_of(name):
    """The names that the gradient of a parameter may have."""
    return [prefix + name for prefix in PREFIXES] + [name + suffix for suffix in SUFFIXES]


def _among(values, name):
    """The gradient of a parameter in a dict, under one of its names."""
    return next((values[called] for called in [*_gradients_of(name), name] if called in values),
                None)

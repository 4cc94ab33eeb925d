"""The forward and backward pass under check, in either of two styles.

    y, cache = forward(x, w, b)      backward(dy, cache)        minicnn's ops, cs231n
    y = forward(x, w, b)             backward(dy, x, w, b)      the shortest thing to write

Every call gets fresh copies, so a pass that overwrites its arguments cannot spoil the next check.
"""

import numpy as np


class Subject:
    """A forward and a backward pass with the inputs to check them at.

    Attributes
    ----------
    names : list of str
    arrays : list of float64 arrays, one for each name
    """

    def __init__(self, forward, backward, inputs):
        self.forward, self.backward = forward, backward
        self.names = list(inputs)
        self.arrays = [np.array(value, dtype=np.float64) for value in inputs.values()]

    def copies(self, dtype=np.float64):
        """Fresh copies of the inputs, of `dtype`."""
        return [array.astype(dtype) for array in self.arrays]

    def call_forward(self, arrays):
        """Output as an array, and the arguments that follow dy in the call of backward."""
        result = self.forward(*arrays)
        if isinstance(result, tuple) and len(result) == 2:
            return np.asarray(result[0]), (result[1],)
        return np.asarray(result), tuple(arrays)

    def call_backward(self, dy, rest):
        """Gradients as a list with one entry for each thing backward returned."""
        return as_list(self.backward(dy, *rest))

    def value(self, arrays):
        """What forward gives for these inputs, without its cache."""
        return self.call_forward(arrays)[0]

    def gradients(self, dy, arrays):
        """Run both passes; returns (y, [dx, dw, ...])."""
        y, rest = self.call_forward(arrays)
        return y, self.call_backward(dy, rest)

    def along(self, index, direction):
        """The function t -> output with input number `index` moved by t * direction."""

        def function(t):
            arrays = self.copies()
            arrays[index] = arrays[index] + t * direction
            return self.value(arrays)

        return function


def as_list(gradients):
    """One array, or a (named) tuple or list of arrays and None, as a list."""
    if not isinstance(gradients, (tuple, list)):
        gradients = [gradients]
    return [None if g is None else np.asarray(g) for g in gradients]


def arrays_in(cache):
    """Every array inside nested tuples, lists and dicts."""
    if isinstance(cache, np.ndarray):
        return [cache]
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, (tuple, list)):
        return [array for part in cache for array in arrays_in(part)]
    return []

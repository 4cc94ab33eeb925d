"""The forward and backward pass under check, in either of two styles.

    y, cache = forward(x, w, b)      backward(dy, cache)        minicnn's ops, cs231n
    y = forward(x, w, b)             backward(dy, x, w, b)      the shortest to write

With several outputs, `outputs` in number, forward returns them and then the cache, if any, and
backward takes one dy each.  The checks see a single output: all of them, flat, one after another.

Every call gets fresh copies, so a pass that overwrites its arguments cannot affect the next check;
and what is compared later is copied at once, so a pass that reuses its buffers cannot either.
"""

import numpy as np

JITTER = 1 + 2.0**-48  # what an input is multiplied by: ties stay ties, but sums round differently
AGAIN = 32  # how often the rounding noise that was measured once may be exceeded


class Subject:
    """A forward and a backward pass, and the inputs at which they are checked.

    Attributes
    ----------
    names : list of str
    arrays : list of float64 arrays, one for each name
    outputs : int
        How many arrays forward returns.
    linear : bool
        Whether backward should be linear in dy: False if it is deliberately not a derivative.
    per_image : bool
        Whether every image is treated by itself.
    random : callable or None
        forward(x, ..., seed), if what it draws depends on a seed or Generator.
    generators : bool
        Whether `random` takes a Generator, too.
    again : callable or None
        again(layer, arrays) runs forward a second time, if the passes are those of one object.
    odd : dict of str to tuple
        Shapes of gradients that have other axes of length 1 than their input, by its name.
    """

    def __init__(self, forward, backward, inputs, outputs=1, linear=True, per_image=False,
                 random=None):
        self.forward, self.backward, self.outputs = forward, backward, outputs
        self.linear, self.per_image, self.random = linear, per_image, random
        self.generators = True
        self.again = getattr(forward, "again", None)
        self.names = list(inputs)
        self.arrays = [np.array(value, dtype=np.float64) for value in inputs.values()]
        self.odd, self._noise, self._parts = {}, None, None

    def copies(self, dtype=np.float64):
        """Fresh copies of the inputs, of `dtype`."""
        return [array.astype(dtype) for array in self.arrays]

    def call_forward(self, arrays):
        """The output as an array, and the arguments that backward takes after dy."""
        result = self.forward(*arrays)
        if self.outputs > 1:
            return self._joined(result, arrays)
        if isinstance(result, tuple) and len(result) == 2:
            return np.asarray(result[0]), (result[1],)
        return np.asarray(result), tuple(arrays)

    def _joined(self, result, arrays):
        """The same for several outputs, which become one flat array."""
        if not isinstance(result, (tuple, list)) or not 0 <= len(result) - self.outputs <= 1:
            raise ValueError(f"expected forward to return {self.outputs} outputs, and perhaps a "
                             f"cache, got {type(result).__name__}")
        parts, rest = [np.asarray(y) for y in result[:self.outputs]], result[self.outputs:]
        self._parts = [part.shape for part in parts]
        return np.concatenate([part.ravel() for part in parts]), tuple(rest or arrays)

    def call_backward(self, dy, rest):
        """The gradients that backward returns, as a list.  (1, 3) for an input (3,) becomes (3,)
        and is entered in `odd`.  None for an input that is not given, such as a bias, is left out
        at the end."""
        found = as_list(self.backward(*self._split(dy), *rest))
        while len(found) > len(self.names) and found[-1] is None:
            found.pop()
        if len(found) != len(self.names):
            return found
        return [self._fitted(*row) for row in zip(self.names, self.arrays, found, strict=True)]

    def _split(self, dy):
        """The dy of every output."""
        if self.outputs == 1:
            return [dy]
        ends = np.cumsum([int(np.prod(shape)) for shape in self._parts])[:-1]
        return [part.reshape(shape)
                for part, shape in zip(np.split(dy, ends), self._parts, strict=True)]

    def _fitted(self, name, array, gradient):
        """The gradient in the shape of its input, if they differ in axes of length 1 only."""
        if gradient is None or gradient.shape == array.shape:
            return gradient
        if [n for n in gradient.shape if n != 1] != [n for n in array.shape if n != 1]:
            return gradient
        self.odd[name] = gradient.shape
        return gradient.reshape(array.shape)

    def value(self, arrays):
        """A copy of the output of forward for these inputs, without the cache."""
        return self.call_forward(arrays)[0].copy()

    def gradients(self, dy, arrays):
        """Run both passes; returns copies (y, [dx, dw, ...])."""
        y, rest = self.call_forward(arrays)
        y = y.copy()
        return y, copied(self.call_backward(dy, rest))

    def along(self, index, direction):
        """The function t -> output, where input number `index` is moved by t * direction."""

        def function(t):
            arrays = self.copies()
            arrays[index] = arrays[index] + t * direction
            return self.value(arrays)

        return function

    def noise(self, base):
        """How large the rounding errors of y and of every gradient may be, in float64.

        All inputs are multiplied by 1 + 16 eps: that changes the results by few eps of themselves,
        but draws their rounding errors anew.  Where terms cancel, as in the gradient of a bias
        before batch normalisation, the result is nothing but that noise.
        """
        if self._noise is None:
            y, gradients = self.gradients(base.dy.copy(), [a * JITTER for a in self.arrays])
            terms = largest(base.dy) * largest(base.y)
            terms = [largest(base.y)] + [terms / (largest(a) or 1.0) for a in self.arrays]
            rows = zip([y, *gradients], [base.y, *base.gradients], terms, strict=True)
            self._noise = [noise(*row) for row in rows]
        return self._noise


def noise(again, first, terms):
    """How large the rounding errors of an array may be, from two runs and the size of its terms.
    What changes by more than 1e-8 of that is no rounding."""
    least = 16 * np.finfo(np.float64).eps * terms
    if again is None or first is None or again.shape != first.shape:
        return least
    most = 1e-8 * max(largest(first), terms)
    return max(least, min(AGAIN * largest(again - first), most))


def largest(array):
    """The largest absolute value among the finite numbers of an array; 0 without any."""
    array = np.abs(array)
    return float(array[np.isfinite(array)].max(initial=0.0))


def as_list(gradients):
    """A list from one array, or from a (named) tuple or list of arrays and None."""
    if not isinstance(gradients, (tuple, list)):
        gradients = [gradients]
    return [None if g is None else np.asarray(g) for g in gradients]


def copied(gradients):
    """Copies of the gradients in a list."""
    return [None if gradient is None else gradient.copy() for gradient in gradients]


def arrays_in(cache):
    """All arrays inside nested tuples, lists and dicts."""
    if isinstance(cache, np.ndarray):
        return [cache]
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, (tuple, list)):
        return [array for part in cache for array in arrays_in(part)]
    return []

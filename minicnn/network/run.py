"""A run: what one forward pass recorded, and the way back from it."""

from typing import Any, NamedTuple

from minicnn import backend
from minicnn.fast.threads import one_blas_thread
from minicnn.network.layers import Rules
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES

INPUT = "image"  # the name of what goes in


class LayerNameError(ValueError):
    """A network has no layer, or a run no record, of that name."""


class Descent(NamedTuple):
    """One row on the way back: the gradient at its output, and what came out below.

    `dx` holds the gradient at each of the row's inputs, None where it is not wanted; `gradients`
    those at its arrays, by their names.
    """

    name: str
    layer: Any
    inputs: tuple
    dy: Any
    dx: list
    gradients: dict


class Run:
    """What one forward pass recorded, and the way back from it.

    ``run["conv2_1"]`` is an activation, ``run.switches("pool2")`` where a pooling's maxima were,
    ``run.output`` what the last layer computed.
    """

    def __init__(self, network, x, kept, learn, caching):
        self.network, self.learn, self.output = network, learn, None
        self.activations, self.caches, self.shapes = {INPUT: x}, {}, {INPUT: x.shape}
        self._kept, self._caching = kept, caching

    def __getitem__(self, name):
        if name in self.activations:
            return self.activations[name]
        self.network.find(name)
        why = "was not kept" if name in self.shapes else "was not reached"
        raise LayerNameError(f"{name} {why} in this run, which holds "
                             f"{', '.join(self.activations)}; see forward's `to` and `keep`")

    def __contains__(self, name):
        return name in self.activations

    def record(self, name, y, cache):
        """Keep what layer `name` computed, as far as it was asked for."""
        self.shapes[name] = y.shape
        if self._kept is None or name in self._kept:
            self.activations[name] = y
        if self._caching:
            self.caches[name] = cache

    def switches(self, name):
        """Where the maxima of pooling layer `name` were: (N, OH, OW, C), see `ops.pool`."""
        cache = self.caches.get(self.network.find(name))
        if not hasattr(cache, "switches"):
            raise LayerNameError(f"{name} recorded no switches: it is no max pooling, or was not "
                                 "reached with caches=True")
        return cache.switches

    def backward(self, seeds, relu="gradient", lrn="gradient", to=INPUT):
        """The gradient at the image, or at a layer.

        Parameters
        ----------
        seeds : dict of str to array
            The gradient of what you look for at the output of each named layer; several layers
            are served by one pass.
        relu, lrn : str
            The backward rules, `ops.relu.RULES` and `ops.lrn.RULES`.
        to : str
            Where to arrive: the image, or the output of a layer.

        Returns
        -------
        array
            Of the shape of the image, or of that layer's output. No weight gradient is computed.
        """
        if to not in self.shapes:
            raise LayerNameError(f"backward: {self.network.find(to)} was not reached in this run")
        gradients = self._seeded(seeds)
        with one_blas_thread():
            for _ in self._down(gradients, _rules(relu, lrn), ("x",), self._depending_on([to])):
                pass
        if to in gradients:
            return gradients[to].copy()
        x = self.activations[INPUT]
        return backend.array_module(x).zeros(self.shapes[to], dtype=x.dtype)

    def weight_gradients(self, seeds):
        """The gradients at all parameters, as {"conv1_1": {"w": dw, "b": db}, ...}."""
        if not self.learn:
            raise ValueError("weight_gradients: this run did not keep the inputs of its layers; "
                             "run forward(..., learn=True)")
        wanted = self._depending_on(self.network.param_shapes)
        with one_blas_thread():
            rows = self._down(self._seeded(seeds), Rules(), ("x", "w", "b"), wanted)
            return {row.name: row.gradients for row in rows if row.gradients}

    def descend(self, seeds, relu="gradient", lrn="gradient"):
        """The pass of `backward` down to the image, a row at a time.

        Parameters
        ----------
        seeds, relu, lrn
            As for `backward`.

        Yields
        ------
        Descent
        """
        yield from self._down(self._seeded(seeds), _rules(relu, lrn), ("x",),
                              self._depending_on([INPUT]))

    def _down(self, gradients, rules, need, wanted):
        """From the seeds down, a Descent for every row that leads to a place that is `wanted`.

        `gradients` holds the seeds by place, and at the end what arrived at places no row was
        taken through. What meets at a place adds up in a new array, in the order of the rows.
        """
        for name, layer, inputs in reversed(self.network.rows):
            below = wanted.intersection(inputs)
            learns = "w" in need and name in self.network.param_shapes
            if name not in gradients or not (below or learns):
                continue
            dy = gradients.pop(name)
            with one_blas_thread(), backend.memory_errors():
                dx, own = layer.backward(self.network.ops[name], dy, self.caches[name], rules,
                                         [n for n in need if n != "x" or below])
                dx = dx if layer.several else [dx]
                for place, arriving in zip(inputs, dx, strict=True):
                    if place in below:
                        gradients[place] = (gradients[place] + arriving if place in gradients
                                            else arriving)
            yield Descent(name, layer, inputs, dy, dx, own)

    def _depending_on(self, places):
        """These places, and every row that depends on one of them."""
        found = set(places)
        for name, _, inputs in self.network.rows:
            if not found.isdisjoint(inputs):
                found.add(name)
        return found

    def _seeded(self, seeds):
        """The seeds on the network's device, checked."""
        seeds = {name: backend.to_device(seed, self.network.device) for name, seed in seeds.items()}
        for name, seed in seeds.items():
            if name not in self.caches and name != INPUT:
                self.network.find(name)
                raise LayerNameError(f"backward: {name} was not computed in this run, or without "
                                     "caches; it can be seeded if forward goes that far")
            if seed.shape != self.shapes[name]:
                raise ValueError(f"backward: the seed at {name} must have its activation's shape "
                                 f"{self.shapes[name]}, got {seed.shape}")
        if not seeds:
            raise ValueError("backward: no seeds; give {layer name: gradient at its output}")
        return seeds


def _rules(relu, lrn):
    for name, rule, rules in (("relu", relu, RELU_RULES), ("lrn", lrn, LRN_RULES)):
        if rule not in rules:
            raise ValueError(f"backward: {name} must be one of {', '.join(rules)}, got {rule!r}")
    return Rules(relu, lrn)

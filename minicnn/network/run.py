"""A run: what one forward pass recorded, and the backward pass from there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn import backend, images
from minicnn.backend.blas import one_blas_thread
from minicnn.images import display, markup
from minicnn.network import finite
from minicnn.network.layers import Rules
from minicnn.network.rows import INPUT, LayerNameError
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


THUMBNAILS = 40  # maps that a run shows of itself in a notebook


class Descent(NamedTuple):
    """One row of the backward pass.

    `dy` is the gradient at the row's output and `dx` the list of the gradients at its inputs, None
    where not wanted; `gradients` holds the gradients at the row's parameters, by name.
    """

    name: str
    layer: Any
    inputs: tuple
    dy: Any
    dx: list
    gradients: dict


class Run(Mapping):
    """What one forward pass recorded, and the backward pass from there.

    ``run["conv2_1"]`` is an activation, ``run.switches("pool2")`` the positions of a max pooling's
    maxima, ``run.output`` the output of the last layer computed. A run is a mapping of the recorded
    activations by the layers' names, "image" first: ``len(run)``, ``"conv2_1" in run``,
    ``run.items()``, ``dict(run)``.
    """

    __eq__, __hash__ = object.__eq__, object.__hash__  # two runs are equal if they are the same

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

    def __iter__(self):
        return iter(self.activations)

    def __len__(self):
        return len(self.activations)

    def _ipython_key_completions_(self):
        return list(self)

    def __repr__(self):
        count, *_ = self.activations[INPUT].shape
        return (f"<Run of {self.network.name}: {count} image{'s' * (count != 1)}; holds "
                f"{', '.join(self.activations)}>")

    def _repr_html_(self):  # what a notebook asks for
        pictured = markup.some([name for name, a in self.items() if a.ndim == 4
                                and a.shape[1] * a.shape[2] > 1], THUMBNAILS)
        rows = []
        for name, a in self.items():
            first = backend.to_host(a[0])
            rows.append((name, "x".join(map(str, a.shape)), a.dtype,
                         *(f"{one:.4g}" for one in (first.min(), first.mean(), first.max())),
                         markup.heat(first.mean(axis=2), name) if name in pictured else ""))
        words = f"{self!r}".strip("<>").partition(";")[0]
        return (markup.paragraph(f"{words}, {len(self)} activations. Numbers and maps are of the "
                                 "first image; a map is the mean over the channels, from its "
                                 "lowest (dark) to its highest (yellow).")
                + markup.table(("layer", "shape", "dtype", "least", "mean", "most", "map"), rows,
                               right=(1, 3, 4, 5)))

    def record(self, name: str, y: np.ndarray, cache: Any) -> None:
        """Keep the output and the cache of layer `name`, if the caller of forward wants them."""
        self.shapes[name] = y.shape
        if self._kept is None or name in self._kept:
            self.activations[name] = y
        if self._caching:
            self.caches[name] = cache

    def switches(self, name: str) -> np.ndarray:
        """The positions of the maxima of pooling layer `name`: (N, OH, OW, C), see `ops.pool`."""
        cache = self.caches.get(self.network.find(name))
        if not hasattr(cache, "switches"):
            raise LayerNameError(f"{name} recorded no switches: it is no max pooling, the run did "
                                 "not reach it with caches=True, or the op that computes it "
                                 "(network.choice) has no `switches` in its cache")
        return cache.switches

    def show(self, name: str, image: int = 0) -> Figure:
        """Show the feature maps of layer `name` in a window or a notebook, 16 channels a row.

        Each channel has a scale of its own, as in `vis.activations`; the units of a layer without
        positions are pixels, 64 a row.

        Parameters
        ----------
        name : str
        image : int
            Which image of the batch.

        Returns
        -------
        matplotlib.figure.Figure
        """
        levels = display.levels(backend.to_host(self[name][image]))
        sheet = display.tiled(display.channels(levels), 16 if levels.ndim == 3 else 64)
        title = f"{self.network.name} {name}, {'x'.join(map(str, levels.shape))}"
        return images.show(sheet, titles=[title], side=12 * len(sheet) / sheet.shape[1])

    def backward(self, seeds: Mapping[str, np.ndarray], relu: str = "gradient",
                 lrn: str = "gradient", to: str = INPUT) -> np.ndarray:
        """The gradient at the image, or at a layer.

        Parameters
        ----------
        seeds : dict of str to array
            The gradient of the objective at the output of each named layer. One pass serves
            several layers.
        relu, lrn : str
            The backward rules, `ops.relu.RULES` and `ops.lrn.RULES`.
        to : str
            Where the pass ends: "image", or a layer's name for the gradient at its output.

        Returns
        -------
        array
            The shape of the image, or of that layer's output. No weight gradient is computed.

        Raises
        ------
        NotFiniteError
            The gradient has NaN or infinite numbers; the message names the layer.
        """
        if to not in self.shapes:
            raise LayerNameError(f"backward: {self.network.find(to)} was not reached in this run")
        def down(gradients):
            return self._down(gradients, _rules(relu, lrn), ("x",), self._depending_on([to]))

        gradients = self._seeded(seeds)
        with one_blas_thread():
            deque(down(gradients), maxlen=0)  # goes through it and keeps no row's gradients
            if to in gradients:
                dx = gradients[to].copy()
                finite.check_backward(self.network, dx, down(self._seeded(seeds)))
                return dx
        x = self.activations[INPUT]
        return backend.array_module(x).zeros(self.shapes[to], dtype=x.dtype)

    def weight_gradients(self, seeds: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """The gradients at the parameters of all layers that learn.

        The pass goes no further down than the lowest of them.

        Returns
        -------
        dict
            ``{"conv1_1": {"w": dw, "b": db}, ...}``
        """
        if not self.learn:
            raise ValueError("weight_gradients: this run did not keep the inputs of its layers; "
                             "run forward(..., learn=True)")
        wanted = self._depending_on(self.network.param_shapes.keys() & self.learn)
        with one_blas_thread():
            rows = self._down(self._seeded(seeds), Rules(), ("x", "w", "b"), wanted)
            return {row.name: row.gradients for row in rows if row.gradients}

    def descend(self, seeds: Mapping[str, np.ndarray], relu: str = "gradient",
                lrn: str = "gradient") -> Iterator[Descent]:
        """The same pass as `backward`, down to the image, one row at a time.

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
        """From the seeds down, yield a Descent for every row that leads to a `wanted` place.

        `gradients` holds the seeds by place; each row takes the gradient at its output out of it
        and adds those at its inputs. Gradients that meet at a place are summed in a new array, in
        the order of the rows. At the end it holds the gradients that no row has taken out.
        """
        for name, layer, inputs in reversed(self.network.rows):
            below = wanted.intersection(inputs)
            learns = "w" in need and name in self.learn and name in self.network.param_shapes
            if name not in gradients or not (below or learns):
                continue
            dy = gradients.pop(name)
            with one_blas_thread(), backend.memory_errors():
                dx, own = layer.backward(self.network.ops[name], dy, self.caches[name], rules,
                                         [n for n in need if (below if n == "x" else learns)])
                dx = dx if layer.several else [dx]
                for place, arriving in zip(inputs, dx, strict=True):
                    if place in below:
                        gradients[place] = (gradients[place] + arriving if place in gradients
                                            else arriving)
            yield Descent(name, layer, inputs, dy, dx, own)

    def _depending_on(self, places):
        """The set of these places and of all rows that depend on one of them."""
        found = set(places)
        for name, _, inputs in self.network.rows:
            if not found.isdisjoint(inputs):
                found.add(name)
        return found

    def _seeded(self, seeds):
        """Check the seeds and return them on the network's device."""
        if not isinstance(seeds, Mapping):
            raise ValueError("backward: expected seeds as a dict, {layer: the gradient at its "
                             f"output}}, got {type(seeds).__name__}"
                             + (f"; for example run.backward({{{seeds!r}: run[{seeds!r}]}}) "
                                "gives the gradient of half the sum of that layer's squares"
                                if isinstance(seeds, str) and seeds in self else ""))
        seeds = {name: backend.to_device(seed, self.network.device) for name, seed in seeds.items()}
        for name, seed in seeds.items():
            if name not in self.caches and name != INPUT:
                self.network.find(name)
                raise LayerNameError(f"backward: {name} was not computed in this run, or without "
                                     "caches; run forward up to that layer, with caches=True")
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

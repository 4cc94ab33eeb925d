"""A network is an ordered list of named layers; a run is what one forward pass recorded.

The names are the places to look at: they select activations, stop a pass early, take seeds for
the way back, and are the groups of a weight file. There is no graph engine. A network with
parallel parts holds a `Branches` layer, whose branches are again lists of named layers; the two
walks at the end of this file, one up and one down, call themselves for each branch.
"""

from difflib import get_close_matches
from math import prod

import numpy as np

from minicnn import backend, images
from minicnn.fast.threads import one_blas_thread
from minicnn.network import summary
from minicnn.network.layers import AveragePool, Branches, MaxPool, Rules, Sigmoid, Softmax, walk
from minicnn.ops import concat
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES

INPUT = "image"  # the name of what goes in
PROBABILITIES = (Softmax, Sigmoid)  # the layers that turn scores into probabilities


class LayerNameError(ValueError):
    """A network has no layer, or a run no record, of that name."""


class Network:
    """Named layers in order, with what a person needs to use them.

    Parameters
    ----------
    name : str
    layers : list of (str, Layer)
    input_shape : (H, W, C)
        The size the network was made for. Without dense layers any size that fits can be fed.
    preprocessing : images.Preprocessing, optional
        How a photo becomes numbers; needed by `prepare` and `classify`.
    labels : sequence of str, optional
        Class names, in the order of the outputs.
    about : dict, optional
        Whatever else travels with the weights: source, licence, accuracy, who converted it.
    """

    def __init__(self, name, layers, input_shape, preprocessing=None, labels=None, about=None):
        self.name = name
        self.layers = list(layers)
        self.input_shape = tuple(input_shape)
        self.preprocessing = preprocessing
        self.labels = list(labels) if labels else None
        self.about = dict(about or {})
        self.device = "cpu"
        self.probe = None  # what it verifies itself by: `files.probe`
        self._named = {}
        for layer_name, layer in walk(self.layers):
            if layer_name in self._named or layer_name == INPUT:
                raise ValueError(f"network {name}: two layers are called {layer_name!r}")
            self._named[layer_name] = layer
        traced = _trace(self.layers, self.input_shape, self.name)
        self.input_shapes, self.shapes, self.param_shapes = traced

    def __repr__(self):
        return f"<Network {self.name}: {len(self._named)} layers, {self.count():,} parameters>"

    def __getitem__(self, name):
        return self._named[self.find(name)]

    @property
    def names(self):
        """The layers' names, in the order they are computed."""
        return list(self._named)

    @property
    def logits(self):
        """The name of the layer whose outputs are the class scores, before softmax or sigmoid."""
        return [name for name, layer in self.layers if not isinstance(layer, PROBABILITIES)][-1]

    @property
    def classifies(self):
        """Whether the network ends in class probabilities."""
        return isinstance(self.layers[-1][1], PROBABILITIES)

    def find(self, name):
        """`name` if there is such a layer, else LayerNameError with the near ones."""
        if name in self._named:
            return name
        near = get_close_matches(str(name), self.names, n=4, cutoff=0.4)
        hint = f"near it: {', '.join(near)}" if near else f"there are {', '.join(self.names)}"
        raise LayerNameError(f"network {self.name} has no layer {name!r}; {hint}")

    def find_class(self, name):
        """The index of a class by its name, or by a part of it that only one class has."""
        if not self.labels:
            raise ValueError(f"network {self.name} has no class names; give the class's number, "
                             "or names with a label file")
        wanted = name.strip().lower()
        if not wanted:
            raise ValueError(f"network {self.name}: expected a class name, got {name!r}")
        words = [[part.strip().lower() for part in label.split(",")] for label in self.labels]
        for matches in (lambda parts: wanted in parts, lambda parts: wanted in ", ".join(parts)):
            found = [k for k, parts in enumerate(words) if matches(parts)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(f"network {self.name}: several classes are called {name!r}: "
                                 + "; ".join(f"{k} {self.labels[k]}" for k in found[:6]))
        near = get_close_matches(wanted, [part for parts in words for part in parts], n=4)
        raise ValueError(f"network {self.name} has no class {name!r}"
                         + (f"; near it: {', '.join(near)}" if near else ""))

    def count(self):
        """How many trained numbers the network holds."""
        return sum(prod(shape) for shapes in self.param_shapes.values()
                   for shape in shapes.values())

    def initialize(self, seed=0):
        """Draw random weights, normal with variance 2 / fan-in (He et al. 2015); returns self.

        Like `astype` and `to` it changes the layers themselves, which networks made by `until`,
        `extended` and `with_average_pooling` share.
        """
        rng = np.random.default_rng(seed)
        for name, shapes in self.param_shapes.items():
            self[name].params = {key: backend.to_device(_initial(key, shape, rng), self.device)
                                 for key, shape in shapes.items()}
        return self

    def astype(self, dtype):
        """Convert every parameter; float64 is for checking gradients. Returns the network."""
        for name in self.param_shapes:
            params = self[name].params
            self[name].params = {key: value.astype(dtype) for key, value in params.items()}
        return self

    def to(self, device):
        """Move every parameter to "cpu" or "gpu"; returns the network."""
        for name in self.param_shapes:
            params = self[name].params
            self[name].params = {key: backend.to_device(v, device) for key, v in params.items()}
        self.device = backend.device_name(device)
        return self

    def forward(self, x, to=None, keep=None, learn=False, caches=True, seed=0):
        """Run the network on a batch.

        Parameters
        ----------
        x : array (N, H, W, C)
            In the network's own preprocessing (`prepare`); what is not on the network's device is
            copied there. What the run records stays there, see `backend.to_host`.
        to : str or sequence of str, optional
            Stop as soon as these layers are computed; the whole network where not given.
        keep : sequence of str, optional
            Activations to record besides those of `to`; all of them where not given. The others
            are freed as the pass goes on.
        learn : bool
            Keep what `Run.weight_gradients` needs, drop out, and use the batch's statistics.
        caches : bool
            False if no backward pass will follow: less memory.
        seed : int or numpy.random.Generator
            For dropout.

        Returns
        -------
        Run

        Raises
        ------
        ValueError
            Wrong shape, unknown layer, no weights.
        """
        x = backend.to_device(x, self.device)
        self._check_input(x)
        goals = self._goals(to)
        kept = None if keep is None else {*goals, *(self.find(name) for name in keep)}
        run = Run(self, x, goals, kept, learn, caches)
        with one_blas_thread(), backend.memory_errors():
            run.output = _up(self.layers, x, run, np.random.default_rng(seed))
        return run

    def _goals(self, to):
        if to is None:
            return [self.layers[-1][0]]
        goals = [self.find(name) for name in ([to] if isinstance(to, str) else to)]
        if not goals:
            raise ValueError("forward: `to` names no layer; leave it out to run the whole network")
        return goals

    def prepare(self, image, size=None):
        """A photo as this network wants it: (1, H, W, C), see `minicnn.images.prepare`."""
        x = images.prepare(image, self.needed_preprocessing(), size)
        return backend.to_device(x, self.device)

    def restore(self, x):
        """The inverse of `prepare`: (N, H, W, 3) uint8."""
        return images.restore(backend.to_host(x), self.needed_preprocessing())

    def needed_preprocessing(self):
        """The preprocessing, for those who cannot do without; ValueError where there is none."""
        if self.preprocessing is None:
            raise ValueError(f"network {self.name} does not say how to prepare a photo; set "
                             "network.preprocessing (minicnn.images.Preprocessing)")
        return self.preprocessing

    @property
    def grey_level(self):
        """How much one grey level of 0..255 is in the network's own numbers, a mean of channels."""
        return float(np.mean(self.needed_preprocessing().scale))

    def probabilities(self, x):
        """Class probabilities (N, K) of a prepared batch."""
        if not self.classifies:
            raise ValueError(f"network {self.name} ends at {self.names[-1]}, not in class "
                             "probabilities; it cannot classify")
        y = backend.to_host(self.forward(x, keep=(), caches=False).output)
        return y.reshape(len(y), -1)  # N,1,1,K -> N,K

    def classify(self, image, top=5, size=None):
        """The `top` likeliest classes of a photo: [(label, probability), ...], likeliest first.

        `size` is that of `prepare`; "keep" looks at a picture of the network's own size as it is.
        """
        p = self.probabilities(self.prepare(image, size))[0]
        order = np.argsort(-p, kind="stable")[:top]
        return [(self.label(int(k)), float(p[k])) for k in order]

    def label(self, index):
        """The name of class `index`, or "class 7" where the names are not known."""
        return self.labels[index] if self.labels else f"class {index}"

    def summary(self, style="keras", receptive_fields=False):
        """The layers as a table: Keras' columns, or "matlab" for MATLAB's numbered listing.

        `receptive_fields` adds what the units of each layer see of the image, in pixels.
        """
        if style not in summary.STYLES:
            raise ValueError(f"summary: style must be one of {', '.join(summary.STYLES)}, "
                             f"got {style!r}")
        return summary.STYLES[style](self, receptive_fields)

    def until(self, name):
        """This network up to and including a top-level layer; the layers are shared, not copied."""
        tops = [top for top, _ in self.layers]
        if name not in tops:
            raise LayerNameError(f"network {self.name}: cannot end at {name!r}; it can end at "
                                 f"{', '.join(tops)}")
        return self._like(self.layers[: tops.index(name) + 1])

    def extended(self, name, layers, labels=None):
        """A network called `name`: this one with more layers on top; these are shared."""
        return self._like(self.layers + list(layers), name, labels)

    def with_average_pooling(self):
        """This network with every max pooling made an average; the other layers are shared."""
        return self._like(_averaged(self.layers), labels=self.labels)

    def _like(self, layers, name=None, labels=None):
        network = Network(name or self.name, layers, self.input_shape, self.preprocessing, labels,
                          self.about)
        network.device = self.device
        return network

    def _check_input(self, x):
        if x.ndim != 4 or x.shape[3] != self.input_shape[2]:
            raise ValueError(f"network {self.name}: expected images (N, H, W, "
                             f"{self.input_shape[2]}), got {x.shape}")
        if x.dtype.kind not in "fc":
            raise ValueError(f"network {self.name}: expected floating point numbers, got "
                             f"{x.dtype}; network.prepare(photo) makes them from pixels")
        empty = [name for name in self.param_shapes if not self[name].params]
        if empty:
            raise ValueError(f"network {self.name}: layer {empty[0]} has no weights; use "
                             "initialize(seed) for random ones or minicnn.load for trained ones")


class Run:
    """What one forward pass recorded, and the way back from it.

    ``run["conv2_1"]`` is an activation, ``run.switches("pool2")`` where a pooling's maxima were,
    ``run.output`` what the last layer computed.
    """

    def __init__(self, network, x, goals, kept, learn, caches):
        self.network, self.learn, self.output = network, learn, None
        self.activations, self.caches, self.shapes = {INPUT: x}, {}, {INPUT: x.shape}
        self._missing, self._kept, self._caching = set(goals), kept, caches

    def __getitem__(self, name):
        if name in self.activations:
            return self.activations[name]
        self.network.find(name)
        why = "was not kept" if name in self.shapes else "was not reached"
        raise LayerNameError(f"{name} {why} in this run, which holds "
                             f"{', '.join(self.activations)}; see forward's `to` and `keep`")

    def __contains__(self, name):
        return name in self.activations

    @property
    def complete(self):
        """Whether all layers that were asked for are computed."""
        return not self._missing

    def record(self, name, y, cache):
        """Keep what layer `name` computed, as far as it was asked for."""
        self.shapes[name] = y.shape
        self._missing.discard(name)
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
        """Walk back from seeds to the image.

        Parameters
        ----------
        seeds : dict of str to array
            The gradient of what you look for at the output of each named layer; several layers
            are served by one walk.
        relu, lrn : str
            The backward rules, `ops.relu.RULES` and `ops.lrn.RULES`.
        to : str
            Where to arrive: the image, or the output of a layer.

        Returns
        -------
        array
            Of the shape of the image, or of that layer's output. No weight gradient is computed.
        """
        for name, rule, rules in (("relu", relu, RELU_RULES), ("lrn", lrn, LRN_RULES)):
            if rule not in rules:
                raise ValueError(f"backward: {name} must be one of {', '.join(rules)}, "
                                 f"got {rule!r}")
        return self._walk_back(seeds, Rules(relu, lrn), ("x",), to).arrived

    def weight_gradients(self, seeds):
        """The gradients at all parameters, as {"conv1_1": {"w": dw, "b": db}, ...}."""
        if not self.learn:
            raise ValueError("weight_gradients: this run did not keep the inputs of its layers; "
                             "run forward(..., learn=True)")
        return self._walk_back(seeds, Rules(), ("x", "w", "b"), None).gradients

    def _walk_back(self, seeds, rules, need, to):
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
        back = _Back(self, seeds, rules, need, to)
        with one_blas_thread(), backend.memory_errors():
            dx = _down(self.network.layers, None, back)
        if to == INPUT:
            back.arrived = back.add_seed(INPUT, dx)
        if to is not None:
            back.arrived = self._zeros(to) if back.arrived is None else back.arrived.copy()
        return back

    def _zeros(self, name):
        if name not in self.shapes:
            raise LayerNameError(f"backward: {self.network.find(name)} was not reached in this run")
        x = self.activations[INPUT]
        return backend.array_module(x).zeros(self.shapes[name], dtype=x.dtype)


class _Back:
    """One walk back: what it was asked, and what it has gathered.

    `found` is set where layer `to` is reached; the walk then ends, `arrived` is the gradient there.
    """

    def __init__(self, run, seeds, rules, need, to):
        self.run, self.seeds, self.rules, self.need, self.to = run, seeds, rules, need, to
        self.first = run.network.layers[0][0]
        self.found, self.arrived, self.gradients = False, None, {}

    def add_seed(self, name, dy):
        """dy, with the seed planted at `name`; either may be None."""
        seed = self.seeds.get(name)
        if seed is None:
            return dy
        return seed if dy is None else dy + seed

    def through(self, name, layer, dy):
        """dy at the layer's input."""
        need = [n for n in self.need if n != "x" or self.to is not None or name != self.first]
        dx, gradients = layer.backward(dy, self.run.caches[name], self.rules, need)
        if gradients:
            self.gradients[name] = gradients
        return dx


def _up(layers, x, run, rng):
    """Forward along a list of layers; stops once the run is complete."""
    for name, layer in layers:
        if isinstance(layer, Branches):
            x, cache = _up_branches(layer, x, run, rng)
            if run.complete:
                return x
        else:
            x, cache = layer.forward(x, run.learn, rng)
        run.record(name, x, cache)
        if run.complete:
            return x
    return x


def _up_branches(layer, x, run, rng):
    """(joined outputs, cache), or, once the run is complete, (the last output, None)."""
    parts = []
    for branch in layer.branches:
        parts.append(_up(branch, x, run, rng))
        if run.complete:
            return parts[-1], None
    return concat.forward(parts)


def _down(layers, dy, back):
    """Backward along a list of layers; dy is None until the first seed is met."""
    for name, layer in reversed(layers):
        dy = back.add_seed(name, dy)
        if name == back.to:
            back.found, back.arrived = True, dy
        elif isinstance(layer, Branches):
            dy = _down_branches(name, layer, dy, back)
        elif dy is not None:
            dy = back.through(name, layer, dy)
        if back.found:
            return None
    return dy


def _down_branches(name, layer, dy, back):
    parts = [None] * len(layer.branches)
    if dy is not None:
        parts = concat.backward(dy, back.run.caches[name])
    arrivals = [_down(branch, part, back)
                for branch, part in zip(layer.branches, parts, strict=True)]
    arrivals = [dx for dx in arrivals if dx is not None]
    return sum(arrivals[1:], arrivals[0]) if arrivals else None


def _averaged(layers):
    swapped = []
    for name, layer in layers:
        if isinstance(layer, Branches):
            layer = Branches([_averaged(branch) for branch in layer.branches])
        elif isinstance(layer, MaxPool):
            layer = AveragePool(**layer.settings(), border="image")
        swapped.append((name, layer))
    return swapped


def _trace(layers, shape, network):
    """Input, output and parameter shapes of every layer, by name, for one image of `shape`."""
    inputs, outputs, params = {}, {}, {}
    for name, layer in layers:
        inputs[name] = shape
        try:
            for branch in getattr(layer, "branches", ()):
                for known, inner in zip((inputs, outputs, params),
                                        _trace(branch, shape, network), strict=True):
                    known.update(inner)
            wanted = layer.param_shapes(shape)
            shape = layer.output_shape(shape)
        except (ValueError, IndexError) as error:
            raise ValueError(f"network {network}, layer {name}: {error} (its input is {shape})"
                             ) from None
        outputs[name] = shape
        if wanted:
            params[name] = wanted
    return inputs, outputs, params


def _initial(key, shape, rng):
    if key == "w":
        fan_in = prod(shape[:-1])
        return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / fan_in) ** 0.5)
    return np.full(shape, 1 if key in ("gamma", "variance") else 0, dtype=np.float32)

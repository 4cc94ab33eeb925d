"""A network is an ordered list of rows: a name, a layer, and the names of what the layer reads.

    ("conv1", Conv(64, 3, pad=1))                    reads the row before, the first row the image
    ("sum", Add(), ("conv2", "conv1"))               reads the rows it names

The names are the places to look at: they select activations, stop a pass early, take seeds for
the way back, and are the groups of a weight file. There is no graph engine: a pass up is a loop
over the rows, a pass down (`minicnn.network.run`) a loop over the reversed rows.

Layers are frozen settings; the arrays are the network's, ``network.params["conv1"]["w"]``, and
ordinary ones: what is written into one in place, the next forward pass computes with.
"""

from difflib import get_close_matches
from importlib import import_module
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minicnn import backend, images
from minicnn.fast import TWINS
from minicnn.fast.threads import one_blas_thread
from minicnn.network import summary
from minicnn.network.layers import AveragePool, MaxPool, Sigmoid, Softmax
from minicnn.network.run import INPUT, LayerNameError, Run

PROBABILITIES = (Softmax, Sigmoid)  # the layers that turn scores into probabilities


class Row(NamedTuple):
    """One row of a network: the layer's name, its settings, the names of what it reads."""

    name: str
    layer: Any
    inputs: tuple


class Network:
    """Rows in order, their arrays, and what a person needs to use them.

    Parameters
    ----------
    name : str
    rows : list of (str, Layer) or (str, Layer, inputs)
        In the order of computation. `inputs` is a name or several, of rows above or "image"; a
        row without any, or with None, reads the row above it.
    input_shape : (H, W, C)
        The size the network was made for. Without dense layers any size that fits can be fed.
    preprocessing : images.Preprocessing, optional
        How a photo becomes numbers; needed by `prepare` and `classify`.
    labels : sequence of str, optional
        Class names, in the order of the outputs.
    about : dict, optional
        Whatever else travels with the weights: source, licence, accuracy, who converted it.

    Attributes
    ----------
    params : dict of str to dict of str to array
        The arrays of every layer that has some, by its name: "w", "b", and what else there is.
        Empty until `initialize`, or until they are loaded.
    shapes, input_shapes, param_shapes : dict
        Of one image's output, of what a layer reads (a list where it reads several), of the arrays.
    """

    def __init__(self, name, rows, input_shape, preprocessing=None, labels=None, about=None):
        self.name = name
        self.rows = _complete(rows, name)
        self.input_shape = tuple(input_shape)
        self.preprocessing = preprocessing
        self.labels = list(labels) if labels else None
        self.about = dict(about or {})
        self.device = "cpu"
        self.probe = None  # what it verifies itself by: `files.probe`
        self._rows = {row.name: row for row in self.rows}
        self.input_shapes, self.shapes, self.param_shapes = _trace(self)
        self.params = {name: {} for name in self.param_shapes}
        self.ops = {name: _implementation(layer.op) for name, layer, _ in self.rows}

    def __getstate__(self):  # modules cannot be sent to another process, their names can
        return self.__dict__ | {"ops": {name: op and op.__name__ for name, op in self.ops.items()}}

    def __setstate__(self, state):
        self.__dict__ |= state
        self.ops = {name: op and import_module(op) for name, op in self.ops.items()}

    def __repr__(self):
        return f"<Network {self.name}: {len(self.rows)} layers, {self.count():,} parameters>"

    def __getitem__(self, name):
        return self._rows[self.find(name)].layer

    @property
    def names(self):
        """The layers' names, in the order they are computed."""
        return list(self._rows)

    @property
    def logits(self):
        """The name of the layer whose outputs are the class scores, before softmax or sigmoid."""
        return [name for name, layer, _ in self.rows if not isinstance(layer, PROBABILITIES)][-1]

    @property
    def classifies(self):
        """Whether the network ends in class probabilities."""
        return isinstance(self.rows[-1].layer, PROBABILITIES)

    @property
    def trunk(self):
        """The names of the layers that all paths from the image to the end pass through."""
        readers, order = self.last_readers(), [INPUT, *self.names]
        furthest, found = 0, []  # how far down the list what stands above is still read
        for k, place in enumerate(order):
            if place in readers:
                found += [place] if furthest <= k else []
                furthest = max(furthest, order.index(readers[place]))
        return found[1:]

    def inputs(self, name):
        """The names of what a layer reads."""
        return self._rows[self.find(name)].inputs

    def find(self, name):
        """`name` if there is such a layer, else LayerNameError with the near ones."""
        if name in self._rows:
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

    # ---- the arrays

    def count(self):
        """How many numbers the network's arrays hold."""
        return sum(prod(shape) for shapes in self.param_shapes.values()
                   for shape in shapes.values())

    def empty(self):
        """The names of the layers that miss arrays they need."""
        return [name for name, shapes in self.param_shapes.items()
                if not shapes.keys() <= self.params[name].keys()]

    def initialize(self, seed=0):
        """Fill what is empty with random weights; arrays that are there stay as they are.

        Weights are normal with variance 2 / fan-in (He et al. 2015), biases zero.

        Returns
        -------
        Network
            This one.
        """
        rng = np.random.default_rng(seed)
        for name in self.empty():
            self.params[name] |= {key: backend.to_device(_initial(key, shape, rng), self.device)
                                  for key, shape in self.param_shapes[name].items()
                                  if key not in self.params[name]}
        return self

    def astype(self, dtype):
        """A new network whose arrays are this one's, converted; float64 is to check gradients."""
        return self._converted(lambda value: value.astype(dtype))

    def to(self, device):
        """A new network on "cpu" or "gpu"; arrays that are there already are shared with it."""
        network = self._converted(lambda value: backend.to_device(value, device))
        network.device = backend.device_name(device)
        return network

    def _converted(self, convert):
        network = self._like(self.rows, labels=self.labels)
        network.params = {name: {key: convert(value) for key, value in arrays.items()}
                          for name, arrays in self.params.items()}
        network.probe = self.probe
        return network

    # ---- a pass

    def forward(self, x, to=None, keep=None, learn=False, caches=True, seed=0):
        """Run the network on a batch.

        Parameters
        ----------
        x : array (N, H, W, C)
            In the network's own preprocessing (`prepare`); what is not on the network's device is
            copied there. What the run records stays there, see `backend.to_host`.
        to : str or sequence of str, optional
            Compute these layers and what they depend on, no more; the last row where not given.
        keep : sequence of str, optional
            Activations to record besides those of `to`; all of them where not given. The others
            are freed once the last row that reads them is computed.
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
        x, goals = backend.to_device(x, self.device), self._goals(to)
        self._check_input(x)
        readers = self.last_readers(goals)
        run = Run(self, x, None if keep is None else {*goals, *map(self.find, keep)}, learn, caches)
        rng, alive = np.random.default_rng(seed), {INPUT: x}
        with one_blas_thread(), backend.memory_errors():
            for name, layer, inputs in self.rows:
                if name in readers:
                    read = [alive[place] for place in inputs]
                    y, cache = layer.forward(self.ops[name], read if layer.several else read[0],
                                             self.params.get(name, {}), learn, rng)
                    run.record(name, y, cache)
                    alive[name] = run.output = y
                    for place in {name, *inputs}:
                        if readers[place] == name:
                            del alive[place]
        return run

    def _goals(self, to):
        if to is None:
            return [self.rows[-1].name]
        goals = [self.find(name) for name in ([to] if isinstance(to, str) else to)]
        if not goals:
            raise ValueError("forward: `to` names no layer; leave it out to run the whole network")
        return goals

    def last_readers(self, goals=None):
        """Which row is the last to read each place, by name.

        Parameters
        ----------
        goals : sequence of str, optional
            The layers to compute; the last row where not given.

        Returns
        -------
        dict of str to str
            Has the goals and all that they depend on, the image too; no others. A goal that no row
            reads stands for itself.
        """
        readers, goals = {}, goals or [self.rows[-1].name]
        for name, _, inputs in reversed(self.rows):
            if name in goals:
                readers.setdefault(name, name)
            if name in readers:
                readers |= {place: name for place in inputs if place not in readers}
        return readers

    def _check_input(self, x):
        if x.ndim != 4 or x.shape[3] != self.input_shape[2]:
            raise ValueError(f"network {self.name}: expected images (N, H, W, "
                             f"{self.input_shape[2]}), got {x.shape}")
        if x.dtype.kind not in "fc":
            raise ValueError(f"network {self.name}: expected floating point numbers, got "
                             f"{x.dtype}; network.prepare(photo) makes them from pixels")
        for name in self.empty():
            raise ValueError(f"network {self.name}: layer {name} has no weights; initialize(seed) "
                             "fills what is empty with random ones, minicnn.load brings trained "
                             "ones")

    # ---- photos and classes

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

    # ---- other networks of the same rows

    def until(self, name):
        """The network that ends at a layer: that row and all that it depends on.

        Its arrays are this network's own, shared and not copied.
        """
        needed = self.last_readers([self.find(name)])
        return self._like([row for row in self.rows if row.name in needed])

    def extended(self, name, rows, labels=None):
        """A network called `name`: this one with more rows behind it, whose arrays it shares."""
        return self._like([*self.rows, *rows], name, labels)

    def with_average_pooling(self):
        """This network with every max pooling made an average; it shares this one's arrays."""
        return self._like([row._replace(layer=AveragePool(**row.layer.settings(), border="image"))
                           if isinstance(row.layer, MaxPool) else row for row in self.rows],
                          labels=self.labels)

    def _like(self, rows, name=None, labels=None):
        """A network of other rows on the same device; rows of the same name share their arrays."""
        network = Network(name or self.name, rows, self.input_shape, self.preprocessing, labels,
                          self.about)
        network.device = self.device
        network.params |= {name: self.params[name] for name in network.params.keys() & self.params}
        return network


def _implementation(op):
    """The module that computes an op: its fast twin where there is one, else its page."""
    return TWINS.get(op) or (op and import_module(f"minicnn.ops.{op}"))


def _complete(rows, network):
    """Every row as a Row, with its inputs; they are checked."""
    complete, places = [], [INPUT]
    for row in rows:
        if not 2 <= len(row) <= 3:
            raise ValueError(f"network {network}: a row is (name, layer) or (name, layer, inputs), "
                             f"got {row!r}")
        name, layer, inputs = (*row, None)[:3]
        inputs = places[-1] if inputs is None else inputs
        inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        if name in places:
            raise ValueError(f"network {network}: two layers are called {name!r}")
        for place in inputs:
            if place not in places:
                near = get_close_matches(str(place), places, n=4)
                raise LayerNameError(
                    f"network {network}, layer {name}: it reads {place!r}, and no row above it is "
                    f"called that" + (f"; near it: {', '.join(near)}" if near else ""))
        if not inputs or (len(inputs) > 1 and not layer.several):
            raise ValueError(f"network {network}, layer {name}: {type(layer).__name__} reads "
                             f"{'at least one array' if layer.several else 'one array'}, its row "
                             f"names {len(inputs)}")
        complete.append(Row(name, layer, inputs))
        places.append(name)
    if not complete:
        raise ValueError(f"network {network}: it has no rows")
    return complete


def _trace(network):
    """Input, output and parameter shapes of every layer, by name, for one image."""
    read, shapes, params = {}, {INPUT: network.input_shape}, {}
    for name, layer, inputs in network.rows:
        below = [shapes[place] for place in inputs]
        read[name] = below if layer.several else below[0]
        try:
            wanted = layer.param_shapes(read[name])
            shapes[name] = layer.output_shape(read[name])
        except (ValueError, IndexError) as error:
            raise ValueError(f"network {network.name}, layer {name}: {error} (its input is "
                             f"{read[name]})") from None
        params |= {name: wanted} if wanted else {}
    del shapes[INPUT]
    return read, shapes, params


def _initial(key, shape, rng):
    if key == "w":
        fan_in = prod(shape[:-1])
        return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / fan_in) ** 0.5)
    return np.full(shape, 1 if key in ("gamma", "variance") else 0, dtype=np.float32)

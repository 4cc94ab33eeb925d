"""A network is an ordered list of rows: a name, a layer, and the names of what the layer reads.

    ("conv1", Conv(64, 3, pad=1))                    reads the row above (the first row: the image)
    ("sum", Add(), ("conv2", "conv1"))               reads the rows it names

The names are the places to look at: they select activations, stop a pass early, take the seeds of
the backward pass, and name the groups of a weight file. There is no graph engine: the forward pass
is a loop over the rows, the backward pass (`minicnn.network.run`) a loop over the reversed rows.

Layers are frozen settings; the network holds the arrays, ``network.params["conv1"]["w"]``. These
are ordinary arrays: the next forward pass uses whatever is written into them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from minicnn import backend, images
from minicnn.backend.blas import one_blas_thread
from minicnn.images.pictures import Photo
from minicnn.images.preprocessing import how_to_set
from minicnn.network import finite, summary
from minicnn.network import rows as written
from minicnn.network.layers import AveragePool, MaxPool, Sigmoid, Softmax
from minicnn.network.rows import INPUT, LayerNameError, near
from minicnn.network.run import Run
from minicnn.network.using import Choice, tell_of_the_host

PROBABILITIES = (Softmax, Sigmoid)  # the layers that turn scores into probabilities


class Params(dict):
    """The arrays of a network, ``params["conv1"]["w"]``; it prints their names and shapes."""

    def __repr__(self):
        return "\n".join(summary.lined_up(
            [(name, ", ".join(f"{key} {'x'.join(map(str, np.shape(array)))}"
                              for key, array in arrays.items()) or "empty")
             for name, arrays in self.items()]))


class Network(Mapping):
    """Rows in order, their arrays, and the preprocessing and labels needed to use them.

    A network is a mapping of its layers by their names: ``net["conv1"]``, ``"conv1" in net``,
    ``len(net)``, ``for name in net``.

    Parameters
    ----------
    name : str
    rows : list of (str, Layer) or (str, Layer, inputs)
        In the order of computation. `inputs` is one name or several, each of a row above or
        "image"; without `inputs`, or with None, a row reads the row above it.
    input_shape : (H, W, C)
        The size the network was made for. Without dense layers it takes any size that fits.
    preprocessing : images.Preprocessing, optional
        How a photo becomes numbers; `prepare` and `classify` need it.
    labels : sequence of str, optional
        Class names, in the order of the outputs.
    about : dict, optional
        Other information stored with the weights: source, licence, accuracy, converter.

    Attributes
    ----------
    params : dict of str to dict of str to array
        The arrays ("w", "b", ...) of every layer that has some, by its name. The inner dicts are
        empty until `initialize` or loading fills them. It prints the arrays' shapes.
    shapes, input_shapes, param_shapes : dict
        By layer, the shapes of its output for one image, of its input (a list if it reads several
        arrays), and of its arrays.
    """

    __eq__, __hash__ = object.__eq__, object.__hash__  # equal if they are the same

    def __init__(self, name: str, rows: Sequence[tuple], input_shape: Sequence[int],
                 preprocessing: images.Preprocessing | None = None,
                 labels: Sequence[str] | None = None, about: dict | None = None) -> None:
        self.name = name
        self.rows = written.complete(rows, name)
        self.input_shape = tuple(input_shape)
        self.preprocessing = preprocessing
        self.labels = list(labels) if labels else None
        self.about = dict(about or {})
        self.device = "cpu"
        self.probe = None  # stored activations to verify the network by: `files.probe`
        self._rows = {row.name: row for row in self.rows}
        self.input_shapes, self.shapes, self.param_shapes = written.traced(
            self.rows, self.input_shape, name)
        self.params = Params({name: {} for name in self.param_shapes})
        self.choice = Choice()
        self.ops = self.choice.modules(self)

    def __getstate__(self):  # modules cannot be sent to another process; the choice can
        return {key: value for key, value in self.__dict__.items() if key != "ops"}

    def __setstate__(self, state):
        self.__dict__ |= state
        self.ops = self.choice.modules(self)

    def __repr__(self):
        own = f"; {self.choice!r}".replace("\n", ", ") * bool(self.choice.describe())
        return f"<Network {self.name}: {len(self)} layers, {self.count():,} parameters{own}>"

    def _repr_html_(self):  # what a notebook asks for
        return summary.html_table(self)

    def _ipython_key_completions_(self):
        return self.names

    def __getitem__(self, name):
        return self._rows[self.find(name)].layer

    def __contains__(self, name):
        return name in self._rows

    def __iter__(self):
        return iter(self._rows)

    def __len__(self):
        return len(self._rows)

    @property
    def names(self) -> list[str]:
        """The layers' names, in the order they are computed."""
        return list(self._rows)

    @property
    def logits(self) -> str:
        """The name of the layer whose outputs are the class scores, before softmax or sigmoid."""
        return [name for name, layer, _ in self.rows if not isinstance(layer, PROBABILITIES)][-1]

    @property
    def classifies(self) -> bool:
        """Whether the network ends in class probabilities."""
        return isinstance(self.rows[-1].layer, PROBABILITIES)

    @property
    def trunk(self) -> list[str]:
        """The names of the layers that all paths from the image to the output pass through."""
        readers, order = self.last_readers(), [INPUT, *self.names]
        furthest, found = 0, []  # the last index that reads a place before the current one
        for k, place in enumerate(order):
            if place in readers:
                found += [place] if furthest <= k else []
                furthest = max(furthest, order.index(readers[place]))
        return found[1:]

    def inputs(self, name: str) -> tuple[str, ...]:
        """The names of a layer's inputs."""
        return self._rows[self.find(name)].inputs

    def find(self, name: str) -> str:
        """`name` if it is a layer's name, else LayerNameError with similar names."""
        if name in self._rows:
            return name
        hint = near(name, self.names, 0.4) or f"; there are {', '.join(self.names)}"
        raise LayerNameError(f"network {self.name} has no layer {name!r}{hint}")

    def find_class(self, name: str) -> int:
        """The index of a class by its name, or by a part of the name that only one class has."""
        if not self.labels:
            raise ValueError(f"network {self.name} has no class names; give the class's number, "
                             "or its names, a line each: --labels FILE, or minicnn.load(path, "
                             "label_file=FILE)")
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
                                 + "; ".join(f"{k} {self.labels[k]}" for k in found[:6])
                                 + "; give the class's number or full name")
        raise ValueError(f"network {self.name} has no class {name!r}"
                         + near(wanted, [part for parts in words for part in parts]))

    # ---- the arrays

    def count(self) -> int:
        """The number of parameters: of all numbers in the network's arrays."""
        return sum(prod(shape) for shapes in self.param_shapes.values()
                   for shape in shapes.values())

    def empty(self) -> list[str]:
        """The names of the layers that lack some of their arrays."""
        return [name for name, shapes in self.param_shapes.items()
                if not shapes.keys() <= self.params[name].keys()]

    def initialize(self, seed: int = 0, trained: Network | None = None) -> Network:
        """Fill missing arrays with initial values; existing arrays stay as they are.

        Weights are random normal with variance 2 / fan-in (He et al. 2015), biases zero.

        Parameters
        ----------
        seed : int
        trained : Network, optional
            Where this network begins: the arrays of layers of equal name are copied from it, and
            only the others get initial values.

        Returns
        -------
        Network
            This one.

        Raises
        ------
        ValueError
            A layer of equal name has arrays of another shape there.
        """
        rng, known = np.random.default_rng(seed), trained.params if trained else {}
        for name in self.empty():
            for key, shape in self.param_shapes[name].items():
                if key not in self.params[name]:
                    found = known.get(name, {}).get(key)
                    if found is not None and tuple(found.shape) != tuple(shape):
                        raise ValueError(
                            f"initialize: layer {name} of network {self.name} has {key} of shape "
                            f"{shape}, that of network {trained.name} {found.shape}; rename the "
                            "layer of one to begin anew there")
                    fresh = written.initial(key, shape, rng) if found is None else found.copy()
                    self.params[name][key] = backend.to_device(fresh, self.device)
        return self

    def astype(self, dtype: str | type) -> Network:
        """A new network with the arrays converted to `dtype`; gradient checks need float64."""
        return self._converted(lambda value: value.astype(dtype))

    def to(self, device: str) -> Network:
        """A new network on "cpu" or "gpu"; it shares the arrays that are already there."""
        network = self._converted(lambda value: backend.to_device(value, device))
        network.device = backend.device_name(device)
        tell_of_the_host(network)
        return network

    def _converted(self, convert):
        network = self._like(self.rows, labels=self.labels)
        network.params |= {name: {key: convert(value) for key, value in arrays.items()}
                           for name, arrays in self.params.items()}
        network.probe = self.probe
        return network

    # ---- a pass

    def forward(self, x: np.ndarray, to: str | Sequence[str] | None = None,
                keep: Sequence[str] | None = None, learn: bool | Collection[str] = False,
                caches: bool = True, seed: int | np.random.Generator = 0) -> Run:
        """Run the network on a batch.

        Parameters
        ----------
        x : array (N, H, W, C)
            In the network's own preprocessing (`prepare`). It is copied to the network's device if
            it is elsewhere; the recorded arrays stay on that device, see `backend.to_host`.
        to : str or sequence of str, optional
            Compute only these layers and those they depend on; by default the last row.
        keep : sequence of str, optional
            Activations to record besides those of `to`; by default all. Any other is freed as soon
            as the last row that reads it is computed.
        learn : bool or collection of str
            Keep what `Run.weight_gradients` needs, apply dropout, use the batch's statistics: in
            all layers, or in those of these names.
        caches : bool
            False saves memory, but no backward pass can follow.
        seed : int or numpy.random.Generator
            For dropout.

        Returns
        -------
        Run

        Raises
        ------
        ValueError
            Wrong shape, an empty batch, unknown layer, missing weights.
        NotFiniteError
            The input or an output that was asked for has NaN or infinite numbers; the message
            names the first layer that has some.
        """
        x, goals = backend.to_device(x, self.device), self._goals(to)
        self._check_input(x)
        self.check_size(x.shape[1:3], goals)
        learn = frozenset(self.names if learn is True else learn or ())
        run = Run(self, x, None if keep is None else {*goals, *map(self.find, keep)}, learn, caches)
        with one_blas_thread(), backend.memory_errors():
            finite.check_input(self, x)
            for name, y, cache in self.rows_computed(x, goals, learn, seed):
                run.record(name, y, cache)
                run.output = y
            finite.check_forward(self, run, goals)
        return run

    def rows_computed(self, x: np.ndarray, goals: Sequence[str], learn: Collection[str] = (),
                      seed: int | np.random.Generator = 0) -> Iterator[tuple[str, np.ndarray, Any]]:
        """The loop of `forward`, without its checks: yields each row's name, output and cache."""
        readers, alive = self.last_readers(goals), {INPUT: x}
        rng = np.random.default_rng(seed)
        for name, layer, inputs in self.rows:
            if name in readers:
                read = [alive[place] for place in inputs]
                y, cache = layer.forward(self.ops[name], read if layer.several else read[0],
                                         self.params.get(name, {}), name in learn, rng)
                alive[name] = y
                for place in {name, *inputs}:
                    if readers[place] == name:
                        del alive[place]
                yield name, y, cache

    def _goals(self, to):
        if to is None:
            return [self.rows[-1].name]
        goals = [self.find(name) for name in ([to] if isinstance(to, str) else to)]
        if not goals:
            raise ValueError("forward: `to` names no layer; leave it out to run the whole network")
        return goals

    def last_readers(self, goals: Sequence[str] | None = None) -> dict[str, str]:
        """The name of the last row that reads each place.

        Parameters
        ----------
        goals : sequence of str, optional
            The layers to compute; by default the last row.

        Returns
        -------
        dict of str to str
            Its keys are the goals and everything they depend on, including the image. A goal that
            no row reads has its own name as its value.
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
                             f"{self.input_shape[2]}), got {x.dtype if x.ndim == 0 else x.shape}; "
                             "network.prepare(photo) makes a batch of one")
        if not len(x):
            raise ValueError(f"network {self.name}: expected at least one image, got an empty "
                             f"batch, {x.shape}")
        if x.dtype.kind not in "fc":
            raise ValueError(f"network {self.name}: expected floating point numbers, got "
                             f"{x.dtype}; network.prepare(photo) makes them from pixels")
        for name in self.empty():
            raise ValueError(f"network {self.name}: layer {name} has no weights; initialize(seed) "
                             "fills in random ones, minicnn.load loads trained ones")

    def check_size(self, size: Sequence[int], to: str | Sequence[str] | None = None) -> None:
        """Raise ValueError if images (H, W) are too small for a layer on the way to those of `to`.
        """
        if tuple(size) == self.input_shape[:2]:
            return
        needed, channels = self.last_readers(self._goals(to)), self.input_shape[2]
        rows = [row for row in self.rows if row.name in needed]
        wrong = written.too_small_for(rows, (*size, channels))
        if wrong is not None:
            fit = (side for side in range(1, max(self.input_shape))
                   if not written.too_small_for(rows, (side, side, channels)))
            raise ValueError(f"network {self.name}: images of {size[0]} x {size[1]} pixels are too "
                             f"small for layer {wrong}, whose window does not fit; the size must "
                             f"be at least {next(fit, max(self.input_shape[:2]))}")

    def shapes_at(self, size: Sequence[int],
                  to: str | Sequence[str] | None = None) -> dict[str, tuple[int, ...]]:
        """`shapes` for images (H, W), of the layers of `to` and those that they depend on."""
        self.check_size(size, to)
        needed = self.last_readers(self._goals(to))
        rows = [row for row in self.rows if row.name in needed]
        return written.traced(rows, (*size, self.input_shape[2]), self.name)[1]

    # ---- photos and classes

    def prepare(self, image: Photo, size: int | Sequence[int] | str | None = None) -> np.ndarray:
        """A photo as input for this network: (1, H, W, C), see `minicnn.images.prepare`."""
        x = images.prepare(image, self.needed_preprocessing(), size)
        return backend.to_device(x, self.device)

    def restore(self, x: np.ndarray) -> np.ndarray:
        """The inverse of `prepare`: (N, H, W, 3) uint8."""
        return images.restore(backend.to_host(x), self.needed_preprocessing())

    def needed_preprocessing(self) -> images.Preprocessing:
        """The network's preprocessing; ValueError if it has none."""
        if self.preprocessing is None:
            raise ValueError(f"network {self.name} does not say how to prepare a photo; "
                             + how_to_set(self.input_shape))
        return self.preprocessing

    @property
    def grey_level(self) -> float:
        """One grey level of 0..255 in the network's input values, averaged over the channels."""
        return float(np.mean(self.needed_preprocessing().scale))

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Class probabilities (N, K) of a prepared batch."""
        if not self.classifies:
            raise ValueError(f"network {self.name} ends at layer {self.names[-1]} and does not "
                             "output class probabilities, so it cannot classify")
        y = backend.to_host(self.forward(x, keep=(), caches=False).output)
        return y.reshape(len(y), -1)  # N,1,1,K -> N,K

    def classify(self, image: Photo, top: int = 5,
                 size: int | Sequence[int] | str | None = None) -> list[tuple[str, float]]:
        """The `top` likeliest classes of a photo: [(label, probability), ...], likeliest first.

        `size` is passed to `prepare`; "keep" takes a picture of the network's own size as it is.
        """
        p = self.probabilities(self.prepare(image, size))[0]
        order = np.argsort(-p, kind="stable")[:top]
        return [(self.label(int(k)), float(p[k])) for k in order]

    def label(self, index: int) -> str:
        """The name of class `index`, or for example "class 7" if the names are not known."""
        known = self.labels is not None and index < len(self.labels)
        return self.labels[index] if known else f"class {index}"

    def summary(self, style: str = "keras", receptive_fields: bool = False) -> str:
        """The layers as a table: Keras' columns, or "matlab" for MATLAB's numbered listing.

        `receptive_fields` adds the receptive field of each layer's units, in pixels.
        """
        if style not in summary.STYLES:
            raise ValueError(f"summary: style must be one of {', '.join(summary.STYLES)}, "
                             f"got {style!r}")
        return summary.STYLES[style](self, receptive_fields)

    # ---- other networks with the same rows

    def using(self, what: str | dict[str, Any] | None = None, *, missing: str | None = None,
              **ops: Any) -> Network:
        """This network with other implementations of its ops; its arrays are shared.

            net.using("plain")              every op by its plain implementation (page)
            net.using("fast")               the twins in `minicnn.fast` again
            net.using(conv=mine)            every convolution by your own op
            net.using({"conv1_1": mine})    one row only

        Each call adds to the earlier choices; a choice for a row takes precedence over one for an
        op. "plain" and "fast" discard all earlier choices. `network.choice` shows the result.

        Parameters
        ----------
        what : {"plain", "fast"} or dict of str to implementation, optional
            One word for all rows, or implementations by row name.
        missing : {"error", "page"}, optional
            What to do with rows whose settings your op does not take: raise an error, or let the
            page compute them. By default as in the call before, at first "error".
        **ops : implementation
            By the op's name: conv, pool, lrn, relu, dense, ...; "plain", "fast", or your own: a
            module with the page's ``forward`` and ``backward``, or with functions or classes in
            the usual course form, a class, or the path of a Python file with one of these. See
            `minicnn.gradcheck.own.forms`, and `minicnn.network.using` for the rules.

        Returns
        -------
        Network

        Raises
        ------
        ValueError
            An unknown op or row, an implementation that cannot be called, settings that the
            implementation does not take.
        """
        network = self._like(self.rows, labels=self.labels)
        network.probe = self.probe
        network.choice = self.choice.and_also(self, what, missing, ops)
        network.ops = network.choice.modules(network, tell=True)
        tell_of_the_host(network)
        return network

    def until(self, name: str) -> Network:
        """The network that ends at a layer: that row and all rows it depends on.

        It shares this network's arrays.
        """
        needed = self.last_readers([self.find(name)])
        return self._like([row for row in self.rows if row.name in needed])

    def after(self, name: str) -> Network:
        """The rest of the network: the rows behind a layer, whose input is that layer's output.

            features = net.until("pool4").forward(x).output        # once, for all photos
            rest = net.after("pool4")                              # trained on these features

        It shares this network's arrays, so what it learns, this network has learnt: training the
        rest is training the whole with the rows up to `name` frozen. It has no preprocessing.

        Raises
        ------
        ValueError
            Some path to the end leaves out the layer (see `trunk`), it is the last, or its output
            is not (H, W, C).
        """
        cut, needed = self.find(name), self.last_readers()
        if cut not in self.trunk[:-1] or len(self.shapes[cut]) != 3:
            possible = [place for place in self.trunk[:-1] if len(self.shapes[place]) == 3]
            raise ValueError(f"after: network {self.name} cannot be cut behind layer {cut}; "
                             "expected one that all paths lead through, with an output (H, W, C): "
                             f"{', '.join(possible)}")
        rest = Network(f"{self.name} after {cut}", [
            row._replace(inputs=tuple(INPUT if place == cut else place for place in row.inputs))
            for row in self.rows[self.names.index(cut) + 1 :] if row.name in needed],
            self.shapes[cut], labels=self.labels)
        return self._shared(rest)

    def extended(self, name: str, rows: Sequence[tuple],
                 labels: Sequence[str] | None = None) -> Network:
        """A network called `name`: this one, whose arrays it shares, with more rows at the end."""
        return self._like([*self.rows, *rows], name, labels)

    def with_average_pooling(self) -> Network:
        """This network with average in place of max pooling; it shares this one's arrays."""
        return self._like([row._replace(layer=AveragePool(**row.layer.settings(), border="image"))
                           if isinstance(row.layer, MaxPool) else row for row in self.rows],
                          labels=self.labels)

    def _like(self, rows, name=None, labels=None):
        """A network with other rows on the same device; rows of equal name share their arrays."""
        network = Network(name or self.name, rows, self.input_shape, self.preprocessing, labels,
                          self.about)
        return self._shared(network)

    def _shared(self, network):
        """`network` with this one's device, choice, and arrays of the rows of equal name."""
        network.device = self.device
        network.params |= {name: self.params[name] for name in network.params.keys() & self.params}
        return network.chosen_as(self)

    def chosen_as(self, other: Network) -> Network:
        """Take over another network's choice of implementations; returns this network."""
        self.choice = other.choice
        self.ops = self.choice.modules(self)
        return self

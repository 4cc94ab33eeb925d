"""The architecture of a Keras model from its configuration, the JSON that Keras stores with it.

Understood are models whose layers follow one another: a Sequential, a Functional model that is a
chain, and one within the other. A layer is one of those `keras_layers` knows. The JSON is read as
data; a class it names is looked up in a table, and nothing of it is ever run.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.formats.foreign import Foreign
from minicnn.formats.hdf5 import READING_ERRORS
from minicnn.formats.keras_layers import Chain, add
from minicnn.formats.keras_settings import LARGEST, Misfit

FUNCTIONAL = ("Functional", "Model")
DEEPEST = 8  # models within models
MOST_LAYERS = 5_000


@dataclass(frozen=True)
class Architecture:
    """A model as it was understood.

    Attributes
    ----------
    name : str
    layers : list of (str, Layer)
        By Keras' names; an activation that is a setting in Keras is called conv1_relu.
    input_shape : (H, W, C)
    preprocessing : images.Preprocessing or None
        Where the model begins with a Rescaling.
    notes : list of str
        What was left out, and what to know.
    grown : dict of str to (int, int)
        Layers whose kernels need rows and columns of zeros before them: see `fitted`.
    """

    name: str
    layers: list
    input_shape: tuple
    preprocessing: Any
    notes: list
    grown: dict

    def fitted(self, arrays):
        """The arrays of a file, {"conv1/kernel": (kh, kw, in, out), ...}, as `layers` need them."""
        grown = {f"{layer}/kernel": extra for layer, extra in self.grown.items()}
        return {key: np.pad(w, [(n, 0) for n in grown[key]] + [(0, 0)] * 2)
                if key in grown and w.ndim == 4 else w for key, w in arrays.items()}


def read(model):
    """The architecture of a model.

    Parameters
    ----------
    model : dict
        {"class_name": "Sequential", "config": ...}, as parsed from JSON; of any version of Keras.

    Returns
    -------
    Architecture

    Raises
    ------
    Misfit
        Branches, or a layer there is none of here; the message names it.
    """
    entries = list(_leaves(model, _in_line))
    chain = Chain(_input_shape(model, entries))
    shape = chain.shape
    for layer in entries:
        if layer["class_name"] != "InputLayer":
            add(chain, layer["class_name"], layer["config"])
    if any(chain.zeros):
        raise Misfit("the last layer puts zeros around the image, and nothing reads them")
    names = [layer for layer, _ in chain.layers]
    if not names:
        raise Misfit("there are no layers")
    if len(set(names)) < len(names):
        raise Misfit(f"two layers are called {Counter(names).most_common(1)[0][0]!r}")
    return Architecture(name(model), chain.layers, shape, chain.preprocessing, chain.notes,
                        chain.grown)


def foreign(kind, arrays, model, says, notes=()):
    """What a reader of Keras' arrays hands on, with the architecture where it is understood.

    Parameters
    ----------
    kind : str
        The format, for people.
    arrays : dict of str to array
        By "layer/role".
    model : dict or None
        As for `read`; None where the file has none.
    says : dict
    notes : sequence of str

    Returns
    -------
    Foreign
        Its `layers` are None where there is no model, or a note says why it is not understood.
    """
    says, notes = {"model": name(model)} | says, list(notes)
    if model is None:
        return Foreign(kind, arrays, "HWIO", says=says, notes=notes)
    try:
        found = read(model)
    except (Misfit, *READING_ERRORS) as error:
        why = error.args[0] if error.args else type(error).__name__
        notes.append(f"Its architecture is not read: {why}.")
        return Foreign(kind, arrays, "HWIO", says=says, notes=notes)
    return Foreign(kind, found.fitted(arrays), "HWIO", found.layers, found.input_shape,
                   found.preprocessing, says=says, notes=notes + found.notes)


def name(model):
    """The name of a model or layer, "" where it has none."""
    config = model.get("config") if isinstance(model, dict) else None
    found = config.get("name") if isinstance(config, dict) else None
    return found if isinstance(found, str) else ""


def names_within(model):
    """The layers of the models within a model.

    Parameters
    ----------
    model : dict
        As for `read`, understood or not.

    Returns
    -------
    dict of str to list of str
        For each layer that is a model, the names of the layers in it.
    """
    try:
        return {name(layer): [name(leaf) for leaf in _leaves(layer)]
                for layer in _children(model) if _is_model(layer)}
    except Misfit:
        return {}


def names_by_class(model):
    """The names of a model's layers by what Keras 3 calls them in a file of weights.

    That is the class and a number, within a model after the model's: "conv2d", "conv2d_1",
    "sequential/dense".
    """
    try:
        return dict(_by_class(model))
    except Misfit:
        return {}


def _by_class(model, before="", depth=0):
    if depth > DEEPEST:
        raise Misfit(f"more than {DEEPEST} models lie one within the other")
    counts = Counter()
    for layer in _children(model):
        kind = _snake(_kind(layer))
        key = f"{before}{kind}_{counts[kind]}" if counts[kind] else f"{before}{kind}"
        counts[kind] += 1
        if _is_model(layer):
            yield from _by_class(layer, f"{key}/", depth + 1)
        else:
            yield key, name(layer)


def _snake(kind):
    """conv2d of Conv2D, re_lu of ReLU, as Keras does it."""
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()


def all_names(model):
    """The names of all layers of a model and of the models within it; none of what is no model."""
    try:
        return [name(leaf) for leaf in _leaves(model)]
    except Misfit:
        return []


def _leaves(model, ordered=lambda model, layers: layers, depth=0):
    """The layers of a model and of the models within it, as dicts, in the order that `ordered`
    gives to those of one model."""
    if depth > DEEPEST:
        raise Misfit(f"more than {DEEPEST} models lie one within the other")
    for layer in ordered(model, _children(model)):
        if _is_model(layer):
            yield from _leaves(layer, ordered, depth + 1)
        else:
            yield layer


def _children(model):
    if not _is_model(model):
        raise Misfit(f"it is no Sequential or Functional model, but {_kind(model)!r:.60}")
    config = model["config"]  # Keras 1 and 2.0 to 2.2 give the layers of a Sequential alone
    layers = config if isinstance(config, list) else config.get("layers")
    if not isinstance(layers, list) or not all(_kind(layer) for layer in layers):
        raise Misfit(f"model {name(model)!r:.60} does not say which layers it has")
    if len(layers) > MOST_LAYERS:
        raise Misfit(f"model {name(model)!r:.60} has more than {MOST_LAYERS} layers")
    return layers


def _is_model(layer):
    return _kind(layer) in ("Sequential", *FUNCTIONAL)


def _kind(layer):
    """The class of a layer that has one and settings; else ""."""
    if not isinstance(layer, dict) or not isinstance(layer.get("config"), (dict, list)):
        return ""
    kind = layer.get("class_name")
    return kind if isinstance(kind, str) else ""


# ---- a Functional model

def _in_line(model, layers):
    """The layers in the order they are computed; Misfit unless they are one chain."""
    if _kind(model) == "Sequential":
        return layers
    by_name, line = {name(layer): layer for layer in layers}, []
    at = _only(model["config"].get("output_layers"), "the model has {} outputs")
    while at is not None:
        if at not in by_name:
            raise Misfit(f"layer {at!r:.60} is not there, or read twice")
        layer = by_name.pop(at)
        line.append(layer)
        at = _before(layer)
    if by_name:
        raise Misfit(f"layer {min(by_name)!r:.60} is not on the one way from the image to the "
                     "output: the model branches")
    return line[::-1]


def _before(layer):
    """The name of the layer that a layer reads; None for an input."""
    nodes = layer.get("inbound_nodes")
    if _kind(layer) == "InputLayer" and not nodes:
        return None
    if not isinstance(nodes, list) or len(nodes) != 1:
        raise Misfit(f"layer {name(layer)!r:.60} is used more than once, or never")
    node = nodes[0]
    if isinstance(node, dict):  # Keras 3
        tensors = [tensor for given in node.get("args", ())
                   for tensor in (given if isinstance(given, list) else [given])]
        node = [tensor["config"]["keras_history"] for tensor in tensors]
    return _only(node, f"layer {name(layer)!r:.60} has {{}} inputs")


def _only(places, complaint):
    """The layer of a list of [layer, number, number], which has to be the only one."""
    if isinstance(places, list) and places and isinstance(places[0], str):
        places = [places]
    if not isinstance(places, list) or len(places) != 1:
        count = len(places) if isinstance(places, list) else "unknown"
        raise Misfit(complaint.format(count) + ": the model branches")
    return places[0][0]


# ---- what goes in

def _input_shape(model, entries):
    """(H, W, C)"""
    first = entries[0]["config"] if entries else {}
    outer = model["config"] if isinstance(model["config"], dict) else {}
    given = [source[key] for source in (first, outer) for key in
             ("batch_shape", "batch_input_shape", "build_input_shape") if source.get(key)]
    if not given:
        raise Misfit("it does not say the size of the images it takes")
    shape = given[0]
    if not isinstance(shape, list) or len(shape) != 4 or not all(
            type(side) is int and 0 < side <= LARGEST for side in shape[1:]):
        raise Misfit(f"its input is {shape!r:.60}; expected images of one size, [null, H, W, C]")
    return tuple(shape[1:])

"""The layers in a Keras model's configuration: their names and their order.

A model is a dict as parsed from JSON, {"class_name": "Sequential", "config": ...}, of any version
of Keras; its layers may be models themselves. `keras_layers` translates each layer.
"""

import re
from collections import Counter
from contextlib import suppress

from minicnn.foreign.settings import Misfit, fits

FUNCTIONAL = ("Functional", "Model")
DEEPEST = 8  # levels of models within models
MOST_LAYERS = 5_000


def name(model):
    """The name of a model or layer; "" if it has none."""
    config = model.get("config") if isinstance(model, dict) else None
    found = config.get("name") if isinstance(config, dict) else None
    return found if isinstance(found, str) else ""


def names(model):
    """The names of all layers of a model and of the models within it.

    Parameters
    ----------
    model : dict
        Any value; what is not a model has no layers.

    Returns
    -------
    dict of str to str
        {place: name}. The place is the layer's name in Keras 3's weight files: the class and a
        number, preceded by the place of the model around it; "conv2d", "conv2d_1",
        "sequential/dense".
    """
    with suppress(Misfit):
        return {place: name(layer) for place, layer in leaves(model)}
    return {}


def names_within(model):
    """{name of a nested model: the names of its layers} for all models directly in a model."""
    with suppress(Misfit):
        return {name(layer): list(names(layer).values())
                for layer in _children(model) if _is_model(layer)}
    return {}


def leaves(model, ordered=lambda model, placed: placed, before="", depth=0):
    """The layers of a model and of the models within it.

    Parameters
    ----------
    model : dict
    ordered : function
        Takes a model and its layers, [(place, layer), ...]; returns them in another order.
    before, depth
        The beginning of the places, and the number of models around this one.

    Yields
    ------
    place : str
        As in `names`.
    layer : dict
    """
    fits(depth <= DEEPEST, "models are nested more than {} deep", DEEPEST)
    counts, placed = Counter(), []
    for layer in _children(model):
        kind = before + _snake(_kind(layer))
        placed.append((f"{kind}_{counts[kind]}" if counts[kind] else kind, layer))
        counts[kind] += 1
    for place, layer in ordered(model, placed):
        if _is_model(layer):
            yield from leaves(layer, ordered, f"{place}/", depth + 1)
        else:
            yield place, layer


def _snake(kind):
    """Keras' snake case: conv2d for Conv2D, re_lu for ReLU."""
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()


def _children(model):
    fits(_is_model(model), "expected a Sequential or Functional model, got {!r:.60}", _kind(model))
    config = model["config"]  # for a Sequential, Keras 1 and 2.0 to 2.2 store just the layers
    layers = config if isinstance(config, list) else config.get("layers")
    fits(isinstance(layers, list) and all(_kind(layer) for layer in layers),
         "model {!r:.60} does not list its layers", name(model))
    fits(len(layers) <= MOST_LAYERS, "model {!r:.60} has more than {} layers", name(model),
         MOST_LAYERS)
    return layers


def _is_model(layer):
    return _kind(layer) in ("Sequential", *FUNCTIONAL)


def _kind(layer):
    """The class of a layer; "" if it has no class or no settings."""
    if not isinstance(layer, dict) or not isinstance(layer.get("config"), (dict, list)):
        return ""
    kind = layer.get("class_name")
    return kind if isinstance(kind, str) else ""


# ---- a Functional model

def in_line(model, placed):
    """The layers, [(place, layer), ...], in the order of computation; Misfit unless they form one
    chain."""
    if _kind(model) == "Sequential":
        return placed
    by_name, line = {name(layer): (place, layer) for place, layer in placed}, []
    at = _only(model["config"].get("output_layers"), "the model has {} outputs")
    while at is not None:
        fits(at in by_name, "layer {!r:.60} is missing, or read twice", at)
        line.append(by_name.pop(at))
        at = _before(line[-1][1])
    if by_name:
        raise Misfit(f"layer {min(by_name)!r:.60} is not on the path from the image to the "
                     "output: the model branches")
    return line[::-1]


def _before(layer):
    """The name of the layer that a layer reads; None for an input."""
    nodes = layer.get("inbound_nodes")
    if _kind(layer) == "InputLayer" and not nodes:
        return None
    fits(isinstance(nodes, list) and len(nodes) == 1, "layer {!r:.60} must be used exactly once",
         name(layer))
    node = nodes[0]
    if isinstance(node, dict):  # Keras 3
        node = [tensor["config"]["keras_history"] for given in node.get("args", ())
                for tensor in (given if isinstance(given, list) else [given])]
    return _only(node, f"layer {name(layer)!r:.60} has {{}} inputs")


def _only(places, complaint):
    """The layer of the only entry in a list of [layer, number, number]; Misfit if several."""
    if isinstance(places, list) and places and isinstance(places[0], str):
        places = [places]
    count = len(places) if isinstance(places, list) else "unknown"
    if count != 1:
        raise Misfit(complaint.format(count) + ": the model branches")
    return places[0][0]

"""The layers of a Keras model, as its configuration lists them: their names and their order.

A model is a dict as parsed from JSON, {"class_name": "Sequential", "config": ...}, of any version
of Keras; its layers may be models in turn. What each layer is, `keras_layers` knows.
"""

import re
from collections import Counter

from minicnn.foreign.settings import Misfit

FUNCTIONAL = ("Functional", "Model")
DEEPEST = 8  # models within models
MOST_LAYERS = 5_000


def name(model):
    """The name of a model or layer, "" where it has none."""
    config = model.get("config") if isinstance(model, dict) else None
    found = config.get("name") if isinstance(config, dict) else None
    return found if isinstance(found, str) else ""


def names(model):
    """The names of all layers of a model and of the models within it; none of what is no model.

    Parameters
    ----------
    model : dict
        Understood or not.

    Returns
    -------
    dict of str to str
        By what Keras 3 calls a layer in a file of weights: the class and a number, within a model
        after the model's; "conv2d", "conv2d_1", "sequential/dense".
    """
    try:
        return {place: name(layer) for place, layer in leaves(model)}
    except Misfit:
        return {}


def names_within(model):
    """For each layer of a model that is a model, by name, the names of the layers in it."""
    try:
        within = [layer for layer in _children(model) if _is_model(layer)]
    except Misfit:
        return {}
    return {name(layer): list(names(layer).values()) for layer in within}


def leaves(model, ordered=lambda model, placed: placed, before="", depth=0):
    """The layers of a model and of the models within it.

    Parameters
    ----------
    model : dict
    ordered : function
        From a model and its layers, [(place, layer), ...], to those in another order.
    before, depth
        Of the model's place, and how many models lie around it.

    Yields
    ------
    place : str
        As in `names`.
    layer : dict
    """
    if depth > DEEPEST:
        raise Misfit(f"more than {DEEPEST} models lie one within the other")
    counts, placed = Counter(), []
    for layer in _children(model):
        kind = _snake(_kind(layer))
        placed.append((f"{before}{kind}_{counts[kind]}" if counts[kind] else before + kind, layer))
        counts[kind] += 1
    for place, layer in ordered(model, placed):
        if _is_model(layer):
            yield from leaves(layer, ordered, f"{place}/", depth + 1)
        else:
            yield place, layer


def _snake(kind):
    """conv2d of Conv2D, re_lu of ReLU, as Keras does it."""
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()


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

def in_line(model, placed):
    """The layers, [(place, layer), ...], in the order they are computed; Misfit unless they are
    one chain."""
    if _kind(model) == "Sequential":
        return placed
    by_name, line = {name(layer): (place, layer) for place, layer in placed}, []
    at = _only(model["config"].get("output_layers"), "the model has {} outputs")
    while at is not None:
        if at not in by_name:
            raise Misfit(f"layer {at!r:.60} is not there, or read twice")
        line.append(by_name.pop(at))
        at = _before(line[-1][1])
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
        node = [tensor["config"]["keras_history"] for given in node.get("args", ())
                for tensor in (given if isinstance(given, list) else [given])]
    return _only(node, f"layer {name(layer)!r:.60} has {{}} inputs")


def _only(places, complaint):
    """The layer of a list of [layer, number, number], which has to be the only one."""
    if isinstance(places, list) and places and isinstance(places[0], str):
        places = [places]
    count = len(places) if isinstance(places, list) else "unknown"
    if count != 1:
        raise Misfit(complaint.format(count) + ": the model branches")
    return places[0][0]

"""The layers of a Keras model, as its configuration lists them: their names and their order.

A model is a dict as parsed from JSON, {"class_name": "Sequential", "config": ...}, of any version
of Keras; its layers may be models in turn. What each layer is, `keras_layers` knows.
"""

import re
from collections import Counter

from minicnn.foreign.keras_settings import Misfit

FUNCTIONAL = ("Functional", "Model")
DEEPEST = 8  # models within models
MOST_LAYERS = 5_000


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
        return {name(layer): [name(leaf) for leaf in leaves(layer)]
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
        return [name(leaf) for leaf in leaves(model)]
    except Misfit:
        return []


def leaves(model, ordered=lambda model, layers: layers, depth=0):
    """The layers of a model and of the models within it, as dicts, in the order that `ordered`
    gives to those of one model."""
    if depth > DEEPEST:
        raise Misfit(f"more than {DEEPEST} models lie one within the other")
    for layer in ordered(model, _children(model)):
        if _is_model(layer):
            yield from leaves(layer, ordered, depth + 1)
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

def in_line(model, layers):
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

"""Complete and check the rows of a network, and compute the shapes of its arrays."""

from difflib import get_close_matches
from math import prod
from typing import Any, NamedTuple

import numpy as np

INPUT = "image"  # the name of the network's input


class LayerNameError(ValueError, KeyError):
    """The network has no layer of this name, or the run has no record of it.

    A KeyError too, since a Run is a mapping, whose `get` expects one.
    """

    __str__ = Exception.__str__  # a KeyError shows its message in quotes


def near(name, names, cutoff=0.6):
    """The end of an error message that lists the most similar of the names, if any is similar."""
    found = get_close_matches(str(name), names, n=4, cutoff=cutoff)
    return f"; near it: {', '.join(found)}" if found else ""


class Row(NamedTuple):
    """One row of a network: the layer's name, the layer, and the names of its inputs."""

    name: str
    layer: Any
    inputs: tuple


def complete(rows, network):
    """Check the rows of a network and return them as a list of Row, each with its inputs."""
    complete, places = [], [INPUT]
    for row in rows:
        name, layer, inputs = _parts(row, network)
        inputs = places[-1] if inputs is None else inputs
        inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        if name in places:
            raise ValueError(f"network {network}: two layers are called {name!r}; rename one")
        _check_inputs(f"network {network}, layer {name}", layer, inputs, places)
        complete.append(Row(name, layer, inputs))
        places.append(name)
    if not complete:
        raise ValueError(f"network {network}: expected at least one row, got none")
    return complete


def _parts(row, network):
    """(name, layer, inputs) of a row as it was given; None for inputs it does not name."""
    if not isinstance(row, (tuple, list)) or not 2 <= len(row) <= 3:
        raise ValueError(f"network {network}: a row is (name, layer) or (name, layer, inputs), "
                         f"got {row!r}")
    name, layer, inputs = (*row, None)[:3]
    if isinstance(layer, type):
        raise ValueError(f"network {network}, layer {name}: {layer.__name__} is a class; write "
                         f"{layer.__name__}(...)")
    return name, layer, inputs


def _check_inputs(where, layer, inputs, places):
    for place in inputs:
        if place not in places:
            raise LayerNameError(f"{where}: it reads {place!r}, but no row above it has this name"
                                 + near(place, places))
    if not inputs or (len(inputs) > 1 and not layer.several):
        raise ValueError(f"{where}: {type(layer).__name__} reads "
                         f"{'at least one array' if layer.several else 'one array'}, but its "
                         f"row names {len(inputs)}")


def traced(rows, input_shape, network):
    """Dicts of the input, output and parameter shapes of every layer, for one image."""
    read, shapes, params = {}, {INPUT: tuple(input_shape)}, {}
    for name, layer, inputs in rows:
        below = [shapes[place] for place in inputs]
        read[name] = below if layer.several else below[0]
        try:
            wanted = layer.param_shapes(read[name])
            shapes[name] = layer.output_shape(read[name])
        except (ValueError, IndexError) as error:
            raise ValueError(f"network {network}, layer {name}: {error} (its input is "
                             f"{read[name]})") from None
        params |= {name: wanted} if wanted else {}
    del shapes[INPUT]
    return read, shapes, params


def too_small_for(rows, shape):
    """The name of the first row whose window does not fit into an image of (H, W, C); or None."""
    shapes = {INPUT: tuple(shape)}
    for name, layer, inputs in rows:
        below = [shapes[place] for place in inputs]
        try:
            shapes[name] = layer.output_shape(below if layer.several else below[0])
        except ValueError:
            return None if layer.several else name
    return None


def initial(key, shape, rng):
    """The initial values of the parameter called `key`; see `Network.initialize`."""
    if key == "w":
        fan_in = prod(shape[:-1])
        return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / fan_in) ** 0.5)
    return np.full(shape, 1 if key in ("gamma", "variance") else 0, dtype=np.float32)

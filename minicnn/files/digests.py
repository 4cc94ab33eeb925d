"""SHA-256 of files and of networks: what is the same has the same, what differs another.

Of a network what is hashed is what its numbers come from: the layers with their settings, the
preprocessing, and the weights as they are in memory. A file stored again in another way, or under
another name, has the same.
"""

import hashlib
import json

import numpy as np

from minicnn import backend
from minicnn.network.layers import Conv, walk

BLOCK = 1 << 20  # bytes read at once


def sha256(path):
    """Of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def of_arrays(arrays):
    """Of arrays: their names, kinds, shapes and bytes (the low byte first).

    Parameters
    ----------
    arrays : dict of str to array
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        array = np.ascontiguousarray(backend.to_host(array))
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.data)
    return digest.hexdigest()


def of_layers(network):
    """Of everything but the weights: the layers' names, kinds and settings, the input's shape, how
    photos are prepared. A convolution counts as of algorithm "auto", a setting it once had, so that
    what was saved then has the same digest now."""
    layers = [[name, type(layer).__name__, {} if hasattr(layer, "branches") else layer.settings()
               | ({"algorithm": "auto"} if isinstance(layer, Conv) else {})]
              for name, layer in walk(network.layers)]
    prepared = None if network.preprocessing is None else network.preprocessing.to_dict()
    told = json.dumps([layers, network.input_shape, prepared], default=_described)
    return hashlib.sha256(told.encode()).hexdigest()


def of_weights(network):
    """Of the weights alone, in the precision they are in."""
    return of_arrays({f"{name}/{key}": network[name].params[key]
                      for name, shapes in network.param_shapes.items() for key in shapes})


def digest(network):
    """Of everything that a network's activations depend on."""
    return hashlib.sha256(f"{of_layers(network)} {of_weights(network)}".encode()).hexdigest()


def _described(value):
    """NumPy's numbers as Python's, and of an array (a mean image) its hash, for JSON."""
    if isinstance(value, np.ndarray):
        return of_arrays({"array": value})
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"one is of type {type(value).__name__}")

"""SHA-256 of files and of networks: what is the same has the same, what differs another.

Of a network what is hashed is what its numbers come from: the layers with their settings, the
preprocessing, and the weights as they are in memory. A file stored again in another way, or under
another name, has the same.
"""

import hashlib
import json

import numpy as np

from minicnn import backend

BLOCK = 1 << 20  # bytes read at once


def sha256(path):
    """Of a file's bytes, in hexadecimal digits."""
    return of_file(path, "sha256")[0]


def of_file(path, *kinds):
    """A file's hashes of several kinds that hashlib knows, in hexadecimal digits."""
    digests = [hashlib.new(kind, usedforsecurity=False) for kind in kinds]
    with open(path, "rb") as file:
        while digests and (block := file.read(BLOCK)):
            for digest in digests:
                digest.update(block)
    return [digest.hexdigest() for digest in digests]


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
    """Of everything but the weights: the layers' names, kinds, settings and what they read, the
    input's shape, how photos are prepared."""
    return of_settings([[name, type(layer).__name__, layer.settings(), inputs]
                        for name, layer, inputs in network.rows], network)


def of_settings(rows, network):
    """Of rows as plain values, and of a network's input shape and preprocessing."""
    prepared = None if network.preprocessing is None else network.preprocessing.to_dict()
    told = json.dumps([rows, network.input_shape, prepared], default=_described)
    return hashlib.sha256(told.encode()).hexdigest()


def of_weights(network):
    """Of the weights alone, in the precision they are in."""
    return of_arrays({f"{name}/{key}": network.params[name][key]
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

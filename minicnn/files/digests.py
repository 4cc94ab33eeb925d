"""SHA-256 digests of files and of networks, to tell whether two of them are equal.

A network's digest covers everything its numbers come from: the layers with their settings, the
preprocessing, and the weights in memory. It does not depend on how, or under which name, the
network's file is stored.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from minicnn import backend
from minicnn.network import Network

BLOCK = 1 << 20  # bytes read at once


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return of_file(path, "sha256")[0]


def of_file(path: str | Path, *kinds: str) -> list[str]:
    """A file's hashes of the given kinds (names of hashlib), in hexadecimal digits."""
    digests = [hashlib.new(kind, usedforsecurity=False) for kind in kinds]
    with open(path, "rb") as file:
        while digests and (block := file.read(BLOCK)):
            for digest in digests:
                digest.update(block)
    return [digest.hexdigest() for digest in digests]


def of_arrays(arrays: dict[str, np.ndarray]) -> str:
    """The digest of arrays: of their names, dtypes, shapes and bytes (little-endian).

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


def of_layers(network: Network) -> str:
    """The digest of everything but the weights: each layer's name, kind, settings and inputs, the
    network's input shape, and the preprocessing."""
    return of_settings([[name, type(layer).__name__, layer.settings(), inputs]
                        for name, layer, inputs in network.rows], network)


def of_settings(rows: list, network: Network) -> str:
    """The digest of rows as plain values, and of a network's input shape and preprocessing."""
    prepared = None if network.preprocessing is None else network.preprocessing.to_dict()
    told = json.dumps([rows, network.input_shape, prepared], default=_described)
    return hashlib.sha256(told.encode()).hexdigest()


def of_weights(network: Network) -> str:
    """The digest of the weights alone, in their present precision."""
    return of_arrays({f"{name}/{key}": network.params[name][key]
                      for name, shapes in network.param_shapes.items() for key in shapes})


def digest(network: Network) -> str:
    """The digest of everything a network's activations depend on, user-supplied ops included."""
    told = f"{of_layers(network)} {of_weights(network)}"
    if chosen := network.choice.identity():
        told += json.dumps(chosen, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _described(value):
    """For JSON: NumPy's numbers as Python's, an array (a mean image) as its digest."""
    if isinstance(value, np.ndarray):
        return of_arrays({"array": value})
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot hash a setting of type {type(value).__name__}; expected plain values, "
                    "NumPy numbers or arrays")

"""Checkpoints: all that training needs to go on as if it had never stopped.

An .npz file of arrays: the network's parameters, the optimiser's memory (velocities, moments), and
as JSON text where training is and the settings it was begun with. It holds no pickled objects, so
opening one runs no code. The file is replaced whole, so that there is always a complete one.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

from minicnn.backend import to_device, to_host
from minicnn.images import atomic


class CheckpointError(ValueError):
    """The file is no checkpoint, or one of another training."""


def save(path, network, optimizer, settings, progress):
    """Write a checkpoint.

    Parameters
    ----------
    path : str or path
    network : Network
    optimizer : SGD, RMSprop, Adam, ...
    settings : dict
        What must be the same when training goes on: numbers, strings, lists.
    progress : dict
        Where training is: numbers, lists.
    """
    arrays = {f"param|{name}|{key}": to_host(value) for name, named in network.params.items()
              for key, value in named.items()}
    for (name, key), kept in getattr(optimizer, optimizer.memory).items():
        parts = kept if isinstance(kept, tuple) else (kept,)
        arrays |= {f"memory|{name}|{key}|{k}|{len(parts) * isinstance(kept, tuple)}":
                   to_host(np.asarray(part) if np.isscalar(part) else part)
                   for k, part in enumerate(parts)}
    text = json.dumps({"settings": settings, "progress": progress})
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, about=np.frombuffer(text.encode(), np.uint8), **arrays)


def load(path, network, optimizer, settings):
    """Set the parameters and the optimiser's memory from a checkpoint; returns its `progress`.

    Raises
    ------
    CheckpointError
        Not a checkpoint; of a network with other layers; of other settings, which are named.
    """
    try:
        with Path(path).open("rb") as opened, np.load(opened) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
        settings_then, progress = about["settings"], about["progress"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: not a checkpoint, or damaged ({error}); remove it, or give "
                              "another path") from None
    changed = [f"{name} was {settings_then.get(name)!r}, is {settings.get(name)!r}"
               for name in settings | settings_then
               if settings_then.get(name) != settings.get(name)]
    if changed:
        raise CheckpointError(f"{path}: this checkpoint is of another training: "
                              f"{'; '.join(changed)}. Remove it to begin anew, or use the same "
                              "settings to go on")
    memory = {}
    for entry, value in arrays.items():
        kind, name, key, *where = entry.split("|")
        if kind == "param":
            _set(path, network, name, key, value)
        else:
            memory.setdefault((name, key, int(where[1])), []).append(value)
    setattr(optimizer, optimizer.memory, {
        (name, key): tuple(_plain(part, network.device) for part in parts) if several
        else to_device(parts[0], network.device)
        for (name, key, several), parts in memory.items()})
    return progress


def remove(path):
    """Remove a checkpoint that is no longer needed, if there is one."""
    Path(path).unlink(missing_ok=True)


def _set(path, network, name, key, value):
    wanted = network.param_shapes.get(name, {}).get(key)
    if wanted is None or tuple(wanted) != value.shape:
        raise CheckpointError(f"{path}: layer {name} has {key} {value.shape} there, but network "
                              f"{network.name} wants {wanted}")
    network.params[name][key] = to_device(value, network.device)


def _plain(part, device):
    """A count that was stored as an array without axes is a number again."""
    return part.item() if part.ndim == 0 else to_device(part, device)

"""Reader of PyTorch weight files (.pth, .pt): what `torch.save(model.state_dict(), path)` writes.

Such a file is a pickle, and Python's own way to read one runs whatever program is in it. This
reader makes tensors and dicts of it and nothing else (`pickles`), in each of the three containers
that PyTorch has used (`torch_containers`, `torch_tar`). The numbers are not copied: the arrays are
views of the mapped file; bfloat16 alone, which NumPy lacks, becomes float32 in memory.
"""

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.foreign import torch_containers, torch_tar, zips
from minicnn.foreign.contents import Foreign

WHAT = "a PyTorch file"
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "params")
PREFIXES = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}
LONGEST_WORD = 200  # of what a checkpoint says of itself


def recognises(path):
    """Whether a file is one of the containers, by its content, damaged or not.

    A pickle that PyTorch did not write counts too: `read` says what is wrong with it.
    """
    return _container(path) is not None


def read(path):
    """Read the tensors of a file.

    Of a checkpoint, a dict with the state dict as one of its entries, that entry is taken. Where
    all names begin with "module." (a network saved from inside DataParallel), that is taken off.

    Parameters
    ----------
    path : str or path
        Of a .pth or .pt file, whatever its name.

    Returns
    -------
    Foreign
        Layout OIHW. The arrays are views of the file, and cannot be written to.

    Raises
    ------
    WeightsError
        Naming the file: not such a file, damaged, or a pickle that would make anything but tensors
        and dicts. Nothing in a file is ever run.
    """
    container = _container(path)
    with mapped.opened(path, WHAT) as data:
        if container is None:
            raise ValueError("it begins neither as a ZIP file, nor as a tar file, nor as a pickle")
        name, contents_of = container
        contents = contents_of(data)
        tensors, says, notes = _state_dict(contents.value)
        arrays = mapped.arrays(data, [_region(key, tensor, contents.places)
                                      for key, tensor in tensors.items()])
    if any(tensor.storage.kind.endswith(mapped.BFLOAT16) for tensor in tensors.values()):
        notes.append("Its bfloat16 numbers were widened to float32, which loses nothing.")
    arrays = without_prefix(arrays, notes)
    return Foreign(f"PyTorch state dict ({name})", arrays, "OIHW",
                   says=contents.says | says, notes=notes)


def without_prefix(arrays, notes):
    """The arrays with what wrappers put before every name taken off; a note says so."""
    for prefix, wrapper in PREFIXES.items():
        if arrays and all(name.startswith(prefix) for name in arrays):
            notes.append(f"Every name began with {prefix!r}, from {wrapper}; it was taken off.")
            arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
    return arrays


def _container(path):
    """(its name, the function that reads it); None for another kind of file."""
    head = mapped.head(path, 600)
    if head.startswith(zips.MAGIC):
        return ("zip", torch_containers.zipped) if zips.has(path, "data.pkl") else None
    if head[257:262] == b"ustar":
        return "tar", torch_tar.tarred
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:  # a pickle of protocol 2 to 5
        return "pickles in a row", torch_containers.in_a_row
    return None


def _state_dict(value):
    """(tensors by name, what the checkpoint says else, notes) of an unpickled object."""
    if type(value) is not dict:
        raise ValueError(f"it holds a {type(value).__name__}, and no dict of tensors; save "
                         "model.state_dict()")
    entry = _entry(value)
    inner = value if entry is None else value[entry]
    tensors = _tensors(inner)
    if not tensors:
        raise ValueError("there are no tensors in it; its entries are "
                         f"{', '.join(f'{key!r:.40}' for key in list(inner)[:8]) or 'none'}")
    says, notes = {}, []
    if entry is not None:
        says = {key: word for key, word in value.items() if _is_short(key) and _is_short(word)}
        notes.append(f"The network is the entry {entry!r:.60} of the file; the rest is left out.")
    left_out = [key for key in inner if key not in tensors]
    if left_out:
        notes.append(f"Entries that are no tensors are left out: {len(left_out)}, the first "
                     f"{left_out[0]!r:.60}.")
    return tensors, says, notes


def _entry(value):
    """Which entry of a dict is the state dict; None where it is the dict itself."""
    dicts = [key for key, item in value.items() if type(item) is dict]
    named = [key for key in WRAPPERS if key in dicts and _tensors(value[key])]
    if named or _tensors(value) or len(dicts) != 1:
        return named[0] if named else None
    return dicts[0]


def _tensors(entries):
    return {key: item for key, item in entries.items() if type(item) is torch_containers.Tensor}


def _is_short(word):
    return type(word) in (str, int, float, bool) and len(str(word)) <= LONGEST_WORD


def _region(name, tensor, places):
    """Where a tensor's numbers lie in the file."""
    storage = tensor.storage
    start, size = places.get(storage.key, (0, 0))
    item = mapped.itemsize(storage.kind)
    reach = tensor.offset + mapped.extent(tensor.shape, tensor.strides)
    if reach > storage.count or (storage.first + storage.count) * item > size:
        raise Damaged(f"{mapped.short(name)} is of shape {tensor.shape}, more than its row of "
                      "numbers has")
    first = start + (storage.first + tensor.offset) * item
    return mapped.Region(name, storage.kind, tensor.shape, first, tensor.strides)

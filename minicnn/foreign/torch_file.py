"""Reader of PyTorch weight files (.pth, .pt) written by `torch.save(model.state_dict(), path)`.

Such a file is a pickle, and Python's own `pickle` would run any program in it. This reader only
makes tensors and dicts from it (`pickles`), in each of the three containers that PyTorch has used
(`torch_containers`, `torch_tar`). The numbers are not copied: the arrays are views of the mapped
file; only bfloat16, which NumPy lacks, becomes float32.
"""

from minicnn.files import mapped
from minicnn.foreign import torch_containers, torch_tar, zips
from minicnn.foreign.contents import Foreign
from minicnn.foreign.settings import intact, require

WHAT = "a PyTorch file"
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "params")
PREFIXES = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}
LONGEST_WORD = 200  # letters of a checkpoint's entry about itself


def recognises(path):
    """Whether a file is one of the containers, by its contents, damaged or not.

    A pickle that PyTorch did not write counts, too: `read` explains what is wrong with it.
    """
    return _container(path) is not None


def read(path):
    """Read the tensors of a file.

    From a checkpoint, a dict with the state dict as one of its entries, only that entry is read.
    If all names begin with "module." (a network saved inside DataParallel), the prefix is removed.

    Parameters
    ----------
    path : str or path
        A .pth or .pt file, with any name.

    Returns
    -------
    Foreign
        Layout OIHW. The arrays are read-only views of the file.

    Raises
    ------
    WeightsError
        Naming the file: it has another format or is damaged, or its pickle would make anything but
        tensors and dicts. Nothing in a file is ever run.
    """
    container = _container(path)
    with mapped.opened(path, WHAT) as data:
        require(container is not None,
                "it begins neither like a ZIP file, nor a tar file, nor a pickle")
        name, contents_of = container
        contents = contents_of(data)
        tensors, says, notes = _state_dict(contents.value)
        regions = [_region(key, tensor, contents.places) for key, tensor in tensors.items()]
        notes += widened(regions)
        arrays = without_prefix(mapped.arrays(data, regions), notes)
    return Foreign(f"PyTorch state dict ({name})", arrays, "OIHW",
                   says=contents.says | says, notes=notes)


def widened(regions):
    """A list with the note on bfloat16 numbers; empty if there are none."""
    return ["Its bfloat16 numbers were widened to float32, which loses nothing."] if any(
        region.kind.endswith(mapped.BFLOAT16) for region in regions) else []


def without_prefix(arrays, notes):
    """The arrays without the prefix of a wrapper module; a note is added if one is removed."""
    for prefix, wrapper in PREFIXES.items():
        if arrays and all(name.startswith(prefix) for name in arrays):
            notes.append(f"The prefix {prefix!r} of every name, from {wrapper}, was removed.")
            arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
    return arrays


def _container(path):
    """(the container's name, the function that reads it); None for another kind of file."""
    head = mapped.head(path, 600)
    if head.startswith(zips.MAGIC):
        return ("zip", torch_containers.zipped) if zips.has(path, "data.pkl") else None
    if head[257:262] == b"ustar":
        return "tar", torch_tar.tarred
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:  # a pickle of protocol 2 to 5
        return "pickles in a row", torch_containers.in_a_row
    return None


def _state_dict(value):
    """({name: tensor}, the checkpoint's other entries, notes) of an unpickled object."""
    require(type(value) is dict,
            "it holds a {}, not a dict of tensors; save model.state_dict()", type(value).__name__)
    entry = _entry(value)
    inner, says, notes = value, {}, []
    if entry is not None:
        inner = value[entry]
        says = {key: word for key, word in value.items() if _is_short(key) and _is_short(word)}
        notes.append(f"Only the entry {entry!r:.60} of the file was read, the network.")
    tensors = _tensors(inner)
    require(tensors, "there are no tensors in it; its entries are {}",
            ", ".join(f"{key!r:.40}" for key in list(inner)[:8]) or "none")
    left_out = [key for key in inner if key not in tensors]
    notes += [f"{len(left_out)} entries that are not tensors are left out, the first "
              f"{left_out[0]!r:.60}."] if left_out else []
    return tensors, says, notes


def _entry(value):
    """The key of the state dict in a dict; None if the dict itself is the state dict."""
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
    intact(reach <= storage.count and (storage.first + storage.count) * item <= size,
           "{}: its shape {} needs more numbers than its storage has", mapped.short(name),
           tensor.shape)
    first = start + (storage.first + tensor.offset) * item
    return mapped.Region(name, storage.kind, tensor.shape, first, tensor.strides)

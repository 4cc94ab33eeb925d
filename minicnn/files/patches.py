"""One HDF5 file with the patches of photos that activate a network's channels most.

The attributes of the root are `format` "minicnn patches", `version` 2 and `about`, JSON: the
network, the rules, the number of photos, the layers. `unreadable` lists the photos that could not
be read, and why. Each layer is a group of its name. C is the number of channels stored, K the
number of places per channel:

===========  =================  ==================================================================
channels     (C,)               their numbers
values       (C, K) float32     the activations, strongest first; 0 if the place is empty
photos       (C, K) int64       the photo's number; -1 if the place is empty
names        (C, K) text        the photo's name
positions    (C, K, 2) int32    (row, column) of the unit; -1 in a layer without positions
boxes        (C, K, 4) int32    top, bottom, left, right of the unit's receptive field in the photo
windows      (C, K, 4) int32    top, bottom, left, right of what is stored of the photo: as much as
                                a unit far from the border sees; at the border, moved inwards
frames       (C, 2) int32       height and width of the receptive field without a border
patches      (C, K, h, w, 3)    uint8: the pixels in the window, from the top left on; then zeros
projections  the same, float32  the projection there, red first, in the network's input units
===========  =================  ==================================================================

Version 1 stored the boxes in place of the windows.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.files import hdf5_arrays
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import open_file
from minicnn.files.hdf5_created import created
from minicnn.files.mapped import check_sum
from minicnn.images.pictures import MAX_PIXELS

FORMAT, VERSION = "minicnn patches", 2
TABLES = ("channels", "values", "photos", "names", "positions", "boxes", "windows", "frames")
PIXELS = {"patches": np.uint8, "projections": np.float32}
FORM = {  # of the data sets of a layer: kind, as for `hdf5_arrays.plain`, and shape
    "channels": ("iu", "C"), "values": ("f", "CK"), "photos": ("iu", "CK"), "names": ("t", "CK"),
    "positions": ("iu", "CK2"), "boxes": ("iu", "CK4"), "windows": ("iu", "CK4"),
    "frames": ("iu", "C2"), "patches": ("u", "CKhw3"), "projections": ("f", "CKhw3")}
ABOUT = {"network": str, "count": int, "photos": int, "relu": str, "lrn": str | None}
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


class Channel(NamedTuple):
    """The strongest activations of one channel: lists of equal length, strongest first.

    The lists are empty for a silent channel. values: activations. names, photos: the photos' names
    and numbers. positions: (row, column) of the units, () without positions. boxes: (top, bottom,
    left, right) in the photo as the network reads it. windows: the same of the patches and
    projections. patches: (h, w, 3) uint8. projections: (h, w, 3) float32, red first. frame:
    (height, width) of the whole receptive field, far from the border.
    """

    layer: str
    channel: int
    values: list
    names: list
    photos: list
    positions: list
    boxes: list
    patches: list
    projections: list
    windows: list
    frame: tuple


@dataclass(frozen=True)
class Patches:
    """A file of patches; its channels are read on demand.

    Attributes
    ----------
    path : Path
    about : dict
        How the file was made: network, count, relu and lrn as asked for, rules, shifts, size,
        photos.
    layers : dict of str to list of int
        The channels of each layer.
    unreadable : list of str
        One line for each photo that could not be read.
    """

    path: Path
    about: dict = field(repr=False)
    layers: dict = field(repr=False)
    unreadable: list = field(repr=False)

    def rules(self, layer):
        """The rules at ReLUs and at LRNs by which a layer's units were projected; the second is
        None if the network has no LRN."""
        return self.about.get("rules", {}).get(layer, (self.about["relu"], self.about["lrn"]))

    def channel(self, layer, channel):
        """The Channel of a number; ValueError if the file does not have it."""
        return next(self.channels(layer, [channel]))

    def channels(self, layer, channels=None):
        """Yield Channels of a layer; by default all of them."""
        if layer not in self.layers:
            raise ValueError(f"{self.path}: there is no layer {layer!r} in it; its layers are "
                             f"{', '.join(self.layers)}")
        stored = self.layers[layer]
        chosen = stored if channels is None else channels
        missing = [c for c in chosen if c not in stored]
        if missing:
            raise ValueError(f"{self.path}: channel {missing[0]} of {layer} is not in it; its "
                             f"channels are {', '.join(map(str, stored))}")
        with open_file(self.path) as file:
            for channel in chosen:
                yield _channel(file[layer], layer, stored.index(channel))


def read(path):
    """Open a file that `write` wrote; returns Patches.

    Raises
    ------
    ValueError
        In one line: no such file, another kind of file, or a damaged one.
    """
    with open_file(path) as file:
        if file.attrs.get("format") != FORMAT:
            raise WeightsError(f"{path}: not a file of patches (no attribute format={FORMAT!r})")
        if file.attrs["version"] > VERSION:
            raise WeightsError(f"{path}: the file has version {file.attrs['version']}, and this "
                               f"minicnn reads versions up to {VERSION}; update minicnn")
        about, size = json.loads(file.attrs["about"]), Path(path).stat().st_size
        names = about.pop("layers")
        _check_about(about, names)
        for name in names:
            _check_layer(file, name, about["count"], size)
        layers = {name: file[name]["channels"][()].tolist() for name in names}
        unreadable = hdf5_arrays.plain(file, "unreadable", "t", 1)
        hdf5_arrays.check_sets([unreadable], size)
        unreadable = [line.decode("utf-8", "replace") for line in unreadable[()]]
    return Patches(Path(path), about, layers, unreadable)


def _check_about(about, layers):
    """Raise ValueError unless the description of a file is as `write` makes it."""
    wrong = [name for name, kind in ABOUT.items()
             if name not in about or not isinstance(about[name], kind)]
    rules = about.get("rules", {})
    wrong += [] if isinstance(about.get("shifts", 1), int) else ["shifts"]
    wrong += [] if isinstance(rules, dict) and all(
        isinstance(rule, list) and len(rule) == 2 for rule in rules.values()) else ["rules"]
    wrong += [] if isinstance(layers, list) and layers and all(
        isinstance(name, str) for name in layers) else ["layers"]
    if wrong:
        raise ValueError(f"in `about`, {', '.join(wrong)} missing or of another type than minicnn "
                         "writes")


def _check_layer(file, name, count, size):
    """Raise ValueError unless a layer has all its data sets, in shapes that go together."""
    sides, tables = {"K": count}, 0
    stored = hdf5_arrays.item(file, name)
    for key, place in _stored(stored).items():
        kind, letters = FORM[key]
        data = hdf5_arrays.plain(file, f"{name}/{place}", kind, len(letters))
        for letter, side in zip(letters, data.shape, strict=True):
            if side != (int(letter) if letter.isdigit() else sides.setdefault(letter, side)):
                raise ValueError(f"{name}/{key}: expected the shape ({', '.join(letters)}) with "
                                 f"{sides}, got {data.shape}")
        tables += 0 if key in PIXELS else 16 * data.size
    check_sum(tables, size)
    if sides["h"] * sides["w"] > MAX_PIXELS:
        raise ValueError(f"{name}: patches of {sides['h']} x {sides['w']} pixels")
    top, bottom, left, right = stored[_stored(stored)["windows"]][()].reshape(-1, 4).T
    if not all((length >= 0).all() and (length <= side).all() for length, side in (
            (bottom - top, sides["h"]), (right - left, sides["w"]))):
        raise ValueError(f"{name}/windows are larger than what is stored of the photos")


def _stored(group):
    """{name of a data set: the name it has in the file}; in version 1 boxes are also windows."""
    old = not hdf5_arrays.has(group, "windows")
    return {key: "boxes" if old and key == "windows" else key for key in FORM}


def write(path, about, unreadable, layers, pixels):
    """Write the file, completely or not at all.

    Parameters
    ----------
    path : path
    about : dict
        For `Patches.about`.
    unreadable : list of str
    layers : dict of str to dict
        {layer: {name of one of TABLES: array}}, with the arrays described above.
    pixels : iterable of (layer, row, place, patch, projection)
        The patches in any order; `row` is the index in the layer's `channels`.
    """
    import h5py

    with created(path) as file:
        file.attrs.update({"format": FORMAT, "version": VERSION,
                           "about": json.dumps(about | {"layers": list(layers)})})
        file.create_dataset("unreadable", data=_text(unreadable), dtype=h5py.string_dtype())
        for name, tables in layers.items():
            _make_layer(file.create_group(name), tables, h5py.string_dtype())
        for name, row, place, patch, projection in pixels:
            h, w = patch.shape[:2]
            file[name]["patches"][row, place, :h, :w] = patch
            file[name]["projections"][row, place, :h, :w] = projection


def _make_layer(group, tables, text):
    for key in TABLES:
        if key == "names":
            group.create_dataset(key, data=_text(tables[key]), dtype=text)
        else:
            group.create_dataset(key, data=tables[key])
    top, bottom, left, right = tables["windows"].reshape(-1, 4).T  # C,K,4 -> C*K,4
    sides = [max(1, int(side.max())) for side in (bottom - top, right - left)]
    for key, dtype in PIXELS.items():
        group.create_dataset(key, (*tables["values"].shape, *sides, 3), dtype,
                             chunks=(1, 1, *sides, 3), **COMPRESSION)


def _text(names):
    """Names as UTF-8; bytes of a file name that are not valid UTF-8 are replaced."""
    encoded = np.vectorize(lambda name: name.encode("utf-8", "replace"), otypes=[object])
    names = np.asarray(names, dtype=object)
    return encoded(names) if names.size else names


def _channel(group, layer, row):
    places = np.flatnonzero(group["photos"][row] >= 0)
    stored = _stored(group)
    table = {key: group[stored[key]][row][places] for key in TABLES[1:-1]}
    sides = [(bottom - top, right - left) for top, bottom, left, right in table["windows"]]
    patches, projections = ([group[key][row, k, :h, :w] for k, (h, w) in zip(places, sides,
                                                                            strict=True)]
                            for key in PIXELS)
    if not all(np.isfinite(a).all() for a in (table["values"], *projections)):
        raise WeightsError(f"{group.file.filename}: channel {group['channels'][row]} of {layer} "
                           "holds numbers that are not finite; make the file again")
    return Channel(
        layer, int(group["channels"][row]), table["values"].tolist(),
        [name.decode("utf-8", "replace") for name in table["names"]], table["photos"].tolist(),
        [position if position[0] >= 0 else () for position in _tuples(table["positions"])],
        _tuples(table["boxes"]), patches, projections, _tuples(table["windows"]),
        tuple(group["frames"][row].tolist()))


def _tuples(rows):
    return [tuple(row) for row in rows.tolist()]

"""Another program's weight file as a network here: `convert`.

What a file is, its contents say, whatever its name. A reader (`minicnn.foreign`) gives its arrays
by their own names and in their own layout; here they are given to the layers they belong to:

names       a file that describes its own layers becomes these. Else the names are those of a table
            in `foreign.names`, or the names of a model here, or, where the model is named, the
            order decides
kernels     PyTorch's and Caffe's (out, in, kh, kw) become (kh, kw, in, out)
dense       (out, in) becomes (in, out); the first above an image reads it in the order C,H,W
            there, in H,W,C here
photos      stay as that program prepares them: the first kernels' channel order is the
            preprocessing's, and nothing in them is exchanged

It is strict: all that is missing, unexpected, misshapen or not finite is reported together. What
was done to each array is told in a table. At the end PyTorch, where it is installed, computes a
small picture with the file's arrays, and the network here must come to the same numbers, which it
keeps as its probe (`minicnn.files.probe`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.files import digests, hdf5, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.probe import ProbeError, verified
from minicnn.foreign import (
    caffe,
    keras_archive,
    keras_hdf5,
    labels,
    matconvnet,
    numpy_file,
    plain_hdf5,
    prototxt,
    safetensors_file,
    tensorflowjs,
    torch_file,
)
from minicnn.foreign.arrays import by_layer, fitted, our_part
from minicnn.foreign.which_network import bare, described, drop_preparing, known
from minicnn.network.summary import lined_up

READERS = (matconvnet, torch_file, keras_archive, numpy_file, safetensors_file, tensorflowjs, caffe,
           prototxt)  # the surest signs first
KNOWN = ("HDF5 of minicnn, Keras or Caffe's converters, .keras, TensorFlow.js, PyTorch, "
         "safetensors, Caffe, MatConvNet, npz")
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
PROBES = ("auto", "pytorch", "minicnn", "none")


class ConvertedArray(NamedTuple):
    """One array: their name, ours, its shape before and after, and what was done to it."""

    theirs: str
    ours: str
    before: tuple
    after: tuple
    done: str


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes
    ----------
    format : str
        What kind of file it was.
    arrays : list of ConvertedArray
        One for each array of the file.
    notes : list of str
        What else to know, a sentence each.
    """

    format: str
    arrays: list
    notes: list

    def __str__(self):
        lines = [(one.theirs, one.ours, "x".join(map(str, one.before)),
                  "x".join(map(str, one.after)), one.done) for one in self.arrays]
        lines.insert(0, ("their name", "our name", "shape", "becomes", "what was done"))
        return "\n".join([self.format, "", *lined_up(lines), "", *self.notes])


def convert(path, model=None, label_file=None, architecture=None, mean=None, probe="auto"):
    """Read another program's weight file as a network.

    A file in minicnn's own form is read, too: it gets a probe, and class names if they are given.

    Parameters
    ----------
    path : str or path
        HDF5 of Keras or of Caffe's converters, .keras, TensorFlow.js (the folder or its
        model.json), PyTorch's state dicts, safetensors, .npz, Caffe's .caffemodel or .prototxt,
        MatConvNet's .mat.
    model : str, optional
        Which of `minicnn.models` it fits. Needed where its names and layers do not say; where
        given, a file's own layers are left aside.
    label_file : str or path, optional
        Class names, one a line; otherwise those in the file, or of a synset_words.txt beside it.
    architecture, mean : str or path, optional
        For a .caffemodel: the .prototxt to use in place of the layers in it, and the .binaryproto
        of its mean image.
    probe : {"auto", "pytorch", "minicnn", "none"}
        Who computes the probe that the network gets, see `probe.make`; with "none" it gets none.

    Returns
    -------
    network : Network
        Without weights where the file, a .prototxt, has none.
    conversion : Conversion

    Raises
    ------
    WeightsError
        In one line: a file of no known kind, a damaged one, or everything that does not fit; the
        first layer that computes something else here than in PyTorch.
    ValueError
        Class names that cannot be read or are too many or few.
    """
    path = Path(path)
    if probe not in PROBES:
        raise ValueError(f"convert: probe must be one of {', '.join(PROBES)}, got {probe!r}")
    if is_ours(path):
        network, conversion, theirs = *_ours(path), None
    else:
        network, conversion, theirs = _converted(path, model, architecture, mean)
    if label_file is not None:
        name_classes(network, label_file)
    if probe != "none" and not network.empty():
        conversion.notes.append(_verified(path, network, probe, theirs))
    conversion.notes.append(_prepared(network))
    return network, conversion


def is_ours(path):
    """Whether a file is in minicnn's own form."""
    if not path.is_file() or mapped.head(path, 8) != HDF5_MAGIC:
        return False
    with hdf5.open_file(path) as file:
        return hdf5.is_ours(file)


def _ours(path):
    """(the network in a file of minicnn's own form, the Conversion)."""
    network = hdf5.load(path)
    arrays = [ConvertedArray(f"{name}/{key}", f"{name}/{key}", shape, shape, "as it is")
              for name, shapes in network.param_shapes.items() for key, shape in shapes.items()]
    return network, Conversion("minicnn's own form", arrays, [])


def _converted(path, model, architecture, mean):
    """(network, Conversion, its weights as they lie in the file if that is in PyTorch's layout)."""
    foreign = read(path, architecture, mean)
    notes, held = list(foreign.notes), by_layer(foreign.arrays)
    if model is None and foreign.layers is not None:
        network = described(path, foreign, held, notes)
        names = {name: name for name in held}
    elif held:
        drop_preparing(foreign, held, notes)
        held = bare(path, foreign, held, model, notes)
        network, names = known(path, foreign, held, model, notes)
    else:
        raise WeightsError(f"{path}: there are no weights in it")
    if not held:
        notes.append("There are no weights in it: network.initialize(seed) draws random ones.")
    converted, theirs = _fill(path, network, foreign, held, names)
    network.about = {"source": foreign.says.get("source") or path.name,
                     "source_format": foreign.format, "source_sha256": digests.sha256(
                         path / "model.json" if path.is_dir() else path)}
    network.labels = _labels(path, network, foreign, notes)
    return network, Conversion(foreign.format, converted, notes), theirs if (
        foreign.layout == "OIHW") else None


def _verified(path, network, by, theirs):
    """Give a network its probe; what that says, or why it can have none, in a sentence."""
    try:
        return f"Probe: {verified(network, by, theirs, path)}."
    except ProbeError as error:
        if by == "pytorch":
            raise WeightsError(f"{path}: {error}") from None
        return f"No probe: {error}."
    except WeightsError as error:
        raise WeightsError(f"{error}; with probe \"none\" it is converted unverified") from None


def read(path, architecture=None, mean=None):
    """What another program's file holds, whichever program's it is: a `contents.Foreign`."""
    if not Path(path).is_file() and not tensorflowjs.recognises(path):
        raise WeightsError(f"{path}: {mapped.no_file(path)}; give the path of a weight file")
    reader = next((reader for reader in READERS if reader.recognises(path)), None)
    if reader is caffe:
        return caffe.read(path, architecture, mean)
    if architecture is not None or mean is not None:
        raise WeightsError(f"{path}: an architecture and a mean image go with a .caffemodel, "
                           "and this is none")
    if reader is not None:
        return reader.read(path)
    if mapped.head(path, 8) != HDF5_MAGIC:
        raise WeightsError(f"{path}: cannot be read as HDF5, nor as any other form known here "
                           f"({KNOWN}): it is another kind of file, or cut short or damaged")
    return (keras_hdf5 if keras_hdf5.recognises(path) else plain_hdf5).read(path)


def name_classes(network, label_file, names_of=labels.read):
    """Give a network the class names in a file; ValueError unless there is one for each output."""
    names = names_of(label_file)
    classes = network.shapes[network.logits][-1]
    if len(names) != classes:
        raise ValueError(f"{label_file}: expected {classes} class names, one for each output "
                         f"of {network.logits}, got {len(names)}")
    network.labels = names


# ---- giving the arrays to the layers

def _fill(path, network, foreign, held, names):
    """Give a network its arrays, strictly; (ConvertedArrays, {our place: their array})."""
    arrays, converted, theirs = {}, [], {}
    for layer, parts in held.items():
        ours = names.get(layer)
        for part, name in parts.items():
            w = foreign.arrays[name]
            key = None if ours not in network.param_shapes else our_part(network[ours], part)
            if key is None:
                arrays[name] = w  # reported as not expected
                continue
            value, done = fitted(w, network, ours, key, foreign.layout)
            mapped.let_go(w)
            converted.append(ConvertedArray(name, f"{ours}/{key}", w.shape, value.shape, done))
            arrays[f"{ours}/{key}"], theirs[f"{ours}/{key}"] = value, w
    if arrays:
        hdf5.put(network, arrays, path)
    return converted, theirs


# ---- what else there is to say

def _labels(path, network, foreign, notes):
    classes = network.shapes[network.logits][-1]
    if foreign.labels and len(foreign.labels) != classes:
        notes.append(f"It names {len(foreign.labels)} classes, and has {classes} outputs; the "
                     "names are left out.")
    elif foreign.labels:
        return list(foreign.labels)
    return labels.beside(path, classes)


def _prepared(network):
    if network.preprocessing is None:
        return ("How photos are prepared is not known: set network.preprocessing, or name the "
                "model it fits.")
    p = network.preprocessing
    return (f"Photos: {p.order}, {p.size[0]}x{p.size[1]}, mean "
            f"{'image' if np.ndim(p.mean) == 3 else tuple(round(m, 3) for m in p.mean)}, scale "
            f"{tuple(float(f'{s:.4g}') for s in p.scale)}, {p.rule} from "
            f"{p.resize_to or 'that size'}, {p.resample}.")

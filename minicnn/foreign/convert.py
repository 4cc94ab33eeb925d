"""`convert` turns another program's weight file into a network.

The contents of a file decide its format; its name does not matter. A reader (`minicnn.foreign`)
returns the arrays under their own names and in their own layout. `convert` assigns each array to
its layer:

names       If the file describes its layers, they are used. Otherwise array names are looked up in
            a table in `foreign.names` or among the layer names of a minicnn model. If `model` is
            given, the order of the arrays decides.
kernels     (out, in, kh, kw) of PyTorch and Caffe become (kh, kw, in, out).
dense       (out, in) becomes (in, out). The first dense layer above an image reads it in the order
            C,H,W there and H,W,C in minicnn.
photos      are prepared as in the other program. The first kernels keep their channel order, which
            is that of the preprocessing.

Conversion is strict: all arrays that are missing, unexpected, of the wrong shape or not finite are
reported together. A table lists what was done to each array. Finally PyTorch, if it is installed,
runs the file's arrays on a small picture. The network must compute the same numbers, and it keeps
them as its probe (`minicnn.files.probe`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.files import digests, hdf5, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import MAGIC as HDF5_MAGIC
from minicnn.files.hdf5 import is_our_file as is_ours
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
from minicnn.foreign.contents import Foreign
from minicnn.foreign.labels import name_classes
from minicnn.foreign.settings import require, usable
from minicnn.foreign.which_network import bare, described, drop_preparing, known
from minicnn.images.preprocessing import how_to_set
from minicnn.network import Network
from minicnn.network.summary import lined_up

READERS = (matconvnet, torch_file, keras_archive, numpy_file, safetensors_file, tensorflowjs, caffe,
           prototxt)  # the surest signs first
KNOWN = ("HDF5 of minicnn, Keras or Caffe's converters, .keras, TensorFlow.js, PyTorch, "
         "safetensors, Caffe, MatConvNet, npz")
PROBES = ("auto", "pytorch", "minicnn", "none")


class ConvertedArray(NamedTuple):
    """One array: its name in the file and in minicnn, its shape before and after, what was done."""

    theirs: str
    ours: str
    before: tuple
    after: tuple
    done: str


@dataclass(frozen=True, repr=False)
class Conversion:
    """What a conversion did.

    Attributes
    ----------
    format : str
        The format of the file.
    arrays : list of ConvertedArray
        One for each array of the file.
    notes : list of str
        Remarks for the user, one sentence each.
    """

    format: str
    arrays: list
    notes: list

    def __repr__(self):
        lines = [(one.theirs, one.ours, "x".join(map(str, one.before)),
                  "x".join(map(str, one.after)), one.done) for one in self.arrays]
        lines.insert(0, ("their name", "our name", "shape", "becomes", "what was done"))
        return "\n".join([self.format, "", *lined_up(lines), "", *self.notes])


def convert(path: str | Path, model: str | None = None, label_file: str | Path | None = None,
            architecture: str | Path | None = None, mean: str | Path | None = None,
            probe: str = "auto") -> tuple[Network, Conversion]:
    """Read another program's weight file as a network.

    A file in minicnn's own form is read as well; it gets a probe, and class names if given.

    Parameters
    ----------
    path : str or path
        HDF5 of Keras or of Caffe's converters, .keras, TensorFlow.js (the folder or its
        model.json), PyTorch's state dicts, safetensors, .npz, Caffe's .caffemodel or .prototxt,
        MatConvNet's .mat.
    model : str, optional
        The network of `minicnn.models` that the weights fit. Needed if neither the names nor the
        layers in the file identify it. If given, layers described in the file are ignored.
    label_file : str or path, optional
        Class names, one per line. Default: those in the file or in a synset_words.txt beside it.
    architecture, mean : str or path, optional
        For a .caffemodel: the .prototxt that replaces the layers described in it, and the
        .binaryproto of its mean image.
    probe : {"auto", "pytorch", "minicnn", "none"}
        What computes the network's probe, see `probe.make`; with "none" it gets no probe.

    Returns
    -------
    network : Network
        Without weights if the file is a .prototxt, which holds none.
    conversion : Conversion

    Raises
    ------
    WeightsError
        In one line: the format is unknown, the file is damaged, everything that does not fit, or
        the first layer whose output differs from PyTorch's.
    ValueError
        The class names cannot be read, or there are too many or too few.
    """
    path = Path(path)
    require(probe in PROBES, "convert: probe must be one of {}, got {!r}", ", ".join(PROBES), probe)
    if is_ours(path):
        network, theirs = hdf5.load(path), None
        arrays = [ConvertedArray(f"{name}/{key}", f"{name}/{key}", shape, shape, "as it is")
                  for name, shapes in network.param_shapes.items() for key, shape in shapes.items()]
        conversion = Conversion("minicnn's own form", arrays, [])
    else:
        network, conversion, theirs = _converted(path, model, architecture, mean)
    if label_file is not None:
        name_classes(network, label_file)
    if probe != "none" and not network.empty():
        conversion.notes.append(_verified(path, network, probe, theirs))
    conversion.notes.append(_prepared(network))
    return network, conversion


def _converted(path, model, architecture, mean):
    """(network, Conversion, the file's weights unchanged if in PyTorch's layout, else None)."""
    foreign = read(path, architecture, mean)
    notes, held = list(foreign.notes), by_layer(foreign.arrays)
    if model is None and foreign.layers is not None:
        network = described(path, foreign, held, notes)
        names = {name: name for name in held}
    else:
        usable(held, "{}: there are no weights in it; give a file with weights", path)
        drop_preparing(foreign, held, notes)
        held = bare(path, foreign, held, model, notes)
        network, names = known(path, foreign, held, model, notes)
    if not held:
        notes.append("The file has no weights: network.initialize(seed) draws random ones.")
    arrays, converted, theirs = _assigned(network, foreign, held, names)
    if arrays:
        hdf5.put(network, arrays, path)
    file = path / "model.json" if path.is_dir() else path
    network.about = {"source": foreign.says.get("source") or path.name,
                     "source_format": foreign.format, "source_sha256": digests.sha256(file)}
    network.labels = _labels(path, network, foreign, notes)
    return (network, Conversion(foreign.format, converted, notes),
            theirs if foreign.layout == "OIHW" else None)


def _verified(path, network, by, theirs):
    """Give a network its probe and verify it; a sentence with the result, or why it has none."""
    try:
        return f"Probe: {verified(network, by, theirs, path)}."
    except ProbeError as error:
        if by == "pytorch":
            raise WeightsError(f"{path}: {error}") from None
        return f"No probe: {error}."
    except WeightsError as error:
        raise WeightsError(f'{error}; probe="none" converts it unverified') from None


def read(path: str | Path, architecture: str | Path | None = None,
         mean: str | Path | None = None) -> Foreign:
    """Read another program's file, whatever its format: a `contents.Foreign`."""
    usable(Path(path).is_file() or tensorflowjs.recognises(path),
           "{}: {}; give the path of a weight file", path, mapped.no_file(path))
    reader = next((reader for reader in READERS if reader.recognises(path)), None)
    if reader is caffe:
        return caffe.read(path, architecture, mean)
    usable(architecture is None and mean is None, "{}: not a .caffemodel file; an architecture and "
           "a mean image only go with a .caffemodel", path)
    if reader is not None:
        return reader.read(path)
    usable(mapped.head(path, 8) == HDF5_MAGIC, "{}: cannot be read as HDF5, nor as any other "
           "supported form ({}): it has another form, or is cut short or damaged", path, KNOWN)
    return (keras_hdf5 if keras_hdf5.recognises(path) else plain_hdf5).read(path)


# ---- assigning the arrays to the layers

def _assigned(network, foreign, held, names):
    """(the arrays by minicnn's names and in its layout, ConvertedArrays, {"layer/key" here: array
    as in the file})."""
    arrays, converted, theirs = {}, [], {}
    for layer, part, name in [(layer, *one) for layer, parts in held.items()
                              for one in parts.items()]:
        ours, w = names.get(layer), foreign.arrays[name]
        key = our_part(network[ours], part) if ours in network.param_shapes else None
        if key is None:
            arrays[name] = w  # `put` reports it as unexpected
            continue
        place = f"{ours}/{key}"
        arrays[place], done = fitted(w, network, ours, key, foreign.layout)
        mapped.let_go(w)
        converted.append(ConvertedArray(name, place, w.shape, arrays[place].shape, done))
        theirs[place] = w
    return arrays, converted, theirs


# ---- labels and notes

def _labels(path, network, foreign, notes):
    classes = network.shapes[network.logits][-1]
    if foreign.labels and len(foreign.labels) == classes:
        return list(foreign.labels)
    notes += [f"The file names {len(foreign.labels)} classes, but the network has {classes} "
              "outputs; the names are left out."] if foreign.labels else []
    return labels.beside(path, classes)


def _prepared(network):
    if network.preprocessing is None:
        return ("The file does not say how photos are prepared: "
                f"{how_to_set(network.input_shape)}, or name the model it fits.")
    p = network.preprocessing
    return (f"Photos: {p.order}, {p.size[0]}x{p.size[1]}, mean "
            f"{'image' if np.ndim(p.mean) == 3 else tuple(round(m, 3) for m in p.mean)}, scale "
            f"{tuple(float(f'{s:.4g}') for s in p.scale)}, {p.rule} from "
            f"{p.resize_to or 'that size'}, {p.resample}.")

"""Another program's weight file as a network here: `convert`.

What a file is, its contents say, whatever its name. A reader (`minicnn.formats`) gives its arrays
by their own names and in their own layout; here they are given to the layers they belong to:

names       a file that describes its own layers becomes these. Else the names are those of a table
            in `foreign_names`, or the names of a model here, or, where the model is named, the
            order decides
kernels     PyTorch's and Caffe's (out, in, kh, kw) become (kh, kw, in, out)
dense       (out, in) becomes (in, out); the first above an image reads it in the order C,H,W
            there, in H,W,C here
photos      stay as that program prepares them: the first kernels' channel order is the
            preprocessing's, and nothing in them is exchanged

It is strict: all that is missing, unexpected, misshapen or not finite is reported together. What
was done to each array is told in a table. At the end PyTorch, where it is installed, computes a
small picture with the file's arrays, and the network here must come to the same numbers, which it
keeps as its probe (`minicnn.models.probe`).
"""

from dataclasses import dataclass, replace
from os.path import commonprefix
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import models
from minicnn.formats import (
    caffe,
    digests,
    hdf5,
    keras_archive,
    keras_hdf5,
    labels,
    mapped,
    matconvnet,
    numpy_file,
    plain_hdf5,
    prototxt,
    safetensors_file,
    tensorflowjs,
    torch_file,
)
from minicnn.formats.hdf5 import WeightsError
from minicnn.layers import BatchNorm, ReLU, walk
from minicnn.models.foreign_arrays import by_layer, fitted, our_part, turned, weight
from minicnn.models.foreign_names import SOURCES, keras_inception
from minicnn.models.probe import ProbeError, verified
from minicnn.network import Network
from minicnn.summary import lined_up

READERS = (matconvnet, torch_file, keras_archive, numpy_file, safetensors_file, tensorflowjs, caffe,
           prototxt)  # the surest signs first
KNOWN = ("HDF5 of minicnn, Keras or Caffe's converters, .keras, TensorFlow.js, PyTorch, "
         "safetensors, Caffe, MatConvNet, npz")
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
PROBES = ("auto", "pytorch", "minicnn", "none")
CAFFE_MODELS = ("alexnet_caffe", "googlenet", "squeezenet10", "squeezenet11", "vgg16", "vgg19")


class Row(NamedTuple):
    """One array: their name, ours, its shape before and after, and what was done to it."""

    theirs: str
    ours: str
    before: tuple
    after: tuple
    done: str


@dataclass(frozen=True)
class Table:
    """What a conversion did.

    Attributes
    ----------
    format : str
        What kind of file it was.
    rows : list of Row
        One for each array of the file.
    notes : list of str
        What else to know, a sentence each.
    """

    format: str
    rows: list
    notes: list

    def __str__(self):
        lines = [(row.theirs, row.ours, "x".join(map(str, row.before)),
                  "x".join(map(str, row.after)), row.done) for row in self.rows]
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
    table : Table

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
        network, table, theirs = *_ours(path), None
    else:
        network, table, theirs = _converted(path, model, architecture, mean)
    if label_file is not None:
        name_classes(network, label_file)
    if probe != "none" and all(network[name].params for name in network.param_shapes):
        table.notes.append(_verified(path, network, probe, theirs))
    table.notes.append(_prepared(network))
    return network, table


def is_ours(path):
    """Whether a file is in minicnn's own form."""
    if not path.is_file() or mapped.head(path, 8) != HDF5_MAGIC:
        return False
    with hdf5.open_file(path) as file:
        return hdf5.is_ours(file)


def _ours(path):
    """(the network in a file of minicnn's own form, the table)."""
    network = hdf5.load(path)
    rows = [Row(f"{name}/{key}", f"{name}/{key}", shape, shape, "as it is")
            for name, shapes in network.param_shapes.items() for key, shape in shapes.items()]
    return network, Table("minicnn's own form", rows, [])


def _converted(path, model, architecture, mean):
    """(network, table, its weights as they lie in the file if that is in PyTorch's layout)."""
    foreign = read(path, architecture, mean)
    notes, held = list(foreign.notes), by_layer(foreign.arrays)
    if model is None and foreign.layers is not None:
        network = _as_described(path, foreign, held, notes)
        names = {name: name for name in held}
    elif held:
        _drop_preparing(foreign, held, notes)
        held = _bare(path, foreign, held, model, notes)
        network, names = _as_known(path, foreign, held, model, notes)
    else:
        raise WeightsError(f"{path}: there are no weights in it")
    if not held:
        notes.append("There are no weights in it: network.initialize(seed) draws random ones.")
    rows, theirs = _fill(path, network, foreign, held, names)
    network.about = {"source": foreign.says.get("source") or path.name,
                     "source_format": foreign.format, "source_sha256": digests.sha256(
                         path / "model.json" if path.is_dir() else path)}
    network.labels = _labels(path, network, foreign, notes)
    return network, Table(foreign.format, rows, notes), theirs if (
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
    """What another program's file holds, whichever program's it is: a `formats.foreign.Foreign`."""
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


def name_classes(network, label_file):
    """Give a network the class names in a file; ValueError unless there is one for each output."""
    names = labels.read(label_file)
    classes = network.shapes[network.logits][-1]
    if len(names) != classes:
        raise ValueError(f"{label_file}: expected {classes} class names, one for each output "
                         f"of {network.logits}, got {len(names)}")
    network.labels = names


# ---- which network

def _as_described(path, foreign, held, notes):
    """The network that a file describes itself."""
    if foreign.input_shape is None:
        raise WeightsError(f"{path}: does not say how large its images are; name the model of "
                           f"minicnn that it fits: {', '.join(_models())}")
    name = foreign.says.get("network") or foreign.says.get("model") or path.stem
    network = Network(name, foreign.layers, foreign.input_shape, foreign.preprocessing)
    words, prepared = _known_preparation(foreign, held, network)
    if network.preprocessing is None and prepared is not None:
        network.preprocessing = prepared
        notes.append(f"Its layers are those of {words}; photos are prepared as for that.")
    return network


def _known_preparation(foreign, held, network):
    """(which published network has these layers, how it prepares photos), (None, None) for none:
    few files say it."""
    for model in CAFFE_MODELS if foreign.format.startswith("Caffe") else ():
        known = getattr(models, model)()
        if known.param_shapes == network.param_shapes and known.input_shape == network.input_shape:
            return model, known.preprocessing
    for row in SOURCES if foreign.format.startswith("Keras") else ():
        same = network.input_shape == (*row.preprocessing.size, 3)
        if same and _known(row, held) == 1 and _fits(row, foreign, held):
            return row.words, row.preprocessing
    return None, None


def _as_known(path, foreign, held, model, notes):
    """(a network of `minicnn.models`, {their layer: ours})."""
    source = _source(path, foreign, held, model)
    if source is not None:
        notes.append(f"By their names these are weights of {source.words}.")
        notes += [source.note] if source.note else []
        for name in [name for name in held if source.ignored and name.startswith(source.ignored)]:
            del held[name]
            notes.append(f"{name} is for training only, and left out.")
        network, names = _from_source(foreign, held, source), source.names
    else:
        network = getattr(models, _model(path, foreign, model))()
        if foreign.layers is None and foreign.format.startswith("Caffe"):
            notes.append("A .prototxt of its own layers can be given as architecture "
                         "(--architecture).")
        names = {name: name for name in held if name in network.names}
        if not names:
            names = _in_order(path, foreign, held, network)
            notes.append("None of its names is known here: the order of the layers decided.")
        network.preprocessing = _preprocessing(foreign, network, notes)
    last = max((names[name] for name in held if name in names), key=network.names.index)
    if last != list(network.param_shapes)[-1]:
        notes.append(f"Its weights end at {last}, and so does the network.")
    return cut_after(network, last, path), names


def _preprocessing(foreign, network, notes):
    """What the file says, else as the model of that name has it."""
    if foreign.preprocessing is not None:
        return foreign.preprocessing
    p = network.preprocessing
    notes.append(f"It does not say how photos are prepared; as {network.name} has it.")
    if foreign.format == matconvnet.KIND and p.order == "BGR":
        notes.append("MatConvNet's first kernels read red first, and so are photos prepared.")
        return replace(p, order="RGB", mean=p.mean[::-1], scale=p.scale[::-1])
    return p


def _source(path, foreign, held, model):
    """The row of `foreign_names` that has most of a file's names; None where none has half."""
    rows = [row for row in [*SOURCES, *keras_inception(held)] if model in (None, row.model)
            and _known(row, held) >= 0.5 and _fits(row, foreign, held)]
    most = max((_known(row, held) for row in rows), default=0)
    fitting = [row for row in rows if _known(row, held) == most]
    several = {row.model for row in fitting}
    if len(several) > 1:  # a file of the first layers only
        fitting = [row for row in fitting if row.model in f"{path.name} {foreign.says}".lower()]
    if len(several) > 1 and len({row.model for row in fitting}) != 1:
        raise WeightsError(f"{path}: its layers are the first of {', '.join(sorted(several))}; "
                           "name one as model (--model)")
    return fitting[0] if fitting else None


def _bare(path, foreign, held, model, notes):
    """A file's layers without what a module around the network puts before all their names."""
    common, prefix = commonprefix(list(held)), ""
    for part in ["", *common.split(".")[:-1]]:
        prefix += f"{part}." if part else ""
        bare = {name.removeprefix(prefix): parts for name, parts in held.items()}
        if _source(path, foreign, bare, model) is not None:
            notes += [f"Every name began with {prefix!r}; it was taken off."] if prefix else []
            return bare
    return held


def _known(row, held):
    """The share of a file's layers that a row names."""
    names = [name for name in held if not (row.ignored and name.startswith(row.ignored))]
    return sum(name in row.names for name in names) / max(1, len(names))


def _fits(row, foreign, held):
    """Whether the first kernels, of those the row names, have the size that they have here."""
    theirs = next((name for name in held if name in row.names), None)
    w = weight(foreign, held, theirs)
    if w is None or w.ndim != 4:
        return theirs is not None
    wanted = getattr(models, row.model)(**row.settings).param_shapes[row.names[theirs]]["w"]
    return turned(w, foreign.layout).shape == wanted


def _from_source(foreign, held, source):
    """The network of a row, with as many classes as the file's last layer has outputs."""
    build = getattr(models, source.model)
    network = build(**source.settings)
    last = next((name for name, ours in source.names.items()
                 if ours == list(network.param_shapes)[-1]), None)
    w = weight(foreign, held, last)
    if w is not None and w.ndim > 1:
        classes = w.shape[0 if foreign.layout == "OIHW" else -1]
        network = build(**source.settings, classes=classes)
    return Network(network.name, network.layers, (*source.preprocessing.size, 3),
                   source.preprocessing)


def _in_order(path, foreign, held, network):
    """{their layer: ours} where each has as many weights as the one in its place here."""
    ours = list(network.param_shapes)
    names = dict(zip(held, ours, strict=False))
    weights = {name: weight(foreign, held, name) for name in names}
    same = [w is None or w.size == np.prod(network.param_shapes[names[name]].get("w", 0))
            for name, w in weights.items()]
    if len(held) > len(ours) or not all(same):
        raise WeightsError(f"{path}: none of its layers is one of network {network.name} "
                           f"({', '.join(list(held)[:6])} ...), nor do they fit in their order; "
                           f"name another as model (--model){_or_architecture(foreign)}. "
                           f"{foreign.unread}".rstrip(". "))
    return names


def _model(path, foreign, model):
    source = str(foreign.says.get("source") or foreign.says.get("network") or "")
    fitting = [name for name in _models() if source.startswith(name)] if model is None else [model]
    if not fitting or fitting[0] not in _models():
        why = foreign.unread.removesuffix(".") or (
            f"which architecture these weights ({source or path.name}) fit is not known")
        raise WeightsError(f"{path}: {why}; name one as model (--model): {', '.join(_models())}"
                           f"{_or_architecture(foreign)}")
    return max(fitting, key=len)


def _or_architecture(foreign):
    """What else to do where a .caffemodel lacks layers, or has some that are not known here, or
    where a file of Keras has none."""
    if foreign.layers is None and foreign.format.startswith("Caffe"):
        return ", or give a .prototxt of its layers as architecture (--architecture)"
    if foreign.format.startswith("Keras") and not foreign.says.get("model"):
        return ", or save the whole model in Keras (model.save)"
    return ""


def _models():
    return [name for name in models.__all__ if name not in ("load", "convert")]


def cut_after(network, last, path):
    """`network` up to layer `last` and its ReLU: a file may hold the first layers only."""
    if list(network.param_shapes)[-1] == last:
        return network
    tops = [name for name, _ in network.layers]
    ends = {_last_weighted(network, name, layer): name for name, layer in network.layers}
    if last not in ends:
        raise WeightsError(f"{path}: its weights end at {last}, inside a block of network "
                           f"{network.name}, which can be cut between blocks only")
    last = ends[last]
    following = network.layers[tops.index(last) + 1:]
    idle = next((name for name, layer in following if not isinstance(layer, BatchNorm)), last)
    return network.until(idle if isinstance(network[idle], ReLU) else last)


def _last_weighted(network, name, layer):
    """The last layer with weights of a layer or block at the top; None where it has none."""
    inside = [name for name, _ in walk([(name, layer)]) if name in network.param_shapes]
    return inside[-1] if inside else None


def _drop_preparing(foreign, held, notes):
    """Leave out a first 1x1 layer that turns RGB in 0..1 into BGR minus the mean, as photos are
    prepared for Caffe's networks anyway."""
    first = next(iter(held), None)
    w = weight(foreign, held, first)
    if w is None or w.ndim != 4 or turned(w, foreign.layout).shape != (1, 1, 3, 3):
        return
    mixed = turned(w, foreign.layout)[0, 0]  # RGB in, BGR out
    if np.array_equal(mixed, 255 * np.eye(3, dtype=w.dtype)[::-1]):
        del held[first]
        notes.append(f"{first}, which makes BGR in 0..255 of RGB in 0..1, is left out: preparing "
                     "the photo does it.")


# ---- giving the arrays to the layers

def _fill(path, network, foreign, held, names):
    """Give a network its arrays, strictly; (the rows of the table, {our place: their array})."""
    arrays, rows, theirs = {}, [], {}
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
            rows.append(Row(name, f"{ours}/{key}", w.shape, value.shape, done))
            arrays[f"{ours}/{key}"], theirs[f"{ours}/{key}"] = value, w
    if arrays:
        hdf5.put(network, arrays, path)
    return rows, theirs


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

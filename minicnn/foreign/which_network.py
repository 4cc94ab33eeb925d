"""Which network another program's weights fit, for `minicnn.foreign.convert`.

A file that describes its own layers becomes these (`described`). Of any other the names of its
layers tell (`known`): those of a row of `foreign.names` or of a network of `minicnn.models`; where
the model is named and no name is known, the order decides. What is found out is noted for people.

`held` is {their layer: {their part: name of the array}} throughout, see `arrays.by_layer`.
"""

from dataclasses import replace
from itertools import takewhile
from os.path import commonprefix

import numpy as np

from minicnn import models
from minicnn.files.errors import WeightsError
from minicnn.foreign import matconvnet
from minicnn.foreign.arrays import turned, weight
from minicnn.foreign.names import SOURCES, keras_inception
from minicnn.network import Network
from minicnn.network.layers import ReLU

CAFFE_MODELS = ("alexnet_caffe", "googlenet", "squeezenet10", "squeezenet11", "vgg16", "vgg19")


def described(path, foreign, held, notes):
    """The network that a file describes itself.

    Parameters
    ----------
    path : Path
    foreign : foreign.contents.Foreign
        With layers.
    held : dict
    notes : list of str
        What is found out is added.
    """
    if foreign.input_shape is None:
        raise WeightsError(f"{path}: does not say how large its images are; name the model of "
                           f"minicnn that it fits: {', '.join(models.__all__)}")
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
        published = getattr(models, model)()
        if (published.param_shapes, published.input_shape) == (network.param_shapes,
                                                               network.input_shape):
            return model, published.preprocessing
    for row in SOURCES if foreign.format.startswith("Keras") else ():
        same = network.input_shape == (*row.preprocessing.size, 3)
        if same and _known(row, held) == 1 and _fits(row, foreign, held):
            return row.words, row.preprocessing
    return None, None


def known(path, foreign, held, model, notes):
    """(a network of `minicnn.models`, {their layer: ours}), up to the last layer with weights.

    Parameters
    ----------
    path, foreign, notes
        As for `described`.
    held : dict
        Layers that are for training only are taken out.
    model : str or None
        The network's name, where it was given.
    """
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
    """The row of `foreign.names` that has most of a file's names; None where none has half."""
    rows = [row for row in [*SOURCES, *keras_inception(held)] if model in (None, row.model)
            and _known(row, held) >= 0.5 and _fits(row, foreign, held)]
    most = max((_known(row, held) for row in rows), default=0)
    fitting = [row for row in rows if _known(row, held) == most]
    if len({row.model for row in fitting}) > 1:  # resnet50 and resnext50_32x4d have the same names
        fitting = [row for row in fitting if _fits(row, foreign, held, -1)] or fitting
    several = {row.model for row in fitting}
    if len(several) > 1:  # a file of the first layers only
        fitting = [row for row in fitting if row.model in f"{path.name} {foreign.says}".lower()]
    if len(several) > 1 and len({row.model for row in fitting}) != 1:
        raise WeightsError(f"{path}: its layers are the first of {', '.join(sorted(several))}; "
                           "name one as model (--model)")
    return fitting[0] if fitting else None


def bare(path, foreign, held, model, notes):
    """A file's layers without what a module around the network puts before all their names."""
    common, prefix = commonprefix(list(held)), ""
    for part in ["", *common.split(".")[:-1]]:
        prefix += f"{part}." if part else ""
        short = {name.removeprefix(prefix): parts for name, parts in held.items()}
        if _source(path, foreign, short, model) is not None:
            notes += [f"Every name began with {prefix!r}; it was taken off."] if prefix else []
            return short
    return held


def _known(row, held):
    """The share of a file's layers that a row names."""
    names = [name for name in held if not (row.ignored and name.startswith(row.ignored))]
    return sum(name in row.names for name in names) / max(1, len(names))


def _fits(row, foreign, held, kernels=1):
    """Whether the first kernels, of those the row names, have the size that they have here."""
    shapes = getattr(models, row.model)(**row.settings).param_shapes
    named = [name for name in held if name in row.names]
    weights = {name: weight(foreign, held, name) for name in named[:kernels]}
    return bool(named) and all(
        turned(w, foreign.layout).shape == shapes[row.names[name]]["w"]
        for name, w in weights.items() if w is not None and w.ndim == 4)


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
    return Network(network.name, network.rows, (*source.preprocessing.size, 3),
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
    names = models.__all__
    fitting = [name for name in names if source.startswith(name)] if model is None else [model]
    if not fitting or fitting[0] not in names:
        why = foreign.unread.removesuffix(".") or (
            f"which architecture these weights ({source or path.name}) fit is not known")
        raise WeightsError(f"{path}: {why}; name one as model (--model): {', '.join(names)}"
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


def cut_after(network, last, path):
    """`network` up to layer `last` and its ReLU: a file may hold the first layers only."""
    weighted = list(network.param_shapes)
    if weighted[-1] == last:
        return network
    wanted, names = weighted[:weighted.index(last) + 1], network.names
    following = takewhile(lambda name: name == last or name not in weighted,
                          names[names.index(last):])
    ends = [name for name in following if list(network.until(name).param_shapes) == wanted]
    if not ends:
        raise WeightsError(f"{path}: its weights end at {last}, inside a block of network "
                           f"{network.name}, which can be cut between blocks only")
    return network.until(next((name for name in ends[1:2] if isinstance(network[name], ReLU)),
                              ends[0]))


def drop_preparing(foreign, held, notes):
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

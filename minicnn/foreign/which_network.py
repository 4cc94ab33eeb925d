"""Find the network that another program's weights fit, for `minicnn.foreign.convert`.

If a file describes its layers, they are used (`described`). Otherwise the layer names decide
(`known`): they are looked up in `foreign.names` and in the networks of `minicnn.models`. If no name
is known but the model is given, the order of the layers decides. Notes report what was found.

`held` is always {layer in the file: {part: name of the array}}, see `arrays.by_layer`.
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
from minicnn.foreign.settings import usable
from minicnn.network import Network
from minicnn.network.layers import ReLU

CAFFE_MODELS = ("alexnet_caffe", "googlenet", "squeezenet10", "squeezenet11", "vgg16", "vgg19")


def described(path, foreign, held, notes):
    """The network that a file describes.

    Parameters
    ----------
    path : Path
    foreign : foreign.contents.Foreign
        With layers.
    held : dict
    notes : list of str
        Notes for the user are appended.
    """
    usable(foreign.input_shape is not None, "{}: does not give the size of its images; name the "
           "model of minicnn that it fits: {}", path, ", ".join(models.__all__))
    name = foreign.says.get("network") or foreign.says.get("model") or path.stem
    network = Network(name, foreign.layers, foreign.input_shape, foreign.preprocessing)
    if network.preprocessing is None:
        words, network.preprocessing = _known_preparation(foreign, held, network)
        notes += [f"Its layers are those of {words}; photos are prepared as for that network."
                  ] if words else []
    return network


def _known_preparation(foreign, held, network):
    """(the published network with these layers, its preprocessing), which few files give; (None,
    None) if there is none."""
    for model in CAFFE_MODELS if foreign.format.startswith("Caffe") else ():
        published = getattr(models, model)()
        if (published.param_shapes, published.input_shape) == (network.param_shapes,
                                                               network.input_shape):
            return model, published.preprocessing
    for row in SOURCES if foreign.format.startswith("Keras") else ():
        if network.input_shape == (*row.preprocessing.size, 3) and _known(row, held) == 1 and (
                _fits(row, foreign, held)):
            return row.words, row.preprocessing
    return None, None


def known(path, foreign, held, model, notes):
    """(a network of `minicnn.models`, {their layer: ours}), cut after the last layer with weights.

    Parameters
    ----------
    path, foreign, notes
        As for `described`.
    held : dict
        Layers used only in training are removed.
    model : str or None
        The network's name, if given.
    """
    source = _source(path, foreign, held, model)
    if source is not None:
        notes += [f"The names are those of {source.words}."] + [source.note] * bool(source.note)
        for name in [name for name in held if source.ignored and name.startswith(source.ignored)]:
            del held[name]
            notes.append(f"{name} is used only in training, and is left out.")
        network, names = _from_source(foreign, held, source), source.names
    else:
        network = getattr(models, _model(path, foreign, model))()
        if foreign.layers is None and foreign.format.startswith("Caffe"):
            notes.append("If you have the .prototxt of its own layers, give it as architecture "
                         "(--architecture).")
        names = {name: name for name in held if name in network.names}
        if not names:
            names = _in_order(path, foreign, held, network)
            notes.append("None of its names is known: the layers were assigned by their order.")
        network.preprocessing = foreign.preprocessing or _like_the_model_s(foreign, network, notes)
    last = max((names[name] for name in held if name in names), key=network.names.index)
    if last != list(network.param_shapes)[-1]:
        notes.append(f"Its weights end at {last}: the network was cut after it.")
    return cut_after(network, last, path), names


def _like_the_model_s(foreign, network, notes):
    """The model's preprocessing, with the channels in the file's order."""
    p = network.preprocessing
    notes.append(f"It does not say how photos are prepared; they are prepared as for "
                 f"{network.name}.")
    if foreign.format == matconvnet.KIND and p.order == "BGR":
        notes.append("MatConvNet's first kernels read red first, so photos are prepared as RGB.")
        return replace(p, order="RGB", mean=p.mean[::-1], scale=p.scale[::-1])
    return p


def _source(path, foreign, held, model):
    """The Source with the largest share of a file's names; None if no share reaches a half."""
    shares = [(_known(row, held), row) for row in [*SOURCES, *keras_inception(held)]
              if model in (None, row.model)]
    shares = [(share, row) for share, row in shares if share >= 0.5 and _fits(row, foreign, held)]
    most = max((share for share, _ in shares), default=0)
    fitting = [row for share, row in shares if share == most]
    if len({row.model for row in fitting}) > 1:  # resnet50 and resnext50_32x4d have the same names
        fitting = [row for row in fitting if _fits(row, foreign, held, -1)] or fitting
    several = {row.model for row in fitting}
    if len(several) > 1:  # a file of the first layers only
        fitting = [row for row in fitting if row.model in f"{path.name} {foreign.says}".lower()]
        unread = foreign.unread and f"{foreign.unread.removesuffix('.')}; "
        usable(len({row.model for row in fitting}) == 1, "{}: {}its weights have the names of the "
               "first layers of each of {}; name one as model (--model)", path, unread,
               ", ".join(sorted(several)))
    return fitting[0] if fitting else None


def bare(path, foreign, held, model, notes):
    """A file's layers without the prefix, such as "module.", that a wrapper around the network adds
    to every name."""
    common, prefix = commonprefix(list(held)), ""
    for part in ["", *common.split(".")[:-1]]:
        prefix += f"{part}." if part else ""
        short = {name.removeprefix(prefix): parts for name, parts in held.items()}
        if _source(path, foreign, short, model) is not None:
            notes += [f"The prefix {prefix!r} of every name was removed."] if prefix else []
            return short
    return held


def _known(row, held):
    """The share of a file's layers that a Source names."""
    names = [name for name in held if not (row.ignored and name.startswith(row.ignored))]
    return sum(name in row.names for name in names) / max(1, len(names))


def _fits(row, foreign, held, kernels=1):
    """Whether the first kernels that a Source names have the same shape in minicnn."""
    shapes = getattr(models, row.model)(**row.settings).param_shapes
    named = [name for name in held if name in row.names]
    weights = {name: weight(foreign, held, name) for name in named[:kernels]}
    return bool(named) and all(
        turned(w, foreign.layout).shape == shapes[row.names[name]]["w"]
        for name, w in weights.items() if w is not None and w.ndim == 4)


def _from_source(foreign, held, source):
    """The network of a Source; the number of classes is that of the outputs in the file."""
    build = getattr(models, source.model)
    network = build(**source.settings)
    top = list(network.param_shapes)[-1]
    w = weight(foreign, held, next((name for name in source.names if source.names[name] == top),
                                   None))
    if w is not None and w.ndim > 1:
        network = build(**source.settings, classes=w.shape[0 if foreign.layout == "OIHW" else -1])
    return Network(network.name, network.rows, (*source.preprocessing.size, 3),
                   source.preprocessing)


def _in_order(path, foreign, held, network):
    """{their layer: ours}, in order; WeightsError unless the numbers of weights are equal."""
    ours = list(network.param_shapes)
    names = dict(zip(held, ours, strict=False))
    weights = {name: weight(foreign, held, name) for name in names}
    same = [w is None or w.size == np.prod(network.param_shapes[names[name]].get("w", 0))
            for name, w in weights.items()]
    if len(held) > len(ours) or not all(same):
        raise WeightsError(f"{path}: its layers ({', '.join(list(held)[:6])} ...) fit network "
                           f"{network.name} neither by name nor in their order; "
                           f"name another as model (--model){_or_architecture(foreign)}. "
                           f"{foreign.unread}".rstrip(". "))
    return names


def _model(path, foreign, model):
    source = str(foreign.says.get("source") or foreign.says.get("network") or "")
    names = models.__all__
    fitting = [name for name in names if source.startswith(name)] if model is None else [model]
    if not fitting or fitting[0] not in names:
        why = foreign.unread.removesuffix(".") or (
            f"the architecture that its weights ({source or path.name}) fit is not known")
        raise WeightsError(f"{path}: {why}; name one as model (--model): {', '.join(names)}"
                           f"{_or_architecture(foreign)}")
    return max(fitting, key=len)


def _or_architecture(foreign):
    """Another remedy for the error: for a .caffemodel whose layers are missing or not understood,
    and for a Keras file without layers."""
    if foreign.layers is None and foreign.format.startswith("Caffe"):
        return ", or give a .prototxt of its layers as architecture (--architecture)"
    if foreign.format.startswith("Keras") and not foreign.says.get("model"):
        return ", or save the whole model in Keras (model.save)"
    return ""


def cut_after(network, last, path):
    """`network` up to layer `last` and its ReLU; some files hold only the first layers."""
    weighted, names = list(network.param_shapes), network.names
    if weighted[-1] == last:
        return network
    wanted = weighted[:weighted.index(last) + 1]
    following = takewhile(lambda name: name == last or name not in weighted,
                          names[names.index(last):])
    ends = [name for name in following if list(network.until(name).param_shapes) == wanted]
    usable(ends, "{}: its weights end at {}, inside a block of network {}, which can only be cut "
           "between blocks", path, last, network.name)
    relu = ends[1:] and isinstance(network[ends[1]], ReLU)
    return network.until(ends[1] if relu else ends[0])


def drop_preparing(foreign, held, notes):
    """Remove a first 1x1 layer that turns RGB in 0..1 into BGR minus the mean, since the
    preprocessing for Caffe's networks does the same."""
    first = next(iter(held), None)
    w = weight(foreign, held, first)
    w = None if w is None or w.ndim != 4 else turned(w, foreign.layout)
    if w is not None and w.shape == (1, 1, 3, 3) and (  # RGB in, BGR out
            np.array_equal(w[0, 0], 255 * np.eye(3, dtype=w.dtype)[::-1])):
        del held[first]
        notes.append(f"{first}, which turns RGB in 0..1 into BGR in 0..255, is left out: the "
                     "preprocessing does it.")

"""Translate a Caffe network into rows.

The layers are nodes of a graph, in the file's order. A layer reads blobs ("bottom") and writes
blobs ("top"). It may write under the name it reads ("in place"): a blob's name always means the
latest blob written under it. So each layer reads only outputs of earlier layers, and they become
rows one after the other. Layers that do not lead to the network's end (measures, classifiers for
training) are left out and listed. A layer that is not supported raises a Misfit.
"""

from dataclasses import dataclass, field
from typing import Any

from minicnn.files.mapped import LONGEST_NAME, short
from minicnn.foreign import caffe_layers
from minicnn.foreign.caffe_layers import one
from minicnn.foreign.settings import LARGEST, fits, within
from minicnn.network import INPUT

SOURCES = ("Data", "ImageData", "MemoryData", "DummyData", "HDF5Data", "WindowData", "Input")
MEASURES = ("Accuracy", "Silence", "EuclideanLoss", "HingeLoss", "SigmoidCrossEntropyLoss",
            "MultinomialLogisticLoss", "InfogainLoss", "ContrastiveLoss", "HDF5Output")
PHASES = ("TRAIN", "TEST")
MOST_LAYERS = 5_000


@dataclass(eq=False)
class Node:
    """A layer in the graph; `inputs` and `readers` are nodes, `scale` is its Scale's name."""

    name: str
    kind: str
    layer: Any = None
    inputs: list = field(default_factory=list)
    readers: list = field(default_factory=list)
    scale: Any = None


def included(layer, phase, level=0):
    """Whether a layer's rules include it in a phase."""
    rules, without = layer.get("include", []), layer.get("exclude", [])
    return any(_met(rule, phase, level) for rule in rules) if rules else not any(
        _met(rule, phase, level) for rule in without)


def _met(rule, phase, level):
    """Caffe's NetStateRule for a state without stages."""
    return (("phase" not in rule or caffe_layers.word(rule, "phase", PHASES) == phase)
            and caffe_layers.whole(rule, "min_level", level, -LARGEST) <= level
            and caffe_layers.whole(rule, "max_level", level, -LARGEST) >= level
            and not rule.get("stage"))


def graph(net, phase):
    """The nodes of a network: the image first, then the layers in the file's order.

    Parameters
    ----------
    net : dict of str to list
        In the current form (`caffe_upgrade.current`).
    phase : "TRAIN" or "TEST"

    Returns
    -------
    list of Node

    Raises
    ------
    Misfit
    """
    image = Node(INPUT, "image")
    nodes, made, layers = [image], {}, net.get("layer", [])
    for name in net.get("input", []):
        made[name] = Node(name, "input") if made else image
    fits(len(layers) <= MOST_LAYERS, "the network has {:,} layers, more than the {:,} that are "
         "allowed", len(layers), MOST_LAYERS)
    for layer in layers:
        kind = one(layer, "type", "")
        if kind in SOURCES:  # whatever its phase; the first output of the first is the image
            for k, top in enumerate(layer.get("top", [])):
                made.setdefault(top, Node(top, "input") if made or k else image)
        elif included(layer, phase) and kind not in MEASURES:
            _add(layer, nodes, made)
    return nodes


def _add(layer, nodes, made):
    """Add a layer to the nodes, and its outputs to the blobs `made` so far."""
    name, kind = one(layer, "name", ""), one(layer, "type", "")
    tops = layer.get("top", [])
    inputs = [_blob(name, bottom, made) for bottom in layer.get("bottom", [])]
    if kind == "SoftmaxWithLoss":
        inputs = inputs[:1]  # the second input holds the true classes
    if len(inputs) == 1 and (kind == "Split" or kind == "Scale" and _completes(
            layer, name, inputs[0], made)):
        made |= dict.fromkeys(tops, inputs[0])
        return
    node = Node(name, kind, layer, inputs)
    for read in inputs:
        read.readers.append(node)
    nodes.append(node)
    made |= {top: Node(top, "another output") if k else node for k, top in enumerate(tops)}


def _blob(name, bottom, made):
    fits(bottom in made,
         "layer {} reads {}, which no layer before it writes", short(name), short(bottom))
    fits(made[bottom] is not None, "layer {} reads {}, the output of a BatchNorm before its Scale; "
         "in minicnn the two are one layer", short(name), short(bottom))
    return made[bottom]


def _completes(layer, name, read, made):
    """Whether a Scale completes the BatchNorm that it reads; if so, that blob is closed."""
    if read.kind != "BatchNorm" or read.scale or read.readers:
        return False
    caffe_layers.translated(layer, name)
    read.scale = name
    made |= {blob: None for blob, node in made.items() if node is read}
    return True


def check_names(nodes):
    """Misfit unless every layer has a valid name of its own."""
    seen = set()
    for node in nodes:
        fits(node.name.isprintable() and 0 < len(node.name) <= LONGEST_NAME,
             "a layer of Caffe's type {} is called {}", short(node.kind), short(node.name))
        fits(node.name != INPUT,
             "a layer is called {!r}, minicnn's name for the network's input", INPUT)
        fits(node.name not in seen, "two layers are called {}", short(node.name))
        seen.add(node.name)


def last(nodes, notes):
    """The network's end: the one node that no layer reads, or the last of several losses."""
    ends = [node for node in nodes[1:] if not node.readers]
    losses = [node for node in ends if node.kind == "SoftmaxWithLoss"]
    others = [node for node in ends if node.kind != "SoftmaxWithLoss"]
    if len(others) == 1 and (not losses or others[0].kind == "Softmax"):
        return others[0]
    fits(ends, "the network has no layers")
    fits(not others, "the network has several ends, {}; one is expected",
         " and ".join(short(node.name) for node in ends[:4]))
    end = losses[-1]
    if "prob" not in {node.name for node in nodes}:
        notes.append(f"The loss {short(end.name)} became its softmax, named 'prob'.")
        end.name = "prob"
    return end


def needed_for(end):
    """The end and all nodes it depends on."""
    needed, waiting = {}, [end]
    for node in waiting:  # grows on the way
        if node not in needed:
            needed[node] = True
            waiting += node.inputs
    return needed


@dataclass(frozen=True)
class Translation:
    """A network translated into rows.

    Attributes
    ----------
    rows : list of (str, Layer, list of str)
    scales : dict of str to str or None
        For every BatchNorm, the name of the Scale layer merged into it.
    left_out : list of str
        Layers, with or without weights, that do not lead to the network's end.
    notes : list of str
    """

    rows: list
    scales: dict
    left_out: list
    notes: list


def translated(net, phase="TEST", shape=None):
    """Translate a network into rows.

    Parameters
    ----------
    net : dict of str to list
        In the current form (`caffe_upgrade.current`).
    phase : "TRAIN" or "TEST"
        Layers can have rules that include or exclude them in a phase.
    shape : (H, W, C), optional
        The image's shape; if given, all shapes are checked.

    Returns
    -------
    Translation

    Raises
    ------
    Misfit
        Naming the layer that cannot be translated.
    """
    (image, *nodes), notes = graph(net, phase), []
    end = last([image, *nodes], notes)
    needed = needed_for(end)
    fits(image in needed,
         "the network's end, layer {}, does not depend on the image", short(end.name))
    used = [node for node in nodes if node in needed]
    rows, places, shapes = [], {image: INPUT}, {image: shape}
    for node in used:
        for read in node.inputs:
            fits(read in places, "layer {} reads {}, which does not come from the image",
                 short(node.name), short(read.name))
        below = [shapes[read] for read in node.inputs]
        fits(len(below) == 1 or node.kind == "Concat",
             "layer {} is of Caffe's type {} and reads {} blobs; minicnn supports several inputs "
             "only for a Concat", short(node.name), short(node.kind), len(below))
        layer = caffe_layers.build(node.layer, node.name, below[0])
        if node.kind == "Concat" and len(below) == 1:  # nothing to join
            places[node], shapes[node] = places[node.inputs[0]], below[0]
        else:
            rows.append((node.name, layer, [places[read] for read in node.inputs]))
            places[node], shapes[node] = node.name, _shape_after(layer, node.name, below)
    check_names(used)
    return Translation(rows, {node.name: node.scale for node in used if node.kind == "BatchNorm"},
                       [node.name for node in nodes if node not in needed], notes)


def left_out(names):
    """A list with the note on the layers left out; empty if there are none."""
    more = f" and {len(names) - 8} more" if names[8:] else ""
    return [f"Left out, since the network's end does not depend on them: "
            f"{', '.join(map(short, names[:8]))}{more}."] if names else []


def _shape_after(layer, name, shapes):
    if None in shapes:
        return None
    shape = shapes if layer.several else shapes[0]
    with within(f"layer {short(name)}", after=f" (its input is {shape})"):
        layer.param_shapes(shape)
        return layer.output_shape(shape)

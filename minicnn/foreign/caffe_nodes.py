"""A Caffe network as a graph: which layer reads what another writes, and where it ends.

A layer reads blobs ("bottom") and writes blobs ("top"), which may have the same name as what was
read ("in place"). A blob's name means what was written there last.
"""

from dataclasses import dataclass, field
from typing import Any

from minicnn.files.mapped import LONGEST_NAME, short
from minicnn.foreign import caffe_layers
from minicnn.foreign.caffe_layers import one
from minicnn.foreign.settings import LARGEST, Misfit
from minicnn.network import INPUT

SOURCES = ("Data", "ImageData", "MemoryData", "DummyData", "HDF5Data", "WindowData", "Input")
MEASURES = ("Accuracy", "Silence", "EuclideanLoss", "HingeLoss", "SigmoidCrossEntropyLoss",
            "MultinomialLogisticLoss", "InfogainLoss", "ContrastiveLoss", "HDF5Output")
PHASES = ("TRAIN", "TEST")
MOST_LAYERS = 5_000


@dataclass(eq=False)
class Node:
    """A layer in the graph; `inputs` are nodes, `readers` (node, number of its input)."""

    name: str
    kind: str
    layer: Any = None
    inputs: list = field(default_factory=list)
    readers: list = field(default_factory=list)
    scale: Any = None

    @property
    def joins(self):
        """Whether paths meet here."""
        return self.kind == "Concat" and len(self.inputs) > 1


def included(layer, phase, level=0):
    """Whether a layer's rules let it take part."""
    rules = layer.get("include", []), layer.get("exclude", [])
    if rules[0]:
        return any(_met(rule, phase, level) for rule in rules[0])
    return not any(_met(rule, phase, level) for rule in rules[1])


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
        In the present form (`caffe_upgrade.current`).
    phase : "TRAIN" or "TEST"

    Returns
    -------
    list of Node

    Raises
    ------
    Misfit
    """
    image = Node(INPUT, "image")
    nodes, made = [image], {}
    for name in net.get("input", []):
        made[name] = Node(name, "input") if made else image
    if len(net.get("layer", [])) > MOST_LAYERS:
        raise Misfit(f"the network has {len(net['layer']):,} layers, more than {MOST_LAYERS:,}")
    for layer in net.get("layer", []):
        if one(layer, "type", "") in SOURCES:
            _add_source(layer, nodes[0], made)
        elif included(layer, phase) and one(layer, "type", "") not in MEASURES:
            _add(layer, nodes, made)
    return nodes


def _add_source(layer, image, made):
    """What the first data layer writes first is the image, whatever phase the layer is for."""
    for k, top in enumerate(layer.get("top", [])):
        if top not in made:
            made[top] = Node(top, "input") if made or k else image


def _add(layer, nodes, made):
    """Add a layer to the nodes, and what it writes to the blobs made so far."""
    name, kind = one(layer, "name", ""), one(layer, "type", "")
    tops = layer.get("top", [])
    inputs = [_blob(name, bottom, made) for bottom in layer.get("bottom", [])]
    if kind == "SoftmaxWithLoss":
        inputs = inputs[:1]  # the second are the true classes
    if kind == "Split" and len(inputs) == 1:
        made |= dict.fromkeys(tops, inputs[0])
    elif kind == "Scale" and _completes(layer, name, inputs, made):
        inputs[0].scale = name
        made |= dict.fromkeys(tops, inputs[0])
    else:
        node = Node(name, kind, layer, inputs)
        for k, read in enumerate(inputs):
            read.readers.append((node, k))
        nodes.append(node)
        made |= {top: Node(top, "another output") if k else node for k, top in enumerate(tops)}


def _blob(name, bottom, made):
    if bottom not in made:
        raise Misfit(f"layer {short(name)} reads {short(bottom)}, which no layer before it writes")
    if made[bottom] is None:
        raise Misfit(f"layer {short(name)} reads {short(bottom)}, what a BatchNorm gives before "
                     "its Scale; the two are one layer here")
    return made[bottom]


def _completes(layer, name, inputs, made):
    """Whether a Scale and the BatchNorm it reads can be one layer of ours."""
    if len(inputs) != 1 or inputs[0].kind != "BatchNorm" or inputs[0].scale or inputs[0].readers:
        return False
    caffe_layers.check_scale(layer, name)
    made |= {blob: None for blob, node in made.items() if node is inputs[0]}
    return True


def check_names(nodes):
    """Every layer has a name of its own."""
    seen = set()
    for node in nodes:
        if not node.name.isprintable() or not 0 < len(node.name) <= LONGEST_NAME:
            raise Misfit(f"a layer of Caffe's type {short(node.kind)} is called {short(node.name)}")
        if node.name == INPUT:
            raise Misfit(f"a layer is called {INPUT!r}, which here is the name of what goes in")
        if node.name in seen:
            raise Misfit(f"two layers are called {short(node.name)}")
        seen.add(node.name)


def last(nodes, notes):
    """The one node that nothing reads, or the last of several losses, as which training ends."""
    ends = [node for node in nodes[1:] if not node.readers]
    losses = [node for node in ends if node.kind == "SoftmaxWithLoss"]
    others = [node for node in ends if node.kind != "SoftmaxWithLoss"]
    if len(others) == 1 and (not losses or others[0].kind == "Softmax"):
        return others[0]
    if others or not losses:
        names = " and ".join(short(node.name) for node in ends[:4])
        raise Misfit(f"the network has several ends, {names}; one is expected" if ends
                     else "the network has no layers")
    end = losses[-1]
    if "prob" not in {node.name for node in nodes}:
        notes.append(f"The loss {short(end.name)} is read as the softmax in it, 'prob'.")
        end.name = "prob"
    return end


def needed_for(end):
    """The end and everything it depends on."""
    needed, waiting = {}, [end]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed[node] = True
            waiting += node.inputs
    return needed

"""From Caffe's blobs and layers to a list of layers with branches.

A Caffe network is a list of layers that read blobs ("bottom") and write blobs ("top"), which may
have the same name as what was read ("in place"). Here it is followed from the image to its end.
Where one blob is read by several layers their paths go on side by side, and have to meet again in
one Concat; together they are one `Branches`, called as that Concat. What does not lead to the end
(measures, training's extra classifiers) is left out and listed; anything else is a Misfit.
"""

from dataclasses import dataclass, field
from typing import Any

from minicnn.formats import caffe_layers
from minicnn.formats.caffe_layers import LARGEST, Misfit, one
from minicnn.formats.mapped import LONGEST_NAME, short
from minicnn.layers import Branches
from minicnn.network import INPUT

SOURCES = ("Data", "ImageData", "MemoryData", "DummyData", "HDF5Data", "WindowData", "Input")
MEASURES = ("Accuracy", "Silence", "EuclideanLoss", "HingeLoss", "SigmoidCrossEntropyLoss",
            "MultinomialLogisticLoss", "InfogainLoss", "ContrastiveLoss", "HDF5Output")
PHASES = ("TRAIN", "TEST")
DEEPEST = 16  # branches within branches
MOST_LAYERS = 5_000


@dataclass(frozen=True)
class Plan:
    """A network as it was understood.

    Attributes
    ----------
    layers : list of (str, Layer)
    scales : dict of str to str or None
        For every BatchNorm, the name of the Scale layer that is one with it.
    left_out : list of str
        Layers with or without weights that do not lead to the network's end.
    notes : list of str
    """

    layers: list
    scales: dict
    left_out: list
    notes: list


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


def plan(net, phase="TEST", shape=None):
    """Understand a network.

    Parameters
    ----------
    net : dict of str to list
        In the present form (`caffe_upgrade.current`).
    phase : "TRAIN" or "TEST"
        For the layers' own rules when to be there.
    shape : (H, W, C), optional
        The image's; where given, sizes are checked on the way.

    Returns
    -------
    Plan

    Raises
    ------
    Misfit
        Naming the layer at which the network stops being a chain with branches.
    """
    nodes, notes = _nodes(net, phase), []
    end = _end(nodes, notes)
    needed = _needed(end)
    if nodes[0] not in needed:
        raise Misfit(f"the network's end, layer {short(end.name)}, does not depend on the image")
    for node in needed:
        node.readers = [(reader, k) for reader, k in node.readers if reader in needed]
    layers, join, _ = _walk(nodes[0], nodes[0].readers, shape, 0)
    if join is not None:
        raise Misfit(f"layer {short(join.name)} joins a path that does not come from the image")
    used = [node for node in nodes[1:] if node in needed]
    _check_names(used)
    return Plan(layers, {node.name: node.scale for node in used if node.kind == "BatchNorm"},
                [node.name for node in nodes[1:] if node not in needed], notes)


def left_out(names):
    """The note on layers that are left out, in a list; empty where there are none."""
    more = f" and {len(names) - 8} more" if names[8:] else ""
    shown = ", ".join(map(short, names[:8])) + more
    return [f"Left out, since the network's end does not depend on them: {shown}."] if names else []


# ---- the graph

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


def _nodes(net, phase):
    """The image first, then the layers in the file's order."""
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
    caffe_layers.check_channels(layer, name)
    made |= {blob: None for blob, node in made.items() if node is inputs[0]}
    return True


def _check_names(nodes):
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


def _end(nodes, notes):
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


def _needed(end):
    """The end and everything it depends on."""
    needed, waiting = {}, [end]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed[node] = True
            waiting += node.inputs
    return needed


# ---- the list

def _walk(above, readers, shape, depth):
    """The layers from a node on, as far as paths meet.

    Returns
    -------
    layers : list of (str, Layer)
    join : Node or None
        The Concat that was met; None at the network's end.
    slots : list of int
        As which of its inputs.
    """
    layers, slots = [], []
    while readers:
        if len(readers) > 1:
            name, layer, join, slots = _split(above, readers, shape, depth)
            above = join
        else:
            above, slot = readers[0]
            if above.joins:
                return layers, above, [slot]
            name, layer = above.name, _layer(above, shape)
        shape = _shape_after(layer, name, shape)
        layers += [(name, layer)] if layer is not None else []
        if above.joins and len(slots) < len(above.inputs):
            return layers, above, slots
        readers = above.readers
    return layers, None, []


def _split(above, readers, shape, depth):
    """Paths side by side from one blob: (name, Branches, where they meet, as which inputs)."""
    if depth == DEEPEST:
        raise Misfit(f"after {short(above.name)} there are branches in branches, more than "
                     f"{DEEPEST} deep")
    ends = [_walk(above, [reader], shape, depth + 1) for reader in readers]
    joins = {join: join.name for _, join, _ in ends}
    if len(joins) > 1:
        first, second = list(joins.values())[:2]
        raise Misfit(f"after {short(above.name)} the paths meet in different layers, "
                     f"{short(first)} and {short(second)}; branches meet in one Concat")
    join = ends[0][1]
    caffe_layers.check_channels(join.layer, join.name)
    ends.sort(key=lambda end: end[2])
    slots = [slot for _, _, slots in ends for slot in slots]
    if slots != list(range(slots[0], slots[0] + len(slots))):
        raise Misfit(f"layer {short(join.name)} joins the paths after {short(above.name)} with "
                     "others between them")
    name = join.name if len(slots) == len(join.inputs) else f"{above.name}/parts"
    return name, Branches([layers for layers, _, _ in ends]), join, slots


def _layer(node, shape):
    """Our layer for a node; None for a Concat of one."""
    if len(node.inputs) != 1:
        raise Misfit(f"layer {short(node.name)} is of Caffe's type {short(node.kind)} and reads "
                     f"{len(node.inputs)} blobs; only a Concat of branches can")
    if node.kind == "Concat":
        return None
    return caffe_layers.build(node.layer, node.name, shape)


def _shape_after(layer, name, shape):
    if layer is None or shape is None:
        return shape
    try:
        layer.param_shapes(shape)
        return layer.output_shape(shape)
    except (ValueError, IndexError) as error:
        why = error if isinstance(error, ValueError) else "it needs an image"
        raise Misfit(f"layer {short(name)}: {why} (its input is {shape})") from None

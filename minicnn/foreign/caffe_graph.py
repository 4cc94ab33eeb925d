"""From Caffe's blobs and layers to a list of layers with branches.

A network, a graph by now (`caffe_nodes`), is followed from the image to its end. Where one blob is
read by several layers their paths go on side by side, and have to meet again in one Concat;
together they are one `Branches`, called as that Concat. What does not lead to the end (measures,
training's extra classifiers) is left out and listed; anything else is a Misfit.
"""

from dataclasses import dataclass

from minicnn.files.mapped import short
from minicnn.foreign import caffe_layers
from minicnn.foreign.caffe_nodes import check_names, graph, last, needed_for
from minicnn.foreign.settings import Misfit
from minicnn.network.layers import Branches

DEEPEST = 16  # branches within branches


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
    nodes, notes = graph(net, phase), []
    end = last(nodes, notes)
    needed = needed_for(end)
    if nodes[0] not in needed:
        raise Misfit(f"the network's end, layer {short(end.name)}, does not depend on the image")
    for node in needed:
        node.readers = [(reader, k) for reader, k in node.readers if reader in needed]
    layers, join, _ = _walk(nodes[0], nodes[0].readers, shape, 0)
    if join is not None:
        raise Misfit(f"layer {short(join.name)} joins a path that does not come from the image")
    used = [node for node in nodes[1:] if node in needed]
    check_names(used)
    return Plan(layers, {node.name: node.scale for node in used if node.kind == "BatchNorm"},
                [node.name for node in nodes[1:] if node not in needed], notes)


def left_out(names):
    """The note on layers that are left out, in a list; empty where there are none."""
    more = f" and {len(names) - 8} more" if names[8:] else ""
    shown = ", ".join(map(short, names[:8])) + more
    return [f"Left out, since the network's end does not depend on them: {shown}."] if names else []


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

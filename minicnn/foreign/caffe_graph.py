"""From Caffe's blobs and layers to the rows of a network.

The layers of a network, nodes of a graph by now (`caffe_nodes`), stand in the file's order, and
each reads what layers before it wrote: so they become rows one after the other. What does not lead
to the end (measures, training's extra classifiers) is left out and listed; a layer that there is
none of here is a Misfit.
"""

from dataclasses import dataclass

from minicnn.files.mapped import short
from minicnn.foreign import caffe_layers
from minicnn.foreign.caffe_nodes import check_names, graph, last, needed_for
from minicnn.foreign.settings import Misfit
from minicnn.network import INPUT


@dataclass(frozen=True)
class Translation:
    """A network as it was understood.

    Attributes
    ----------
    rows : list of (str, Layer, list of str)
    scales : dict of str to str or None
        For every BatchNorm, the name of the Scale layer that is one with it.
    left_out : list of str
        Layers with or without weights that do not lead to the network's end.
    notes : list of str
    """

    rows: list
    scales: dict
    left_out: list
    notes: list


def translated(net, phase="TEST", shape=None):
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
    Translation

    Raises
    ------
    Misfit
        Naming the layer that cannot be a row here.
    """
    (image, *nodes), notes = graph(net, phase), []
    end = last([image, *nodes], notes)
    needed = needed_for(end)
    if image not in needed:
        raise Misfit(f"the network's end, layer {short(end.name)}, does not depend on the image")
    rows, places, shapes = [], {image: INPUT}, {image: shape}
    for node in [node for node in nodes if node in needed]:
        for read in node.inputs:
            if read not in places:
                raise Misfit(f"layer {short(node.name)} reads {short(read.name)}, which does not "
                             "come from the image")
        below = [shapes[read] for read in node.inputs]
        layer = _layer(node, below[0])
        if layer is None:
            places[node], shapes[node] = places[node.inputs[0]], below[0]
        else:
            rows.append((node.name, layer, [places[read] for read in node.inputs]))
            places[node], shapes[node] = node.name, _shape_after(layer, node.name, below)
    used = [node for node in nodes if node in needed]
    check_names(used)
    return Translation(rows, {node.name: node.scale for node in used if node.kind == "BatchNorm"},
                       [node.name for node in nodes if node not in needed], notes)


def left_out(names):
    """The note on layers that are left out, in a list; empty where there are none."""
    more = f" and {len(names) - 8} more" if names[8:] else ""
    shown = ", ".join(map(short, names[:8])) + more
    return [f"Left out, since the network's end does not depend on them: {shown}."] if names else []


def _layer(node, shape):
    """Our layer for a node; None for a Concat of one."""
    if len(node.inputs) != 1 and node.kind != "Concat":
        raise Misfit(f"layer {short(node.name)} is of Caffe's type {short(node.kind)} and reads "
                     f"{len(node.inputs)} blobs; only a Concat can")
    layer = caffe_layers.build(node.layer, node.name, shape)
    return layer if len(node.inputs) > 1 or node.kind != "Concat" else None


def _shape_after(layer, name, shapes):
    shape = shapes if layer.several else shapes[0]
    if None in shapes:
        return None
    try:
        layer.param_shapes(shape)
        return layer.output_shape(shape)
    except (ValueError, IndexError) as error:
        why = error if isinstance(error, ValueError) else "it needs an image"
        raise Misfit(f"layer {short(name)}: {why} (its input is {shape})") from None

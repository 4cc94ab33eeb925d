"""Convert another program's arrays one by one: find the layer's part, and transpose to our axes.

Kernels (out, in, kh, kw) of PyTorch and Caffe become (kh, kw, in, out), and dense weights (out, in)
become (in, out). A dense layer above an image reads it flattened, in the order C,H,W there and
H,W,C in minicnn, so its inputs are reordered.
"""

import re

import numpy as np

from minicnn.network import INPUT
from minicnn.network.layers import BatchNorm, Dense, Flatten

ARRAY = re.compile(r"(.+)[./]([^./]+)")  # conv1/0, block1_conv1/kernel, features.0.weight
PARTS = {"w": "w", "kernel": "w", "weight": "w", "0": "w", "b": "b", "bias": "b", "1": "b"}
BATCH_NORM_PARTS = {
    "gamma": "gamma", "weight": "gamma", "beta": "beta", "bias": "beta", "mean": "mean",
    "moving_mean": "mean", "running_mean": "mean", "variance": "variance",
    "moving_variance": "variance", "running_var": "variance",
}
COUNTERS = ("num_batches_tracked",)  # arrays that do not affect the outputs


def by_layer(arrays):
    """{layer: {part: the array's name}} in the file's order; counters are left out.

    Examples
    --------
    >>> by_layer({"features.0.weight": 1, "features.0.bias": 2, "conv1/0": 3})
    {'features.0': {'weight': 'features.0.weight', 'bias': 'features.0.bias'}, 'conv1': {'0': \
'conv1/0'}}
    """
    found = {}
    for name in arrays:
        match = ARRAY.fullmatch(name)
        layer, part = match.groups() if match else (name, "")
        if part not in COUNTERS:
            found.setdefault(layer, {})[part] = name
    return found


def our_part(layer, part):
    """minicnn's name for another program's `part` of a layer; None if the part is unknown."""
    return (BATCH_NORM_PARTS if isinstance(layer, BatchNorm) else PARTS).get(part)


def weight(foreign, held, layer):
    """The kernels or weights of one of the file's layers, unchanged; None if it has none."""
    part = next((part for part in held.get(layer, ()) if PARTS.get(part) == "w"), None)
    return None if part is None else foreign.arrays[held[layer][part]]


def turned(w, layout):
    """Kernels with four axes, or dense weights, with minicnn's order of axes.

    Parameters
    ----------
    w : array
    layout : {"OIHW", "HWIO"}

    Returns
    -------
    view of `w`, (kh, kw, in/groups, out) or (in, out)
    """
    if layout == "HWIO":
        return w
    return w.transpose(2, 3, 1, 0) if w.ndim == 4 else w.T  # O,I,H,W -> H,W,I,O; O,I -> I,O


def reordered(w, image):
    """Dense weights for an image flattened as C,H,W, reordered for one flattened as H,W,C.

    Parameters
    ----------
    w : array (C*H*W, out)
    image : (H, W, C)
    """
    h, width, c = image
    cubes = w.reshape(c, h, width, -1).transpose(1, 2, 0, 3)  # C*H*W,O -> C,H,W,O -> H,W,C,O
    return cubes.reshape(h * width * c, -1)  # H,W,C,O -> H*W*C,O


def fitted(w, network, ours, key, layout):
    """(an array in the form a minicnn layer needs, what was done to it in words)."""
    done = [] if w.dtype in (np.float32, np.float64) else [f"{w.dtype} to float32"]
    if key == "w" and w.ndim in (2, 4):
        value = turned(w, layout)
        done += ["axes turned"] if value is not w else []
        if isinstance(network[ours], Dense):
            image = _image_below(network, ours)
            if w.ndim == 4:
                value = value.reshape(-1, value.shape[-1])  # KH,KW,C,O -> KH*KW*C,O
                done.append("a convolution over the whole map made dense")
            elif layout == "OIHW" and image is not None and len(value) == np.prod(image):
                value = reordered(value, image)
                done.append("inputs from C,H,W to H,W,C")
    else:
        value = w
    kind = np.promote_types(w.dtype, np.float32) if w.dtype.kind == "f" else w.dtype
    in_the_file = not w.flags.writeable and np.may_share_memory(value, w)  # see `files.mapped`
    value = value.astype(kind, order="C", copy=in_the_file)
    return value, ", ".join(done) or "as it is"


def _image_below(network, name):
    """The image (H, W, C) that a dense layer reads, flattened or not; None if it reads a row."""
    shape, below = network.input_shapes[name], network.inputs(name)[0]
    while len(shape) == 1 and below != INPUT:
        layer, shape = network[below], network.input_shapes[below]
        flattens = isinstance(layer, Flatten) or (len(shape) == 1 and not isinstance(layer, Dense))
        if layer.several or not flattens:
            return None
        below = network.inputs(below)[0]
    return shape if len(shape) == 3 and shape[:2] != (1, 1) else None

"""Caffe's weights: BlobProto messages as arrays, and their assignment to minicnn's layers.

Arrays are named after the layer and the blob's number; `caffe` explains what each holds.
"""

from math import prod

import numpy as np

from minicnn.files.mapped import MOST_DIMENSIONS, short
from minicnn.foreign import caffe_graph
from minicnn.foreign.caffe_layers import flag, one, whole
from minicnn.foreign.protobuf import joined
from minicnn.foreign.settings import require, within
from minicnn.network.layers import BatchNorm, Dense

LEGACY = ("num", "channels", "height", "width")
DIMENSIONS = {("Convolution", 0): 4, ("InnerProduct", 0): 2}  # of a blob; of any other, 1
WEIGHTED = ("Convolution", "InnerProduct", "BatchNorm", "Scale")


def weights(layers):
    """{layer: (Caffe's type, [array, ...])} of the layers with weights."""
    found = {}
    for layer in [layer for layer in layers if layer.get("blobs")]:
        name, kind = one(layer, "name", ""), one(layer, "type", "")
        require(name not in found, "two layers with weights are called {}", short(name))
        with within(f"layer {short(name)}", ValueError):
            found[name] = kind, [_without_ones(array(blob), kind, k)
                                 for k, blob in enumerate(layer["blobs"])]
    return found


def array(blob):
    """A BlobProto as an array, a view of the file."""
    name = "double_data" if "double_data" in blob else "data"
    data = joined(blob.get(name, [np.zeros(0, np.float32)]), name)
    if any(side in blob for side in LEGACY):
        shape = [one(blob, side, 0) for side in LEGACY]
    else:
        shape = one(blob, "shape", {"dim": [data.size]}).get("dim", [])
    if len(shape) > MOST_DIMENSIONS or min(shape, default=1) < 1 or prod(shape) != data.size:
        raise ValueError(f"{data.size:,} weights do not fill the shape {tuple(shape[:16])!r:.80}")
    return data.reshape(shape)


def _without_ones(array, kind, k):
    """A blob without leading 1s: old files write four dimensions, a dense layer (1, 1, out, in)."""
    wanted = DIMENSIONS.get((kind, k), 1)
    if kind not in WEIGHTED or array.ndim <= wanted or prod(array.shape[:-wanted]) != 1:
        return array
    return array.reshape(array.shape[-wanted:])


def inputs(layer, weights):
    """The input channels of a convolution or the inputs of a dense layer; None for any other."""
    kind, blobs = weights.get(one(layer, "name"), (None, []))
    if kind == "Convolution" and blobs[0].ndim == 4:
        return blobs[0].shape[1] * whole(one(layer, "convolution_param", {}), "group", 1, least=1)
    if kind == "InnerProduct" and blobs[0].ndim == 2:
        return blobs[0].shape[0 if _transposed(layer) else 1]
    return None


def _transposed(layer):
    return flag(one(layer, "inner_product_param", {}), "transpose", False)


def arrays(translation, described, weights):
    """The arrays of the translation's layers, and notes."""
    messages = {one(layer, "name"): layer for layer in described["layer"]}
    arrays, notes, used = {}, [], set()
    for name, layer, _ in translation.rows:
        blobs, scale = weights.get(name, ("", []))[1], translation.scales.get(name)
        used |= {name, scale}
        if isinstance(layer, BatchNorm) and len(blobs) == 3:
            normal = _normalisation(blobs, weights.get(scale, ("", []))[1])
            arrays |= {f"{name}/{key}": value for key, value in normal.items()}
            continue
        if isinstance(layer, Dense) and _transposed(messages[name]):
            blobs = [blob.T for blob in blobs]
            notes.append(f"The weights of {short(name)}, (in, out) in the file, were transposed.")
        arrays |= {f"{name}/{k}": blob for k, blob in enumerate(blobs)}
    return arrays, notes + caffe_graph.left_out([name for name in weights if name not in used])


def _normalisation(blobs, scale):
    """The four arrays of a BatchNorm; Caffe stores sums, and the count to divide them by."""
    mean, variance, count = blobs
    by = 1 / float(count.flat[0]) if count.flat[0] else 0.0
    gamma = scale[0] if scale else np.ones_like(mean)
    beta = scale[1] if len(scale) > 1 else np.zeros_like(gamma)
    with np.errstate(all="ignore"):  # `hdf5.put` reports numbers that are not finite
        mean, variance = (np.multiply(sums, by, dtype=sums.dtype) for sums in (mean, variance))
    return {"gamma": gamma, "beta": beta, "mean": mean, "variance": variance}

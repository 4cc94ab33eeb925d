"""Caffe's binary files, written for tests: the inverse of `protobuf.Reader.message`."""

import numpy as np

from minicnn.foreign.caffe_schema import NET
from minicnn.foreign.protobuf import BYTES, DOUBLES, FIXED32, FIXED64, FLOAT, FLOATS, TEXT, VARINT


def encode(message, schema=NET, packed=True):
    """The bytes of a message, {name: [value, ...]}; its numbers packed or one by one."""
    numbers = {name: (number, kind) for number, (name, kind) in schema.items()}
    return b"".join(field(*numbers[name], value, packed)
                    for name, values in message.items() for value in values)


def field(number, kind, value, packed=True):
    """The bytes of one field; of one array, one field or as many as it has numbers."""
    if isinstance(kind, dict):
        return sized(number, encode(value, kind, packed))
    if kind == TEXT:
        return sized(number, value.encode())
    if kind in (FLOATS, DOUBLES):
        flat = np.asarray(value, "<f8" if kind == DOUBLES else "<f4").ravel()
        wire = FIXED64 if kind == DOUBLES else FIXED32
        one_by_one = (tag(number, wire) + v.tobytes() for v in flat)
        return sized(number, flat.tobytes()) if packed else b"".join(one_by_one)
    if kind == FLOAT:
        return tag(number, FIXED32) + np.float32(value).tobytes()
    return tag(number, VARINT) + varint(value)


def tag(number, wire):
    """The varint a field begins with."""
    return varint(number << 3 | wire)


def sized(number, data):
    """A field that holds bytes."""
    return tag(number, BYTES) + varint(len(data)) + data


def varint(value):
    """A number, seven bits a byte, lowest first; below zero it takes ten bytes."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def normal(*shape, seed=0):
    """Random float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def blob(array, **others):
    """A BlobProto in today's form."""
    return {"shape": [{"dim": list(np.shape(array))}], "data": [array], **others}


def legacy_blob(array):
    """A BlobProto with its shape in four fields, as Caffe wrote it until 2014."""
    shape = (1, 1, 1, *np.shape(array))[-4:]
    return dict(zip(("num", "channels", "height", "width"), ([n] for n in shape), strict=True),
                data=[array])


def layer(name, kind, bottom=(), top=None, **others):
    """A LayerParameter; it writes a blob of its own name unless told otherwise."""
    return {"name": [name], "type": [kind], "bottom": [*np.atleast_1d(bottom)],
            "top": [name if top is None else top], **others}


def small(blobs=blob):
    """A network of every kind of weights, with its data layer: {"layer": [...]}."""
    return {"name": ["small"], "layer": [
        {"name": ["d"], "type": ["Data"], "top": ["data", "label"],
         "transform_param": [{"crop_size": [8], "scale": [0.5], "mean_value": [104, 117, 123]}]},
        layer("conv1", "Convolution", "data",
              convolution_param=[{"num_output": [4], "kernel_size": [3], "pad": [1]}],
              blobs=[blobs(normal(4, 3, 3, 3)), blobs(normal(4, seed=1))]),
        layer("bn1", "BatchNorm", "conv1", "conv1",
              blobs=[blobs(normal(4, seed=2)), blobs(normal(4, seed=3) ** 2),
                     blobs(np.float32([2]))]),
        layer("scale1", "Scale", "conv1", "conv1", scale_param=[{"bias_term": [1]}],
              blobs=[blobs(normal(4, seed=4)), blobs(normal(4, seed=5))]),
        layer("relu1", "ReLU", "conv1", "conv1"),
        layer("pool1", "Pooling", "conv1", pooling_param=[{"kernel_size": [3], "stride": [2]}]),
        layer("norm1", "LRN", "pool1", lrn_param=[{"alpha": [1e-4]}]),
        layer("fc", "InnerProduct", "norm1", inner_product_param=[{"num_output": [5]}],
              blobs=[blobs(normal(5, 64, seed=6)), blobs(normal(5, seed=7))]),
        {"name": ["loss"], "type": ["SoftmaxWithLoss"], "bottom": ["fc", "label"],
         "top": ["loss"]},
    ]}


def v1(message):
    """A current network in V1's form, types as numbers."""
    numbers = {"Data": 5, "Convolution": 4, "ReLU": 18, "Pooling": 17, "LRN": 15,
               "InnerProduct": 14, "SoftmaxWithLoss": 21}
    return {"name": message["name"], "layers": [
        one | {"type": [numbers[one["type"][0]]]} for one in message["layer"]]}


def without_norm(message):
    """Older Caffe has no BatchNorm."""
    return message | {"layer": [one for one in message["layer"]
                                if one["type"][0] not in ("BatchNorm", "Scale")]}


def v0(message):
    """The same in V0's form: every layer in a layer, its settings beside its name."""
    words = {"Convolution": "conv", "InnerProduct": "innerproduct", "Pooling": "pool",
             "SoftmaxWithLoss": "softmax_loss"}
    renamed = {"kernel_size": "kernelsize", "crop_size": "cropsize"}
    layers = []
    for one in message["layer"]:
        settings = {renamed.get(key, key): value for name, values in one.items()
                    if name.endswith("_param") for key, value in values[0].items()
                    if key != "mean_value"}
        kind = one["type"][0]
        layers.append({"layer": [{"name": one["name"], "type": [words.get(kind, kind.lower())],
                                  "blobs": one.get("blobs", [])} | settings],
                       "bottom": one.get("bottom", []), "top": one["top"]})
    return {"name": message["name"], "layers": layers}

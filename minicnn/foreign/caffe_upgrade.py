"""Caffe's older ways to write a layer, turned into today's.

Three are in use: V0 (a layer inside a layer, its settings all in one place, padding a layer of its
own), V1 (types in capitals or as numbers) and today's. What comes in and goes out are messages as
`protobuf.Reader.message` and `prototxt.parse` give them: a dict of lists.

Source: what Caffe itself does on loading, src/caffe/util/upgrade_proto.cpp.
"""

from minicnn.foreign.caffe_schema import V1_TYPES

V1_NAMES = {  # only those that are not V1's word without its underscores
    "LRN": "LRN", "RELU": "ReLU", "TANH": "TanH", "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "MVN": "MVN", "BNLL": "BNLL", "ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "HDF5_DATA": "HDF5Data",
}
V0_NAMES = {
    "conv": "Convolution", "innerproduct": "InnerProduct", "pool": "Pooling", "relu": "ReLU",
    "lrn": "LRN", "dropout": "Dropout", "softmax": "Softmax", "softmax_loss": "SoftmaxWithLoss",
    "concat": "Concat", "data": "Data", "images": "ImageData", "split": "Split",
    "flatten": "Flatten", "accuracy": "Accuracy", "sigmoid": "Sigmoid", "tanh": "TanH",
}
V0_SETTINGS = {  # of which message they are today, and what they were called
    "conv": ("convolution_param", "num_output biasterm pad kernelsize group stride"),
    "innerproduct": ("inner_product_param", "num_output biasterm"),
    "pool": ("pooling_param", "pool kernelsize stride pad"),
    "lrn": ("lrn_param", "local_size alpha beta k"),
    "dropout": ("dropout_param", "dropout_ratio"),
    "concat": ("concat_param", "concat_dim"),
    "data": ("transform_param", "scale meanfile cropsize"),
}
RENAMED = {"biasterm": "bias_term", "kernelsize": "kernel_size", "meanfile": "mean_file",
           "cropsize": "crop_size"}  # since V0


def current(net):
    """A network's message with its layers in today's form.

    Parameters
    ----------
    net : dict of str to list
        With the layers under "layer", or under "layers" where they are V0 or V1.

    Returns
    -------
    net : dict
        The layers are under "layer".
    version : str
        "current", "V1" or "V0": what they were.
    """
    old = net.get("layers", [])
    if not old or "layer" in net:  # Caffe too takes the new where a file has both
        return net, "current"
    version = "V0" if any("layer" in layer for layer in old) else "V1"
    layers = _from_v0(old) if version == "V0" else [_from_v1(layer) for layer in old]
    rest = {key: value for key, value in net.items() if key != "layers"}
    return rest | {"layer": layers}, version


def _from_v1(layer):
    words = [V1_TYPES.get(word, str(word)) for word in layer.get("type", [])]
    return layer | {"type": [V1_NAMES.get(word, word.title().replace("_", "")) for word in words]}


def _from_v0(layers):
    """All of them together: a padding layer becomes the padding of whoever reads it."""
    upgraded, padded = [], {}
    for outer in layers:
        inner = outer.get("layer", [{}])[0]
        bottom = outer.get("bottom", [])
        if inner.get("type") == ["padding"]:
            padded |= {top: (bottom, inner.get("pad", [0])) for top in outer.get("top", [])}
        elif len(bottom) == 1 and bottom[0] in padded:
            bottom, pad = padded[bottom[0]]
            upgraded.append(_one_v0(outer, inner | {"pad": pad}) | {"bottom": bottom})
        else:
            upgraded.append(_one_v0(outer, inner))
    return upgraded


def _one_v0(outer, inner):
    word = inner.get("type", ["nothing"])[0]
    message, known = V0_SETTINGS.get(word, ("", ""))
    settings = {RENAMED.get(key, key): inner[key] for key in known.split() if key in inner}
    layer = {"name": inner.get("name", []), "type": [V0_NAMES.get(word, word)],
             "blobs": inner.get("blobs", []), "bottom": outer.get("bottom", []),
             "top": outer.get("top", [])}
    return layer | ({message: [settings]} if settings else {})

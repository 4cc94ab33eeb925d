"""Convert Caffe's older forms of a layer to the current one.

Three forms are in use: V0 (a layer inside a layer, all its settings together, padding as a layer of
its own), V1 (types in capitals or as numbers) and the current one. Input and output are messages as
`protobuf.Reader.message` and `prototxt.parse` return them: a dict of lists.

Source: Caffe's own conversion on loading, src/caffe/util/upgrade_proto.cpp.
"""

from minicnn.foreign.caffe_schema import V1_TYPES

V1_NAMES = {  # only the names that differ from V1's word in title case without underscores
    "LRN": "LRN", "RELU": "ReLU", "TANH": "TanH", "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "MVN": "MVN", "BNLL": "BNLL", "ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "HDF5_DATA": "HDF5Data",
}
V0_NAMES = {
    "conv": "Convolution", "innerproduct": "InnerProduct", "pool": "Pooling", "relu": "ReLU",
    "lrn": "LRN", "dropout": "Dropout", "softmax": "Softmax", "softmax_loss": "SoftmaxWithLoss",
    "concat": "Concat", "data": "Data", "images": "ImageData", "split": "Split",
    "flatten": "Flatten", "accuracy": "Accuracy", "sigmoid": "Sigmoid", "tanh": "TanH",
}
V0_SETTINGS = {  # {type: (their message in the current form, their V0 names)}
    "conv": ("convolution_param", "num_output biasterm pad kernelsize group stride"),
    "innerproduct": ("inner_product_param", "num_output biasterm"),
    "pool": ("pooling_param", "pool kernelsize stride pad"),
    "lrn": ("lrn_param", "local_size alpha beta k"),
    "dropout": ("dropout_param", "dropout_ratio"),
    "concat": ("concat_param", "concat_dim"),
    "data": ("transform_param", "scale meanfile cropsize"),
}
RENAMED = {"biasterm": "bias_term", "kernelsize": "kernel_size", "meanfile": "mean_file",
           "cropsize": "crop_size"}  # {V0 name: current name}


def current(net):
    """A network's message with its layers in the current form.

    Parameters
    ----------
    net : dict of str to list
        With the layers under "layer", or under "layers" if they are V0 or V1.

    Returns
    -------
    net : dict
        With the layers under "layer".
    version : str
        The original form: "current", "V1" or "V0".
    """
    old = net.get("layers", [])
    if not old or "layer" in net:  # like Caffe, prefer the current form if a file has both
        return net, "current"
    rest = {key: value for key, value in net.items() if key != "layers"}
    if any("layer" in layer for layer in old):
        return rest | {"layer": _from_v0(old)}, "V0"
    return rest | {"layer": [layer | {"type": [_from_v1(word) for word in layer.get("type", [])]}
                             for layer in old]}, "V1"


def _from_v1(word):
    """The current name of a layer's type, from V1's word or its number."""
    word = V1_TYPES.get(word, str(word))
    return V1_NAMES.get(word, word.title().replace("_", ""))


def _from_v0(layers):
    """Convert all V0 layers; a padding layer becomes the padding of the layer that reads it."""
    upgraded, padded = [], {}
    for outer in layers:
        inner, bottom = outer.get("layer", [{}])[0], outer.get("bottom", [])
        if inner.get("type") == ["padding"]:
            padded |= {top: (bottom, inner.get("pad", [0])) for top in outer.get("top", [])}
            continue
        if len(bottom) == 1 and bottom[0] in padded:
            bottom, pad = padded[bottom[0]]
            inner = inner | {"pad": pad}
        word = inner.get("type", ["nothing"])[0]
        message, known = V0_SETTINGS.get(word, ("", ""))
        settings = {RENAMED.get(key, key): inner[key] for key in known.split() if key in inner}
        upgraded.append({"name": inner.get("name", []), "type": [V0_NAMES.get(word, word)],
                         "blobs": inner.get("blobs", []), "bottom": bottom,
                         "top": outer.get("top", [])}
                        | ({message: [settings]} if settings else {}))
    return upgraded


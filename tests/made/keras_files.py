"""Files in Keras' layouts, written with h5py as Keras of several versions writes them."""

import json

import h5py
import numpy as np

from minicnn.files import hdf5
from minicnn.foreign import keras_config, keras_names
from minicnn.network import Network

LIMIT = 64_512  # bytes of an attribute, beyond which Keras writes it in parts


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def attribute(group, name, words):
    """A list of words as Keras stores it: bytes, in equal parts where it is long."""
    words, count = np.array([word.encode() for word in words]), 1
    while any(part.nbytes > LIMIT for part in np.array_split(words, count)):
        count += 1
    for k, part in enumerate(np.array_split(words, count)):
        group.attrs[f"{name}{k}" if count > 1 else name] = part


def write_groups(group, layers, backend="tensorflow", version="2.2.4"):
    """One group a layer: {"conv1": {"conv1/kernel:0": array}, "pool1": {}}."""
    attribute(group, "layer_names", list(layers))
    if version:
        group.attrs["backend"], group.attrs["keras_version"] = backend.encode(), version.encode()
    for name, arrays in layers.items():
        below = group.create_group(name)
        attribute(below, "weight_names", list(arrays))
        for place, array in arrays.items():
            below[place] = array


def keras2_file(path, arrays, config=None):
    """Weights {layer: {part: array}} as Keras 2 wrote them; with a `config`, the whole model."""
    with h5py.File(path, "w") as file:
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
        write_groups(file if config is None else file.create_group("model_weights"),
                     {layer: {f"{layer}/{part}:0": value for part, value in parts.items()}
                      for layer, parts in arrays.items()}, version="2.4.0")
    return path


def weights_file(path, layers, **how):
    """What save_weights wrote until Keras 3."""
    with h5py.File(path, "w") as file:
        write_groups(file, layers, **how)
    return path


def model_file(path, layers, model, **how):
    """What save writes into an .h5 file."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["training_config"] = b"{}"
        write_groups(file.create_group("model_weights"), layers, **how)
        top = file["model_weights"].create_group("top_level_model_weights")
        attribute(top, "weight_names", [])
        file["optimizer_weights/adam/iteration"] = np.int64(7)
    return path


def version_3_file(path, layers, names=(), root="layers"):
    """What save_weights writes since Keras 3: {"conv2d": [kernel, bias]}; `names` by the same."""
    with h5py.File(path, "w") as file:
        for place, arrays in layers.items():
            below = file.create_group(f"{root}/{place}/vars")
            if place in names:
                below.attrs["name"] = names[place]
            for number, array in enumerate(arrays):
                below[str(number)] = array
        file["optimizer/vars/0"] = np.int64(7)
        file.create_group("vars")
    return path


def layer(kind, name, **settings):
    """A layer's configuration, with some of what Keras writes besides."""
    extra = {"trainable": True, "dtype": "float32", "kernel_regularizer": None,
             "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}}}
    return {"class_name": kind, "config": {"name": name} | extra | settings}


def conv(name, filters, kernel=3, **settings):
    return layer("Conv2D", name, **{"filters": filters, "kernel_size": [kernel, kernel],
                                    "padding": "valid", "use_bias": True, "activation": "linear",
                                    "data_format": "channels_last"} | settings)


def dense(name, units, **settings):
    return layer("Dense", name, **{"units": units, "use_bias": True} | settings)


def sequential(*layers, shape=(8, 10, 3), name="mine"):
    first = layer("InputLayer", "input_1", batch_input_shape=[None, *shape])
    return {"class_name": "Sequential", "config": {"name": name, "layers": [first, *layers]}}


def functional(*layers, shape=(8, 10, 3), name="mine", version=2):
    """The same as a Functional model that is a chain, in the words of Keras 2 or 3."""
    first = layer("InputLayer", "input_1", batch_input_shape=[None, *shape])
    linked, before = [first | {"name": "input_1", "inbound_nodes": []}], "input_1"
    for each in layers:
        tensor = {"class_name": "__keras_tensor__",
                  "config": {"shape": [None], "keras_history": [before, 0, 0]}}
        node = [[before, 0, 0, {}]] if version == 2 else {"args": [tensor], "kwargs": {}}
        before = each["config"]["name"]
        linked.append(each | {"name": before, "inbound_nodes": [node]})
    last = [before, 0, 0]
    return {"class_name": "Functional" if version == 3 else "Model", "config": {
        "name": name, "layers": linked, "input_layers": [["input_1", 0, 0]],
        "output_layers": last if version == 3 else [last]}}


def drawn(model, seed=0):
    """Weights for the layers of a model that is a chain, by "layer/role"; none is 0 or 1."""
    rng = np.random.default_rng(seed)
    found = keras_config.read(model)
    network = Network("drawn", found.layers, found.input_shape)
    theirs = {ours: word for word, ours in keras_names.ROLES.items()}
    arrays = {}
    for name, shapes in network.param_shapes.items():
        extra = found.grown.get(name, (0, 0))
        for key, shape in shapes.items():
            if len(shape) == 4:
                shape = (shape[0] - extra[0], shape[1] - extra[1], *shape[2:])
            spread = (2 / np.prod(shape[:-1])) ** 0.5 if key == "w" else 0.3
            arrays[f"{name}/{theirs[key]}"] = (
                rng.uniform(0.5, 1.5, shape) if key in ("gamma", "variance")
                else rng.normal(0, spread, shape)).astype(np.float32)
    return arrays


def network(foreign, name="mine"):
    """The network that a Foreign with an architecture is."""
    found = Network(name, foreign.layers, foreign.input_shape, foreign.preprocessing)
    arrays = {}
    for place, array in foreign.arrays.items():
        layer_name, _, role = place.rpartition("/")
        arrays[f"{layer_name}/{keras_names.ROLES[role]}"] = array
    hdf5.put(found, arrays, "test")
    return found


def grouped(arrays, style="{layer}/{role}:0"):
    """{"layer/role": array} as the groups that `write_groups` takes."""
    groups = {}
    for place, array in arrays.items():
        name, _, role = place.rpartition("/")
        groups.setdefault(name, {})[style.format(layer=name, role=role)] = array
    return groups

"""The layer and the role of each array in a Keras file, from its name.

The names changed with the versions. All of these are the kernel of layer block1_conv1:

    block1_conv1_W_1:0              Keras 1
    block1_conv1/kernel:0           Keras 2
    block1_conv1_1/kernel_1:0       Keras 2, of a second model in a session: meaningless numbers
    vgg16/block1_conv1/kernel       Keras 3, within the model vgg16

Here it is always ("block1_conv1", "kernel").
"""

import re

ROLES = {"kernel": "w", "bias": "b", "gamma": "gamma", "beta": "beta", "moving_mean": "mean",
         "moving_variance": "variance"}  # {Keras' word: the name here}
KERAS_1 = {"W": "kernel", "b": "bias", "running_mean": "moving_mean",
           "running_std": "moving_variance"}  # despite its name, it is a variance
ROLE = re.compile(rf"({'|'.join([*ROLES, *KERAS_1])})(?:_\d+)?")
OLD = re.compile(rf"(.+)_({'|'.join([*KERAS_1, 'gamma', 'beta'])})(?:_\d+)?")


def places(group, names, within=()):
    """The layers and roles of the arrays in one group.

    Parameters
    ----------
    group : str
        The group's name: a layer, or a model within the model.
    names : list of str
        The names of its arrays, from its `weight_names`.
    within : sequence of str
        The layers of that inner model, if the group is known to be one.

    Returns
    -------
    list of (str, str)
        Layer and role, one for each name; an unknown role is the last part of the name.
    """
    parts = [_parts(name) for name in names]
    prefixes = {prefix for prefix, _ in parts if prefix}
    if within or len(prefixes) > 1:
        return [(_layer(prefix, within) or group, role) for prefix, role in parts]
    return [(group, role) for _, role in parts]


def _parts(name):
    """("vgg16/block1_conv1", "kernel") of "vgg16/block1_conv1/kernel:0"."""
    prefix, slash, last = re.sub(r":\d+$", "", name).rpartition("/")
    match = ROLE.fullmatch(last)
    if match:
        return prefix, KERAS_1.get(match[1], match[1])
    match = None if slash else OLD.fullmatch(last)
    return (match[1], KERAS_1.get(match[2], match[2])) if match else (prefix, last)


def _layer(prefix, within):
    """The layer at the end of a prefix, without a meaningless number."""
    last = prefix.rpartition("/")[2]
    bare = re.sub(r"_\d+$", "", last)
    fitting = [name for name in within if prefix == name or prefix.endswith(f"/{name}")]
    return max(fitting, key=len) if fitting else bare if bare in within else last

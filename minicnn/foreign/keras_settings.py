"""The settings of a Keras layer, read from JSON that may say anything.

Each function returns what it is asked for or raises a ValueError that says what came instead.
"""

from minicnn.network import INPUT

LARGEST = 1_000_000  # a width, kernel or step beyond it is damage
LONGEST_NAME = 200
WITHOUT_EFFECT = {"name", "trainable", "dtype", "seed", "noise_shape", "weights", "init",
                  "input_dtype", "synchronized", "input_dim", "batch_input_shape"}
TRAINING = ("_initializer", "_regularizer", "_constraint", "_momentum")
KERAS_1 = {"nb_filter": "filters", "output_dim": "units", "border_mode": "padding", "p": "rate",
           "subsample": "strides", "dim_ordering": "data_format", "bias": "use_bias"}
CHANNELS_LAST = (None, "channels_last", "tf")


class Misfit(ValueError):
    """A model that is not of the kind built here; the message names the layer where it ends."""


def known(config, keys):
    """The settings of a layer that matter.

    Parameters
    ----------
    config : dict
        All of them, by the names of any version.
    keys : sequence of str
        The present names of those that matter.

    Returns
    -------
    dict
        Those of `keys` that are given.

    Raises
    ------
    ValueError
        A setting that is neither of `keys` nor without effect on what is computed, unless it is
        null or false; channels that come first.
    """
    named = {KERAS_1.get(key, key): value for key, value in config.items()}
    if "nb_row" in named:
        named["kernel_size"] = [named.pop("nb_row"), named.pop("nb_col", None)]
    for key, value in named.items():
        told = key in keys or key in WITHOUT_EFFECT or key.endswith(TRAINING)
        if not told and value not in (None, False):
            raise ValueError(f"it has {key!r:.60}, a setting that is not known here")
    if named.get("data_format") not in CHANNELS_LAST:
        raise ValueError("its channels come first (data_format); here they are last")
    return {key: value for key, value in named.items() if key in keys}


def layer_name(config):
    """The name of a layer, if it can be one here; else Misfit."""
    name = config.get("name") if isinstance(config, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Misfit(f"a layer's name is {name!r:.60}; expected printable letters, at most "
                     f"{LONGEST_NAME}")
    if name == INPUT or any(part in ("", ".", "..") for part in name.split("/")):
        raise Misfit(f"a layer is called {name!r}, which means something else here; rename it")
    return name


def whole(value, least=1):
    """A whole number from `least` to LARGEST."""
    if type(value) is not int or not least <= value <= LARGEST:
        raise ValueError(f"expected a whole number from {least} to {LARGEST:,}, got {value!r:.60}")
    return value


def pair(settings, key, default=None):
    """(vertical, horizontal) of a setting that is one whole number or two."""
    value = settings.get(key, default)
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError(f"{key}: expected a whole number or two, got {value!r:.60}")
    return whole(both[0]), whole(both[1])


def number(value):
    """A number as a float, neither infinite nor beyond all use."""
    if type(value) not in (int, float) or not -1e30 < value < 1e30:
        raise ValueError(f"expected a number, got {value!r:.60}")
    return float(value)


def flag(settings, key):
    """A setting that is true or false; true where it is not given."""
    value = settings.get(key, True)
    if not isinstance(value, bool):
        raise ValueError(f"{key} is true or false, got {value!r:.60}")
    return value

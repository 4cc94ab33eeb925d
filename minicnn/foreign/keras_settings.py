"""The settings of a Keras layer by their present names, from JSON that may say anything."""

from minicnn.foreign.settings import Misfit
from minicnn.network import INPUT

LONGEST_NAME = 200
WITHOUT_EFFECT = {"name", "trainable", "dtype", "seed", "noise_shape", "weights", "init",
                  "input_dtype", "synchronized", "input_dim", "batch_input_shape"}
TRAINING = ("_initializer", "_regularizer", "_constraint", "_momentum")
KERAS_1 = {"nb_filter": "filters", "output_dim": "units", "border_mode": "padding", "p": "rate",
           "subsample": "strides", "dim_ordering": "data_format", "bias": "use_bias"}
CHANNELS_LAST = (None, "channels_last", "tf")


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


def flag(settings, key):
    """A setting that is true or false; true where it is not given."""
    value = settings.get(key, True)
    if not isinstance(value, bool):
        raise ValueError(f"{key} is true or false, got {value!r:.60}")
    return value

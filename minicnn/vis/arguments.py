"""Checks of arguments that belong to no Options class, the same for all methods."""

from numbers import Integral

NOT_SETTINGS = ("network", "networks", "against", "image", "photos", "folder", "keep", "progress",
                "watch", "verbose")


def check_choice(method, name, value, choices):
    """Raise ValueError unless an argument is one of the choices."""
    if value not in choices:
        raise ValueError(f"{method}: {name} must be one of {', '.join(choices)}, got {value!r}")


def check_channel(method, layer, count, channel):
    """Raise ValueError unless a layer with so many channels has this one."""
    is_number = isinstance(channel, Integral) and not isinstance(channel, bool)
    if not (is_number and 0 <= channel < count):
        raise ValueError(f"{method}: {layer} has {count} channels, counted from 0; there is no "
                         f"{channel}")


def channel_number(method, network, layer, channel):
    """The number of a channel of a layer; a class score may also be given by the class's name.

    Parameters
    ----------
    method : str
        Its name, for the error.
    network : Network
    layer : str
    channel : int or str

    Returns
    -------
    int

    Raises
    ------
    ValueError
        A number or a class that does not exist; a name where channels have none.
    """
    if isinstance(channel, str) and layer != network.logits:
        raise ValueError(f"{method}: the channels of {layer} have no names, only those of "
                         f"{network.logits} do; give a number in place of {channel!r}")
    if isinstance(channel, str):
        return network.find_class(channel)
    check_channel(method, layer, network.shapes[layer][-1], channel)
    return int(channel)

"""What the methods ask of their arguments, in the same words everywhere."""

from numbers import Integral

NOT_SETTINGS = ("network", "against", "image", "photos", "folder", "progress", "watch", "verbose")


def settings_of(arguments):
    """The settings among a method's arguments, which are its ``locals()`` on its first line."""
    return {name: value for name, value in arguments.items() if name not in NOT_SETTINGS}


def check_choice(method, name, value, choices):
    """Raise ValueError unless an argument is one of the choices."""
    if value not in choices:
        raise ValueError(f"{method}: {name} must be one of {', '.join(choices)}, got {value!r}")


def check_counts(method, **counts):
    """Raise ValueError unless all are whole numbers of at least 1."""
    for name, value in counts.items():
        if int(value) != value or value < 1:
            raise ValueError(f"{method}: {name} must be a whole number of at least 1, got {value}")


def check_channel(method, layer, count, channel):
    """Raise ValueError unless a layer with so many channels has this one."""
    is_number = isinstance(channel, Integral) and not isinstance(channel, bool)
    if not (is_number and 0 <= channel < count):
        raise ValueError(f"{method}: {layer} has {count} channels, counted from 0; there is no "
                         f"{channel}")


def channel_number(method, network, layer, channel):
    """The number of a channel of a layer; at the class scores also by the name of the class."""
    if isinstance(channel, str) and layer != network.logits:
        raise ValueError(f"{method}: the channels of {layer} have no names, only those of "
                         f"{network.logits} do; give a number in place of {channel!r}")
    if isinstance(channel, str):
        return network.find_class(channel)
    check_channel(method, layer, network.shapes[layer][-1], channel)
    return int(channel)

"""Versions 1 and 2 of our own file: layers that ran side by side lay in lists within a list.

    ["mix", "Branches", [[["a", "Conv", {...}]], []]]

is a layer of that kind with two branches, the second of them empty: what they gave was joined along
the channels. Here they become rows, the branches' in their order and then a Concat of the same
name. A Conv also said which algorithm computed it, which networks no longer store.
"""

from dataclasses import replace

from minicnn.files import digests
from minicnn.network import INPUT


def rows(layers, below=INPUT):
    """The rows of nested layers.

    Parameters
    ----------
    layers : list
        [name, kind, settings or branches], as JSON gives them.
    below : str
        What the first of them reads.

    Returns
    -------
    list of [str, str, dict, list of str]
        Name, kind, settings, and what each row reads.
    """
    found = []
    for name, kind, settings in layers:
        if kind == "Branches":
            branches = [rows(branch, below) for branch in settings]
            found += [row for branch in branches for row in branch]
            ends = [branch[-1][0] if branch else below for branch in branches]
            found.append([name, "Concat", {}, ends])
        else:
            kept = {key: value for key, value in settings.items() if key != "algorithm"}
            found.append([name, kind, kept, [below]])
        below = name
    return found


def renewed(probe, layers, network):
    """A probe whose hash of the settings, if it is right, is that of the same network in rows."""
    told = [[name, kind, {} if kind == "Branches" else settings]
            for name, kind, settings in _each(layers)]
    right = probe.settings == digests.of_settings(told, network)
    return replace(probe, settings=digests.of_layers(network)) if right else probe


def _each(layers):
    """Every [name, kind, settings], those in branches before what holds them."""
    for name, kind, settings in layers:
        for branch in settings if kind == "Branches" else ():
            yield from _each(branch)
        yield name, kind, settings

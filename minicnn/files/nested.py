"""Versions 1 and 2 of minicnn's own file, which stored parallel branches as nested lists.

    ["mix", "Branches", [[["a", "Conv", {...}]], []]]

is a layer of kind Branches with two branches, the second one empty; their outputs were concatenated
along the channels. Here it becomes rows: the rows of each branch in order, then a Concat named
"mix". A Conv also stored its algorithm, which networks no longer do.
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
        The input of the first layer.

    Returns
    -------
    list of [str, str, dict, list of str]
        Name, kind, settings and inputs of each row.
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
    """A probe with its hash of the nested settings, if correct, replaced by the hash of rows."""
    told = [[name, kind, {} if kind == "Branches" else settings]
            for name, kind, settings in _each(layers)]
    right = probe.settings == digests.of_settings(told, network)
    return replace(probe, settings=digests.of_layers(network)) if right else probe


def _each(layers):
    """Every [name, kind, settings]; the layers of branches come before their Branches layer."""
    for name, kind, settings in layers:
        for branch in settings if kind == "Branches" else ():
            yield from _each(branch)
        yield name, kind, settings

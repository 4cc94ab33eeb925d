"""A network that verifies itself: a stored picture, and what every layer should make of it.

`make` computes the figures, with PyTorch in float64 where it is installed, else with the plain
operations here in float64, and says which. They travel in the weight file (`files.stored_probe`).
`replay` computes them again as the network runs now, on whatever machine, device and precision,
and compares them layer by layer, the prepared picture first: the first wrong layer is where the
fault is. It sees a wrong channel order, mean or scale, kernels whose axes were exchanged, another
flatten order, groups, LRN rule or rounding, and an operation that goes wrong on this machine. The
weights of every layer are compared by a hash, too: one that is a little off changes no figure much.

What it does not see is a fault that was there when the probe was made. Of a file in PyTorch's
layout (PyTorch's own, Caffe's) PyTorch computes with the arrays as they lie in the file, so that
weights turned wrongly do show; weights of other layouts are taken as they were converted. Layers,
settings and preprocessing are those of the network in any case.

Decisions
    The picture has the network's own size, since windows round differently at another. It is drawn
    by a formula (`figures.picture`): smooth, in steps of 16 grey levels, so that it has edges in
    all directions, channels that differ, nothing symmetric, and compresses to some ten thousand
    bytes. It goes through the network's own preprocessing. Where there is none, pixels become
    -2..2 in as many channels as the network reads.

    Of every layer few figures are kept (`figures.figures`), of the scores all numbers. What is
    compared is the difference as a share of the layer's deviation, or of the number itself where
    that is larger. For a layer that is silent, all 0, it is the deviation of the layer before.
"""

from math import prod

import numpy as np

from minicnn import backend
from minicnn.files import digests, figures, plain, stored_probe, torch_twin
from minicnn.files.errors import WeightsError
from minicnn.files.replay import ProbeError, Replay, Row, replay
from minicnn.files.stored_probe import Probe
from minicnn.network import INPUT

__all__ = ["Probe", "ProbeError", "Replay", "Row", "check", "make", "replay", "verified"]

MAKERS = ("auto", "pytorch", "minicnn")
MOST_SCORES = 10_000  # more than classes: these are feature maps, of which the figures will do
MOST_NUMBERS, MOST_PRODUCTS = 3 * 10**8, 4 * 10**10  # VGG-19 has 3e7 and 2e10


def make(network, by="auto", weights=None):
    """Compute a probe of a network as it is.

    Parameters
    ----------
    network : Network
        With weights. It does not get the probe by this: ``network.probe = make(network)``.
    by : {"auto", "pytorch", "minicnn"}
        Who computes; "auto" is PyTorch where it can be imported and knows all the layers.
    weights : dict of str to array, optional
        The arrays of the file that the network was converted from, where they are in PyTorch's
        layout, see `torch_twin.activations`: then PyTorch computes with these.

    Returns
    -------
    Probe

    Raises
    ------
    ProbeError
        No weights, no image to look at, numbers that are not finite, more work than a probe is
        worth; PyTorch asked for by name and not there.
    """
    _check_possible(network, by)
    picture = figures.picture(*network.input_shape[:2])
    with np.errstate(all="ignore"):
        who, rows, scores = _computed(network, picture, by, weights)
    if not (np.isfinite(rows).all() and np.isfinite(scores).all()):
        raise ProbeError(f"network {network.name}: a picture leads to numbers beyond float32; no "
                         "probe can be made of it")
    return Probe(who, digests.of_layers(network), [INPUT, *network.names],
                 stored_probe.weight_hashes(network), picture, rows, scores)


def check(network, where=None):
    """Replay a network's probe, and raise unless all is well.

    Parameters
    ----------
    network : Network
    where : str or path, optional
        What to call it in the error, the file for example; its name where not given.

    Returns
    -------
    Replay

    Raises
    ------
    WeightsError
        In one line: the first layer that differs, or that there is no probe.
    """
    try:
        result = replay(network)
    except ProbeError as error:
        raise WeightsError(f"{where or network.name}: {error}") from None
    if not result.ok:
        raise WeightsError(f"{where or network.name}: {result.message}")
    return result


def verified(network, by="auto", weights=None, where=None):
    """Give a network its probe, and replay it at once: does it compute here what it should?

    Parameters
    ----------
    network, by, weights
        As for `make`; the network gets the probe.
    where : str or path, optional
        What to call it in the error.

    Returns
    -------
    str
        By whom the probe is, and how nearly the network agrees.

    Raises
    ------
    ProbeError
        As from `make`.
    WeightsError
        Naming the first layer that differs.
    """
    network.probe = make(network, by, weights)
    return check(network, where).message


# ---- making

def _check_possible(network, by):
    if by not in MAKERS:
        raise ProbeError(f"probe: by must be one of {', '.join(MAKERS)}, got {by!r}")
    wrong = None
    empty = network.empty()
    if empty:
        wrong = f"layer {empty[0]} has no weights"
    elif len(network.input_shape) != 3:
        wrong = f"its input {network.input_shape} is no image"
    elif sum(prod(s) for s in [network.input_shape, *network.shapes.values()]) > MOST_NUMBERS or (
            _products(network) > MOST_PRODUCTS):
        wrong = "it is too much work for a check"
    if wrong:
        raise ProbeError(f"network {network.name}: no probe can be made of it: {wrong}")


def _products(network):
    """Multiplications of one pass at the network's own size."""
    return sum(prod(shapes["w"]) * prod(network.shapes[name][:-1])
               for name, shapes in network.param_shapes.items() if "w" in shapes)


def _computed(network, picture, by, weights):
    """(who computed it, the figures of all layers, the scores)."""
    if by != "minicnn":
        try:
            x = torch_twin.prepared(picture, network.preprocessing, network.input_shape[2])
            rows, scores = _gathered(network, x, torch_twin.activations(network, x, weights))
            own = "" if weights is None else ", with the arrays of the converted file"
            return f"{torch_twin.version()}, float64{own}", rows, scores
        except torch_twin.NotComputed as error:
            if by == "pytorch":
                raise ProbeError(f"network {network.name}: {error}; a probe by \"minicnn\" needs "
                                 "no PyTorch") from None
    from minicnn import __version__

    x = backend.to_host(figures.prepared(network, picture))
    return (f"minicnn {__version__}, plain operations in float64",
            *_gathered(network, x, plain.activations(network, x)))


def _gathered(network, x, activations):
    rows, scores = [figures.figures(x)], np.zeros(0)
    for name, y in activations:
        rows.append(figures.figures(y))
        if name == network.logits and y.size <= MOST_SCORES:
            scores = y.ravel()
    return np.array(rows, np.float32), scores.astype(np.float32)

"""A network's probe: a stored picture and every layer's expected output for it.

`make` computes the probe in float64, with PyTorch if it is installed and otherwise with the plain
operations here, and records which. The probe is stored in the weight file (`files.stored_probe`).
`verify` recomputes it as the network runs now, on any machine, device and precision, and compares
layer by layer, starting with the prepared picture: the first wrong layer is where the fault is.
It detects a wrong channel order, mean or scale, exchanged kernel axes, a wrong flatten order,
wrong groups, LRN rule or rounding, and an operation that goes wrong on this machine. Each layer's
weights are also compared by a hash, because a small error in one weight hardly changes any figure.

A fault that was present when the probe was made stays undetected. For a file in PyTorch's layout
(PyTorch, Caffe), PyTorch computes with the arrays as stored in the file, so wrongly turned weights
are detected; for other layouts it uses the converted weights. Layers, settings and preprocessing
are always the network's.

Decisions
    The picture has the network's own size, since windows round differently at another size. A
    formula draws it (`fingerprint.picture`): smooth, in steps of 16 grey levels, with edges in all
    directions, different channels and no symmetry; it compresses to about ten thousand bytes. It
    goes through the network's own preprocessing. Without one, pixels become -2..2 in as many
    channels as the network reads.

    The probe keeps a few numbers of every layer (`fingerprint.of`) and all scores. A difference is
    measured relative to the layer's standard deviation, or to the number itself if that is larger.
    For a silent layer, all 0, it is relative to the deviation of the layer before.
"""

from math import prod
from pathlib import Path

import numpy as np

from minicnn import backend
from minicnn.files import digests, fingerprint, plain, stored_probe, torch_twin
from minicnn.files.errors import WeightsError
from minicnn.files.stored_probe import Probe
from minicnn.files.verification import ProbeError, Verification, verify
from minicnn.network import INPUT, Network

__all__ = ["Probe", "ProbeError", "Verification", "check", "make", "verified", "verify"]

MAKERS = ("auto", "pytorch", "minicnn")
MOST_SCORES = 10_000  # more outputs than this are feature maps: their fingerprint is enough
MOST_NUMBERS, MOST_PRODUCTS = 3 * 10**8, 4 * 10**10  # VGG-19 has 3e7 and 2e10


def make(network: Network, by: str = "auto", weights: dict[str, np.ndarray] | None = None) -> Probe:
    """Compute a probe of a network in its present state.

    Parameters
    ----------
    network : Network
        With weights. It is not changed; assign the probe with ``network.probe = make(network)``.
    by : {"auto", "pytorch", "minicnn"}
        What computes the probe; "auto" is PyTorch if it can be imported and has all the layers.
    weights : dict of str to array, optional
        The arrays, in PyTorch's layout, of the file that the network was converted from, see
        `torch_twin.activations`. PyTorch then computes with these arrays.

    Returns
    -------
    Probe

    Raises
    ------
    ProbeError
        The network has no weights or does not read an image, its numbers are not finite, the work
        is too large; or `by` is "pytorch" and PyTorch is missing.
    """
    _check_possible(network, by)
    picture = fingerprint.picture(*network.input_shape[:2])
    with np.errstate(all="ignore"):
        who, rows, scores = _computed(network, picture, by, weights)
    if not (np.isfinite(rows).all() and np.isfinite(scores).all()):
        raise ProbeError(f"network {network.name}: no probe can be made of it: the probe's picture "
                         "leads to numbers beyond float32")
    return Probe(who, digests.of_layers(network), [INPUT, *network.names],
                 stored_probe.weight_hashes(network), picture, rows, scores)


def check(network: Network, where: str | Path | None = None) -> Verification:
    """Verify a network by its probe; raise if any layer is wrong.

    Parameters
    ----------
    network : Network
    where : str or path, optional
        The origin to name in the error, such as the file. Default: the network's name.

    Returns
    -------
    Verification

    Raises
    ------
    WeightsError
        In one line: the first layer that differs, or that the network has no probe.
    """
    try:
        result = verify(network)
    except ProbeError as error:
        raise WeightsError(f"{where or network.name}: {error}") from None
    if not result.ok:
        raise WeightsError(f"{where or network.name}: {result.message}")
    return result


def verified(network: Network, by: str = "auto", weights: dict[str, np.ndarray] | None = None,
             where: str | Path | None = None) -> str:
    """Make a probe, assign it to the network, and verify the network by it at once.

    Parameters
    ----------
    network, by, weights
        As for `make`.
    where : str or path, optional
        As for `check`.

    Returns
    -------
    str
        What computed the probe, and how closely the network agrees with it.

    Raises
    ------
    ProbeError
        As from `make`.
    WeightsError
        In one line: the first layer that differs.
    """
    network.probe = make(network, by, weights)
    return check(network, where).message


# ---- making

def _check_possible(network, by):
    if by not in MAKERS:
        raise ProbeError(f"probe: by must be one of {', '.join(MAKERS)}, got {by!r}")
    wrong = [f"layer {name} has no weights" for name in network.empty()]
    if len(network.input_shape) != 3:
        wrong.append(f"its input {network.input_shape} is not an image (H, W, C)")
    numbers = sum(prod(shape) for shape in [network.input_shape, *network.shapes.values()])
    products = sum(prod(shapes["w"]) * prod(network.shapes[name][:-1])
                   for name, shapes in network.param_shapes.items() if "w" in shapes)
    if numbers > MOST_NUMBERS or products > MOST_PRODUCTS:
        wrong.append(f"its {numbers:,} activations and {products:,} products are too much work "
                     "for a check")
    if wrong:
        raise ProbeError(f"network {network.name}: no probe can be made of it: {wrong[0]}")


def _computed(network, picture, by, weights):
    """(what computed the probe, the fingerprints of all layers, the scores)."""
    if by != "minicnn":
        try:
            x = torch_twin.prepared(picture, network.preprocessing, network.input_shape[2])
            rows, scores = _gathered(network, x, torch_twin.activations(network, x, weights))
            own = "" if weights is None else ", with the arrays of the converted file"
            return f"{torch_twin.version()}, float64{own}", rows, scores
        except torch_twin.NotComputed as error:
            if by == "pytorch":
                raise ProbeError(f'network {network.name}: {error}; a probe by "minicnn" needs '
                                 "no PyTorch") from None
    from minicnn import __version__

    x = backend.to_host(fingerprint.prepared(network, picture))
    return (f"minicnn {__version__}, plain operations in float64",
            *_gathered(network, x, plain.activations(network, x)))


def _gathered(network, x, activations):
    rows, scores = [fingerprint.of(x)], np.zeros(0)
    for name, y in activations:
        rows.append(fingerprint.of(y))
        if name == network.logits and y.size <= MOST_SCORES:
            scores = y.ravel()
    return np.array(rows, np.float32), scores.astype(np.float32)

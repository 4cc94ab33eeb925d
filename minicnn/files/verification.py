"""Verify a network by its probe: recompute every layer as the network runs now, and compare.

`minicnn.files.probe` explains what a probe is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minicnn import backend
from minicnn.files import digests, fingerprint, stored_probe
from minicnn.network import INPUT, Network
from minicnn.network.summary import lined_up

LIMITS = {  # largest relative error that counts as equal; measured maxima in the comments
    "float16": 5e-2,  # 11-bit mantissa: 2e-2 in 3 networks that do not overflow
    "float32": 1e-3,  # 2e-5 in 9 networks, with Winograd; planted faults give 5e-3
    "float64": 1e-6,  # 1.4e-7, as the photo is prepared and the figures are stored in float32
}
SCORES = "scores"  # verified last, like a layer


class ProbeError(ValueError):
    """No probe can be made of a network, or it has no probe to be verified by."""


def verify(network: Network, probe: stored_probe.Probe | None = None) -> Verification:
    """Recompute a probe's numbers as the network runs now, and compare them.

    Parameters
    ----------
    network : Network
        On any device, in any precision.
    probe : Probe, optional
        Default: the network's own, `network.probe`.

    Returns
    -------
    Verification
        Also if layers are wrong; see its `ok`.

    Raises
    ------
    ProbeError
        The network has no probe, or the probe belongs to other layers.
    """
    probe = network.probe if probe is None else probe
    if probe is None:
        raise ProbeError(f"network {network.name} has no probe to verify it by; make one with "
                         "`minicnn convert FILE --to OUT.h5` or files.probe.make")
    if probe.names != [INPUT, *network.names]:
        raise ProbeError(f"network {network.name}: the probe is of other layers; make a new one "
                         "with files.probe.make")
    arrays = [value for arrays in network.params.values() for value in arrays.values()]
    dtype = np.dtype(arrays[0].dtype if arrays else np.float32)
    outputs, why = _outputs(network, fingerprint.prepared(network, probe.picture).astype(dtype))
    return Verification(network.name, probe.by, f"{dtype.name} on {network.device}",
                        list(_verdicts(network, probe, dtype, outputs, why)), LIMITS[dtype.name],
                        probe.settings == digests.of_layers(network))


class LayerVerdict(NamedTuple):
    """The result of the verification for one layer.

    Attributes
    ----------
    layer : str
    expected, found : array
        The layer's fingerprint, or all the scores; `found` is None if the layer was not computed.
    error : float
        The largest difference, relative to the layer's standard deviation.
    worst : int
        The index of the number with that difference.
    what : str
        That number's name, or why the layer was not computed.
    same_weights : bool
        Whether the layer's weights, in float32, are those the probe was made with; True if it has
        none.
    ok : bool
    """

    layer: str
    expected: Any
    found: Any
    error: float
    worst: int
    what: str
    same_weights: bool
    ok: bool


@dataclass(frozen=True)
class Verification:
    """The result of verifying a network; as text, a table that marks the first wrong layer.

    Attributes
    ----------
    network, by, computed : str
        The network's name; what computed the probe; how it was recomputed, "float32 on cpu".
    layers : list of LayerVerdict
        The prepared picture ("image"), every layer in order, and the scores if the probe has any.
    limit : float
        The largest error that counts as equal.
    same_settings : bool
        Whether the layers' settings and the preprocessing are those the probe was made with.
    """

    network: str
    by: str
    computed: str
    layers: list = field(repr=False)
    limit: float
    same_settings: bool

    @property
    def ok(self):
        """Whether every layer is correct."""
        return self.first is None

    @property
    def first(self):
        """The first wrong layer; None if all are correct."""
        return next((layer for layer in self.layers if not layer.ok), None)

    @property
    def message(self):
        """One sentence: how closely all layers agree, or what is wrong with the first wrong one."""
        first = self.first
        if first is None:
            worst = max(self.layers, key=lambda layer: layer.error)
            return (f"every layer agrees with {self.by}: the largest difference "
                    f"is {worst.error:.1e} of a layer's deviation ({worst.layer}, "
                    f"{worst.what}); {self.limit:g} is allowed ({self.computed})")
        words = f"{first.layer} is the first that differs from its probe: "
        if first.found is None:
            return f"{words}it was not computed: {first.what}"
        if not first.same_weights:
            words += "its weights are not those the probe was made with; "
        hint = "" if self.same_settings else ("; layer settings or the preprocessing have changed "
                                              "since the probe was made")
        return (f"{words}{first.what}: expected {first.expected[first.worst]:.6g} ({self.by}), got "
                f"{first.found[first.worst]:.6g} ({self.computed}), off by {first.error:.2g} of "
                f"the layer's deviation; {self.limit:g} is allowed{hint}")

    @property
    def table(self):
        """One line per layer: means, deviations, the error."""
        first = self.first
        lines = [("layer", "mean", "got", "deviation", "got", "error", "")]
        for layer in self.layers:
            verdict = "ok" if layer.ok else "WRONG" + (" <- the first" if layer is first else "")
            lines.append((layer.layer, *_statistics(layer), f"{layer.error:.1e}", verdict))
        return "\n".join(lined_up(lines))

    def __str__(self):
        return (f"{self.network}: figures by {self.by}; got in {self.computed}\n\n{self.table}\n\n"
                f"{self.message[0].upper()}{self.message[1:]}.")


# ---- computing and comparing

def _outputs(network, x):
    """({layer: output}, why it stops early or ""): a wrong setting can make the shapes misfit."""
    outputs = {INPUT: x}
    with np.errstate(all="ignore"), suppress(ValueError):  # float16 may overflow
        try:
            return network.forward(x, caches=False).activations, ""
        except ValueError as error:
            why = str(error)
        for name in network.names:
            outputs[name] = network.forward(x, to=name, keep=(), caches=False)[name]
    return outputs, why


def _verdicts(network, probe, dtype, outputs, why):
    """The LayerVerdicts, the scores' last. The scale of a layer's errors is its deviation in the
    probe; for a silent layer, all 0, it is the deviation of the layer before."""
    scale, limit = 1.0, LIMITS[dtype.name]
    hashes = probe.weights
    if dtype != np.float16:  # float16 has rounded the weights: their hashes must differ
        hashes = stored_probe.weight_hashes(network)
    for name, expected in zip(probe.names, probe.fingerprints.astype(np.float64), strict=True):
        scale = expected[1] if expected.any() else scale
        y = outputs.get(name)
        if y is None:
            yield _unreached(name, expected, why)
        else:
            yield _compared(name, expected, fingerprint.of(backend.to_host(y)), scale, limit,
                            lambda k, shape=y.shape[1:]: fingerprint.name(k, shape),
                            hashes.get(name) == probe.weights.get(name))
    if probe.scores.size:
        expected, y = probe.scores.astype(np.float64), outputs.get(network.logits)
        if y is None or y.size != expected.size:
            yield _unreached(SCORES, expected, why or f"expected {expected.size} numbers, got "
                                                      f"{y.size}")
        else:
            found = backend.to_host(y).astype(np.float64).ravel()
            yield _compared(SCORES, expected, found, expected.std(), limit, "score {}".format)


def _unreached(name, expected, why):
    return LayerVerdict(name, expected, None, np.inf, 0, why, True, False)


def _compared(name, expected, found, scale, limit, call, same_weights=True):
    """A LayerVerdict by the largest |found - expected| / max(scale, |expected|); ``call(k)`` is the
    name of number k."""
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected) / np.maximum(scale or 1.0, np.abs(expected))
    error = np.where(np.isfinite(error), error, np.inf)
    worst = int(error.argmax())
    return LayerVerdict(name, expected, found, float(error[worst]), worst, call(worst),
                        same_weights, same_weights and bool(error[worst] <= limit))


def _statistics(layer):
    """The table's columns: mean expected and found, deviation expected and found."""
    if layer.layer == SCORES:
        return [""] * 4
    then = [f"{number:.6g}" for number in layer.expected[:2]]
    now = ["-"] * 2 if layer.found is None else [f"{number:.6g}" for number in layer.found[:2]]
    return then[0], now[0], then[1], now[1]

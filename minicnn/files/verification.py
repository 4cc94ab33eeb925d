"""A network verified by its probe: every layer is computed again, as the network runs now.

For what a probe is see `minicnn.files.probe`.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minicnn import backend
from minicnn.files import digests, fingerprint, stored_probe
from minicnn.network import INPUT
from minicnn.network.summary import lined_up

LIMITS = {  # the largest share that counts as the same
    "float16": 5e-2,  # 11 bits a number: 2e-2 was the most in 3 networks that do not overflow
    "float32": 1e-3,  # Winograd's included, 2e-5 was the most in 9 networks; planted faults: 5e-3
    "float64": 1e-6,  # the photo is prepared, and figures are stored, in float32: 1.4e-7
}
SCORES = "scores"  # verified last, as if they were a layer


class ProbeError(ValueError):
    """A network of which no probe can be made, or that has none to be verified by."""


def verify(network, probe=None):
    """Compute what a probe holds again, as the network runs now, and compare.

    Parameters
    ----------
    network : Network
        On any device, in any precision.
    probe : Probe, optional
        The network's own (`network.probe`) where not given.

    Returns
    -------
    Verification
        Whether or not all is well.

    Raises
    ------
    ProbeError
        There is none, or it is of other layers.
    """
    probe = network.probe if probe is None else probe
    if probe is None:
        raise ProbeError(f"network {network.name} has no probe to verify it by; `minicnn convert "
                         "FILE --to OUT.h5` gives a weight file one, and so does files.probe.make")
    if probe.names != [INPUT, *network.names]:
        raise ProbeError(f"network {network.name}: the probe is of other layers")
    arrays = [value for arrays in network.params.values() for value in arrays.values()]
    dtype = np.dtype(arrays[0].dtype if arrays else np.float32)
    limit = LIMITS[dtype.name]
    outputs, why = _outputs(network, fingerprint.prepared(network, probe.picture).astype(dtype))
    return Verification(network.name, probe.by, f"{dtype.name} on {network.device}",
                        list(_verdicts(network, probe, dtype, outputs, why)), limit,
                        probe.settings == digests.of_layers(network))


class LayerVerdict(NamedTuple):
    """What the verification says of one layer.

    Attributes
    ----------
    layer : str
    expected, found : array
        Its fingerprint, of the scores all of them; `found` is None where no pass got there.
    error : float
        The largest difference, as a share of the layer's deviation.
    worst : int
        Which number it is.
    what : str
        That number's name, or why the layer was not reached.
    same_weights : bool
        Whether its weights, if it has any, are those the probe was made with, to float32.
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
    """A network verified by a probe; as text a table that marks the first wrong layer.

    Attributes
    ----------
    network, by, computed : str
        The network's name; who made the probe; how it was computed now, "float32 on cpu".
    layers : list of LayerVerdict
        The prepared picture ("image"), every layer in order, the scores if it gives any.
    limit : float
        The largest error that counts as the same.
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
        """Whether every layer is right."""
        return self.first is None

    @property
    def first(self):
        """The first wrong layer; None where all are right."""
        return next((layer for layer in self.layers if not layer.ok), None)

    @property
    def message(self):
        """In one sentence: that all is well and how nearly, or what is wrong first."""
        first = self.first
        if first is None:
            worst = max(self.layers, key=lambda layer: layer.error)
            return (f"every layer agrees with {self.by}: the largest difference "
                    f"is {worst.error:.1e} of a layer's deviation ({worst.layer}, "
                    f"{worst.what}), and {self.limit:g} is allowed ({self.computed})")
        words = f"{first.layer} is the first that differs from its probe: "
        if first.found is None:
            return f"{words}it was not computed: {first.what}"
        if not first.same_weights:
            words += "its weights are not those the probe was made with; "
        hint = "" if self.same_settings else ("; the settings of its layers, or how photos are "
                                              "prepared, are not those of then")
        return (f"{words}{first.what}: expected {first.expected[first.worst]:.6g} ({self.by}), got "
                f"{first.found[first.worst]:.6g} ({self.computed}), off by {first.error:.2g} of "
                f"the layer's deviation, and {self.limit:g} is allowed{hint}")

    @property
    def table(self):
        """A line a layer: means, deviations, the error."""
        first = self.first
        lines = [("layer", "mean", "got", "deviation", "got", "error", "")]
        for layer in self.layers:
            verdict = "ok" if layer.ok else "WRONG" + (" <- the first" if layer is first else "")
            lines.append((layer.layer, *_statistics(layer), f"{layer.error:.1e}", verdict))
        return "\n".join(lined_up(lines))

    def __str__(self):
        return (f"{self.network}: figures of {self.by}; got in {self.computed}\n\n{self.table}\n\n"
                f"{self.message[0].upper()}{self.message[1:]}.")


# ---- computing and comparing

def _outputs(network, x):
    """({layer: output}, why it ends early or ""): a layer of wrong settings may not fit the next.
    """
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
    """The LayerVerdicts, the scores' last. A layer's scale is the deviation that the probe holds of
    it; of the layer before where it is silent, all 0."""
    scale, limit = 1.0, LIMITS[dtype.name]
    hashes = probe.weights
    if dtype != np.float16:  # in which no other numbers could be
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
            yield _unreached(SCORES, expected, why or f"there are {y.size} numbers, not "
                                                      f"{expected.size}")
        else:
            found = backend.to_host(y).astype(np.float64).ravel()
            yield _compared(SCORES, expected, found, expected.std(), limit, "score {}".format)


def _unreached(name, expected, why):
    return LayerVerdict(name, expected, None, np.inf, 0, why, True, False)


def _compared(name, expected, found, scale, limit, call, same_weights=True):
    """The largest |found - expected| / max(scale, |expected|), with ``call(k)`` the name of number
    k."""
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected) / np.maximum(scale or 1.0, np.abs(expected))
    error = np.where(np.isfinite(error), error, np.inf)
    worst = int(error.argmax())
    return LayerVerdict(name, expected, found, float(error[worst]), worst, call(worst),
                        same_weights, same_weights and bool(error[worst] <= limit))


def _statistics(layer):
    """For the table: mean and deviation, each as it was and as it is now."""
    if layer.layer == SCORES:
        return [""] * 4
    then = [f"{number:.6g}" for number in layer.expected[:2]]
    now = ["-"] * 2 if layer.found is None else [f"{number:.6g}" for number in layer.found[:2]]
    return then[0], now[0], then[1], now[1]

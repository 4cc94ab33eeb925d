"""A network's probe replayed: the same figures again, as the network runs now, beside the stored.

For what a probe is see `minicnn.files.probe`.
"""

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
SCORES = "scores"  # the last row


class ProbeError(ValueError):
    """A network of which no probe can be made, or that has none to replay."""


def replay(network, probe=None):
    """Compute a probe's figures again, as the network runs now, and compare.

    Parameters
    ----------
    network : Network
        On any device, in any precision.
    probe : Probe, optional
        The network's own (`network.probe`) where not given.

    Returns
    -------
    Replay
        Whether or not all is well.

    Raises
    ------
    ProbeError
        There is none, or it is of other layers.
    """
    probe = network.probe if probe is None else probe
    if probe is None:
        raise ProbeError(f"network {network.name} has no probe to replay; `minicnn convert FILE "
                         "--to OUT.h5` gives a weight file one, and so does files.probe.make")
    if probe.names != [INPUT, *network.names]:
        raise ProbeError(f"network {network.name}: the probe is of other layers")
    dtype = _dtype(network)
    limit = LIMITS[dtype.name]
    outputs, why = _outputs(network, fingerprint.prepared(network, probe.picture).astype(dtype))
    rows = list(_rows(network, probe, outputs, why, limit))
    rows += [_scores(network, probe, outputs, why, limit)] if probe.scores.size else []
    return Replay(network.name, probe.by, f"{dtype.name} on {network.device}", rows, limit,
                  probe.settings == digests.of_layers(network))


class Row(NamedTuple):
    """One layer of a replay.

    Attributes
    ----------
    layer : str
    expected, found : array
        Its figures, of the last row all the scores; `found` is None where a pass did not get there.
    error : float
        The largest difference, as a share of the layer's deviation.
    worst : int
        Which figure it is.
    what : str
        That figure's name, or why the layer was not reached.
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
class Replay:
    """A probe replayed; as text a table that marks the first wrong layer.

    Attributes
    ----------
    network, by, computed : str
        The network's name; who made the figures; how they were computed now, "float32 on cpu".
    rows : list of Row
        The prepared picture ("image"), every layer in order, the scores if it gives any.
    limit : float
        The largest error that counts as the same.
    same_settings : bool
        Whether the layers' settings and the preprocessing are those the probe was made with.
    """

    network: str
    by: str
    computed: str
    rows: list = field(repr=False)
    limit: float
    same_settings: bool = True

    @property
    def ok(self):
        """Whether every layer is right."""
        return self.first is None

    @property
    def first(self):
        """The first wrong row; None where all are right."""
        return next((row for row in self.rows if not row.ok), None)

    @property
    def message(self):
        """In one sentence: that all is well and how nearly, or what is wrong first."""
        row = self.first
        if row is None:
            worst = max(self.rows, key=lambda row: row.error)
            return (f"every layer agrees with {self.by}: the largest difference "
                    f"is {worst.error:.1e} of a layer's deviation ({worst.layer}, "
                    f"{worst.what}), and {self.limit:g} is allowed ({self.computed})")
        return f"{row.layer} is the first that differs from its probe: {self._fault(row)}"

    def _fault(self, row):
        if row.found is None:
            return f"it was not computed: {row.what}"
        where = "" if row.same_weights else "its weights are not those the probe was made with; "
        hint = "" if self.same_settings else ("; the settings of its layers, or how photos are "
                                              "prepared, are not those of then")
        return (f"{where}{row.what}: expected {row.expected[row.worst]:.6g} ({self.by}), got "
                f"{row.found[row.worst]:.6g} ({self.computed}), off by {row.error:.2g} of the "
                f"layer's deviation, and {self.limit:g} is allowed{hint}")

    @property
    def table(self):
        """A line a layer: means, deviations, the error."""
        first = self.first
        lines = [("layer", "mean", "got", "deviation", "got", "error", "")]
        lines += [_line(row, row is first) for row in self.rows]
        return "\n".join(lined_up(lines))

    def __str__(self):
        return (f"{self.network}: figures of {self.by}; got in {self.computed}\n\n{self.table}\n\n"
                f"{self.message[0].upper()}{self.message[1:]}.")


# ---- computing and comparing

def _dtype(network):
    arrays = [value for arrays in network.params.values() for value in arrays.values()]
    return np.dtype(arrays[0].dtype if arrays else np.float32)


def _outputs(network, x):
    """({layer: output}, why it ends early or ""): a layer of wrong settings may not fit the next.
    """
    outputs, why = {INPUT: x}, ""
    with np.errstate(all="ignore"):  # float16 may overflow
        try:
            return network.forward(x, caches=False).activations, why
        except ValueError as error:
            why = str(error)
        for name in network.names:
            try:
                outputs[name] = network.forward(x, to=name, keep=(), caches=False)[name]
            except ValueError:
                return outputs, why
    return outputs, why


def _rows(network, probe, outputs, why, limit):
    """A Row of every layer. Its scale is the deviation (figure 1) that the probe holds of it, of
    the layer before where it is silent, all 0."""
    scale, hashes = 1.0, _hashes(network, probe)
    for name, expected in zip(probe.names, probe.figures.astype(np.float64), strict=True):
        scale = expected[1] if expected.any() else scale
        y = outputs.get(name)
        if y is None:
            yield _unreached(name, expected, why)
        else:
            found, shape = fingerprint.figures(backend.to_host(y)), y.shape[1:]
            yield _compared(name, expected, found, scale or 1.0, limit,
                            lambda k, shape=shape: fingerprint.name(k, shape),
                            hashes.get(name) == probe.weights.get(name))


def _hashes(network, probe):
    """Of the weights now; those of the probe in float16, in which no other numbers could be."""
    return probe.weights if _dtype(network) == np.float16 else stored_probe.weight_hashes(network)


def _scores(network, probe, outputs, why, limit):
    expected, y = probe.scores.astype(np.float64), outputs.get(network.logits)
    if y is None or y.size != expected.size:
        return _unreached(SCORES, expected, why or f"there are {y.size} numbers, not "
                                                   f"{expected.size}")
    found = backend.to_host(y).astype(np.float64).ravel()
    return _compared(SCORES, expected, found, float(expected.std()) or 1.0, limit,
                     lambda k: f"score {k}")


def _unreached(name, expected, why):
    """The Row of a layer that no pass got to."""
    return Row(name, expected, None, np.inf, 0, why, True, False)


def _compared(name, expected, found, scale, limit, call, same_weights=True):
    """A Row: the largest |found - expected| / max(scale, |expected|), with ``call(k)`` the name of
    figure k."""
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected) / np.maximum(scale, np.abs(expected))
    error = np.where(np.isfinite(error), error, np.inf)
    worst = int(error.argmax())
    return Row(name, expected, found, float(error[worst]), worst, call(worst), same_weights,
               same_weights and bool(error[worst] <= limit))


def _line(row, is_first):
    """A row's words in the table: mean and deviation, as they were and as they are now."""
    found = ["-", "-"] if row.found is None else [f"{v:.6g}" for v in row.found[:2]]
    before, now = (["", ""], ["", ""]) if row.layer == SCORES else (
        [f"{v:.6g}" for v in row.expected[:2]], found)
    verdict = "ok" if row.ok else "WRONG" + (" <- the first" if is_first else "")
    return (row.layer, before[0], now[0], before[1], now[1], f"{row.error:.1e}", verdict)

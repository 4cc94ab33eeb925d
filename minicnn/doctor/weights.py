"""One weight file: its network, where that is from, and whether it computes correctly."""

import re

from minicnn.doctor import own_ops
from minicnn.doctor.findings import BAD, GOOD, NOTE, Finding
from minicnn.files import digests
from minicnn.files.verification import verify
from minicnn.foreign import load as pretrained
from minicnn.foreign.load import load

NEW = "`minicnn convert FILE --to OUT.h5` writes a file that has one"
OWN = ("check your own op in that layer first; the same command without --ops shows whether the "
       "weight file is right")
REMEDIES = {
    "cpu": "if all ops are right, the file was changed: fetch or convert it again",
    "gpu": "if the probe is right on the CPU, use --device cpu; else fetch or convert it again"}


def weights(where, devices=("cpu",), equip=None):
    """Yield the contents of a weight file, and whether its probe is reproduced on each device.

    Parameters
    ----------
    where : str or path
        As for `minicnn.load`.
    devices : sequence of {"cpu", "gpu"}
    equip : callable, optional
        As for `examine`.
    """
    try:
        network = load(where) if equip is None else equip(load(where))
    except (ValueError, OSError) as error:
        yield Finding("file", " ".join(str(error).split()), BAD)
        return
    path = pretrained.find(where)
    if path.is_file():
        yield Finding("file", f"{path}, {path.stat().st_size:,} bytes")
        yield Finding("sha256", _halves(digests.sha256(path)))
    else:  # a model of TensorFlow.js
        yield Finding("folder", str(path))
    if network.choice.describe():
        yield Finding("ops", str(network.choice))
        yield from own_ops.examined(network)
    sides = "x".join(map(str, network.input_shape))
    yield Finding("network", f"{network.name}: {len(network.names)} layers, {network.count():,} "
                             f"parameters, images {sides}")
    if labels := network.labels:
        yield Finding("classes", f"{len(labels)}, from {labels[0]!r} to {labels[-1]!r}")
    else:
        yield Finding("classes", "without names", NOTE, "use --labels FILE with the other commands")
    for key, value in network.about.items():
        yield Finding(key.replace("_", " "), _halves(str(value)))
    if not network.about.get("licence"):
        yield Finding("licence", "the file does not say", NOTE)
    yield from probed(network, devices, table=True)


def _halves(text):
    """A SHA-256, which is too long for a line, in two halves; any other text unchanged."""
    return f"{text[:32]} {text[32:]}" if re.fullmatch("[0-9a-f]{64}", text) else text


def probed(network, devices=("cpu",), table=False):
    """Yield whether a network reproduces its stored probe on each device.

    Parameters
    ----------
    network : Network
    devices : sequence of {"cpu", "gpu"}
    table : bool
        Show a table of all layers even if all are right.
    """
    if network.probe is None:
        yield Finding("probe", "none: the file does not say what its layers should compute", NOTE,
                      NEW)
        return
    for device in devices:
        what = f"probe on {device}"
        try:
            found = verify(network.to(device))
        except ValueError as error:
            yield Finding(what, str(error), BAD)
            continue
        if found.ok:
            yield Finding(what, found.message, GOOD, "", found.table if table else "")
        else:
            remedy = OWN if network.choice.is_own() else REMEDIES[device]
            yield Finding(what, found.message, BAD, remedy, found.table)

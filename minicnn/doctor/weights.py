"""One weight file: what network it holds, where that is from, and whether it computes rightly."""

import re

from minicnn.doctor.findings import BAD, GOOD, NOTE, Finding
from minicnn.files import digests
from minicnn.files.verification import verify
from minicnn.foreign import load as pretrained
from minicnn.foreign.load import load

NEW = "`minicnn convert FILE --to OUT.h5` writes a file that has one"
REMEDIES = {
    "cpu": "if all ops are right, the file was changed: fetch or convert it again",
    "gpu": "if it is right on the CPU, use --device cpu; else fetch or convert it again"}


def weights(where, devices=("cpu",)):
    """Yield what a weight file holds, and what becomes of its stored probe on each device.

    Parameters
    ----------
    where : str or path
        As for `minicnn.load`.
    devices : sequence of {"cpu", "gpu"}
    """
    try:
        network = load(where)
    except (ValueError, OSError) as error:
        yield Finding("file", " ".join(str(error).split()), BAD)
        return
    path = pretrained.find(where)
    if path.is_file():
        yield Finding("file", f"{path}, {path.stat().st_size:,} bytes")
        yield Finding("sha256", _halves(digests.sha256(path)))
    else:  # a model of TensorFlow.js
        yield Finding("folder", str(path))
    sides = "x".join(map(str, network.input_shape))
    yield Finding("network", f"{network.name}: {len(network.names)} layers, {network.count():,} "
                             f"parameters, images {sides}")
    if labels := network.labels:
        yield Finding("classes", f"{len(labels)}, from {labels[0]!r} to {labels[-1]!r}")
    else:
        yield Finding("classes", "without names", NOTE, "give the other commands --labels FILE")
    for key, value in network.about.items():
        yield Finding(key.replace("_", " "), _halves(str(value)))
    if not network.about.get("licence"):
        yield Finding("licence", "the file does not say", NOTE)
    yield from probed(network, devices, table=True)


def _halves(text):
    """A SHA-256, which is too long for a line, in halves; any other text as it is."""
    return f"{text[:32]} {text[32:]}" if re.fullmatch("[0-9a-f]{64}", text) else text


def probed(network, devices=("cpu",), table=False):
    """Yield whether a network computes what its stored probe says, on each device.

    Parameters
    ----------
    network : Network
        It is moved to the devices, and left on the last of them.
    devices : sequence of {"cpu", "gpu"}
    table : bool
        Show every layer also where all are right.
    """
    if network.probe is None:
        yield Finding("probe", "none: nothing tells what its layers should compute", NOTE, NEW)
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
            yield Finding(what, found.message, BAD, REMEDIES[device], found.table)

"""The function `examine`: the sections of the report and their order."""

import time

from minicnn import backend
from minicnn.doctor import gpu, libraries, selftest, stored, system, weights
from minicnn.doctor.findings import BAD, Report, Section, asked


def examine(weights=None, device="auto", cache=None, equip=None):
    """Examine the machine, the libraries, the stored networks and every op; change nothing.

    Parameters
    ----------
    weights : str or path, optional
        Also examine this network, named as for `minicnn.load`: its contents, and whether it
        reproduces its stored probe.
    device : {"cpu", "gpu", "auto"}
        Where to run the ops and networks: always on the CPU, and also on the GPU for "gpu", or for
        "auto" if CuPy finds one. For "gpu", an unusable GPU is a bad finding.
    cache : str or path, optional
        The cache folder, in place of the user's own.
    equip : callable, optional
        ``equip(network) -> network``, applied to the network of `weights` before its examination,
        to give it other implementations of its ops (`Network.using`).

    Returns
    -------
    Report
        See `report.bad` and `print(report)`.

    Raises
    ------
    ValueError
        An unknown device.

    Examples
    --------
    >>> report = examine(device="cpu")
    >>> [section.title for section in report.sections][:3]
    ['Python', 'Machine', 'Libraries']
    """
    if device not in ("cpu", "gpu", "auto"):
        raise ValueError(f"doctor: device must be 'cpu', 'gpu' or 'auto', got {device!r}")
    began = time.perf_counter()
    sections = list(_sections(weights, device, cache, equip))
    return Report(sections, time.perf_counter() - began)


def _sections(where, device, cache, equip):
    yield Section("Python", [*asked("Python", system.python),
                             *asked("minicnn", libraries.minicnn)])
    yield Section("Machine", [*asked("cores", system.cores), *asked("memory", system.memory)])
    yield Section("Libraries", [*asked("numpy", libraries.numpy),
                                *asked("libraries", libraries.others)])
    yield Section("GPU", asked("GPU", gpu.gpu, device))
    devices = _devices(device)
    yield Section("Ops", [finding for one in devices for finding in
                          asked(f"ops on {one}", selftest.examine_ops, one, state=BAD)])
    yield Section("Shipped networks", asked("networks", stored.shipped, devices, state=BAD))
    yield Section("Cache", asked("cache", stored.cached, cache))
    if where is not None:
        yield Section(f"Weights {where}", asked("weights", weights.weights, where, devices,
                                                equip, state=BAD))


def _devices(device):
    """The devices to run on: the CPU, and the GPU if it is wanted and usable."""
    if device == "cpu":
        return ["cpu"]
    try:
        backend.device_name("gpu")
    except Exception:  # a broken CuPy may raise anything; the GPU section reports it
        return ["cpu"]
    return ["cpu", "gpu"]

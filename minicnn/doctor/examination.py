"""The door of the doctor: which sections there are, in which order."""

import time

from minicnn import backend
from minicnn.doctor import gpu, libraries, selftest, stored, system, weights
from minicnn.doctor.findings import BAD, Report, Section, asked


def examine(weights=None, device="auto", cache=None):
    """Look at the machine, the libraries, what is stored, and every op; change nothing.

    Parameters
    ----------
    weights : str or path, optional
        Also look at this network, as `minicnn.load` takes it: what it is, and whether it computes
        what its stored probe says.
    device : {"cpu", "gpu", "auto"}
        Where the ops and networks are run: on the CPU, and on the GPU too for "gpu", and for
        "auto" where CuPy finds one. For "gpu" it is bad if it cannot be used.
    cache : str or path, optional
        The cache folder, in place of the user's own.

    Returns
    -------
    Report
        `report.bad`, `print(report)`.

    Raises
    ------
    ValueError
        For another device.

    Examples
    --------
    >>> report = examine(device="cpu")
    >>> [section.title for section in report.sections][:3]
    ['Python', 'Machine', 'Libraries']
    """
    if device not in ("cpu", "gpu", "auto"):
        raise ValueError(f"doctor: device is 'cpu', 'gpu' or 'auto', got {device!r}")
    began = time.perf_counter()
    sections = list(_sections(weights, device, cache))
    return Report(sections, time.perf_counter() - began)


def _sections(where, device, cache):
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
                                                state=BAD))


def _devices(device):
    """The devices to run on: the CPU, and the GPU where it is wanted and there."""
    if device == "cpu":
        return ["cpu"]
    try:
        backend.device_name("gpu")
    except Exception:  # whatever a broken CuPy raises when it is loaded; the GPU section says it
        return ["cpu"]
    return ["cpu", "gpu"]

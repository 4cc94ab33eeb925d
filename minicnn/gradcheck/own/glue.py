"""The table CHECK of a file, which says what its names do not: see `found`."""

import numpy as np

from minicnn.gradcheck.own.known import known
from minicnn.gradcheck.own.sources import FormError

HELP = ('expected CHECK = {"conv": (forward, backward)}, {"conv": Class} or '
        '{"name": {"x": (4, 5)}}')


def table(source):
    """{op: (functions or class, or None; inputs, or None)} of a source's CHECK; {} without one."""
    given = getattr(source.found, "CHECK", None)
    if given is None or isinstance(source.found, type):
        return {}
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise FormError(f"{source.name}: CHECK is no table of ops; {HELP}")
    return {name: _entry(source, name, value) for name, value in given.items()}


def _entry(source, name, value):
    """(functions or class, inputs) of one line of CHECK."""
    inputs = value if isinstance(value, dict) else None
    parts = () if inputs else value if isinstance(value, (tuple, list)) else (value,)
    if parts and isinstance(parts[-1], dict):
        *parts, inputs = parts
    if len(parts) > 2 or not all(callable(part) for part in parts):
        raise FormError(f"{source.name}: CHECK[{name!r}] is not understood; {HELP}")
    if inputs is None and known(name) is None:
        raise FormError(f"{source.name}: CHECK[{name!r}]: there is no op {name!r}, so its inputs "
                        'must be said: (forward, backward, {"x": (4, 5)})')
    if inputs is not None and known(name) is not None:
        raise FormError(f"{source.name}: CHECK[{name!r}]: {name} is known, its inputs are "
                        "minicnn's own; give only its functions or class, or use another name")
    return (tuple(parts) or None), inputs and _arrays(inputs)


def _arrays(inputs):
    """The inputs with an array for every shape: normal random numbers."""
    rng, found = np.random.default_rng(0), {}
    for name, value in inputs.items():
        is_shape = isinstance(value, (tuple, list)) and all(isinstance(n, int) for n in value)
        found[name] = rng.standard_normal(tuple(value)) if is_shape else value
    return found

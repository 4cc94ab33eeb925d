"""What a planted bug is."""

from collections.abc import Callable
from typing import NamedTuple


class Mutant(NamedTuple):
    """A pair with one mistake in it.

    `op` names the function in tests/made/checks.py that must reject it; `forward` and `backward`
    are what that function is given, `backward` None where it takes one function only; `origin`
    says where the bug was met in public code, if it was.
    """

    name: str
    op: str
    forward: Callable
    backward: Callable | None
    origin: str = ""

    def __str__(self):
        return f"{self.op}: {self.name}"

    @property
    def passes(self):
        return (self.forward,) if self.backward is None else (self.forward, self.backward)

"""Memory that is reused.

A fresh array costs more than its size suggests: the operating system provides memory page by page
at the first access, which takes longer than many an op. A loop that repeats the same work asks for
the same sizes again and again, so it can own a Workspace. While the workspace is active, the memory
of arrays that no longer exist is kept, and given to new arrays of the same size or down to a
quarter of it.

    workspace = Workspace()
    for _ in range(steps):
        with workspace:
            run = network.forward(x)
            dx = run.backward(seeds)

Ops get their arrays from `empty` and remain pure functions: an array's memory returns to the
workspace only when nothing refers to the array any more, so no result is ever overwritten. Without
a workspace, and on a GPU (CuPy has its own memory pool), `empty` is the array module's.
"""

from collections import defaultdict, deque
from contextvars import ContextVar
from math import ceil, log2, prod

import numpy as np

LEAST = 1 << 16  # bytes: for smaller arrays the allocator has memory ready anyway
STEPS = 4  # sizes of memory per factor of two; an array may get memory of up to 4 times its size

_IN_FORCE = ContextVar("workspace", default=None)


class Workspace:
    """Keeps the memory of arrays that no longer exist; a reusable context manager.

    It belongs to one loop. Its memory is freed together with the workspace.
    """

    def __init__(self):
        self._free = defaultdict(deque)  # by size step; append and pop are thread-safe
        self._entered = []

    def __enter__(self):
        self._entered.append(_IN_FORCE.set(self))
        return self

    def __exit__(self, *error):
        _IN_FORCE.reset(self._entered.pop())

    def empty(self, shape, dtype):
        """An uninitialised NumPy array, in reused memory if some of a suitable size is free."""
        step = ceil(STEPS * log2(prod(shape) * dtype.itemsize))
        for home in (self._free[larger] for larger in range(step, step + 2 * STEPS)):
            try:
                return np.asarray(_Lease(home.pop(), home, shape, dtype))
            except IndexError:  # none left: look among the larger ones
                pass
        memory = np.empty(ceil(2 ** (step / STEPS)), np.uint8)
        return np.asarray(_Lease(memory, self._free[step], shape, dtype))


class _Lease:
    """The owner of an array's memory; once no array or view refers to it, the memory goes back."""

    def __init__(self, memory, home, shape, dtype):
        self.memory, self.home = memory, home
        self.__array_interface__ = {"version": 3, "shape": tuple(shape), "typestr": dtype.str,
                                    "data": (memory.ctypes.data, False)}

    def __del__(self):
        self.home.append(self.memory)


def empty(xp, shape, dtype):
    """An uninitialised array of module `xp`, from the active workspace if there is one.

    Parameters
    ----------
    xp : module
        NumPy or CuPy.
    shape : tuple of int
    dtype : dtype
    """
    workspace, dtype = _IN_FORCE.get(), np.dtype(dtype)
    if workspace is None or xp is not np or prod(shape) * dtype.itemsize < LEAST:
        return xp.empty(shape, dtype=dtype)
    return workspace.empty(shape, dtype)


def zeros(xp, shape, dtype):
    """Like `empty`, filled with zeros."""
    if _IN_FORCE.get() is None:
        return xp.zeros(shape, dtype=dtype)
    a = empty(xp, shape, dtype)
    a.fill(0)
    return a

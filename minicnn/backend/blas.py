"""Limit BLAS, which computes NumPy's matrix products, to one thread while a network computes.

With another number of threads BLAS rounds differently, and two schedulers on the same cores wait
for each other; our own threads (`minicnn.fast.threads`) share the work instead. The setting of
BLAS belongs to the whole process. If several networks run in their own threads, the first to
enter sets the limit and the last to leave restores the old one.
"""

import os
from contextlib import contextmanager
from functools import cache
from threading import Lock


class _State:
    """The state of the process: how many contexts limit BLAS, and the settings before."""

    lock = Lock()
    holders = 0
    before = ()


@contextmanager
def one_blas_thread():
    """A context that limits BLAS to one thread; nesting it costs almost nothing."""
    with _State.lock:
        _State.holders += 1
        if _State.holders == 1:
            _State.before = [(library, library.num_threads) for library in _libraries()]
            for library, _ in _State.before:
                _set(library, 1)
    try:
        yield
    finally:
        with _State.lock:
            _State.holders -= 1
            if _State.holders == 0:
                for library, count in _State.before:
                    _set(library, count)


def hold_in_this_thread():
    """Limit an OpenMP BLAS to one thread in this Python thread, permanently.

    OpenMP keeps the number for each Python thread; this is for worker threads that only run ops.
    """
    for library in _libraries():
        if getattr(library, "threading_layer", None) == "openmp":
            _set(library, 1)


def _set(library, count):
    """Set a library's number of threads, whichever thread calls this.

    From 3.8 on threadpoolctl obeys only the thread of the process that set a number first, and
    silently ignores all others. Here every caller holds the lock, so the last call decides.
    """
    hear_anyone = getattr(library, "clear_controlling_thread", lambda force: None)
    hear_anyone(force=True)
    library.set_num_threads(count)
    hear_anyone(force=True)


@cache
def _libraries():
    """NumPy's BLAS, and any other BLAS loaded at the time of the first call."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


def _forget():
    """Reset the state in a forked child, where no context is open."""
    _State.lock, _State.holders = Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

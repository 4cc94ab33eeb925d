"""One small scheduler: independent blocks of work, spread over the processor's cores.

An op that gains from it cuts its work into blocks that write to different places, and hands them
to `spread`. Which thread takes which block changes nothing in the result, and the blocks do not
depend on the number of threads, so the result is the same bytes for any number of them.

NumPy lets go of Python's lock inside its loops and products, so plain threads do run at once.
While blocks run, BLAS is held to one thread a block: two schedulers on the same cores would spend
their time waiting for each other. BLAS belongs to the whole process, so when several networks run
in threads of their own, the first to enter holds it and the last to leave lets go. A single block
leaves BLAS as it is; where another network holds it just then, BLAS may cut a product otherwise and
round its last bit differently.

The number of threads is that of the cores this process may use, or the environment variable
MINICNN_THREADS, or what `set_threads` says.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from math import prod
from threading import Lock

VARIABLE = "MINICNN_THREADS"
BLOCK = 1 << 17  # numbers a block, 0.5 MB of float32: handing one over costs far less than its work


class _State:
    """What belongs to the process: how many threads, the pool, who holds BLAS."""

    count = None
    pool = None
    lock = Lock()
    holders = 0
    restore = None


def threads():
    """How many threads the ops use."""
    if _State.count is None:
        _State.count = _from_environment()
    return _State.count


def set_threads(count):
    """Use `count` threads, at least 1, from now on."""
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"set_threads: expected a whole number of at least 1, got {count!r}")
    with _State.lock:
        _State.count, old, _State.pool = count, _State.pool, None
    if old is not None:
        old.shutdown(wait=False)


def spread(function, blocks):
    """Call ``function(block)`` for every block, several at a time.

    Parameters
    ----------
    function : callable
        Must write only where no other block writes. What it returns is dropped.
    blocks : sequence

    Raises
    ------
    Exception
        The first one that a block raised, once all that began are done.
    """
    if len(blocks) == 1:  # nothing to share out: BLAS may use all cores
        function(blocks[0])
        return
    workers = min(threads(), len(blocks))
    with _one_blas_thread():
        if workers <= 1:
            for block in blocks:
                function(block)
            return
        remaining, lock = iter(blocks), Lock()

        def work():
            while True:
                with lock:
                    block = next(remaining, lock)
                if block is lock:
                    return
                function(block)

        helpers = [_pool().submit(work) for _ in range(workers - 1)]
        try:
            work()
        finally:
            errors = [helper.exception() for helper in helpers]
        for error in filter(None, errors):
            raise error


def row_blocks(shape):
    """Cut an array (N, H, ...) into (images, rows) slices of about BLOCK numbers, for `spread`.

    Returns
    -------
    list of tuple
        To index the array with; a single ``(...,)`` where it is too small to share out.
    """
    size = prod(shape)
    if len(shape) < 2 or size < 2 * BLOCK:
        return [(...,)]
    rows = max(1, BLOCK // (size // (shape[0] * shape[1])))
    return [(slice(n, n + 1), slice(top, min(top + rows, shape[1])))
            for n in range(shape[0]) for top in range(0, shape[1], rows)]


def _from_environment():
    text = os.environ.get(VARIABLE, "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{VARIABLE}: expected a whole number of at least 1, got {text!r}")
    return int(text)


def _pool():
    with _State.lock:
        if _State.pool is None:
            _State.pool = ThreadPoolExecutor(max(1, threads() - 1), thread_name_prefix="minicnn")
        return _State.pool


def _forget():
    """In a forked child the pool's threads and the holders do not exist: begin anew."""
    _State.pool, _State.lock, _State.holders = None, Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@cache
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@contextmanager
def _one_blas_thread():
    with _State.lock:
        _State.holders += 1
        if _State.holders == 1:
            _State.restore = _blas().limit(limits=1)
            _State.restore.__enter__()
    try:
        yield
    finally:
        with _State.lock:
            _State.holders -= 1
            if _State.holders == 0:
                _State.restore.__exit__(None, None, None)

"""One small scheduler: independent blocks of work, spread over the processor's cores.

An op that gains from it cuts its work into blocks that write to different places, and hands them
to `spread`. Which thread takes which block changes nothing in the result, and the blocks do not
depend on the number of threads, so the result is the same bytes for any number of them.

NumPy lets go of Python's lock inside its loops and products, so plain threads do run at once.
While blocks run, BLAS is held to one thread a block: two schedulers on the same cores would spend
their time waiting for each other. BLAS belongs to the whole process, so when several networks run
in threads of their own, the first to enter holds it and the last to leave lets go. Every product
an op computes is computed that way, so no network's bytes depend on what else is at work.

How many threads there are `minicnn.backend.threads` says.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from math import prod
from threading import Lock

from minicnn.backend import array_module, threads
from minicnn.workspace import empty

BLOCK = 1 << 17  # numbers a block, 0.5 MB of float32: handing one over costs far less than its work
PRODUCTS = 1 << 22  # multiplications a block, likewise


class _State:
    """What belongs to the process: the pool and its size, who holds BLAS."""

    pool = None
    size = 0
    lock = Lock()
    holders = 0
    restore = None


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
    workers = min(threads(), len(blocks))
    with one_blas_thread():
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

        helpers = [_pool().submit(copy_context().run, work) for _ in range(workers - 1)]
        try:
            work()
        finally:
            errors = [helper.exception() for helper in helpers]
        for error in filter(None, errors):
            raise error


def product(a, b):
    """a @ b, cut into runs of rows or columns for `spread`.

    Parameters
    ----------
    a : array (..., M, K)
    b : array (..., K, N)
    """
    xp, rows, columns = array_module(a), a.shape[-2], b.shape[-1]
    c = empty(xp, (*a.shape[:-1], columns), xp.result_type(a, b))
    longer = max(rows, columns)
    run = max(32, -(-longer // 8)) if prod(a.shape) * columns >= 2 * PRODUCTS else longer

    def compute(part):
        if rows > columns:
            xp.matmul(a[..., part, :], b, out=c[..., part, :])  # (run, K) @ (K, N) -> run,N
        else:
            xp.matmul(a, b[..., part], out=c[..., part])  # (M, K) @ (K, run) -> M,run

    spread(compute, [slice(k, k + run) for k in range(0, longer, run)])
    return c


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


def _pool():
    wanted = max(1, threads() - 1)
    with _State.lock:
        if _State.pool is None or _State.size != wanted:
            if _State.pool is not None:
                _State.pool.shutdown(wait=False)
            _State.pool = ThreadPoolExecutor(wanted, thread_name_prefix="minicnn")
            _State.size = wanted
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
def one_blas_thread():
    """Hold BLAS to one thread; within it, `spread` need not do so each time."""
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

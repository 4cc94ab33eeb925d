"""A small scheduler that spreads independent blocks of work over the processor's cores.

An op that gains from threads cuts its work into blocks that write to different places, and hands
them to `spread`. The result does not depend on which thread computes which block, and the blocks do
not depend on the number of threads, so the result is the same bytes for any number of threads.

NumPy releases Python's global lock inside its loops and products, so plain threads run in parallel.
While blocks run, BLAS uses one thread per block (`minicnn.backend.blas`). All products of the ops
are computed that way, so a network's results do not depend on what else is running.

`minicnn.backend.threads` sets the number of threads.

A GPU divides the work of one call among thousands of threads of its own; the number of calls is
what costs time. So arrays on a GPU are not cut up: all work is one block in the calling thread.
"""

import os
from contextvars import copy_context
from math import prod
from queue import SimpleQueue
from threading import Lock, Thread

import numpy as np

from minicnn.backend import array_module, threads
from minicnn.backend.blas import hold_in_this_thread, one_blas_thread
from minicnn.fast.workspace import empty

BLOCK = 1 << 17  # numbers per block: 0.5 MB of float32, which stay in a core's cache
SHARED = 1 << 25  # multiplications, 0.3 ms: for less work, waking a helper does not pay
A_PASS = 10  # reading, changing and writing a number takes as long as 10 multiplications


class _State:
    """State of the process: the number of helper threads, and the queue they take jobs from."""

    helpers = 0
    jobs = SimpleQueue()
    lock = Lock()


def spread(function, blocks, xp=np):
    """Call ``function(block)`` for every block, several in parallel.

    Parameters
    ----------
    function : callable
        Must write only where no other block writes. Its return value is ignored.
    blocks : sequence
    xp : module
        The array module. If it is not NumPy, the calling thread does the blocks one by one.

    Raises
    ------
    Exception
        The first error of a block, once all blocks that were begun have ended.
    """
    workers = min(threads(), len(blocks)) if xp is np else 1
    with one_blas_thread():
        if workers <= 1:
            for block in blocks:
                function(block)
            return
        job = _Job(function, blocks)
        _call_helpers(job, workers - 1)
        job.work()
        job.wait()


class _Job:
    """Blocks of work, and how many are taken and ended. A helper that arrives late finds no block,
    and nothing waits for it."""

    def __init__(self, function, blocks):
        self.function, self.blocks, self.errors = function, blocks, []
        self.taken = self.ended = 0
        self.lock, self.all_ended = Lock(), Lock()
        self.all_ended.acquire()

    def work(self):
        """Take and compute blocks until none is left."""
        while True:
            with self.lock:
                if self.taken == len(self.blocks) or self.errors:
                    return
                block = self.blocks[self.taken]
                self.taken += 1
            try:
                self.function(block)
            except BaseException as error:  # `wait` raises it in the calling thread, Ctrl-C too
                self.errors.append(error)
            with self.lock:
                self.ended += 1
                if self.ended == self.taken and (self.taken == len(self.blocks) or self.errors):
                    self.all_ended.release()

    def wait(self):
        """Wait until all blocks that were begun have ended; raise the first error, if any."""
        self.all_ended.acquire()
        if self.errors:
            raise self.errors[0]


def _call_helpers(job, count):
    with _State.lock:
        while _State.helpers < count:
            Thread(target=_help, name="minicnn", daemon=True).start()
            _State.helpers += 1
    for _ in range(count):
        _State.jobs.put((copy_context(), job))


def _help():
    jobs = _State.jobs
    hold_in_this_thread()
    while True:
        context, job = jobs.get()
        context.run(job.work)
        del context, job  # else the last job's arrays would stay alive


def product(a, b):
    """a @ b, cut into runs of rows or columns for `spread`.

    Parameters
    ----------
    a : array (..., M, K)
    b : array (..., K, N)
    """
    xp, rows, columns = array_module(a), a.shape[-2], b.shape[-1]
    if xp is not np:
        return multiply(a, b)
    c = empty(xp, (*a.shape[:-1], columns), xp.result_type(a, b))
    longer = max(rows, columns)
    run = max(32, -(-longer // 8)) if prod(a.shape) * columns >= SHARED else longer

    def compute(part):
        if rows > columns:
            xp.matmul(a[..., part, :], b, out=c[..., part, :])  # (run, K) @ (K, N) -> run,N
        else:
            xp.matmul(a, b[..., part], out=c[..., part])  # (M, K) @ (K, run) -> M,run

    spread(compute, [slice(k, k + run) for k in range(0, longer, run)])
    return c


def multiply(a, b, out=None):
    """a @ b for stacks of matrices, in the calling thread. On a GPU a stack of one is multiplied as
    a plain matrix: CuPy would copy a transposed stack, but not a transposed matrix."""
    xp = array_module(a)
    if xp is not np and a.ndim == b.ndim == 3 and len(a) == len(b) == 1:
        return xp.matmul(a[0], b[0], out=None if out is None else out[0])[None]
    return a @ b if out is None else xp.matmul(a, b, out=out)


def row_blocks(x, passes):
    """Cut an array (N, H, ...) into (images, rows) slices of about BLOCK numbers, for `spread`.

    Parameters
    ----------
    x : array
    passes : int
        How many times the work passes over every number.

    Returns
    -------
    list of tuple
        Indices into the array; a single ``(...,)`` if the array is too small to be divided, or is
        on a GPU.
    """
    shape, size = x.shape, x.size
    if array_module(x) is not np or x.ndim < 2 or size * passes * A_PASS < SHARED:
        return [(...,)]
    rows = max(1, BLOCK // (size // (shape[0] * shape[1])))
    return [(slice(n, n + 1), slice(top, min(top + rows, shape[1])))
            for n in range(shape[0]) for top in range(0, shape[1], rows)]


def _forget():
    """Reset the state in a forked child, which has none of the helper threads."""
    _State.helpers, _State.jobs, _State.lock = 0, SimpleQueue(), Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

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

A GPU shares out the work of one call among thousands of threads of its own; what costs there is
the number of calls. So arrays on a GPU are not cut up: all work is one block, in the thread that
asks.
"""

import os
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from math import prod
from queue import SimpleQueue
from threading import Lock, Thread

import numpy as np

from minicnn.backend import array_module, threads
from minicnn.fast.workspace import empty

BLOCK = 1 << 17  # numbers a block: 0.5 MB of float32, which stay in a core's cache
SHARED = 1 << 25  # multiplications, 0.3 ms: to wake a helper for less costs more than it saves
A_PASS = 10  # reading, changing and writing a number takes as long as so many multiplications


class _State:
    """What belongs to the process: the helpers and where they wait for jobs, who holds BLAS."""

    helpers = 0
    jobs = SimpleQueue()
    lock = Lock()
    holders = 0
    restore = None


def spread(function, blocks, xp=np):
    """Call ``function(block)`` for every block, several at a time.

    Parameters
    ----------
    function : callable
        Must write only where no other block writes. What it returns is dropped.
    blocks : sequence
    xp : module
        The array module. If it is not NumPy, the calling thread does one block after the other.

    Raises
    ------
    Exception
        The first one that a block raised, once all that began are done.
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
    """Blocks to be done, and how far that has come. A helper that comes late finds nothing left,
    and nobody waits for it."""

    def __init__(self, function, blocks):
        self.function, self.blocks, self.errors = function, blocks, []
        self.taken = self.ended = 0
        self.lock, self.all_ended = Lock(), Lock()
        self.all_ended.acquire()

    def work(self):
        """Take blocks and do them until none is left."""
        while True:
            with self.lock:
                if self.taken == len(self.blocks) or self.errors:
                    return
                block = self.blocks[self.taken]
                self.taken += 1
            try:
                self.function(block)
            except BaseException as error:  # whoever began the job is to see it, Ctrl-C too
                self.errors.append(error)
            with self.lock:
                self.ended += 1
                if self.ended == self.taken and (self.taken == len(self.blocks) or self.errors):
                    self.all_ended.release()

    def wait(self):
        """Until all blocks that were begun are ended; raises the first error there was."""
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
    while True:
        context, job = jobs.get()
        context.run(job.work)
        del context, job  # or the last job's arrays would live on


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
    """a @ b in the calling thread, a stack of matrices; on a GPU a stack of one as a matrix, which
    CuPy multiplies as it lies, where of a stack it would copy what is transposed."""
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
        How often the work goes over every number.

    Returns
    -------
    list of tuple
        To index the array with; a single ``(...,)`` where it is too small to share out, or on a
        GPU.
    """
    shape, size = x.shape, x.size
    if array_module(x) is not np or x.ndim < 2 or size * passes * A_PASS < SHARED:
        return [(...,)]
    rows = max(1, BLOCK // (size // (shape[0] * shape[1])))
    return [(slice(n, n + 1), slice(top, min(top + rows, shape[1])))
            for n in range(shape[0]) for top in range(0, shape[1], rows)]


def _forget():
    """In a forked child the helpers and the holders do not exist: begin anew."""
    _State.helpers, _State.jobs, _State.lock, _State.holders = 0, SimpleQueue(), Lock(), 0


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

"""Process many tasks in several processes, and return the results in order.

Threads (`fast.threads`) share one pass through a network; processes run several passes at once.
This pays if passes are short, because decoding photos and Python's own work also run in parallel.
Each process computes with one thread. Its results are those of the calling process: no byte of a
pass depends on the number of threads.
"""

import multiprocessing
import os
import signal
from collections import deque
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from threading import Thread

from minicnn.backend import threads

AHEAD = 4  # tasks per process that may be running, or done and waiting for their turn


def ordered(function, tasks, workers=1):
    """Yield ``function(task)`` for every task, in the order of the tasks.

    Parameters
    ----------
    function : callable
        Several workers receive it by pickle, so it must be a function of a module, or an instance
        of a module's class.
    tasks : iterable
    workers : int
        Number of processes, limited to the number of tasks if `tasks` has a length. With 1 all
        work is done in this process.

    Raises
    ------
    Exception
        The error that `function` raised; the other processes are then ended.
    ChildProcessError
        A process ended unexpectedly.

    Notes
    -----
    New processes ("spawn") import the main script again: code in it that must run only once
    belongs under ``if __name__ == "__main__":``. The processes end when this process ends, however
    it ends.
    """
    if hasattr(tasks, "__len__"):
        workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    packed = ForkingPickler.dumps(function)
    pool = [_Worker() for _ in range(workers)]
    try:
        for worker in pool:
            worker.prepare(packed)
        yield from _shared(pool, iter(tasks))
    finally:
        for worker in pool:
            worker.end()


def _shared(pool, tasks):
    """Give tasks to idle workers, collect their results, and yield these in order."""
    waiting, idle = deque(), deque(pool)  # replies in the order of the tasks; idle workers
    while True:
        room = min(len(idle), AHEAD * len(pool) - len(waiting))
        for task in islice(tasks, max(0, room)):
            waiting.append(idle.popleft().give(task))
        if not waiting:
            return
        while waiting and waiting[0]:
            yield waiting.popleft()[0]
        busy = {worker.pipe: worker for worker in pool if worker.reply is not None}
        for pipe in wait(list(busy)) if busy else ():  # those that have finished
            busy[pipe].take()
            idle.append(busy[pipe])


class _Worker:
    """A process and the pipe to it. `reply` is the list for its next result."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=_serve, args=(end,), daemon=True)
        with _ctrl_c_later():
            self.process.start()
        end.close()  # now only the other process holds it: when that ends, reading here fails
        self.reply = None

    def prepare(self, packed):
        """Send the function, pickled, when all have started: a large one waits to be read."""
        with _ended_by_itself():
            self.pipe.send_bytes(packed)

    def give(self, task):
        """Send a task; returns the list that its result will be appended to."""
        with _ended_by_itself():
            self.pipe.send(task)
        self.reply = []
        return self.reply

    def take(self):
        """Receive the result, or raise the error that the task raised."""
        with _ended_by_itself():
            failed, result = self.pipe.recv()
        if failed:
            raise result
        self.reply.append(result)
        self.reply = None

    def end(self):
        self.pipe.close()
        self.process.terminate()
        self.process.join()


@contextmanager
def _ctrl_c_later():
    """Delay Ctrl-C until the block has ended; a process started inside it never gets Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its own start would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _ended_by_itself():
    try:
        yield
    except (EOFError, ConnectionError):
        raise ChildProcessError(
            "a worker process ended by itself: either memory ran out, or the main script starts "
            'workers outside of if __name__ == "__main__":; one worker avoids both') from None


def end_with_parent():
    """In a process of `multiprocessing`: end it, without a word, as soon as its parent has ended.

    Otherwise a worker goes on with a task that nobody waits for, and then cannot answer.
    """
    def watch():
        wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _serve(pipe):
    """Run tasks until the pipe closes; if unpickling the function fails, answer with that error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    threads(1)
    function = None
    with suppress(EOFError, ConnectionError):  # the pipe is closed
        packed = pipe.recv_bytes()
        while True:
            task = pipe.recv()
            try:
                function = function or ForkingPickler.loads(packed)
                reply = False, function(task)
            except Exception as error:
                reply = True, error
            pipe.send(reply)

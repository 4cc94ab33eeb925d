"""The same work on many things, shared out among processes, with the results in order.

Threads (`fast.threads`) share one pass through a network; processes do several passes at once,
which pays where each is short: decoding a photo and all of Python's own work run side by side, too.
Each process computes with one thread. Its results are those of the process that called it: no byte
of a pass depends on the number of threads.
"""

import multiprocessing
import signal
from collections import deque
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

from minicnn.backend import threads

AHEAD = 4  # tasks a process that may be done before it is their turn


def ordered(function, tasks, workers=1):
    """Yield ``function(task)`` for every task, in the order of the tasks.

    Parameters
    ----------
    function : callable
        With several workers it is sent to them, so it must be something pickle can carry: a
        function of a module, or an instance of a module's class.
    tasks : iterable
    workers : int
        Processes; no more than tasks, where those can be counted. With 1 no other process is
        started, all is done in this one.

    Raises
    ------
    Exception
        What `function` raised; the other processes are then ended.
    ChildProcessError
        A process ended by itself.

    Notes
    -----
    The processes are started afresh ("spawn"), which runs the main script's import again: there
    ``if __name__ == "__main__":`` must guard what shall happen once. They end when this process
    does, however it ends.
    """
    if hasattr(tasks, "__len__"):
        workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    pool = [_Worker(function) for _ in range(workers)]
    try:
        yield from _shared(pool, iter(tasks))
    finally:
        for worker in pool:
            worker.end()


def _shared(pool, tasks):
    """Give every idle worker a task, take what is done, and hand it out in order."""
    waiting, idle = deque(), deque(pool)  # replies in the order of the tasks; workers
    while True:
        room = min(len(idle), AHEAD * len(pool) - len(waiting))
        for task in islice(tasks, max(0, room)):
            waiting.append(idle.popleft().give(task))
        if not waiting:
            return
        while waiting and waiting[0]:
            yield waiting.popleft()[0]
        for worker in _ready(pool):
            worker.take()
            idle.append(worker)


def _ready(pool):
    """Wait until some of the workers that are at work are done; which ones."""
    busy = {worker.pipe: worker for worker in pool if worker.reply is not None}
    return [busy[pipe] for pipe in wait(list(busy))] if busy else []


class _Worker:
    """A process and the pipe to it. `reply` is the list that the next result goes into."""

    def __init__(self, function):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=_serve, args=(function, end), daemon=True)
        with _ctrl_c_later():
            self.process.start()
        end.close()  # the other process alone holds it now: when that ends, reading here fails
        self.reply = None

    def give(self, task):
        """Send a task; returns the list that its result will be put into."""
        with _ended_by_itself():
            self.pipe.send(task)
        self.reply = []
        return self.reply

    def take(self):
        """Fetch the result, or raise what was raised there."""
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
    """A process started here never gets Ctrl-C, which is for the one that asked; here it comes
    once the process is started."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which would let it through as it starts
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
            "a worker process ended by itself: out of memory, or a script that starts workers "
            'without if __name__ == "__main__": around it; one worker needs neither') from None


def _serve(function, pipe):
    """What a worker does until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads(1)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            reply = False, function(task)
        except Exception as error:
            reply = True, error
        pipe.send(reply)

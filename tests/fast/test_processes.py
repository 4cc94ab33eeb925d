"""Work shared among processes: what comes back, in which order, and what ends it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minicnn.backend import threads
from minicnn.fast import processes

BLOCKED = signal.pthread_sigmask(signal.SIG_BLOCK, [])  # a worker imports this file, too


class Square:
    """What is sent to the workers; task 0 takes long, so that the others are done before it."""

    def __call__(self, task):
        time.sleep(0.3 if task == 0 else 0)
        return task * task, os.getpid(), threads(), signal.SIGINT in BLOCKED


class Fail:
    """Raises, or ends its process, at one task."""

    def __init__(self, how):
        self.how = how

    def __call__(self, task):
        if task == 3 and self.how == "raise":
            raise ValueError("task 3: cannot be done")
        if task == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return task


def alive():
    return multiprocessing.active_children()


def test_one_worker_is_this_process_and_lazy():
    asked = []
    results = processes.ordered(lambda task: (task, os.getpid()), map(asked.append, range(9)))
    assert next(results) == (None, os.getpid()) and asked == [0]


@pytest.mark.thorough
def test_results_come_in_the_order_of_the_tasks_from_several_processes(monkeypatch):
    monkeypatch.setenv("MINICNN_THREADS", "3")
    results = list(processes.ordered(Square(), range(40), workers=2))
    squares, pids, counts, ignoring = zip(*results, strict=True)
    assert list(squares) == [task * task for task in range(40)]
    assert len(set(pids)) == 2 and os.getpid() not in pids and not alive()
    assert set(counts) == {1}  # threads each
    assert all(ignoring) and signal.SIGINT not in BLOCKED  # Ctrl-C is for this process
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == BLOCKED


@pytest.mark.thorough
def test_no_more_tasks_are_taken_than_can_be_kept():
    """While the first is at work, the others must not pile up."""
    asked = []
    tasks = (asked.append(task) or task for task in range(500))
    results = processes.ordered(Square(), tasks, workers=2)
    next(results)
    assert len(asked) <= 2 * processes.AHEAD
    results.close()
    assert not alive()


def test_no_process_is_started_for_nothing():
    here = [pid for _, pid, *_ in processes.ordered(Square(), [3], workers=2)]
    assert here == [os.getpid()] and list(processes.ordered(Square(), [], workers=2)) == []


def test_an_error_is_raised_here_and_ends_the_others():
    with pytest.raises(ValueError, match="task 3: cannot be done"):
        list(processes.ordered(Fail("raise"), range(9), workers=2))
    assert not alive()


def test_a_worker_that_ends_by_itself_is_told():
    with pytest.raises(ChildProcessError, match="a worker process ended by itself"):
        list(processes.ordered(Fail("die"), range(9), workers=2))
    assert not alive()


class Unloadable:
    """Something that can be packed, but not unpacked."""

    def __call__(self, task):
        return task

    def __reduce__(self):
        return unloadable, ()


def unloadable():
    raise ValueError("mine.py: was changed")


def test_what_cannot_be_unpacked_there_is_told_here():
    with pytest.raises(ValueError, match="mine.py: was changed"):
        list(processes.ordered(Unloadable(), [1, 2], workers=2))


PARENT = """
import sys, time
from minicnn.fast import processes

class Slow:
    def __call__(self, task):
        print("at work", flush=True)
        time.sleep(task)

if __name__ == "__main__":
    list(processes.ordered(Slow(), [60, 60], workers=2))
"""


def test_workers_of_a_killed_process_end_without_a_word(tmp_path):
    """They hold its standard error: it is at its end when all have ended."""
    (tmp_path / "parent.py").write_text(PARENT)
    root = Path(processes.__file__).parents[2]
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          env=os.environ | {"PYTHONPATH": str(root)}) as parent:
        assert parent.stdout.readline() == "at work\n"
        parent.kill()
        assert parent.communicate(timeout=20)[1] == ""

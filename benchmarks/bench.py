"""How tasks are measured: libraries in processes of their own, taking turns; rows of figures."""

from contextlib import ExitStack, contextmanager
from itertools import groupby
from statistics import median
from time import perf_counter

import numpy as np
from counting import least, works
from tasks import CARD, COPY, PRODUCT, Task, describe
from workers import LIBRARIES, FullError, Worker

ENOUGH, PATIENCE = 3, 60  # pairs that do once a task has taken this many seconds
STEADY = 3  # runs of a task after which its memory no longer grows


class Bench:
    """Measures by a `plan.Plan`, and remembers what the libraries said of themselves."""

    def __init__(self, plan):
        self.plan, self.libraries = plan, {}
        self.reached = None  # {"flops", "bytes"}: what the GPU does a second, once that is measured
        self.full = {}  # what a device had no room for, whatever the batch: whose turn it was

    def about(self):
        """What the rows were measured with."""
        plan, said = self.plan, self.libraries
        about = {"rounds": plan.rounds, "seconds_a_turn": plan.seconds, "threads": plan.threads,
                 "avx2": plan.avx2, "ours": plan.ours, "against": plan.against,
                 "device": plan.device,
                 "libraries": {name: {"is": LIBRARIES[name], **said[name]} for name in said}}
        return about | ({"reached": self.reached} if self.reached else {})

    def start(self, library, threads=None):
        """A Worker."""
        plan = self.plan
        worker = Worker(library, threads or plan.threads, plan.avx2, plan.device)
        self.libraries[library] = worker.about
        return worker

    @contextmanager
    def workers(self, libraries, threads=None):
        """A Worker of each library, by its name."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(self.start(name, threads)) for name in libraries}

    def compare(self, tasks, libraries, to, threads=None):
        """Time each task by all libraries in turn; yields rows with the ratios to library `to`.

        The libraries' processes are fresh for every network, so that the figures of one do not
        depend on which others are measured.
        """
        figures = self._gpu_figures if self.plan.device == "gpu" else self._figures
        for _, group in groupby(tasks, key=lambda task: task.network):
            with self.workers(libraries, threads) as workers:
                for task in group:
                    yield row(task, threads or self.plan.threads) | figures(workers, task, to)

    def _figures(self, workers, task, to):
        return summary(in_turn(workers, task, self.plan), to)

    def _gpu_figures(self, workers, task, to):
        """The same with memory, and the time that the task has to take at least; or who had no
        room for it. A larger batch is then not tried."""
        self.reached = self.reached or self._measure_device(workers, to)
        alike = task._replace(batch=None)
        try:
            if alike in self.full:
                return {"full": self.full[alike]}
            rounds = in_turn(workers, task, self.plan)
        except FullError as error:
            self.full[alike] = error.library
            return {"full": error.library}
        return summary(rounds, to) | {
            "peak_mb": {name: answer["peak_mb"] for name, answer in rounds[-1].items()},
            "least_seconds": least(task, self.reached)}

    def _measure_device(self, workers, to):
        """{"flops", "bytes"} a second of a large matrix product and of a copy, by whichever
        library gets more out of the card."""
        found = {}
        for key, what, side in zip(("flops", "bytes"), (PRODUCT, COPY), self.plan.best_sides,
                                   strict=True):
            task = Task(CARD, what, side=side)
            seconds = summary(in_turn(workers, task, self.plan), to)["seconds"]
            found[key] = getattr(works(task)[0], key) / min(seconds.values())
        return found

    def peak(self, task):
        """A task's peak memory by both libraries, each in a fresh process: a row."""
        memory = {}
        for name in (self.plan.ours, self.plan.against):
            with self.start(name) as worker:
                answer = [worker.run(task) for _ in range(STEADY)][-1]
            if answer["peak_mb"] is None:
                raise ValueError("memory is measured on Linux only; leave out the sections memory "
                                 "and scaling")
            memory[name] = {key: answer[f"{key}_mb"] for key in ("base", "peak")}
        return row(task, self.plan.threads) | {"memory_mb": memory}


def in_turn(workers, task, plan):
    """[{library: its answer}] of each round, after one round to warm up; who begins alternates."""
    rounds, began = [], perf_counter()
    for number in range(plan.rounds + 1):
        order = list(workers)[:: 1 if number % 2 else -1]
        rounds.append({name: workers[name].run(task, plan.seconds, plan.pause) for name in order})
        if number >= ENOUGH and perf_counter() - began > PATIENCE:
            break
    return rounds[1:]


def summary(rounds, to):
    """Each library's median seconds, and the quartiles (three numbers) of its ratios to `to`."""
    turns = [{name: answer["seconds"] for name, answer in turn.items()} for turn in rounds]
    others = [name for name in turns[0] if name != to]
    ratios = {f"{name} / {to}": np.quantile([turn[name] / turn[to] for turn in turns],
                                            (0.25, 0.5, 0.75)).tolist() for name in others}
    seconds = {name: median(turn[name] for turn in turns) for name in (*others, to)}
    return {"pairs": len(turns), "seconds": seconds, "ratios": ratios}


def row(task, threads):
    """A task as the beginning of a row."""
    return {**task._asdict(), "shape": describe(task), "threads": threads}

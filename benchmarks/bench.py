"""Measuring tasks: libraries run in their own processes and take turns; results are rows."""

from contextlib import ExitStack, contextmanager
from itertools import groupby
from statistics import median
from time import perf_counter

import numpy as np
from counting import least, works
from tasks import CARD, COPY, PRODUCT, Task, describe, plans
from workers import LIBRARIES, FullError, Worker

ENOUGH, PATIENCE = 3, 60  # once a task has taken 60 seconds, 3 pairs are enough
STEADY = 3  # after this many runs a task's memory no longer grows


class Bench:
    """Measures according to a `plan.Plan`, and keeps the libraries' descriptions."""

    def __init__(self, plan):
        self.plan, self.libraries = plan, {}
        self.reached = None  # {"flops", "bytes"} per second of the GPU, once measured
        self.full = {}  # {task without its batch: library that ran out of the device's memory}

    def about(self):
        """The settings and libraries with which the rows were measured."""
        plan, said = self.plan, self.libraries
        about = {"rounds": plan.rounds, "seconds_a_turn": plan.seconds, "threads": plan.threads,
                 "avx2": plan.avx2, "ours": plan.ours, "against": plan.against,
                 "device": plan.device,
                 "libraries": {name: {"is": LIBRARIES[name], **said[name]} for name in said}}
        return about | ({"reached": self.reached} if self.reached else {})

    def start(self, library, threads=None):
        """Start a library's Worker."""
        plan = self.plan
        worker = Worker(library, threads or plan.threads, plan.avx2, plan.device)
        self.libraries[library] = worker.about
        return worker

    @contextmanager
    def workers(self, libraries, threads=None):
        """A Worker for each library, by its name."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(self.start(name, threads)) for name in libraries}

    def compare(self, tasks, libraries, to, threads=None):
        """Time each task with all libraries in turn; yields rows with ratios to library `to`.

        Every network gets new processes, so its figures do not depend on which other networks are
        measured.
        """
        figures = self._gpu_figures if self.plan.device == "gpu" else self._figures
        for _, group in groupby(tasks, key=lambda task: task.network):
            with self.workers(libraries, threads) as workers:
                for task in group:
                    yield row(task, threads or self.plan.threads) | figures(workers, task, to)

    def _figures(self, workers, task, to):
        return summary(in_turn(workers, task, self.plan), to)

    def _gpu_figures(self, workers, task, to):
        """The figures with memory and the roofline's time; or the library that ran out of memory.
        Then larger batches are not tried."""
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
        """{"flops", "bytes"} per second of a large matrix product and of a copy, by the library
        that is faster at each."""
        found = {}
        for key, what, side in zip(("flops", "bytes"), (PRODUCT, COPY), self.plan.best_sides,
                                   strict=True):
            task = Task(CARD, what, side=side)
            seconds = summary(in_turn(workers, task, self.plan), to)["seconds"]
            found[key] = getattr(works(task)[0], key) / min(seconds.values())
        return found

    def peak(self, task):
        """A row with a task's peak memory for both libraries, each in a new process."""
        memory = {}
        for name in (self.plan.ours, self.plan.against):
            with self.start(name) as worker:
                answer = [worker.run(task) for _ in range(STEADY)][-1]
            if answer["peak_mb"] is None:
                raise ValueError("memory can be measured on Linux only; leave out the sections "
                                 "memory and scaling")
            memory[name] = {key: answer[f"{key}_mb"] for key in ("base", "peak")}
        return row(task, self.plan.threads) | {"memory_mb": memory}


def in_turn(workers, task, plan):
    """[{library: answer}] of each round, after a warm-up round; the order alternates."""
    rounds, began = [], perf_counter()
    for number in range(plan.rounds + 1):
        order = list(workers)[:: 1 if number % 2 else -1]
        rounds.append({name: workers[name].run(task, plan.seconds, plan.pause) for name in order})
        if number >= ENOUGH and perf_counter() - began > PATIENCE:
            break
    return rounds[1:]


def summary(rounds, to):
    """Median seconds of each library, and the three quartiles of its ratios to `to`."""
    turns = [{name: answer["seconds"] for name, answer in turn.items()} for turn in rounds]
    others = [name for name in turns[0] if name != to]
    ratios = {f"{name} / {to}": np.quantile([turn[name] / turn[to] for turn in turns],
                                            (0.25, 0.5, 0.75)).tolist() for name in others}
    seconds = {name: median(turn[name] for turn in turns) for name in (*others, to)}
    return {"pairs": len(turns), "seconds": seconds, "ratios": ratios}


def row(task, threads):
    """The part of a row that describes its task."""
    op = task.layer and plans(task.network)[task.layer].op
    return {**task._asdict(), "op": op, "shape": describe(task), "threads": threads}

"""The sections of the benchmark: which tasks each measures, and how.

A section is a generator of rows. A row is a task's fields as plain values, the number of threads,
and either times (`pairs`, `seconds` of each library, and `ratios` with their quartiles) or memory.
"""

from contextlib import ExitStack
from itertools import groupby
from statistics import median
from time import perf_counter
from typing import NamedTuple

import machine
import numpy as np
from tasks import (
    ALL_GRADIENTS,
    FORWARD,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
    Task,
    convolutions,
    describe,
    plans,
)
from workers import LIBRARIES, Worker

LAYER = (FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT)
CURVE = "vgg16_convolutions"
ENOUGH, PATIENCE = 3, 60  # pairs that do once a task has taken this many seconds
STEADY = 3  # runs of a task after which its memory no longer grows


class Plan(NamedTuple):
    """How much to measure, and of what; see FULL and QUICK."""

    networks: tuple
    batches: tuple
    convolutions: tuple  # networks whose convolutions are measured alone
    ops: dict  # layers of other kinds, by network
    training: tuple  # (network, batch)
    student: tuple  # (network, layer)
    sides: tuple  # of the curve against the side
    counts: tuple  # of the curve against the batch
    count_side: int  # the side of its images
    rounds: int
    seconds: float  # a turn; at least one run
    pause: float  # before each turn
    threads: int = machine.cores()
    ours: str = "ours"
    against: str = "torch"
    avx2: bool = False


FULL = Plan(
    networks=("vgg16", "vgg16_convolutions", "alexnet_caffe", "googlenet", "squeezenet11",
              "minivgg"),
    batches=(1, 8),
    convolutions=("vgg16", "alexnet_caffe", "googlenet"),
    ops={"vgg16": ("relu1_1", "pool1", "relu3_1", "pool3", "relu5_1", "pool5", "fc6", "fc7"),
         "alexnet_caffe": ("relu1", "norm1", "pool1", "norm2", "pool2", "pool5", "fc6"),
         "googlenet": ("pool1/3x3_s2", "pool1/norm1", "conv2/norm2", "pool2/3x3_s2",
                       "inception_3a/pool", "inception_4a/pool", "pool5/7x7_s1")},
    training=(("vgg16_pooled", 1), ("vgg16_pooled", 8), ("minivgg", 32)),
    student=(("vgg16", "conv1_2"), ("vgg16", "conv3_2"), ("vgg16", "conv5_1"),
             ("alexnet_caffe", "conv1")),
    sides=(64, 128, 256, 512, 1024), counts=(1, 2, 4, 8, 16, 32, 64), count_side=224,
    rounds=7, seconds=0.1, pause=0.05)
QUICK = Plan(
    networks=("minivgg",), batches=(1,), convolutions=("minivgg",),
    ops={"minivgg": ("relu4_1", "pool4", "fc5")}, training=(("minivgg", 2),),
    student=(("minivgg", "conv4_1"),), sides=(32, 64), counts=(1, 2), count_side=32,
    rounds=1, seconds=0.0, pause=0.0)


class Bench:
    """Measures by a plan, and remembers what the libraries said of themselves."""

    def __init__(self, plan):
        self.plan, self.libraries = plan, {}

    def about(self):
        """What the rows were measured with."""
        plan = self.plan
        return {"rounds": plan.rounds, "seconds_a_turn": plan.seconds, "threads": plan.threads,
                "avx2": plan.avx2, "ours": plan.ours, "against": plan.against,
                "libraries": {name: {"is": LIBRARIES[name], **about}
                              for name, about in self.libraries.items()}}

    def start(self, library, threads):
        """A Worker."""
        worker = Worker(library, threads, self.plan.avx2)
        self.libraries[library] = worker.about
        return worker

    def compare(self, tasks, libraries, to, threads=None):
        """Time each task by all libraries in turn; yields rows with the ratios to library `to`.

        The libraries' processes are fresh for every network, so that the figures of one do not
        depend on which others are measured.
        """
        threads = threads or self.plan.threads
        for _, group in groupby(tasks, key=lambda task: task.network):
            with ExitStack() as stack:
                workers = {name: stack.enter_context(self.start(name, threads))
                           for name in libraries}
                for task in group:
                    turns = in_turn(workers, task, self.plan)
                    yield _row(task, threads) | summary(turns, to)

    def peak(self, task):
        """A task's peak memory by both libraries, each in a fresh process: a row."""
        memory = {}
        for name in (self.plan.ours, self.plan.against):
            with self.start(name, self.plan.threads) as worker:
                answer = [worker.run(task) for _ in range(STEADY)][-1]
            if answer["peak_mb"] is None:
                raise ValueError("memory is measured on Linux only; leave out the sections memory "
                                 "and scaling")
            memory[name] = {key: answer[f"{key}_mb"] for key in ("base", "peak")}
        return _row(task, self.plan.threads) | {"memory_mb": memory}


def in_turn(workers, task, plan):
    """[{library: seconds}] of each round, after one round to warm up; who begins alternates."""
    rounds, began = [], perf_counter()
    for number in range(plan.rounds + 1):
        order = list(workers)[:: 1 if number % 2 else -1]
        rounds.append({name: workers[name].run(task, plan.seconds, plan.pause)["seconds"]
                       for name in order})
        if number >= ENOUGH and perf_counter() - began > PATIENCE:
            break
    return rounds[1:]


def summary(rounds, to):
    """Each library's median seconds, and the quartiles (three numbers) of its ratios to `to`."""
    others = [name for name in rounds[0] if name != to]
    ratios = {f"{name} / {to}": np.quantile([turn[name] / turn[to] for turn in rounds],
                                            (0.25, 0.5, 0.75)).tolist() for name in others}
    seconds = {name: median(turn[name] for turn in rounds) for name in (*others, to)}
    return {"pairs": len(rounds), "seconds": seconds, "ratios": ratios}


def _row(task, threads):
    return {**task._asdict(), "shape": describe(task), "threads": threads}


# ---- the sections

def networks(bench):
    """Whole networks."""
    return _timed(bench, _network_tasks(bench.plan))


def _network_tasks(plan):
    return [Task(name, what, batch) for name in plan.networks for batch in plan.batches
            for what in (FORWARD, IMAGE_GRADIENT)]


def _timed(bench, tasks):
    plan = bench.plan
    return bench.compare(tasks, (plan.ours, plan.against), plan.against)


def layers(bench):
    """Convolutions alone."""
    return _timed(bench, [Task(network, what, batch, layer) for network in bench.plan.convolutions
                          for layer in convolutions(network) for batch in bench.plan.batches
                          for what in LAYER])


def ops(bench):
    """Layers of other kinds alone; only dense ones have a weight gradient."""
    return _timed(bench, [Task(network, what, batch, layer)
                          for network, names in bench.plan.ops.items() for layer in names
                          for batch in bench.plan.batches
                          for what in LAYER[: 3 if layer in plans(network).param_shapes else 2]])


def training(bench):
    """Training steps."""
    return _timed(bench, _training_tasks(bench.plan))


def _training_tasks(plan):
    return [Task(name, what, batch) for name, batch in plan.training
            for what in (ALL_GRADIENTS, TRAINING_STEP)]


def memory(bench):
    """The peak memory of whole networks and of training."""
    for task in _network_tasks(bench.plan) + _training_tasks(bench.plan):
        yield bench.peak(task)


def student(bench):
    """A few convolutions by a student's two ways, as multiples of ours."""
    tasks = [Task(network, what, 1, layer) for network, layer in bench.plan.student
             for what in LAYER]
    return bench.compare(tasks, ("loops", "fancy", bench.plan.ours), bench.plan.ours)


def scaling(bench):
    """Memory, and time with one thread and with all, of growing images and growing batches."""
    for axis, tasks in curves(bench.plan).items():
        for row in _along(bench, tasks):
            yield row | {"curve": axis}


def _along(bench, tasks):
    plan, fitting = bench.plan, []
    for task, row in _memory_rows(bench, tasks):
        fitting += [task] if "memory_mb" in row else []
        yield row
    for threads in sorted({1, plan.threads}):
        yield from bench.compare(fitting, (plan.ours, plan.against), plan.against, threads)


def curves(plan):
    """The tasks of the two curves, by what grows along them: the image's side, and the batch."""
    return {"side": [Task(CURVE, IMAGE_GRADIENT, side=side) for side in plan.sides],
            "batch": [Task(CURVE, IMAGE_GRADIENT, n, side=plan.count_side) for n in plan.counts]}


def _memory_rows(bench, tasks):
    """(task, row) along a curve, up to the first point that this machine has no room for."""
    before = None
    for task in tasks:
        wanted, room = foreseen(before, task), machine.room()
        if room is not None and wanted > room:
            yield task, _row(task, bench.plan.threads) | {"wanted_mb": wanted, "room_mb": room}
            return
        before = bench.peak(task)
        yield task, before


def foreseen(before, task):
    """MB that the hungrier library should want for `task`, from the row of a smaller one."""
    if before is None:
        return 0
    growth = task.batch * task.side**2 / (before["batch"] * before["side"] ** 2)
    return max(m["base"] + growth * (m["peak"] - m["base"]) for m in before["memory_mb"].values())


SECTIONS = {section.__name__: section for section in
            (networks, layers, ops, training, memory, student, scaling)}

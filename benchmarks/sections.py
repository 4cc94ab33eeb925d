"""The sections of the benchmark: the tasks that each measures, and how.

A section is a generator of rows. A row holds the fields of a task, the number of threads, and
either times (`pairs`, `seconds` of each library, and quartiles of the `ratios`) or memory. On a GPU
it holds times, memory (`peak_mb`) and the roofline's least time (`least_seconds`).
"""

import machine
from bench import row
from tasks import (
    ALL_GRADIENTS,
    FORWARD,
    GRAM_STEP,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
    Task,
    convolutions,
    plans,
)

LAYER = (FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT)
CURVE, GRAM = "vgg16_convolutions", "vgg19_conv4_1"


def networks(bench):
    """Whole networks."""
    return _timed(bench, _network_tasks(bench.plan))


def _network_tasks(plan):
    return [Task(name, what, batch) for name in plan.networks for batch in plan.batches
            for what in (FORWARD, IMAGE_GRADIENT)]


def _timed(bench, tasks, *more):
    plan = bench.plan
    return bench.compare(tasks, (plan.ours, *more, *plan.beside, plan.against), plan.against)


def layers(bench):
    """Single convolutions."""
    plan = bench.plan
    return _timed_alone(bench, [
        Task(network, what, batch, layer) for network in plan.convolutions
        for layer in convolutions(network) for batch in _alone(plan) for what in LAYER])


def _timed_alone(bench, tasks):
    """Time single layers, by the pages as well as by their twins."""
    return _timed(bench, tasks, *bench.plan.beside_layers)


def _alone(plan):
    return plan.alone or plan.batches


def ops(bench):
    """Single layers of other kinds, and depthwise convolutions; a weight gradient only for layers
    that have weights."""
    plan = bench.plan
    return _timed_alone(bench, [
        Task(network, what, batch, layer) for network, names in plan.ops.items()
        for layer in names for batch in _alone(plan)
        for what in LAYER[: 3 if layer in plans(network).param_shapes else 2]])


def training(bench):
    """Training steps."""
    return _timed(bench, _training_tasks(bench.plan))


def _training_tasks(plan):
    return [Task(name, what, batch) for name, batch in plan.training
            for what in (ALL_GRADIENTS, TRAINING_STEP)]


def gram(bench):
    """Steps that move an image towards a texture, by Gram matrices of VGG-19 up to conv4_1."""
    return _timed(bench, [Task(GRAM, GRAM_STEP, side=side) for side in bench.plan.sides])


def memory(bench):
    """Peak memory of whole networks and of training."""
    for task in _network_tasks(bench.plan) + _training_tasks(bench.plan):
        yield bench.peak(task)


def student(bench):
    """A few convolutions in the two ways of `student`, as multiples of minicnn's time."""
    tasks = [Task(network, what, 1, layer) for network, layer in bench.plan.student
             for what in LAYER]
    return bench.compare(tasks, ("loops", "fancy", bench.plan.ours), bench.plan.ours)


def scaling(bench):
    """Memory, and time with one thread and with all, for growing images and growing batches."""
    for axis, tasks in curves(bench.plan).items():
        for found in _along(bench, tasks):
            yield found | {"curve": axis}


def _along(bench, tasks):
    plan, fitting = bench.plan, []
    for task, found in _memory_rows(bench, tasks):
        fitting += [task] if "memory_mb" in found else []
        yield found
    for threads in sorted({1, plan.threads}):
        yield from bench.compare(fitting, (plan.ours, plan.against), plan.against, threads)


def curves(plan):
    """The tasks of the two curves: {"side": growing images, "batch": growing batches}."""
    return {"side": [Task(CURVE, IMAGE_GRADIENT, side=side) for side in plan.sides],
            "batch": [Task(CURVE, IMAGE_GRADIENT, n, side=plan.count_side) for n in plan.counts]}


def _memory_rows(bench, tasks):
    """(task, row) along a curve, up to the first point that does not fit into memory."""
    before = None
    for task in tasks:
        wanted, room = foreseen(before, task), machine.room()
        if room is not None and wanted > room:
            yield task, row(task, bench.plan.threads) | {"wanted_mb": wanted, "room_mb": room}
            return
        before = bench.peak(task)
        yield task, before


def foreseen(before, task):
    """MB that the library with more memory should need for `task`, from a smaller task's row."""
    if before is None:
        return 0
    growth = task.batch * task.side**2 / (before["batch"] * before["side"] ** 2)
    return max(m["base"] + growth * (m["peak"] - m["base"]) for m in before["memory_mb"].values())


def _named(*sections):
    return {section.__name__: section for section in sections}


SECTIONS = {"cpu": _named(networks, layers, ops, training, memory, student, scaling),
            "gpu": _named(networks, layers, ops, training, gram)}  # memory is in every row there

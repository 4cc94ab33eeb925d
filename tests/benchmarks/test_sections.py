"""Which tasks are measured, in which order, and what is made of the figures."""

import pytest
import sections
import text
from sections import FULL, QUICK, SECTIONS, Bench, in_turn
from tasks import (
    ALL_GRADIENTS,
    FORWARD,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    NETWORKS,
    TRAINING_STEP,
    Task,
    convolutions,
    plans,
)

TASK = Task("minivgg", FORWARD)


class Pretended:
    """A library's process that does nothing and says how long that took and what it held."""

    asked, begun = [], []
    seconds = {"ours": 0.5, "torch": 2.0, "loops": 4.0, "fancy": 8.0}

    def __init__(self, library, threads, avx2=False):
        self.library, self.threads, self.about = library, threads, {"numpy": "0"}
        Pretended.begun.append((library, threads))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, task, seconds=0.0, pause=0.0):
        Pretended.asked.append((self.library, task))
        own = task.batch * (task.side or 64) ** 2 / 1000
        return {"seconds": self.seconds[self.library] * task.batch, "base_mb": 100.0,
                "peak_mb": 100.0 + own}


@pytest.fixture(autouse=True)
def pretended(monkeypatch):
    monkeypatch.setattr(sections, "Worker", Pretended)
    monkeypatch.setattr(sections.machine, "room", lambda: 1e9)
    monkeypatch.setattr(Pretended, "asked", [])
    monkeypatch.setattr(Pretended, "begun", [])
    return Pretended


def rows(section, plan=QUICK):
    return list(SECTIONS[section](Bench(plan)))


def done(section, plan=QUICK):
    return [Task(*(row[field] for field in Task._fields)) for row in rows(section, plan)]


# ---- how

def test_libraries_take_turns_and_who_begins_alternates():
    workers = {name: Pretended(name, 1) for name in ("ours", "torch")}
    turns = in_turn(workers, TASK, QUICK._replace(rounds=3))
    assert turns == [{"ours": 0.5, "torch": 2.0}] * 3  # the first of four rounds warmed up
    order = [name for name, _ in Pretended.asked]
    assert order == ["torch", "ours", "ours", "torch", "torch", "ours", "ours", "torch"]


def test_long_tasks_end_after_three_pairs(monkeypatch):
    monkeypatch.setattr(sections, "PATIENCE", -1)
    workers = {name: Pretended(name, 1) for name in ("ours", "torch")}
    assert len(in_turn(workers, TASK, QUICK._replace(rounds=9))) == 3
    assert len(in_turn(workers, TASK, QUICK._replace(rounds=2))) == 2


def test_ratios_are_those_of_pairs():
    seconds = [(1.0, 2.0), (9.0, 10.0), (3.0, 4.0)]
    rounds = [{"ours": ours, "torch": torch} for ours, torch in seconds]
    assert sections.summary(rounds, "torch") == {
        "pairs": 3, "seconds": {"ours": 3.0, "torch": 4.0},
        "ratios": {"ours / torch": pytest.approx([0.625, 0.75, 0.825])}}  # of 0.5, 0.75, 0.9


def test_every_network_has_fresh_processes():
    rows("networks", QUICK._replace(networks=("minivgg", "googlenet"), batches=(1, 2)))
    assert Pretended.begun == [("ours", QUICK.threads), ("torch", QUICK.threads)] * 2


def test_every_memory_figure_has_a_fresh_process():
    found = rows("memory")
    assert len(Pretended.begun) == 2 * len(found) == 2 * 4
    assert found[0]["memory_mb"]["ours"] == {"base": 100.0, "peak": pytest.approx(104.096)}


def test_memory_that_the_system_does_not_tell_is_not_made_up(monkeypatch):
    monkeypatch.setattr(Pretended, "run", lambda *_: {"seconds": 1, "base_mb": None,
                                                      "peak_mb": None})
    with pytest.raises(ValueError, match="Linux only"):
        rows("memory")


def test_the_bench_remembers_what_ran():
    bench = Bench(QUICK._replace(avx2=True))
    list(SECTIONS["networks"](bench))
    about = bench.about()
    assert set(about["libraries"]) == {"ours", "torch"} and about["avx2"]
    assert about["libraries"]["torch"] == {"is": "PyTorch, eager, N,C,H,W", "numpy": "0"}


# ---- what

def test_networks_are_measured_forward_and_back_at_each_batch():
    plan = QUICK._replace(networks=("minivgg", "googlenet"), batches=(1, 8))
    assert done("networks", plan) == [
        Task(name, what, batch) for name in ("minivgg", "googlenet") for batch in (1, 8)
        for what in (FORWARD, IMAGE_GRADIENT)]


def test_the_full_plan_has_what_was_asked_for():
    assert set(FULL.networks) | {name for name, _ in FULL.training} == set(NETWORKS)
    assert FULL.batches == (1, 8) and ("minivgg", 32) in FULL.training
    assert set(FULL.convolutions) == {"vgg16", "alexnet_caffe", "googlenet"}
    assert (FULL.sides[0], FULL.sides[-1]) == (64, 1024)
    assert (FULL.counts[0], FULL.counts[-1]) == (1, 64)
    for network, names in [*FULL.ops.items(), *((n, [layer]) for n, layer in FULL.student)]:
        assert set(names) <= set(plans(network).names)


def test_convolutions_have_three_passes_and_other_layers_theirs():
    found = done("layers")
    assert len(found) == 3 * len(convolutions("minivgg")) and len(set(found)) == len(found)
    assert sorted({task.what for task in found}) == ["forward", "input gradient", "weight gradient"]
    passes = {}
    for task in done("ops"):
        passes.setdefault(task.layer, []).append(task.what)
    assert passes["pool4"] == [FORWARD, INPUT_GRADIENT] and len(passes["fc5"]) == 3


def test_training_is_measured_with_and_without_the_step():
    assert done("training") == [Task("minivgg", ALL_GRADIENTS, 2),
                                Task("minivgg", TRAINING_STEP, 2)]


def test_a_student_is_compared_with_ours_and_not_with_pytorch():
    row = rows("student")[0]
    assert row["ratios"] == {"loops / ours": [8.0] * 3, "fancy / ours": [16.0] * 3}
    assert ("torch", QUICK.threads) not in Pretended.begun


def test_plain_takes_the_place_of_ours(monkeypatch):
    monkeypatch.setitem(Pretended.seconds, "plain", 1.0)
    plan = QUICK._replace(ours="plain", against="ours")
    assert rows("networks", plan)[0]["ratios"] == {"plain / ours": [2.0] * 3}


def test_curves_have_memory_first_then_times_with_one_thread_and_with_all():
    found = rows("scaling", QUICK._replace(threads=2, sides=(32, 64), counts=(1, 2), count_side=16))
    assert [(r["curve"], r["side"], r["batch"], r["threads"], "memory_mb" in r) for r in found] == [
        ("side", 32, 1, 2, True), ("side", 64, 1, 2, True),
        ("side", 32, 1, 1, False), ("side", 64, 1, 1, False),
        ("side", 32, 1, 2, False), ("side", 64, 1, 2, False),
        ("batch", 16, 1, 2, True), ("batch", 16, 2, 2, True),
        ("batch", 16, 1, 1, False), ("batch", 16, 2, 1, False),
        ("batch", 16, 1, 2, False), ("batch", 16, 2, 2, False)]


def test_a_curve_ends_where_memory_does(monkeypatch):
    """32 pixels want 1.024 MB above the 100; so 64 should want 4.096, and 128 four times that."""
    monkeypatch.setattr(sections.machine, "room", lambda: 110)
    found = rows("scaling", QUICK._replace(threads=1, sides=(32, 64, 128, 256), counts=()))
    assert [row["side"] for row in found if "memory_mb" in row] == [32, 64]
    assert [row["side"] for row in found if "ratios" in row] == [32, 64]
    missing, = [row for row in found if "wanted_mb" in row]
    assert missing["side"] == 128 and missing["wanted_mb"] == pytest.approx(116.384)


def test_every_section_has_a_table():
    assert list(SECTIONS) == list(text.TABLES)

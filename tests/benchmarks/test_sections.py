"""Which tasks are measured, in which order."""

import pytest
import sections
import tables
from bench import Bench
from measured import Pretended
from plan import FULL, FULL_GPU, PLANS, QUICK, QUICK_GPU
from sections import SECTIONS
from tasks import (
    ALL_GRADIENTS,
    FORWARD,
    GRAM_STEP,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    NETWORKS,
    TRAINING_STEP,
    Task,
    convolutions,
    plans,
)


@pytest.fixture(autouse=True)
def pretended(monkeypatch):
    Pretended.take_over(monkeypatch)
    monkeypatch.setattr(sections.machine, "room", lambda: 1e9)


def rows(section, plan=QUICK):
    return list(SECTIONS[plan.device][section](Bench(plan)))


def done(section, plan=QUICK):
    return [Task(*(row[field] for field in Task._fields)) for row in rows(section, plan)]


def test_networks_are_measured_forward_and_back_at_each_batch():
    plan = QUICK._replace(networks=("minivgg", "googlenet"), batches=(1, 8))
    assert done("networks", plan) == [
        Task(name, what, batch) for name in ("minivgg", "googlenet") for batch in (1, 8)
        for what in (FORWARD, IMAGE_GRADIENT)]


def test_the_full_plan_has_what_was_asked_for():
    assert ({*FULL.networks, sections.GRAM} | {name for name, _ in FULL.training}) == set(NETWORKS)
    assert FULL.batches == (1, 8)
    assert {("minivgg", 32), ("minivgg", 64), ("minivgg_bn", 64), ("vgg16_pooled", 1),
            ("vgg16_pooled", 8)} == {*FULL.training}
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


def test_page_twin_and_pytorch_stand_side_by_side_for_layers_alone():
    for name in ("layers", "ops"):
        for row in rows(name):
            assert row["seconds"] == {"ours": 0.5, "plain": 1.0, "torch": 2.0}
            assert row["op"] in ("conv", "relu", "pool", "dense")
    assert "plain" not in rows("networks")[0]["seconds"]


def test_plain_takes_the_place_of_ours():
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
    assert list(SECTIONS["cpu"]) == list(tables.TABLES)
    assert list(SECTIONS["gpu"]) == list(tables.GPU_TABLES)


# ---- on a GPU

def test_the_full_plan_of_a_gpu_has_what_was_asked_for():
    assert FULL_GPU.networks == ("vgg16", "alexnet_caffe", "googlenet")
    assert FULL_GPU.batches == (1, 8, 32, 128) and FULL_GPU.sides == (512, 1024)
    assert ("minivgg", 32) in FULL_GPU.training and ("minivgg", 32) in FULL.training
    assert FULL_GPU.beside == ("channels_last",) and FULL_GPU.device == "gpu"
    assert PLANS["gpu", False] is FULL_GPU and PLANS["gpu", True].device == "gpu"
    assert "memory" not in SECTIONS["gpu"] and "gram" not in SECTIONS["cpu"]


def test_a_step_towards_a_texture_is_measured_at_each_side():
    assert done("gram", QUICK_GPU._replace(sides=(16, 32))) == [
        Task("vgg19_conv4_1", GRAM_STEP, 1, side=side) for side in (16, 32)]


def test_layers_alone_have_batches_of_their_own():
    plan = QUICK_GPU._replace(batches=(1, 2, 3), alone=(2,))
    assert {task.batch for task in done("layers", plan) + done("ops", plan)} == {2}
    assert {task.batch for task in done("networks", plan)} == {1, 2, 3}

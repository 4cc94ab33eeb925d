"""How tasks are measured: turns, ratios, fresh processes, memory, and what has no room."""

import bench
import pytest
from bench import Bench, in_turn
from measured import Pretended
from plan import QUICK, QUICK_GPU
from sections import SECTIONS
from tasks import CARD, FORWARD, GRAM_STEP, Task
from workers import FullError

TASK = Task("minivgg", FORWARD)


@pytest.fixture(autouse=True)
def pretended(monkeypatch):
    Pretended.take_over(monkeypatch)


def rows(section, plan=QUICK):
    return list(SECTIONS[plan.device][section](Bench(plan)))


# ---- turns

def test_libraries_take_turns_and_who_begins_alternates():
    workers = {name: Pretended(name, 1) for name in ("ours", "torch")}
    turns = in_turn(workers, TASK, QUICK._replace(rounds=3))
    seconds = [{name: answer["seconds"] for name, answer in turn.items()} for turn in turns]
    assert seconds == [{"ours": 0.5, "torch": 2.0}] * 3  # the first of four rounds warmed up
    order = [name for name, _ in Pretended.asked]
    assert order == ["torch", "ours", "ours", "torch", "torch", "ours", "ours", "torch"]


def test_long_tasks_end_after_three_pairs(monkeypatch):
    monkeypatch.setattr(bench, "PATIENCE", -1)
    workers = {name: Pretended(name, 1) for name in ("ours", "torch")}
    assert len(in_turn(workers, TASK, QUICK._replace(rounds=9))) == 3
    assert len(in_turn(workers, TASK, QUICK._replace(rounds=2))) == 2


def test_ratios_are_those_of_pairs():
    seconds = [(1.0, 2.0), (9.0, 10.0), (3.0, 4.0)]
    rounds = [{"ours": {"seconds": ours}, "torch": {"seconds": torch}} for ours, torch in seconds]
    assert bench.summary(rounds, "torch") == {
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
    used = Bench(QUICK._replace(avx2=True))
    list(SECTIONS["cpu"]["networks"](used))
    about = used.about()
    assert set(about["libraries"]) == {"ours", "torch"} and about["avx2"]
    assert about["device"] == "cpu" and "reached" not in about
    assert about["libraries"]["torch"] == {"is": "PyTorch, eager, N,C,H,W", "numpy": "0"}


# ---- on a GPU

GPU = QUICK_GPU._replace(batches=(1, 2, 4))


def test_a_gpu_s_rows_have_memory_and_the_least_time():
    """The pretended product of 64x64 takes 0.5 s: 2 * 64^3 operations; the copy moves 8 * 64^2
    bytes in as long."""
    used = Bench(QUICK_GPU)
    found = list(SECTIONS["gpu"]["networks"](used))
    assert used.about()["reached"] == {"flops": 2 * 64**3 / 0.5, "bytes": 8 * 64**2 / 0.5}
    first = found[0]
    assert first["peak_mb"]["ours"] == pytest.approx(104.096)
    assert list(first["ratios"]) == ["ours / torch", "channels_last / torch"]
    assert first["least_seconds"] == bench.least(TASK, used.reached) > 0


def test_the_card_is_measured_anew_in_every_section_and_once():
    rows("training", QUICK_GPU)
    asked = [task.what for library, task in Pretended.asked
             if library == "ours" and task.network == CARD]
    assert asked == ["matrix product"] * 2 + ["copy"] * 2  # a round to warm up, and one
    assert Pretended.begun.count(("ours", QUICK.threads)) == 1  # by the section's own processes


def test_what_has_no_room_is_named_and_larger_batches_are_not_tried(monkeypatch):
    run = Pretended.run

    def little_room(self, task, *rest):
        answer = run(self, task, *rest)
        if task.network != CARD and task.batch > 1 and task.what != FORWARD:
            raise FullError(self.library)
        return answer

    monkeypatch.setattr(Pretended, "run", little_room)
    found = {(row["what"], row["batch"]): row.get("full") for row in rows("networks", GPU)}
    back = "forward + image gradient"
    assert found == {(FORWARD, 1): None, (FORWARD, 2): None, (FORWARD, 4): None, (back, 1): None,
                     (back, 2): "torch", (back, 4): "torch"}
    tried = [task for _, task in Pretended.asked]
    assert Task("minivgg", back, 2) in tried and Task("minivgg", back, 4) not in tried


def test_a_larger_image_is_tried_for_itself(monkeypatch):
    run = Pretended.run

    def little_room(self, task, *rest):
        if task.side == 32:
            raise FullError(self.library)
        return run(self, task, *rest)

    monkeypatch.setattr(Pretended, "run", little_room)
    found = rows("gram", QUICK_GPU._replace(sides=(32, 48)))
    assert [(row["what"], row["side"], "full" in row) for row in found] == [
        (GRAM_STEP, 32, True), (GRAM_STEP, 48, False)]


def test_workers_are_told_the_device():
    rows("training", QUICK_GPU)
    assert {device for _, _, device in Pretended.places} == {"gpu"}

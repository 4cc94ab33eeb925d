"""The command: what it writes, what it keeps, and how it ends."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import bench
import plan
import pytest
import speed
import workers
from measured import gpu_row, gpu_section, memory, row, section
from workers import WorkerError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "speed"


@pytest.fixture
def sections(monkeypatch):
    """The sections, to be replaced; PyTorch is taken to be there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setitem(speed.SECTIONS, "cpu", dict(speed.SECTIONS["cpu"]))
    return speed.SECTIONS["cpu"]


def written(out):
    return json.loads(out.with_suffix(".json").read_text())["sections"]


@pytest.mark.thorough
def test_quick_against_the_plain_op(out, capsys):
    """Real processes and no PyTorch."""
    assert speed.main(["--quick", "--against", "plain", "--what", "networks", "student",
                       "--threads", "1", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "networks: minivgg batch 1 threads 1, forward: " in said.err
    assert "| minivgg | conv4_1 | 8x8x96 -> 192, 3x3 | forward |" in said.out
    assert out.with_suffix(".md").read_text() == said.out
    found = written(out)
    assert [r["what"] for r in found["networks"]["rows"]] == ["forward", "forward + image gradient"]
    assert found["networks"]["about"]["libraries"]["plain"]["numpy"]
    assert found["networks"]["complete"] and found["networks"]["about"]["threads"] == 1
    assert not out.with_suffix(".png").exists()


def test_quick_against_pytorch_as_a_program(out):
    pytest.importorskip("torch")
    ended = subprocess.run([sys.executable, ROOT / "benchmarks" / "speed.py", "--quick", "--what",
                            "networks", "--out", str(out)], capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode == 0, ended.stderr
    first = written(out)["networks"]["rows"][0]
    assert set(first["seconds"]) == {"ours", "torch"} and first["ratios"]["ours / torch"][1] > 0


def test_a_section_replaces_its_older_self_and_leaves_the_others(out, sections):
    speed.write_json({"networks": section(row()), "ops": section(row(layer="pool1"))}, out)
    sections["networks"] = lambda bench: iter([row(batch=4)])
    assert speed.main(["--what", "networks", "--out", str(out)]) == 0
    found = written(out)
    assert [r["batch"] for r in found["networks"]["rows"]] == [4]
    assert found["ops"] == section(row(layer="pool1"))
    text = out.with_suffix(".md").read_text()
    assert "## networks" in text and "## ops" in text


def test_an_interrupted_section_is_kept_and_marked(out, sections, capsys):
    def interrupted(bench):
        yield row()
        raise KeyboardInterrupt

    sections["layers"] = interrupted
    assert speed.main(["--what", "layers", "--out", str(out)]) == 130
    assert capsys.readouterr().err.endswith("speed: interrupted\n")
    assert not written(out)["layers"]["complete"] and len(written(out)["layers"]["rows"]) == 1
    assert "## layers (interrupted)" in out.with_suffix(".md").read_text()


def test_a_section_ended_before_its_first_row_leaves_the_older(out, sections):
    speed.write_json({"ops": section(row())}, out)

    def interrupted(bench):
        raise KeyboardInterrupt
        yield

    sections["ops"] = interrupted
    assert speed.main(["--what", "ops", "--out", str(out)]) == 130
    assert written(out)["ops"] == section(row())


def test_a_process_that_died_is_one_line(out, sections, capsys):
    def dying(bench):
        yield row()
        raise WorkerError("the process of PyTorch ended")

    sections["ops"] = dying
    assert speed.main(["--what", "ops", "--out", str(out)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "speed: the process of PyTorch ended"
    assert len(written(out)["ops"]["rows"]) == 1


def test_curves_are_drawn(out, sections):
    sections["scaling"] = lambda bench: iter([memory(1, 2, 3, 4, curve="side", side=64)])
    assert speed.main(["--what", "scaling", "--out", str(out)]) == 0
    assert out.with_suffix(".png").stat().st_size > 1000


def test_without_pytorch_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert speed.main(["--what", "networks"]) == 1
    assert "pip install torch" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told_before_anything_is_measured(tmp_path, sections, capsys):
    sections["ops"] = lambda bench: pytest.fail("measured")
    assert speed.main(["--what", "ops", "--out", str(tmp_path / "none" / "speed")]) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--what", "nothing"], ["--threads", "0"],
                                       ["--networks", "vgg"], ["--against", "ours"],
                                       ["--what", "gram"], ["--device", "gpu", "--avx2"],
                                       ["--device", "gpu", "--what", "memory"],
                                       ["--device", "gpu", "--threads", "2"]])
def test_wrong_usage_is_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        speed.main(arguments)
    assert end.value.code == 2


@pytest.mark.parametrize(("arguments", "name"), [
    ([], "speed"), (["--avx2"], "speed_avx2"), (["--plain", "--avx2"], "speed_plain_avx2"),
    (["--against", "channels_last"], "speed_channels_last"),
    (["--device", "gpu"], "speed_gpu"), (["--device", "gpu", "--plain"], "speed_gpu_plain"),
    (["--out", "x/y"], "x/y")])
def test_each_way_to_measure_has_its_own_file(arguments, name):
    path = speed.out_of(speed.read(arguments))
    assert path == (Path(name) if "--out" in arguments else speed.RESULTS / name)


def test_a_quick_look_is_not_recorded():
    assert speed.out_of(speed.read(["--quick"])) is None


def test_options_reach_the_plan():
    given = ["--networks", "googlenet", "--batches", "3", "4", "--threads", "5", "--rounds", "6",
             "--plain", "--avx2"]
    chosen = speed.plan_of(speed.read(given))
    assert (chosen.networks, chosen.batches) == (("googlenet",), (3, 4))
    assert (chosen.threads, chosen.rounds) == (5, 6)
    assert (chosen.ours, chosen.against, chosen.avx2) == ("plain", "torch", True)
    assert speed.plan_of(speed.read([])) == plan.FULL
    assert speed.plan_of(speed.read(["--quick"])) == plan.QUICK


# ---- on a GPU

GPU = ["--device", "gpu"]


def test_a_gpu_s_plan():
    assert speed.plan_of(speed.read(GPU)) == plan.FULL_GPU
    assert speed.plan_of(speed.read([*GPU, "--quick"])) == plan.QUICK_GPU
    given = speed.plan_of(speed.read([*GPU, "--batches", "4", "--against", "plain"]))
    assert given.batches == (4,) and given.alone == () and given.beside == ()


def test_without_a_gpu_it_is_one_line_and_nothing_is_written(monkeypatch, out, capsys):
    def none(library, threads, avx2, device):
        raise WorkerError(f"{library} finds no {device}")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(bench, "Worker", none)
    assert speed.main([*GPU, "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert said.err == "speed: ours finds no gpu\n" and said.out == ""
    assert list(out.parent.iterdir()) == []


@pytest.fixture
def not_there(monkeypatch):
    """A GPU that is not there: minicnn on the stand-in for CuPy, PyTorch on the CPU, tiny tasks."""
    monkeypatch.setattr(workers, "PROGRAM", ROOT / "tests" / "made" / "pretended_gpu.py")
    tiny = plan.QUICK_GPU._replace(threads=1, ops={"minivgg": ("pool4",)}, sides=(16,), beside=())
    monkeypatch.setitem(plan.PLANS, ("gpu", True), tiny)
    return [*GPU, "--quick"]


def test_against_pytorch_on_a_gpu_that_is_not_there(not_there, out, capsys):
    pytest.importorskip("torch")
    asked = [*not_there, "--out", str(out), "--what", "networks"]
    assert speed.main(asked) == 0, capsys.readouterr().err
    found = written(out)
    assert found["networks"]["complete"]
    about, rows = found["networks"]["about"], found["networks"]["rows"]
    assert set(about["reached"]) == {"flops", "bytes"} and about["device"] == "gpu"
    assert about["libraries"]["ours"]["cupy"] == "stand-in"
    assert set(rows[0]["seconds"]) == {"ours", "torch"} and rows[0]["peak_mb"]["ours"] == 12.5
    assert "Pretended GPU, 1024 MB" in out.with_suffix(".md").read_text()
    assert out.with_suffix(".png").stat().st_size > 1000


@pytest.mark.thorough
def test_the_other_sections_on_a_gpu_that_is_not_there(not_there, out, capsys):
    """minicnn against its own pages: no PyTorch is needed."""
    what = ["ops", "training", "gram"]
    asked = [*not_there, "--out", str(out), "--against", "plain", "--what", *what]
    assert speed.main(asked) == 0, capsys.readouterr().err
    found = written(out)
    assert list(found) == what and all(s["complete"] for s in found.values())
    assert [row["what"] for row in found["ops"]["rows"]] == ["forward", "input gradient"]
    assert "steps per second" in out.with_suffix(".md").read_text()
    assert set(found["training"]["rows"][0]["seconds"]) == {"ours", "plain"}


def test_a_gpu_s_curves_are_drawn(out):
    speed.write_tables({"networks": gpu_section(gpu_row(), gpu_row(batch=8))}, out)
    assert out.with_suffix(".png").stat().st_size > 1000
    assert out.with_suffix(".md").read_text().startswith("# Speed on a GPU")

"""The processes: what they are given, what they answer, and how they end."""

import json
import os
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import machine
import pytest
import workers
from tasks import FORWARD, IMAGE_GRADIENT, TRAINING_STEP, Task
from workers import FullError, Worker, WorkerError, environment

LINUX = pytest.mark.skipif(not machine.STATUS.exists(), reason="needs /proc")
TASK = Task("minivgg", FORWARD)


def test_the_environment_holds_no_library_back(monkeypatch):
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS",
                 "ONEDNN_MAX_CPU_ISA", "NPY_DISABLE_CPU_FEATURES", "MINICNN_THREADS"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("SOMETHING_ELSE", "7")
    given = environment(threads=2)
    assert "OPENBLAS_CORETYPE" not in given and "OPENBLAS_L2_SIZE" not in given
    assert "ONEDNN_MAX_CPU_ISA" not in given and "NPY_DISABLE_CPU_FEATURES" not in given
    assert {given[name] for name in workers.THREADS} == {"2"}
    assert given["SOMETHING_ELSE"] == "7"


def test_no_library_of_nvidia_s_rounds_to_tf32(monkeypatch):
    for name in ("CUPY_TF32", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE"):
        monkeypatch.setenv(name, "1")
    given = environment(1)
    assert "CUPY_TF32" not in given and "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE" not in given
    assert given["NVIDIA_TF32_OVERRIDE"] == "0"


def test_avx2_holds_both_libraries():
    given = environment(1, avx2=True)
    assert given["OPENBLAS_CORETYPE"] == "Haswell" and given["ATEN_CPU_CAPABILITY"] == "avx2"
    assert "AVX512_SKX" in given["NPY_DISABLE_CPU_FEATURES"]


def test_a_worker_answers():
    with Worker("ours", threads=1) as worker:
        assert worker.about["minicnn"] and worker.about["blas"]
        first, again = worker.run(TASK), worker.run(TASK, seconds=0.01)
        other = worker.run(Task("minivgg", IMAGE_GRADIENT, 2))
    assert all(0 < answer["seconds"] < 60 for answer in (first, again, other))
    assert worker.process.returncode == 0


@LINUX
def test_ours_is_measured_without_pytorch():
    with Worker("ours", 1) as worker:
        worker.run(TASK)
        maps = Path(f"/proc/{worker.process.pid}/maps").read_text()
    assert "libtorch" not in maps and "numpy" in maps


@LINUX
def test_memory_is_the_task_s():
    """16 images hold 16 times what one does: minivgg's activations are 1.6 MB an image, and the
    first convolution's alone 0.5."""
    with Worker("ours", 1) as one:
        small = one.run(Task("minivgg", IMAGE_GRADIENT, 1))
    with Worker("ours", 1) as other:
        large = other.run(Task("minivgg", IMAGE_GRADIENT, 32))
    assert 0 < small["base_mb"] < small["peak_mb"]
    assert abs(small["base_mb"] - large["base_mb"]) < 10
    assert large["peak_mb"] - small["peak_mb"] > 31 * 0.5


@LINUX
def test_what_pytorch_imports_late_is_not_the_task_s():
    """Its first optimiser brings 70 MB of modules; minivgg's training takes less than that."""
    pytest.importorskip("torch")
    with Worker("torch", 1) as worker:
        assert worker.about["torch"] and worker.about["capability"]
        answer = worker.run(Task("minivgg", TRAINING_STEP, 1))
    assert 0 < answer["peak_mb"] - answer["base_mb"] < 60


@pytest.mark.skipif(not hasattr(os, "kill"), reason="needs signals")
def test_a_process_that_ends_is_told():
    with Worker("ours", 1) as worker:
        worker.process.kill()
        with pytest.raises(WorkerError, match=r"minicnn ended at minivgg .* status -9"):
            worker.run(TASK)


def test_a_task_that_cannot_be_done_ends_the_process(capfd):
    with Worker("loops", 1) as worker, pytest.raises(WorkerError, match="student"):
        worker.run(Task("alexnet_caffe", FORWARD, 1, "conv2"))
    assert "no groups" in capfd.readouterr().err


def test_an_interruption_ends_the_process_in_the_middle_of_its_task():
    began = perf_counter()
    with pytest.raises(KeyboardInterrupt), Worker("ours", 1) as worker:
        worker.process.stdin.write(json.dumps({"task": TASK._asdict(), "seconds": 60}) + "\n")
        worker.process.stdin.flush()
        raise KeyboardInterrupt
    assert worker.process.returncode == -9 and perf_counter() - began < 30


# ---- on a GPU

def test_a_process_that_finds_no_gpu_says_it_in_a_line(monkeypatch, tmp_path):
    """Wherever it is run: its CuPy cannot be imported."""
    (tmp_path / "cupy.py").write_text("raise ImportError('no such thing here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkerError, match="device 'gpu'") as error:
        Worker("ours", 1, device="gpu")
    assert isinstance(error.value, OSError) and "Traceback" not in str(error.value)


@pytest.mark.parametrize("line", ['{"full": true}', '{"error": "what is wrong"}'])
def test_answers_that_are_errors(line):
    worker = Worker.__new__(Worker)
    worker.library, worker.process = "ours", SimpleNamespace(
        stdout=SimpleNamespace(readline=lambda: line))
    with pytest.raises(FullError if "full" in line else WorkerError) as error:
        worker._answer()
    assert str(error.value) == ("what is wrong" if "error" in line else
                                "minicnn: the task does not fit into the device's memory; "
                                "use a smaller batch")
    assert "error" in line or error.value.library == "ours"


class Small:
    """A meter of a device with room for one image only."""

    place, full, cleared = "cpu", (MemoryError,), 0

    def about(self):
        return {}

    def clear(self):
        Small.cleared += 1
        return 1.0

    def timed(self, function, budget):
        if len(function()) > 1:
            raise MemoryError
        return 0.5

    def peak(self, function):
        return 2.0


def test_a_process_goes_on_after_a_task_that_had_no_room(monkeypatch, capsys):
    tasks = [Task("minivgg", FORWARD, batch) for batch in (1, 2, 2, 1)]
    monkeypatch.setitem(workers.METERS, ("gpu", False), Small)
    monkeypatch.setattr(workers.sys, "stdin", iter(
        [json.dumps({"task": task._asdict(), "seconds": 0}) for task in tasks]))
    workers.serve("ours", "gpu")
    _, *answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    done = {"seconds": 0.5, "base_mb": 1.0, "peak_mb": 2.0}
    assert answers == [done, {"full": True}, {"full": True}, done]  # asked again, made again
    assert Small.cleared == 2 * 4 + 2  # before and after each is made, and after the full ones

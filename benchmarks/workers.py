"""A process for each library: it reads tasks from standard input, and prints seconds and memory.

Each process imports only its own library; minicnn's never imports PyTorch.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import sleep

from meters import CuPy, Host, TorchCuda
from tasks import Task, ours

import minicnn

LIBRARIES = {
    "ours": "minicnn",
    "plain": "minicnn with every op by its page",
    "fresh": "minicnn without a workspace, every array fresh",
    "torch": "PyTorch, eager, N,C,H,W",
    "channels_last": "PyTorch, eager, channels last",
    "loops": "a student's im2col by slices and tensordot",
    "fancy": "a student's im2col by fancy indexing and np.add.at",
}
OURS, TORCHS = ("ours", "plain", "fresh"), ("torch", "channels_last")
METERS = {("cpu", False): Host, ("cpu", True): Host, ("gpu", False): CuPy, ("gpu", True): TorchCuda}
PROGRAM = Path(__file__)  # the script that a process runs
THREADS = ("MINICNN_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
AVX2 = {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}
CLEARED = {*THREADS, *AVX2, "OPENBLAS_L2_SIZE", "DNNL_MAX_CPU_ISA", "OMP_WAIT_POLICY",
           "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY", "KMP_BLOCKTIME", "CUPY_TF32",
           "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUDA_LAUNCH_BLOCKING"}
SAME_FLOAT32 = {"NVIDIA_TF32_OVERRIDE": "0"}  # NVIDIA's libraries do not round to TF32


class WorkerError(ChildProcessError):
    """The process of a library could not start, or ended before its work was done."""


class FullError(WorkerError):
    """A task of `library` does not fit into the device's memory."""

    def __init__(self, library):
        super().__init__(f"{LIBRARIES[library]}: the task does not fit into the device's memory; "
                         "use a smaller batch")
        self.library = library


# ---- the process itself

def serve(library, device):
    """Answer every task on standard input with its seconds and memory."""
    try:
        meter = METERS[device, library in TORCHS]()
        load, make, about = _maker(library, meter)
    except (ImportError, ValueError, OSError) as error:
        _tell({"error": str(error)})
        return
    _tell(about)
    known = function = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["task"] != known:
                known, function = request["task"], None  # free the last task's memory first
                load(known["what"])
                base = meter.clear()
                function = make(Task(**known))
                meter.clear()
            seconds = meter.timed(function, request["seconds"])
            _tell({"seconds": seconds, "base_mb": base, "peak_mb": meter.peak(function)})
        except meter.full:
            known = function = None
            meter.clear()
            _tell({"full": True})


def _tell(answer):
    print(json.dumps(answer), flush=True)


def _maker(library, meter):
    """(load, make, about): a function that makes late imports for a pass, one that turns a task
    into a function, and a description of the library."""
    if library in TORCHS:
        return _maker_of_torch(library, meter)
    about = _about_numpy() | meter.about()
    if library in OURS:
        return _nothing, lambda task: ours(task, library == "plain", library != "fresh",
                                           meter.place), about
    from student import students

    return _nothing, lambda task: students(task, library), about


def _maker_of_torch(library, meter):
    import torch
    from torch_tasks import load, torchs

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    layout = torch.channels_last if library == "channels_last" else torch.contiguous_format
    return load, lambda task: torchs(task, layout, meter.place), {
        "torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(),
        **meter.about()}


def _nothing(what):
    """NumPy has no late imports."""


def _about_numpy():
    import numpy
    from threadpoolctl import threadpool_info

    blas = [f"{pool['internal_api']} {pool['version']} {pool['architecture']}"
            for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"minicnn": minicnn.__version__, "numpy": numpy.__version__, "blas": blas}


# ---- the other end of the pipe

class Worker:
    """A process that does tasks with one library; a context manager.

    Parameters
    ----------
    library : str
        A key of LIBRARIES.
    threads : int
    avx2 : bool
        Restrict the process to AVX2.
    device : {"cpu", "gpu"}

    Raises
    ------
    WorkerError
        The process cannot start, for example without a GPU.
    """

    def __init__(self, library, threads, avx2=False, device="cpu"):
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, library, device], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=environment(threads, avx2),
            start_new_session=True)  # so Ctrl-C reaches the parent process only
        try:
            self.about = self._answer()
        except BaseException:
            self._end(kill=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._end(kill=kind is not None)

    def _end(self, kill):
        """Close its input, at which the process ends, and wait; `kill` it during a task."""
        if kill:
            self.process.kill()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def run(self, task, seconds=0.0, pause=0.0):
        """Do `task` once, or as often as `seconds` allow: {"seconds", "base_mb", "peak_mb"}.

        Raises FullError if the task does not fit into the device's memory.

        First it waits `pause` seconds, until the other library's idle threads sleep: OpenBLAS's
        keep a core busy for tens of milliseconds after their work.
        """
        sleep(pause)
        request = {"task": task._asdict(), "seconds": seconds}
        with suppress(BrokenPipeError):  # `_answer` reports that the process has ended
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        return self._answer(task)

    def _answer(self, task=None):
        line = self.process.stdout.readline()
        if not line:
            at = f" at {task.network} {task.layer or ''} batch {task.batch}" if task else ""
            raise WorkerError(f"the process of {LIBRARIES[self.library]} ended{at} with status "
                              f"{self.process.wait()}: out of memory, or the error printed above")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        if "full" in answer:
            raise FullError(self.library)
        return answer


def environment(threads, avx2=False):
    """The environment of a library's process: `threads` threads, and nothing that slows it."""
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    home = str(Path(minicnn.__file__).parents[1])  # the minicnn imported here
    path = os.pathsep.join([home, *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, **dict.fromkeys(THREADS, str(threads)), **(AVX2 if avx2 else {}),
            **SAME_FLOAT32, "PYTHONPATH": path}


if __name__ == "__main__":
    serve(*sys.argv[1:])

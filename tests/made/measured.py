"""Rows and sections of benchmark results with known figures, for the tables and the plot; and a
library's process that only pretends."""

import bench

ABOUT = {"date": "2026-01-02T03:04+00:00", "processor": "A Processor", "cores": 2, "threads": 1,
         "python": "3.11.7", "avx2": False, "rounds": 7, "system": "Linux",
         "libraries": {"ours": {"minicnn": "0.1", "numpy": "2.4", "blas": ["openblas 0.3 Zen"]},
                       "torch": {"torch": "2.13", "capability": "AVX512"}}}
PLACE = {"network": "vgg16", "what": "forward", "batch": 1, "layer": None, "side": None,
         "shape": None, "threads": 2}


def row(what="forward", ratio=(0.45, 0.47, 0.5), seconds=(0.0711, 0.1454), **more):
    """A row of times."""
    return PLACE | {"what": what, "pairs": 7, "ratios": {"ours / torch": list(ratio)},
                    "seconds": dict(zip(("ours", "torch"), seconds, strict=True))} | more


def memory(base, peak, their_base, their_peak, **more):
    """A row of memory, ours and PyTorch's."""
    return PLACE | {"memory_mb": {"ours": {"base": base, "peak": peak},
                                  "torch": {"base": their_base, "peak": their_peak}}} | more


def too_large(wanted, room, **more):
    """A row that says what did not fit."""
    return PLACE | {"wanted_mb": wanted, "room_mb": room} | more


def section(*rows, complete=True, **about):
    """A section of these rows."""
    return {"about": ABOUT | about, "complete": complete, "rows": list(rows)}


# ---- on a GPU

ABOUT_GPU = ABOUT | {
    "device": "gpu", "reached": {"flops": 40e12, "bytes": 8e11},
    "libraries": {
        "ours": {"minicnn": "0.1", "cupy": "14.0", "cuda": "12.8", "card": "A Card",
                 "card_mb": 24000.0, "driver": "570.1"},
        "channels_last": {"torch": "2.13", "cuda": "12.8", "cudnn": 90800},
        "torch": {"torch": "2.13", "cuda": "12.8", "cudnn": 90800}}}


def gpu_row(what="forward", seconds=(0.002, 0.001, 0.004), least=0.001, **more):
    """A row of a GPU: minicnn, PyTorch with channels last, PyTorch."""
    libraries = ("ours", "channels_last", "torch")
    ratios = {f"{name} / torch": [s / seconds[2]] * 3
              for name, s in zip(libraries[:2], seconds, strict=False)}
    return PLACE | {"what": what, "pairs": 5, "ratios": ratios, "least_seconds": least,
                    "seconds": dict(zip(libraries, seconds, strict=True)),
                    "peak_mb": dict(zip(libraries, (100.0, 210.0, 200.0), strict=True))} | more


def gpu_section(*rows, complete=True):
    """A section of these rows."""
    return {"about": ABOUT_GPU, "complete": complete, "rows": list(rows)}


# ---- a process

class Pretended:
    """A library's process that does nothing and says how long that took and what it held."""

    asked, begun, places = [], [], []
    seconds = {"ours": 0.5, "torch": 2.0, "channels_last": 1.0, "loops": 4.0, "fancy": 8.0,
               "plain": 1.0}

    def __init__(self, library, threads, avx2=False, device="cpu"):
        self.library, self.threads, self.about = library, threads, {"numpy": "0"}
        Pretended.begun.append((library, threads))
        Pretended.places.append((library, threads, device))

    @staticmethod
    def take_over(monkeypatch):
        """Be every process from now on, and remember nothing."""
        monkeypatch.setattr(bench, "Worker", Pretended)
        for name in ("asked", "begun", "places"):
            monkeypatch.setattr(Pretended, name, [])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, task, seconds=0.0, pause=0.0):
        """An answer: a thousandth of a MB for each pixel of each image."""
        Pretended.asked.append((self.library, task))
        own = task.batch * (task.side or 64) ** 2 / 1000
        return {"seconds": self.seconds[self.library] * task.batch, "base_mb": 100.0,
                "peak_mb": 100.0 + own}

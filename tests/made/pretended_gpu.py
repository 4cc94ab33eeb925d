"""A benchmark's process on a GPU that is not there: minicnn on the stand-in for CuPy, PyTorch on
the CPU. Its times mean nothing; that the program runs to its end does.

Run as `benchmarks/workers.py` is: `python pretended_gpu.py LIBRARY gpu`.
"""

import sys
from pathlib import Path

import strict_cupy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import meters  # noqa: E402
import workers  # noqa: E402


class Ours(meters.Host):
    """The stand-in, with little room."""

    place, full = "gpu", (MemoryError,)

    def clear(self):
        return 0.0

    def timed(self, function, budget):
        return meters.queued(lambda f, count: super(Ours, self).timed(f, 0) * count, function,
                             budget)

    def peak(self, function):
        function()
        return 12.5

    def about(self):
        return {"cupy": strict_cupy.__version__, "card": "Pretended GPU", "card_mb": 1024.0,
                "cuda": "12.8", "driver": None}


class Theirs(Ours):
    """PyTorch where it is."""

    place = "cpu"

    def about(self):
        return {"cuda": "12.8", "cudnn": 90000, "tf32": False}


if __name__ == "__main__":
    sys.modules["cupy"] = strict_cupy
    workers.METERS.update({("gpu", False): Ours, ("gpu", True): Theirs})
    workers.serve(*sys.argv[1:])

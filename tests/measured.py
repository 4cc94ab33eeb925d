"""Rows and sections of benchmark results with known figures, for the tables and the plot."""

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

"""Examine the machine and the installation: what is there, what is wrong, and what to do about it.

    report = doctor.examine()
    print(report)                 # every line has a mark: ok, note, warn, BAD
    report.bad                    # the bad findings; empty if all is well

| file | what it holds |
|---|---|
| examination.py | the function `examine`: the sections and their order |
| findings.py | Finding, Section, Report, as text and as plain values |
| system.py | Python, cores, memory |
| libraries.py | NumPy with its BLAS, the other required libraries, minicnn itself |
| gpu.py | the NVIDIA driver and its GPUs, the CuPy wheel that fits, CuPy at work |
| own_ops.py | a user's own ops compared with their pages, and their gradients |
| selftest.py | every op, forward and backward, against the nested loops, on each device |
| trials.py | the shapes and settings with which each op is tried |
| stored.py | the shipped network, the cache of fetched ones |
| weights.py | one weight file: its contents, and whether its network computes correctly |

Nothing here changes or downloads anything. A check that is impossible on some machine becomes a
finding that says so; all other checks still run.
"""

from minicnn.doctor.examination import examine
from minicnn.doctor.findings import Finding, Report, Section
from minicnn.rooms import offered

__all__ = ["Finding", "Report", "Section", "examine"]
__getattr__, __dir__ = offered(__name__)

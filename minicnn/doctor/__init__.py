"""What a machine has for this library, what is wrong with it, and what to do about that.

    report = doctor.examine()
    print(report)                 # a mark for every line: ok, note, warn, BAD
    report.bad                    # the findings that are bad, none where all is well

| file | what it holds |
|---|---|
| examination.py, the function `examine` | the door: which sections there are, in what order |
| findings.py | Finding, Section, Report: the words, as text and as plain values |
| system.py | Python, cores, memory |
| libraries.py | NumPy with its BLAS, what else minicnn stands on, minicnn itself |
| gpu.py | the NVIDIA driver and its GPUs, the CuPy wheel that fits, CuPy at work |
| selftest.py | every op, forward and backward, against the scalar loops, on each device |
| trials.py | what is asked of each op: shapes and settings |
| stored.py | the shipped network, the cache of fetched ones |
| weights.py | one weight file: what it is, and whether its network computes what it should |

Nothing here changes anything, and nothing is fetched. A question that cannot be answered on some
machine becomes a finding that says so; the rest is answered all the same.
"""

from minicnn.doctor.examination import examine
from minicnn.doctor.findings import Finding, Report, Section

__all__ = ["Finding", "Report", "Section", "examine"]

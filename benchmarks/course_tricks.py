"""What careless and hostile submissions do besides answering, in any assignment.

A trick is text that is put at the top of a file ("module") or at the beginning of one function
("function"). It costs all points, those of the questions on that function, or none: `costs` is
"all", "function" or "nothing".
"""

from typing import NamedTuple

MODULE, FUNCTION = "module", "function"
ALL, NOTHING = "all", "nothing"


class Trick(NamedTuple):
    """A trick; `says` is what the feedback must say of it."""

    kind: str
    what: str
    where: str
    costs: str
    text: str
    says: str = ""


ENDLESS, MEMORY, FLOOD, HUGE, HOSTILE = ("endless loop", "memory", "flood of output",
                                         "huge answer", "hostile")
TRICKS = (
    Trick(ENDLESS, "when it is imported", MODULE, ALL, """
number = 0
while number >= 0:
    number += 1
""", "stopped after"),
    Trick(ENDLESS, "in one function", FUNCTION, FUNCTION, """
while True:
    pass
""", "stopped after"),
    Trick(MEMORY, "an array of terabytes", FUNCTION, FUNCTION, """
np.ones((1 << 20, 1 << 20))
""", "emory"),
    Trick(MEMORY, "a list that grows", FUNCTION, FUNCTION, """
kept = []
while True:
    kept.append(np.ones(1 << 20))
""", "emory"),
    Trick(FLOOD, "prints a megabyte at each call", FUNCTION, NOTHING, """
print("x = " + "0.123 " * 170_000)
"""),
    Trick(FLOOD, "prints without end", FUNCTION, FUNCTION, """
while True:
    print("still here", flush=True)
""", "stopped after"),
    Trick(HUGE, "an answer of terabytes", FUNCTION, FUNCTION, """
return [np.broadcast_to(1.0, (1 << 20, 1 << 20))] * 3
"""),
    Trick(HOSTILE, "an answer that equals everything", FUNCTION, FUNCTION, """
class Equal(np.ndarray):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: np.True_
    __sub__ = __rsub__ = __abs__ = lambda *others: np.float64(0)
    __array__ = __array_ufunc__ = lambda self, *args, **kwargs: np.float64(0)
return [np.full(4, 7.0).view(Equal)] * 3
"""),
    Trick(HOSTILE, "looks for the solution, then for the results", FUNCTION, FUNCTION, """
import glob, importlib, os, sys
for name in ("minicnn.ops.conv", "minicnn.naive", "minicnn", "torch"):
    try:
        print(importlib.import_module(name))
    except ImportError:
        continue
for folder in (*sys.path, "..", "/autograder", os.path.expanduser("~")):
    for path in [f"{folder}/solution.py", *glob.glob(f"{folder}/**/course.json", recursive=True)]:
        try:
            with open(path) as file:
                exec(file.read())
        except OSError:
            continue
raise NotImplementedError
"""),
    Trick(HOSTILE, "prints full marks and ends its process", FUNCTION, FUNCTION, """
import os
print('{"score": 100, "tests": [{"score": 100, "max_score": 100, "status": "passed"}]}', flush=True)
os._exit(0)
""", "ended Python with os._exit(0)"),
    Trick(HOSTILE, "writes results, patches NumPy and time", MODULE, NOTHING, """
import time
for path in ("results.json", "/autograder/results/results.json", "grades.csv", "/tmp/grades.csv"):
    try:
        with open(path, "w") as file:
            file.write('{"score": 100}')
    except OSError:
        pass
np.allclose = np.array_equal = np.testing.assert_allclose = lambda *args, **kwargs: True
time.time = time.monotonic = time.perf_counter = lambda: 0.0
"""),
    Trick(HOSTILE, "leaves sleepers behind", MODULE, NOTHING, """
import os, time
for _ in range(20):
    try:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
    except OSError:
        break
"""),
)

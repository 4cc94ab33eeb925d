"""Good files spoiled at random, and what a reader makes of them.

Whatever the bytes, a reader may do two things: return a Foreign, or refuse with one WeightsError
that names the file. It may not run anything, crash, take longer than TIME, or take more memory than
4 times the file and 200 MB. Case k of a seed is always the same file.
"""

import argparse
import faulthandler
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from minicnn.files.errors import WeightsError
from minicnn.foreign.contents import Foreign

TIME = 10  # seconds
MEMORY = 200_000_000  # bytes, beside 4 times the file
EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


def main(read, seeds, about):
    """The command line of one reader's fuzz run; a broken rule ends it with a traceback."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--count", type=int, default=20000, help="files (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="begin with this one (default 0)")
    parser.add_argument("--seed", type=int, default=0, help="(default 0)")
    options = parser.parse_args()
    outcome = Counter()
    for first in range(options.first, options.first + options.count, 500):
        count = min(500, options.first + options.count - first)
        faulthandler.dump_traceback_later(TIME * 30, exit=True)  # where it hangs inside C
        outcome += run(read, seeds, count, options.seed, first)
    faulthandler.cancel_dump_traceback_later()
    print(f"{options.count} files, from {options.first} on, seed {options.seed}: "
          + ", ".join(f"{number} {what}" for what, number in sorted(outcome.items())))


def run(read, seeds, count, seed=0, first=0):
    """Read `count` spoiled files: Counter of "read" and "refused".

    Raises
    ------
    AssertionError
        Naming the case that broke a rule; its file is kept, and named.
    """
    with tempfile.TemporaryDirectory() as folder:
        gadget = Path(folder) / "ran"
        found = Counter(case(read, seeds(gadget), seed, k, Path(folder), gadget)
                        for k in range(first, first + count))
    return found


def case(read, seeds, seed, k, folder, gadget):
    """"read" or "refused", of one spoiled file."""
    rng = np.random.default_rng([seed, k])
    data = spoiled(seeds[k % len(seeds)], rng)
    path = folder / "spoiled"
    path.write_bytes(data)
    before, began = peak_memory(), time.perf_counter()
    try:
        outcome = attempt(read, path)
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
    spent, grown = time.perf_counter() - began, peak_memory() - before
    wrong = [outcome] if outcome not in ("read", "refused") else []
    wrong += ["something was run"] if gadget.exists() else []
    wrong += [f"{spent:.1f} s"] if spent > TIME else []
    wrong += [f"{grown:,} bytes of memory"] if grown > 4 * len(data) + MEMORY else []
    if wrong:
        kept = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{k}"
        kept.write_bytes(data)
        raise AssertionError(f"case {k} of seed {seed}, kept as {kept}: {'; '.join(wrong)}")
    return outcome


def attempt(read, path):
    """Read a file and look at every number of it."""
    try:
        foreign = read(path)
    except WeightsError as error:
        text = str(error)
        if not text.startswith(f"{path}: ") or "\n" in text or len(text) > 1000:
            raise AssertionError(f"no clear line: {text[:2000]!r}") from None
        return "refused"
    if not isinstance(foreign, Foreign):
        raise AssertionError(f"a {type(foreign).__name__}")
    for array in foreign.arrays.values():
        np.array(array)
    return "read"


def spoiled(data, rng):
    """The bytes after one to four accidents, each small or at a whole range."""
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data) + 1))
        end = at + int(rng.integers(1, 1 + min(64, len(data) + 1)))
        accident = rng.integers(8)
        if accident < 2 and at < len(data):  # one bit
            data = data[:at] + bytes([data[at] ^ 1 << rng.integers(8)]) + data[at + 1:]
        elif accident == 2:  # one byte
            data = data[:at] + rng.bytes(1) + data[at + 1:]
        elif accident == 3:  # a number at the edge of what is possible
            number, size = EDGES[rng.integers(len(EDGES))], int(rng.choice([1, 2, 4, 8]))
            data = data[:at] + (number % 256**size).to_bytes(size, "little") + data[at + size:]
        elif accident == 4:  # lost bytes
            data = data[:at] + data[end:]
        elif accident == 5:  # a piece again, elsewhere
            to = int(rng.integers(len(data) + 1))
            data = data[:to] + data[at:end] + data[to:]
        elif accident == 6:  # two pieces exchanged
            to = int(rng.integers(len(data) + 1))
            first, second = sorted([(at, end), (to, to + end - at)])
            data = (data[:first[0]] + data[slice(*second)] + data[first[1]:second[0]]
                    + data[slice(*first)] + data[second[1]:])
        elif rng.integers(4) == 0:  # cut short
            data = data[:at]
    return data


def peak_memory():
    """The most this process has taken so far, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kilobytes on Linux

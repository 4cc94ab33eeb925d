"""Running a program of this folder by itself: its exit status, and one line if it fails.

`minicnn bench NAME` calls the same `read` and `run` (minicnn/cli/bench.py).
"""

import sys

from minicnn.cli import INTERRUPTED


def main(name, read, run, arguments=None):
    """Run a program; exit status 0 success, 1 failure, 2 wrong usage, 130 interrupted."""
    options = read(arguments)
    try:
        return run(options) or 0
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1

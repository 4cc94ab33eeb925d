"""How a program of this folder is run by itself: its exit status, and its one line where it fails.

`minicnn bench NAME` runs the same `read` and `run` (minicnn/cli/bench.py).
"""

import sys

INTERRUPTED = 130


def main(name, read, run, arguments=None):
    """Run a program; 0 done, 1 it could not be done, 2 wrong usage, 130 interrupted."""
    options = read(arguments)
    try:
        return run(options) or 0
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1

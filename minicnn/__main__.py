"""``python -m minicnn`` is the command line, and so is the program ``minicnn``.

Importing the library takes half a second. Python would answer a Ctrl-C of that time with a
traceback, and compiled code with errors of its own; nothing is there to be kept yet, so here the
process ends at once.
"""

import _signal as signal  # `signal` itself takes several milliseconds
import os
import sys


def main():
    """Run the command line; returns the exit status."""
    for one in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(one) != signal.SIG_IGN:  # as in `nohup`
            signal.signal(one, _end)
    from minicnn.cli import main

    status = main()
    for one in (signal.SIGINT, signal.SIGTERM):  # all is done and said
        signal.signal(one, signal.SIG_IGN)
    return status


def _end(number, frame):
    os.write(2, b"minicnn: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())

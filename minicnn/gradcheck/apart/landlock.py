"""Landlock: a Linux process names the folders that it will use, and is refused all others.

The kernel checks the path of whatever is opened, made, moved or removed (5.13), truncated (6.2),
TCP ports (6.7), and connections and signals to processes outside (6.12).
"""

import ctypes
import os
import stat
import struct
import sys
from contextlib import suppress

CREATE_RULES, ADD_RULE, RESTRICT = 444, 445, 446  # the calls, the same on every machine
BENEATH, VERSION, NO_NEW_PRIVILEGES = 1, 1, 38
EXECUTE, WRITE, READ, LIST, REMOVE_FOLDER, REMOVE, MAKE_FOLDER, MAKE_FILE, MOVE, TRUNCATE = (
    1 << bit for bit in (0, 1, 2, 3, 4, 5, 7, 8, 13, 14))
KNOWN = (0, 13, 14, 15, 15, 16, 16)  # how many of the rights each version knows
OF_FILES = EXECUTE | WRITE | READ | TRUNCATE  # what a rule for one file may name
CHANGE = WRITE | REMOVE_FOLDER | REMOVE | MAKE_FOLDER | MAKE_FILE | MOVE | TRUNCATE
TCP, SCOPES = 3, 3  # bind and connect; abstract sockets and signals


def version():
    """The version of Landlock that the kernel has in use; 0 without it."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(CREATE_RULES, None, ctypes.c_size_t(0), VERSION))


def all_rights():
    """Every right to files that the kernel's Landlock knows."""
    return (1 << KNOWN[min(version(), len(KNOWN) - 1)]) - 1


def restrict(handled, rules, tcp=False, scoped=False):
    """Refuse this process, from now on, the rights in `handled` wherever no rule allows them.

    Parameters
    ----------
    handled : int
    rules : iterable of (str, int)
        A path, which may be missing, and the rights at and below it.
    tcp, scoped : bool
        Refuse TCP, and other processes' abstract sockets and signals, too.

    Returns
    -------
    bool
        Whether the kernel has taken it.
    """
    about = struct.pack("QQQ", handled, TCP if tcp else 0, SCOPES if scoped else 0)
    size = 24 if scoped else 16 if tcp else 8
    made = _call(CREATE_RULES, about, ctypes.c_size_t(size), 0)
    if made < 0:
        return False
    for path, rights in rules:
        with suppress(OSError):
            _allow(made, path, rights & handled)
    ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    taken = _call(RESTRICT, made, 0)
    os.close(made)
    return taken == 0


def _allow(made, path, rights):
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= OF_FILES
    _call(ADD_RULE, made, BENEATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)


def _call(*given):
    return ctypes.CDLL(None, use_errno=True).syscall(*given)

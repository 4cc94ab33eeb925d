"""Namespaces of its own for a process that runs a stranger's file, and the processes that wait.

Three processes stand in a row: the one that the parent has started, the first of a namespace of
processes where there is one, and the one that runs the file. The first two wait for the end of the
next, or of the parent, which holds the other end of their standard input, and then end all: the
system kills whatever is in a namespace of processes when its first one ends.
"""

import ctypes
import os
import select
import signal
import sys
from contextlib import suppress

from minicnn.gradcheck.apart import limits

NAMESPACES = {"processes": 0x20000000, "network": 0x40000000, "ipc": 0x08000000,
              "host name": 0x04000000}
NEW_USER, NOBODY = 0x10000000, 65534
KILLED = 128  # exit status for an end by signal 0


def separate(wanted, connection=None):
    """Put this process into namespaces of its own; returns, in the last of the row, their names.

    Parameters
    ----------
    wanted : set of str
        Those of `minicnn.gradcheck.apart.wall.LAYERS` to be tried.
    connection : int, optional
        A file that only the last process is to keep open.
    """
    made = _namespaces(wanted) if sys.platform == "linux" else set()
    if hasattr(os, "fork"):
        _hand_on(connection)
        if "processes" in made:
            _hand_on(connection)
    return made


def _namespaces(wanted):
    unshare, made = ctypes.CDLL(None, use_errno=True).unshare, set()
    if os.geteuid() != 0 and "user namespace" in wanted:
        user, group = os.getuid(), os.getgid()
        if unshare(NEW_USER) != 0:
            return made
        made.add("user namespace")
        with suppress(OSError):
            for name, words in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"),
                                ("gid_map", f"{NOBODY} {group} 1")):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(words)
    for name, flag in NAMESPACES.items():
        if name in wanted and unshare(flag) == 0:
            made.add(name)
    if "host name" in made:
        ctypes.CDLL(None).sethostname(b"apart", ctypes.c_size_t(5))
    return made


def _hand_on(connection):
    """Go on in a new process; this one waits for its end, or for the parent's, and ends."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = os.getpid()
    child = os.fork()
    if child:
        try:
            os.close(connection)
            _watch(child, woken, wake)
        finally:
            os._exit(1)
    os.close(woken)
    os.close(wake)
    _end_with(before)


def _end_with(parent):
    if sys.platform == "linux":
        limits._prctl(limits.END_WITH, signal.SIGKILL)
        if os.getppid() not in (parent, 0):
            os._exit(0)


def _watch(child, woken, wake):
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(child, signal.SIGUSR1))
    gone = select.poll()
    gone.register(0, 0)  # the parent's end of standard input
    gone.register(woken, select.POLLIN)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            os._exit(KILLED + os.WTERMSIG(status) if os.WIFSIGNALED(status)
                     else os.WEXITSTATUS(status))
        if any(place == 0 for place, _ in gone.poll()):
            os.kill(child, signal.SIGKILL)
            os._exit(0)
        os.read(woken, 100)

"""Limits that a process sets on itself before it runs somebody else's code.

`confine` sets what the system offers and returns what is missing, in words. From then on the
process can only give up rights, never gain any. On Linux these are, besides limits on memory and
the length of a file:

- capabilities: root's child has none of root's rights but those of the owner of files;
- Landlock, where the kernel has it (5.13): nothing below /proc, /sys and /dev is written, and no
  process but its own is looked into;
- a seccomp filter, a short program that the kernel runs before every system call: it looks at the
  call's number and one argument and allows the call or refuses it with an errno. Refused is what
  starts, signals, slows or looks into other processes, holds memory that is not counted, or types
  into a terminal.

The parent has a part in this: while it is `Hidden`, no process of the same user that lacks root's
rights can open its memory or its files.

It is not a wall against every attack; `minicnn.gradcheck.apart.wall` is, as far as the system
allows. What a file can still do:

- read whatever the user can read, and write it, too, outside /proc, /sys and /dev: it could change
  its own source, this package, or a report on the disk. Where a grade depends on it, run minicnn as
  a user of its own, and read the result from its output or its exit status;
- fill the disk: the length of a file is limited, their number is not. Those in its folder are
  removed with it; others stay. A quota or a small file system for TMPDIR is the cure;
- use the network, and the sockets that programs of the user listen at;
- say what it likes of its own conduct, which is found in the child, and compute y and the
  gradients in any way, such as by calling the plain op: only the numbers are judged;
- use memory and one processor up to its limits, as often as it has lives.

Without seccomp (other systems and machines), signals and processes are limited only as `confine`
says; without Landlock, a child of root can write to what root owns below /proc, /sys and /dev, such
as the parent's oom_score_adj, and a child of anybody can open other processes of the user than the
parent. Without Linux, nothing keeps it from the parent. A child of root cannot read files that
belong to others and are closed to all.
"""

import ctypes
import errno
import os
import signal
import struct
import sys
import threading
from contextlib import suppress

from minicnn.gradcheck.apart import landlock

try:
    import resource
except ImportError:  # Windows
    resource = None

FILE_BYTES = 1 << 24  # the longest file that may be written
MEGABYTE = 1 << 20
LACKING = ("memory", "processor time", "file size", "processes", "signals")

END_WITH, GET_DUMPABLE, DUMPABLE, SECCOMP, DROP, NO_NEW_PRIVILEGES = (  # prctl's numbers
    1, 3, 4, 22, 24, 38)
FILTER = 2
CAPABILITIES = 0x20080522  # the version of the kernel's own structure
NOT_WRITTEN, WRITTEN = ("proc", "sys", "dev"), ("/dev/null", "/dev/zero", "/dev/full")
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # the filter's instructions
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24  # where it finds a call's number, ..., arguments
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
THREAD = 0x10000  # the flag of clone that starts a thread, not a process
OTHER_TABLE = 0x40000000  # numbers from here on are the same calls in another table (x32)

CALLS = {  # the machine's code, and the numbers of calls, by what the filter does with them
    "x86_64": (0xC000003E, {
        "refused": (57, 58, 59, 322, 101, 200, 272, 308, 310, 311, 424, 434, 438, 440, 448,
                    29, 30, 31, 64, 68, 240, 319, 447, 141, 251, 256, 279, 312, 298, 321, 323,
                    425, 426, 427, 248, 249, 250),
        "own process only": (62, 234, 129, 297, 302, 203, 142, 144, 314), "threads only": 56,
        "absent": 435, "no owner": (72, 16), "no other parent": 157,
        "walled": (41, 42, 43, 46, 47, 49, 50, 53, 288, 299, 307, 76, 90, 91, 92, 93, 94, 260, 268,
                   452, 132, 235, 261, 280, 188, 189, 190, 197, 198, 199, 463, 466, 253, 294, 300,
                   303, 304, 155, 161, 165, 166, 428, 429, 430, 432, 433, 442, 103, 109, 112, 133,
                   135, 170, 259),
        "sealed": (2, 257, 437, 85, 4, 6, 262, 332, 21, 269, 439, 78, 217, 80, 82, 83, 84, 86, 87,
                   88, 89, 263, 264, 258, 265, 266, 267, 316, 59, 137)}),
    "aarch64": (0xC00000B7, {
        "refused": (221, 281, 117, 130, 97, 268, 270, 271, 424, 434, 438, 440, 448,
                    194, 196, 195, 190, 186, 180, 279, 447, 140, 30, 238, 239, 272, 241, 280, 282,
                    425, 426, 427, 217, 218, 219),
        "own process only": (129, 131, 138, 240, 261, 122, 118, 119, 274), "threads only": 220,
        "absent": 435, "no owner": (25, 29), "no other parent": 167,
        "walled": (198, 199, 200, 201, 202, 203, 211, 212, 242, 243, 269, 45, 52, 53, 54, 55, 452,
                   88, 5, 6, 7, 14, 15, 16, 463, 466, 26, 262, 264, 265, 39, 40, 41, 51, 428, 429,
                   430, 432, 433, 442, 116, 154, 157, 33, 92, 161),
        "sealed": (56, 437, 79, 291, 48, 439, 61, 49, 34, 35, 36, 37, 38, 276, 78, 43)}),
}
# refused: fork, vfork, execve, execveat, ptrace, tkill, unshare, setns, process_vm_readv and
# process_vm_writev, pidfd_send_signal, pidfd_open, pidfd_getfd, process_madvise, process_mrelease;
# shmget, shmat, shmctl, semget, msgget, mq_open, memfd_create, memfd_secret; setpriority,
# ioprio_set, migrate_pages, move_pages, kcmp; perf_event_open, bpf, userfaultfd, io_uring's three,
# add_key, request_key, keyctl
# own process only: kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, prlimit64, sched_setaffinity,
# sched_setparam, sched_setscheduler, sched_setattr
# threads only: clone; absent: clone3, for which clone is then used
# no owner: fcntl and ioctl, which can have the system signal the owner of an open file, and type
# into a terminal; no other parent: prctl, which could undo that the process ends with its parent
# walled, for a process behind a wall: socket and what makes or uses one but for send and recv;
# truncate by name, chmod, chown, utime, setxattr and their kin; inotify, fanotify, file handles;
# chroot, pivot_root, mount and their kin; syslog, setpgid, setsid, mknod, personality, sethostname
# sealed, where nothing else keeps files out: open, creat, stat, access, getdents, chdir, readlink,
# rename, mkdir, link, unlink, statfs and their kin
OWNER = (8, 10, 15, 0x8901, 0x8902,  # F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP
         0x5412, 0x541C, 0x540E, 0x5410, 0x541D)  # TIOCSTI, -LINUX, -SCTTY, -SPGRP, -CONS


def confine(memory_mb):
    """Limit this process's memory, files, processes and signals; returns what cannot be limited.

    Parameters
    ----------
    memory_mb : int
        Megabytes of address space, beyond what is in use now.

    Returns
    -------
    list of str
        Some of `LACKING`.
    """
    if resource is None:
        return list(LACKING)
    give_up_capabilities()
    _wall()
    filtered = refuse_calls()
    limits = {"memory": ("RLIMIT_AS", used() + memory_mb * MEGABYTE), "file size": ("RLIMIT_FSIZE",
              FILE_BYTES), "core": ("RLIMIT_CORE", 0)}
    if not filtered:
        limits["processes"] = ("RLIMIT_NPROC", 0)
    lacks = [what for what, (name, value) in limits.items() if not limit(name, value)]
    if not filtered:
        lacks += ["signals"] + ["processes"] * (os.geteuid() == 0 and "processes" not in lacks)
    if sys.platform == "darwin" and "memory" not in lacks:
        lacks += ["memory"]  # the limit can be set there but has no effect
    return sorted({*lacks} & {*LACKING}, key=LACKING.index)


def used():
    """Bytes of address space in use, as far as the system says."""
    with suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
    return 0


def allow_processor_time(seconds):
    """Let this process use so many seconds of processor time from now on."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit("RLIMIT_CPU", int(used.ru_utime + used.ru_stime + seconds) + 1, hard=False)


def limit(name, value, hard=True):
    """Set one of the system's limits, to be undone by nobody if `hard`; returns whether it did."""
    try:
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value if hard else most))
    except (AttributeError, ValueError, OSError):
        return False
    return True


# ---- the parent

class Hidden:
    """Keeps this process closed to others of the same user while any of them is in use.

    Linux lets a process open the memory and the files of another of the same user, below
    /proc/PID, unless that one has set itself to "not dumpable". Nor can a debugger then attach.
    """

    now, lock = set(), threading.RLock()  # a finalizer may come in at any point of the same thread
    before = 1

    def __init__(self):
        with self.lock:
            if not self.now and sys.platform == "linux":
                Hidden.before = _prctl(GET_DUMPABLE)
                _prctl(DUMPABLE, 0)
            self.now.add(id(self))

    def end(self):
        """Open this process again, if no other of these is in use."""
        with self.lock:
            self.now.discard(id(self))
            if not self.now and sys.platform == "linux" and self.before == 1:
                _prctl(DUMPABLE, 1)


def end_with(parent):
    """Have the system kill this process when the thread that has started it ends.

    Parameters
    ----------
    parent : int
        The number of its process.
    """
    if sys.platform == "linux":
        _prctl(END_WITH, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before
            os._exit(0)


# ---- capabilities and Landlock

def _prctl(number, *given):
    """Call prctl; returns what it returns, -1 for an error."""
    given = [*given, 0, 0, 0, 0][:4]
    return ctypes.CDLL(None).prctl(number, *map(ctypes.c_ulong, given))


def give_up_capabilities():
    """Drop all capabilities of this process, and of what it could start."""
    if sys.platform != "linux":
        return
    for one in range(64):
        _prctl(DROP, one)
    ctypes.CDLL(None).capset(struct.pack("Ii", CAPABILITIES, 0), bytes(24))


def _wall():
    """Have Landlock refuse to write below `NOT_WRITTEN` and to look into any other process."""
    version = landlock.version()
    if not version:
        return
    move = landlock.MOVE if version > 1 else 0  # in version 1, nothing moves to another folder
    written = [f"/{name}" for name in [*os.listdir("/"), os.getcwd()] if name not in NOT_WRITTEN]
    rules = [("/", move)] * bool(move) + [
        (path, landlock.WRITE) for path in [*written, *WRITTEN]]
    landlock.restrict(landlock.WRITE | move, rules)


# ---- the filter

class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("true", ctypes.c_uint8), ("false", ctypes.c_uint8),
                ("value", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction))]


def refuse_calls(*more):
    """Load the filter; returns whether the system has taken it. `more` names further groups of
    `CALLS` to be refused."""
    if sys.platform != "linux" or os.uname().machine not in CALLS:
        return False
    machine, calls = CALLS[os.uname().machine]
    refused = [number for group in ("refused", *more) for number in calls[group]]
    steps = [_Instruction(*step) for step in _filter(machine, calls | {"refused": refused},
                                                     os.getpid())]
    program = _Program(len(steps), (_Instruction * len(steps))(*steps))
    return (_prctl(NO_NEW_PRIVILEGES, 1) == 0
            and _prctl(SECCOMP, FILTER, ctypes.addressof(program)) == 0)


def _filter(machine, calls, pid):
    """The filter's instructions: (code, steps to skip if true, if false, value)."""
    def when(numbers, then):
        return [step for number in numbers for step in [(EQUAL, 0, len(then), number), *then]]

    refuse, allow = (RETURN, 0, 0, REFUSE | errno.EPERM), (RETURN, 0, 0, ALLOW)
    own = [(LOAD, 0, 0, FIRST), (EQUAL, 2, 0, pid), (EQUAL, 1, 0, 0), refuse, allow]
    thread = [(LOAD, 0, 0, FIRST), (ANY_BIT, 1, 0, THREAD), refuse, allow]
    return [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, machine), refuse,
            (LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, OTHER_TABLE), refuse,
            *when(calls["refused"], [refuse]),
            *when(calls["own process only"], own),
            *when([calls["threads only"]], thread),
            *when(calls["no owner"], [(LOAD, 0, 0, SECOND), *when(OWNER, [refuse]), allow]),
            *when([calls["no other parent"]], [
                (LOAD, 0, 0, FIRST), *when([END_WITH], [refuse]), allow]),
            *when([calls["absent"]], [(RETURN, 0, 0, REFUSE | errno.ENOSYS)]),
            allow]

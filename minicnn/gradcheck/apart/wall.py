"""The wall that a process puts around itself, layer by layer, before it runs a stranger's file.

Every layer is put on where the system offers it; `LAYERS` says what each keeps out. None of them
can be taken off again. `missing` says what no layer keeps out, of what a grader cannot do without.
The namespaces come first, with `separate`; `enclose` puts on all the others.

Which there are, depends on the system:

- Linux, root with all its rights (a virtual machine): all but "user namespace" and "sealed".
- Linux, an ordinary user: a user namespace in place of a user of its own, and in it all others.
- Root in a container, which may not make namespaces: a user of its own if that one can read the
  library, Landlock, the calls refused, the limits.
- A container whose kernel has no Landlock, too: "sealed". No file can be opened, none written, and
  of the library there is what the file imports by name when it starts.
- Other systems: limits and the clock. `missing` then says why a grader refuses.

What is left open:

- With Landlock alone, and no root folder of its own, the file can ask whether a path exists, how
  long and how old a file is; in the library's folder it can read the names of packages that it
  cannot open. It can fill the disk below its folder, 16 MB a file, until its time is over.
- With "calls" refused only on machines of `limits.CALLS` (x86-64 and ARM in 64 bits), others need
  both a namespace of processes and their number limited.
- Memory is limited for the process, not for the machine: besides `memory_mb` it can hold 64 MB of
  files, and what the kernel keeps for 64 open files.
- It has as many processors as the machine has, with threads, until its time is over.
- The time that it takes, and nothing else, could tell something to another such process.
"""

import os
import random
import signal
import sys
from contextlib import suppress

from minicnn.gradcheck.apart import landlock, limits, places, root

LAYERS = {
    "user": "an id of its own, to which no file belongs and no other process",
    "user namespace": "none of its user's rights over the machine",
    "processes": "a namespace of processes: it sees and signals none but its own; they end with it",
    "network": "a namespace of networks: there is none in it",
    "ipc": "a namespace for shared memory and queues",
    "host name": "a name of its own for the machine",
    "root": "a root folder of its own: the library, NumPy, 64 MB to write in, and no /proc",
    "capabilities": "none of root's rights",
    "no new privileges": "no program raises its rights",
    "Landlock files": "reads below the library and NumPy only, writes in its folder only",
    "Landlock network": "no TCP",
    "Landlock signals": "no signals and no abstract sockets to others",
    "calls": "no fork, exec, ptrace, kill, socket, mount, chmod and their kin",
    "sealed": "no file is opened at all; put on where nothing else keeps it from them",
    "memory": "a limit on memory",
    "file size": "files of 16 MB at most",
    "open files": "64 open files at most",
    "process number": "a few threads at most",
    "core": "no dump of its memory",
    "clock": "all is killed when its time is over, and at the end",
}
MINIMUM = {  # what must be kept out: the sets of layers that each do so
    "files": ({"root"}, {"Landlock files"}, {"sealed"}),
    "network": ({"network"}, {"calls"}),
    "processes": ({"calls"}, {"processes", "process number"}),
    "memory": ({"memory"},),
    "time": ({"clock"},),
}
SAID = {"files": "keep it from your files", "network": "keep it from the network",
        "processes": "keep it from starting and disturbing processes",
        "memory": "limit its memory", "time": "stop it"}
NOBODY, IDS = 65534, range(61184, 65520)  # ids that no user has
OPEN_FILES, THREADS = 64, 32


def missing(layers):
    """What these layers leave open of what a grader cannot do without, in words; "" for nothing."""
    open_ones = [SAID[what] for what, ways in MINIMUM.items()
                 if not any(way <= {*layers} for way in ways)]
    return f"this system cannot {', cannot '.join(open_ones)}" if open_ones else ""


def enclose(memory_mb, numpy_file, wanted, made, imports=()):
    """Put on every other layer; returns the names of all that are in force.

    Parameters
    ----------
    memory_mb : int
        What the file may use beyond what is in use now.
    numpy_file : str
        ``numpy.__file__``.
    wanted, made : set of str
        The layers to be tried, and those in force.
    imports : iterable of str
        The modules of the library that a sealed process is to have.
    """
    made = {*made, *({"clock"} & wanted)}
    made |= _limited({"memory": ("RLIMIT_AS", limits.used() + memory_mb * limits.MEGABYTE),
                      "file size": ("RLIMIT_FSIZE", limits.FILE_BYTES),
                      "open files": ("RLIMIT_NOFILE", OPEN_FILES), "core": ("RLIMIT_CORE", 0)},
                     wanted)
    folder = os.getcwd()
    if sys.platform == "linux":
        seen = places.places(numpy_file)
        made |= _own_root(folder, seen, wanted)
        folder = os.getcwd()
        made |= _own_user(folder, wanted, numpy_file) | _without_rights(wanted)
    if made & {"user", "user namespace"} or sys.platform != "linux":
        made |= _limited({"process number": ("RLIMIT_NPROC", THREADS)}, wanted)
    if sys.platform == "linux":
        made |= _landlocked(folder, seen, wanted)
        made |= _without_calls(wanted, made, imports)
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR"), folder))
    return made


def _limited(kinds, wanted):
    if limits.resource is None:
        return set()
    done = {name for name, (kind, value) in kinds.items()
            if name in wanted and limits.limit(kind, value)}
    return done - {"memory"} if sys.platform == "darwin" else done  # where it has no effect


def _own_root(folder, seen, wanted):
    if "root" not in wanted:
        return set()
    try:
        root.enter(folder, seen)
    except OSError:
        return set()
    return {"root"}


def _own_user(folder, wanted, numpy_file):
    """Become a user of its own, if it is root and that user can still read the library."""
    if os.geteuid() != 0 or "user" not in wanted:
        return set()
    number, needed = _free_id(), [path for path in (*sys.path, os.path.dirname(numpy_file))
                                  if os.path.isdir(path)]  # looked for with all rights
    with suppress(OSError):
        os.setgroups([])
    try:
        os.chown(folder, number, number)
        os.setresgid(number, number, 0)
        os.setresuid(number, number, 0)
        for path in needed:
            os.listdir(path)
        os.setresuid(0, 0, 0)
        os.setresgid(number, number, number)
        for right in range(64):
            limits._prctl(limits.DROP, right)
        os.setresuid(number, number, number)
    except OSError:
        with suppress(OSError):
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)
            os.chown(folder, 0, 0)
        return set()
    limits._prctl(limits.END_WITH, signal.SIGKILL)
    return {"user"}


def _free_id():
    """An id that no user of the system has."""
    with suppress(ImportError, KeyError):
        import pwd

        for number in random.SystemRandom().sample(IDS, 20):
            try:
                pwd.getpwuid(number)
            except KeyError:
                return number
    return NOBODY


def _without_rights(wanted):
    done = set()
    if "capabilities" in wanted:
        limits.give_up_capabilities()
        done.add("capabilities")
    if "no new privileges" in wanted and limits._prctl(limits.NO_NEW_PRIVILEGES, 1) == 0:
        done.add("no new privileges")
    return done


def _landlocked(folder, seen, wanted):
    version = landlock.version()
    files = "Landlock files" in wanted and version >= 3
    tcp, scoped = "Landlock network" in wanted and version >= 4, (
        "Landlock signals" in wanted and version >= 6)
    if not (files or tcp or scoped):
        return set()
    rules = [(folder, landlock.READ | landlock.LIST | landlock.CHANGE)] if files else []
    for path, hidden in seen.items() if files else ():
        rights = landlock.READ | landlock.LIST | (
            landlock.WRITE if path in places.DEVICES else 0)
        if hidden:
            rules += [(f"{path}/{name}", rights) for name in os.listdir(path) if name not in hidden]
            rules += [(path, landlock.LIST)]
        else:
            rules += [(path, rights)]
    handled = landlock.all_rights() if files else 0
    if not landlock.restrict(handled, rules, tcp, scoped):
        return set()
    return {name for name, is_in in (("Landlock files", files), ("Landlock network", tcp),
                                     ("Landlock signals", scoped)) if is_in}


def _without_calls(wanted, made, imports):
    if "calls" not in wanted:
        return set()
    sealed = "sealed" in wanted and not made & {"root", "Landlock files"}
    if sealed:
        places.import_all(imports)
    done = {"calls", "sealed"} if sealed else {"calls"}
    return done if limits.refuse_calls("walled", *["sealed"] * sealed) else set()

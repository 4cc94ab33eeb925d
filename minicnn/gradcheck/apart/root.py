"""A root folder of its own: a process sees the places it is given, read-only, and one folder.

It needs the right to mount, root's own or that of a user namespace. The folders are shown where
they are, so that Python finds them; between them there is nothing, not even /proc.
"""

import ctypes
import os

READ_ONLY, NO_SUID, NO_DEVICES = 1, 2, 4  # of mount
BIND, REC, PRIVATE = 4096, 16384, 1 << 18
NEW_MOUNTS, DETACH = 0x20000, 2
SET_ATTRIBUTES, HERE, RECURSIVE = 442, -100, 0x8000  # mount_setattr and its numbers
OWN, SIZE = "/own", "size=64m,nr_inodes=4096,mode=1777"  # the one folder to write in


def enter(folder, places):
    """Make `folder` the root of this process; raises OSError where that is not allowed.

    Parameters
    ----------
    folder : str
        An empty folder, on which the new root is mounted.
    places : dict
        As `minicnn.gradcheck.apart.places.places` gives them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _did(libc.unshare(NEW_MOUNTS))
    _mount(None, "/", None, REC | PRIVATE)
    _mount("tmpfs", folder, "tmpfs", NO_SUID | NO_DEVICES, "size=1m,nr_inodes=4096,mode=755")
    try:
        _fill(folder, places)
        os.chdir(folder)
        _did(libc.pivot_root(b".", b"."))
    except OSError:
        libc.umount2(os.fsencode(folder), DETACH)
        raise
    _did(libc.umount2(b".", DETACH))
    os.chdir(OWN)


def _fill(folder, places):
    for path in sorted(places, key=len):
        _show(folder, path, places[path])
    for name in ("/lib", "/lib64", "/bin"):
        if os.path.islink(name) and not os.path.lexists(folder + name):
            os.symlink(os.readlink(name), folder + name)
    os.makedirs(folder + OWN, exist_ok=True)
    _read_only(folder)
    _mount("tmpfs", folder + OWN, "tmpfs", NO_SUID | NO_DEVICES, SIZE)


def _show(folder, path, hidden):
    """Mount one place below the new root, read-only, its hidden names covered."""
    target = folder + path
    if os.path.exists(target) and os.path.samefile(target, path):
        return  # in a place that is shown already
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(path, target, None, BIND | REC)
    _read_only(target)
    for name in hidden:
        inner = f"{target}/{name}"
        if os.path.isdir(inner) and not os.path.islink(inner):
            _mount("tmpfs", inner, "tmpfs", NO_SUID | NO_DEVICES, "size=64k,mode=755")


def _read_only(path):
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY | NO_SUID, 0, 0, 0)
    _did(ctypes.CDLL(None, use_errno=True).syscall(
        SET_ATTRIBUTES, HERE, path.encode(), RECURSIVE, attributes,
        ctypes.c_size_t(ctypes.sizeof(attributes))))


def _mount(what, where, kind, flags, options=None):
    given = [None if part is None else os.fsencode(part) for part in (what, where, kind, options)]
    _did(ctypes.CDLL(None, use_errno=True).mount(
        *given[:3], ctypes.c_ulong(flags), given[3]))


def _did(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

"""Every layer of the wall against an attempt that must fail: all together, and each by itself."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import minicnn
from minicnn.gradcheck.apart import landlock, launch, limits, places, wall
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.apart.walled import Walled
from minicnn.gradcheck.own.errors import OwnError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")
LONG, SHORT = 60, 1  # seconds
SPACES = {"user namespace", "processes", "network", "ipc", "host name", "root"}
LANDLOCK = {"Landlock files", "Landlock network", "Landlock signals"}
ALWAYS = {"clock", "memory"}
FILE = """
import ctypes, gc, glob, importlib.machinery, mmap, os, resource, select, signal, socket, sys
import threading, time
import numpy as np

LIBC = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result

def is_open(file):
    try:
        return bool(os.get_inheritable(file)) or True
    except OSError:
        return False

def run(code, given):
    names, path, files = {"given": given}, [*sys.path], {*filter(is_open, range(600))}
    try:
        exec(code, globals(), names)
        return names["y"]
    finally:
        sys.path[:] = path
        [os.close(file) for file in range(600) if is_open(file) and file not in files]

def attack(code, given):
    run(f"{code}\\nassert y is not None\\ny = True", given)
"""
SYSTEMS = {  # what is left of the layers on other systems
    "all": {*wall.LAYERS}, "no root": {*wall.LAYERS} - {"user"},
    "no namespaces": {*wall.LAYERS} - SPACES, "no Landlock": {*wall.LAYERS} - LANDLOCK,
    "no calls": {*wall.LAYERS} - {"calls", "sealed"},
    "sealed": {*wall.LAYERS} - SPACES - LANDLOCK}
REFUSED = (OSError, AttributeError, ImportError, MemoryError, ValueError)


def started(layers, **options):
    """A walled process with these layers; skips if the system lacks one that a test is about."""
    options = {"seconds": LONG, "import_seconds": LONG, "memory_mb": 256} | options
    return Walled(FILE, "own.py", layers=layers, minimum=False, **options)


@pytest.fixture(scope="module", params=[
    name if name in ("all", "sealed") else pytest.param(name, marks=pytest.mark.thorough)
    for name in SYSTEMS])
def walled(request):
    """A process on each of the systems."""
    with started(SYSTEMS[request.param]) as one:
        yield one


class World:
    """What an attack is after: files, sockets and processes outside."""

    def __init__(self, folder):
        self.secret = secrets.token_hex(8)
        folder.chmod(0o777)
        self.folder, self.file = str(folder), folder / "secret"
        self.file.write_text(self.secret)
        self.file.chmod(0o666)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.abstract = f"minicnn-{self.secret}"
        self.local = socket.socket(socket.AF_UNIX)
        self.local.bind(f"\0{self.abstract}")
        self.local.listen()
        self.popen = subprocess.Popen([sys.executable, "-c", "input('>')"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        self.popen.stdout.read(1)  # it has started
        self.victim, self.parent = self.popen.pid, os.getpid()
        self.address = Path(f"/proc/{self.victim}/maps").read_text().partition("-")[0]
        self.package = str(Path(minicnn.__file__).parent)
        self.bytecode = str(next(Path(self.package).glob("__pycache__/*.pyc"), self.file))
        self.home = str(Path.home())
        self.site = str(Path(np.__file__).parents[1])

    def as_dict(self):
        """What crosses."""
        return {name: value for name, value in vars(self).items() if type(value) in (str, int)} | {
            "file": str(self.file)}

    def close(self):
        self.listening.close()
        self.local.close()
        self.popen.communicate(b"\n")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The world outside, unharmed at the end."""
    for folder in (base := tmp_path_factory.mktemp("world")).parents:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    one = World(base)
    yield one
    one.close()
    assert one.popen.returncode == 0 and one.file.read_text() == one.secret
    assert [*base.iterdir()] == [one.file] and one.file.stat().st_mode & 0o777 == 0o666


FILES, WRITES = {"root", "Landlock files", "sealed"}, {"root", "Landlock files", "sealed"}
ATTACKS = {  # an attempt, and the layers each of which stops it alone
    "read a file": ("y = open(given['file']).read()", FILES),
    "read a file below": ("y = os.open(given['file'], os.O_RDONLY)", FILES),
    "read the package": ("y = open(given['package'] + '/__init__.py').read()", FILES),
    "read its bytecode": ("y = open(given['bytecode'], 'rb').read()", FILES),
    "import the package": (
        "sys.path[:0] = [os.path.dirname(given['package']), given['site']]\nimport minicnn.ops\n"
        "y = 1", FILES),
    "import a package": ("sys.path.insert(0, given['site'])\nimport pytest\ny = 1", FILES),
    "load the package": (
        "y = importlib.machinery.SourceFileLoader('m', given['package'] + '/rooms.py')"
        ".load_module()", FILES),
    "list the packages": (
        "y = os.listdir(given['site'])\nassert {*y} - {'numpy', 'numpy.libs'}", FILES),
    "list the home": ("y = os.listdir(given['home'])\nassert {*y} - {'.pyenv', 'lib'}", FILES),
    "list the root": ("y = os.listdir('/')\nassert 'home' in y", FILES),
    "glob": ("y = glob.glob('/home/*') + glob.glob('/*/*/.git') + glob.glob(given['folder'] + '/*')"
             "\nassert y", FILES),
    "walk": ("y = [f for f in os.walk(given['folder'])]\nassert y", FILES),
    "read passwd": ("y = open('/etc/passwd').read()", FILES),
    "read the parent's memory": ("y = open('/proc/%d/mem' % given['parent'], 'rb')",
                                 FILES | {"user"}),
    "read the parent's environment": ("y = open('/proc/%d/environ' % given['parent'], 'rb').read()",
                                      FILES | {"user"}),
    "read the parent's command line": (
        "y = open('/proc/%d/cmdline' % given['parent'], 'rb').read()", FILES),
    "list processes": ("y = [n for n in os.listdir('/proc') if n.isdigit()]\nassert len(y) > 3",
                       FILES),
    "read a file with a system call": (
        "y = checked(LIBC.open(given['file'].encode(), 0))", FILES),
    "write a file": ("open(given['file'], 'a').write('x')\ny = 1", WRITES),
    "make a file": ("open(given['folder'] + '/new', 'w')\ny = 1", WRITES),
    "make a folder": ("os.mkdir(given['folder'] + '/new')\ny = 1", WRITES),
    "make a link": ("os.symlink('/etc', given['folder'] + '/new')\ny = 1", WRITES),
    "remove a file": ("os.remove(given['file'])\ny = 1", WRITES),
    "rename a file": ("os.rename(given['file'], given['file'] + '2')\ny = 1", WRITES),
    "truncate a file": ("os.truncate(given['file'], 0)\ny = 1", WRITES | {"calls"}),
    "chmod": ("os.chmod(given['file'], 0)\ny = 1", {"root", "calls"}),
    "touch": ("os.utime(given['file'], (0, 0))\ny = 1", {"root", "calls"}),
    "write to numpy": ("open(np.__file__, 'a')\ny = 1", FILES | {"user"}),
    "write to the library": ("open(os.__file__ + 'x', 'w')\ny = 1", FILES | {"user"}),
    "TCP": ("socket.create_connection(('127.0.0.1', given['port']), 5)\ny = 1",
            {"network", "Landlock network", "calls"}),
    "TCP server": ("socket.create_server(('', 0))\ny = 1",
                   {"Landlock network", "calls"}),
    "UDP": ("socket.socket(2, 2).sendto(b'x', ('127.0.0.1', given['port']))\ny = 1",
            {"network", "calls"}),
    "a socket pair": ("socket.socketpair()\ny = 1", {"calls"}),
    "abstract sockets": (
        "one = socket.socket(socket.AF_UNIX)\none.connect('\\0' + given['abstract'])\ny = 1",
        {"network", "Landlock signals", "calls"}),
    "fork": ("y = os.fork()\nif not y: os._exit(0)", {"calls"}),
    "exec": ("os.execv(sys.executable, ['python'])", {"calls", "root", "Landlock files"}),
    "spawn": ("import subprocess\ny = subprocess.run(['/bin/true']).returncode",
              {"calls", "root", "Landlock files"}),
    "signal the parent": ("os.kill(given['parent'], 0)\ny = 1",
                          {"calls", "processes", "Landlock signals", "user"}),
    "kill another": ("os.kill(given['victim'], 9)\ny = 1",
                     {"calls", "processes", "Landlock signals", "user"}),
    "kill all": ("os.kill(-1, 9)\ny = 1", {"calls"}),
    "ptrace": ("checked(LIBC.ptrace(16, given['victim'], 0, 0))\ny = 1",
               {"calls", "processes", "Landlock files", "user"}),
    "a descriptor of another": (
        "y = checked(LIBC.syscall(438, checked(LIBC.syscall(434, given['victim'], 0)), 0, 0))",
        {"calls", "processes", "Landlock files", "user"}),
    "read another's memory": (
        "room = ctypes.create_string_buffer(8)\nhere, there = [(ctypes.c_void_p * 2)(place, 8) for "
        "place in (ctypes.addressof(room), int(given['address'], 16))]\n"
        "y = checked(LIBC.process_vm_readv(given['victim'], here, 1, there, 1, 0))",
        {"calls", "processes", "Landlock files", "user"}),
    "slow another": ("os.setpriority(os.PRIO_PROCESS, given['victim'], 19)\ny = 1",
                     {"calls", "processes", "user"}),
    "leave the group": ("os.setsid()\ny = 1", {"calls"}),
    "mount": ("checked(LIBC.mount(b'x', b'/', b'tmpfs', 0, None))\ny = 1",
              {"calls", "capabilities", "user", "Landlock files"}),
    "new namespaces": ("checked(LIBC.unshare(0x10020000))\ny = 1", {"calls"}),
    "become root": ("os.setuid(0)\nos.setgroups([1])\ny = 1", {"user", "capabilities"}),
    "another's id": ("os.setuid(1)\ny = 1", {"user", "capabilities"}),
    "raise a limit": ("resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\ny = 1",
                      {"user", "capabilities"}),
    "memory": ("y = np.ones(1 << 27).sum()", {"memory"}),
    "memory in threads": ("y = [np.ones(1 << 22) for _ in range(20)][0][0]", {"memory"}),
    "mapped memory": ("y = len(mmap.mmap(-1, 1 << 30))", {"memory"}),
    "a file in memory": ("y = os.memfd_create('x')", {"calls"}),
    "shared memory": ("y = checked(LIBC.shmget(0, 1 << 20, 0o1600))", {"calls"}),
    "long files": (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nwith open('long', 'wb') as file:\n"
        "    file.truncate(1 << 30)\ny = 1", {"file size"}),
    "many files": ("y = [os.dup(1) for _ in range(500)]", {"open files"}),
    "many threads": (
        "import _thread\nfor _ in range(500): _thread.start_new_thread(time.sleep, (1,))\ny = 1",
        {"process number"}),
    "bpf": ("y = checked(LIBC.syscall(321 if os.uname().machine == 'x86_64' else 280, 0, 0, 0))",
            {"calls", "user", "capabilities"}),
    "the kernel's log": ("y = checked(LIBC.klogctl(3, ctypes.create_string_buffer(99), 99))",
                         {"calls"}),
    "type into a terminal": ("import fcntl\nfcntl.ioctl(1, 0x5412, b'x')\ny = 1", {"calls"}),
}



def refused(walled, world, code):
    """Whether a process could not do it."""
    try:
        walled.call("attack", code, world.as_dict())
    except OwnError as error:
        assert "SyntaxError" not in str(error) and "NameError" not in str(error), error
        return True
    except Died as died:
        assert re.search("signal|processor|os._exit", died.reason), died
        return True
    return False


def able(attack, layers):
    """Whether the layers in force keep an attack out."""
    return bool(ATTACKS[attack][1] & {*layers})


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_fails(walled, world, attack):
    if not able(attack, walled.layers):
        pytest.skip(f"needs one of {', '.join(sorted(ATTACKS[attack][1]))}")
    assert refused(walled, world, ATTACKS[attack][0])


ALONE = [(attack, layer) for attack, (_, layers) in ATTACKS.items() for layer in sorted(layers)]


@pytest.mark.thorough
@pytest.mark.parametrize("attack, layer", ALONE)
def test_a_layer_alone_stops_it(world, attack, layer):
    """With `calls` put on for `sealed`; as root, whose rights stop nothing."""
    layers = {layer} | ({"calls"} if layer == "sealed" else set())
    layers |= {"memory"} if attack == "raise a limit" else set()
    with started(layers) as one:
        if layer not in one.layers:
            pytest.skip(f"this system has no {layer}")
        assert refused(one, world, ATTACKS[attack][0])


HARMLESS = {"memory", "memory in threads", "mapped memory", "many files", "long files", "TCP",
            "UDP", "abstract sockets", "fork", "read a file", "list the root", "signal the parent",
            "read the parent's command line", "leave the group", "a file in memory", "spawn",
            "read the package", "read its bytecode", "import the package", "import a package",
            "load the package", "list the packages", "glob", "walk", "read passwd",
            "read the parent's environment", "list processes", "read a file with a system call",
            "TCP server", "a socket pair", "shared memory", "many threads", "raise a limit",
            "slow another", "a descriptor of another", "read another's memory"}


@pytest.mark.thorough
@pytest.mark.parametrize("attack", sorted(HARMLESS))
def test_without_any_layer_it_works(world, attack):
    """The attempts are real: a process without a wall does what the walled one cannot."""
    with started(set()) as one:
        assert not refused(one, world, ATTACKS[attack][0])


# ---- what there is to find

@pytest.mark.parametrize("layers", SYSTEMS)
def test_there_is_nothing_to_find_and_all_to_compute_with(world, layers):
    code = """
y = {"argv": sys.argv, "orig": [a for a in sys.orig_argv if "load(name" not in a], "env":
     dict(os.environ), "path": sys.path, "cwd": os.getcwd(), "modules": [*sys.modules],
     "main": [*vars(sys.modules["__main__"])], "stdin": sys.stdin.read()}
"""
    with started(SYSTEMS[layers]) as one:
        found = one.call("run", code, {})
        drawn = one.call("run", "y = np.__version__, np.random.default_rng(0).random()", {})
        solved = one.call("run", "y = np.linalg.det(2 * np.eye(3))", {})
        if "sealed" not in one.layers:
            code = "open('x.txt', 'w').write('a')\ny = open('x.txt').read(), os.listdir('.')"
            assert one.call("run", code, {}) == ("a", ["x.txt"])
    assert {*found["env"]} <= {"HOME", "TMPDIR", "LANG", "PYTHONHASHSEED", "OMP_NUM_THREADS",
                               "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
                               "LC_CTYPE"}
    assert found["argv"] == ["-c"] and found["stdin"] == ""
    assert not any(name.partition(".")[0] == "minicnn" for name in found["modules"])
    assert not any("-packages" in path for path in found["path"])
    assert world.secret not in str(found)
    assert drawn == (np.__version__, np.random.default_rng(0).random())
    assert solved == pytest.approx(8)


def test_the_layers_here_are_told(walled):
    assert {*walled.layers} <= {*wall.LAYERS} and walled.layers[-1] == "clock"
    assert list(walled.layers) == sorted(walled.layers, key=[*wall.LAYERS].index)
    assert ("sealed" in walled.layers) <= (not {"root", "Landlock files"} & {*walled.layers})


def test_other_systems_still_have_the_minimum(walled):
    if limits.refuse_calls and os.uname().machine in limits.CALLS:
        left = wall.missing(walled.layers)
        assert left == "" or "calls" not in walled.layers


def test_processes_of_one_parent_do_not_meet(world):
    with started({*wall.LAYERS}) as one, started({*wall.LAYERS}) as two:
        one.call("run", "open('mine', 'w').write('x')\ny = 1", {})
        if "sealed" not in one.layers:
            assert two.call("run", "y = os.listdir('.')", {}) == []
        if "user" in one.layers:
            uids = [each.call("run", "y = os.getuid()", {}) for each in (one, two)]
            assert 0 not in uids


def test_threads_that_linger_end_with_it(tmp_path):
    with started({*wall.LAYERS}) as one:
        before = threading.active_count()
        one.call("run", "threading.Thread(target=time.sleep, args=(1000,)).start()\ny = 1", {})
        process = one.process
    assert process.popen.returncode == -signal.SIGKILL and threading.active_count() < before + 1


def test_memory_of_the_machine_is_not_filled_with_files():
    with started({*wall.LAYERS}) as one:
        if "root" not in one.layers:
            pytest.skip("needs a root folder of its own")
        with pytest.raises(OwnError, match="No space left"):
            one.call("run", "for n in range(99): open(str(n), 'wb').write(bytes(1 << 23))", {})


def test_a_sealed_process_has_what_its_file_imports():
    source = ("import graphlib , numpy.char as c,colorsys\nfrom xml.dom import minidom as m\n"
              "from numpy.lib import (scimath, mixins)\nimport this, antigravity, json.__main__\n"
              "def run(): return 1\n")
    names = launch._imports(source.encode())
    assert names == ["graphlib", "numpy.char", "colorsys", "xml.dom", "xml.dom.minidom",
                     "numpy.lib", "numpy.lib.scimath", "numpy.lib.mixins", "this",
                     "antigravity", "json.__main__"]
    with pytest.raises(OwnError, match=r"No module named 'this' \(line 4\)"):
        Walled(source, layers=SYSTEMS["sealed"], import_seconds=LONG)
    source = source.replace("import this, antigravity, json.__main__\n", "\n")
    with Walled(source, layers=SYSTEMS["sealed"], import_seconds=LONG) as one:
        assert one.call("run") == 1 and "sealed" in one.layers


def test_the_version_of_landlock_is_a_number():
    assert landlock.version() >= 0 and bin(landlock.all_rights()).count("0b0") <= 1


def test_the_places_hide_packages(monkeypatch):
    library = os.path.realpath(os.path.dirname(os.__file__))
    monkeypatch.setattr(sys, "path", [library])
    found = places.places(np.__file__)
    assert os.path.dirname(os.path.realpath(np.__file__)) in found
    assert not any(path.endswith("-packages") or path in ("/", "/usr", "/etc", "/home")
                   for path in found)
    assert all(path == library or not library.startswith(f"{path}/")
               or library[len(path) + 1:].split("/")[0] in hidden for path, hidden in found.items())

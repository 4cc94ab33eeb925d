"""Somebody else's layers in a process of their own: whatever they do, one clear error arrives."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from checks import normal

from minicnn.gradcheck.apart import limits
from minicnn.gradcheck.apart import process as process_module
from minicnn.gradcheck.apart.child import Child, Died
from minicnn.gradcheck.apart.wire import WireError
from minicnn.gradcheck.own.sources import FormError, OwnError
from minicnn.ops import conv, relu

X = normal(2, 3, 3, 2)  # the arrays on which a relu is tried when the file is opened are (3, 4)
LONG, SHORT = 60, 1.5  # seconds: for what must end on the busiest machine, and for what never ends
LINUX = sys.platform.startswith("linux")
RELU = """
import numpy as np
{top}
def relu_forward(x):
    {forward}
    return np.maximum(x, 0), x

def relu_backward(dy, x):
    {backward}
    return dy * (x > 0)
"""
CONV = """
from minicnn.ops import conv

def conv_forward(x, w, b, stride=1, pad=0):
    return conv.forward(x, w, b, stride, pad)

conv_forward.LAYOUT = "NHWC"
conv_backward = conv.backward
"""
OBEDIENT = '''
"""Its x is text in bytes, and the layer does what it says."""
import ctypes, gc, json, os, socket, struct, sys, threading, time
import numpy as np

LIBC = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")

class Liar:
    __class__ = np.ndarray
    def __array__(self, *a, **k): return np.zeros(3)
    def __eq__(self, other): return True

class Sub(np.ndarray):
    shape = property(lambda self: (1,))
    dtype = property(lambda self: np.dtype("i1"))
    def __array__(self, *a, **k): return np.zeros(3)
    def view(self, *a): return np.zeros(3)
    def __eq__(self, other): return True

def forge(head, more=b""):
    for one in gc.get_objects():
        if isinstance(one, socket.socket):
            one.sendall(struct.pack(">I", len(head)) + head + more)

def nonce():
    frame = sys._getframe()
    while "request" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["request"]["nonce"]

def relu_forward(x):
    names = {"y": x.astype(float)}
    exec(bytes(x).decode(), globals(), names)
    return names["y"], x

def relu_backward(dy, x):
    exec(bytes(x).decode(), globals(), {"dy": dy})
    return dy
'''


def written(folder, text="", **parts):
    """A file with a ReLU whose parts hold the given lines."""
    parts = {"top": "", "forward": "pass", "backward": "pass"} | parts
    indented = {name: textwrap.indent(textwrap.dedent(part).strip(), "    ").strip()
                if name != "top" else textwrap.dedent(part) for name, part in parts.items()}
    path = folder / "mine.py"
    path.write_text(text or RELU.format(**indented), encoding="utf-8")
    return path


def both(child):
    """A forward and a backward of the first op; returns (y, gradients)."""
    remote = child.form(child.found[0])
    y, kept = remote.forward({"x": X}, {})
    return y, remote.backward(np.ones_like(X), kept, {})


def said(folder, seconds=LONG, text="", **parts):
    """The words of the one error that a file with these parts ends in."""
    with (pytest.raises((Died, OwnError, FormError)) as caught,
          Child(written(folder, text, **parts), seconds, import_seconds=seconds) as child):
        both(child)
    return f"{caught.type.__name__}: {caught.value}"


@pytest.fixture(autouse=True)
def nothing_is_left(request, tmp_path, monkeypatch):
    """No temporary folder, no thread and no process is left after a test with its own child."""
    if "does" in request.fixturenames:
        yield
        return
    temporary, threads = tmp_path / "temporary", threading.active_count()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(process_module.subprocess, "Popen",
                        lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    yield
    assert not list(temporary.iterdir()) and threading.active_count() == threads
    assert all(process.returncode is not None for process in started)


@pytest.fixture(scope="module")
def obedient(tmp_path_factory):
    """A child whose layer does what it is told."""
    path = tmp_path_factory.mktemp("obedient") / "mine.py"
    path.write_text(OBEDIENT, encoding="utf-8")
    with Child(path, LONG, memory_mb=256, lives=10**6, import_seconds=LONG) as child:
        yield child


@pytest.fixture
def does(obedient, monkeypatch):
    """A function that has the layer's forward run some code; returns y."""
    def run(code, seconds=LONG):
        remote = obedient.form(obedient.found[0])
        monkeypatch.setattr(obedient, "seconds", seconds)
        return remote.forward({"x": np.frombuffer(code.encode(), "u1")}, {})[0]

    return run


# ---- what it is for

def test_a_remote_computes_like_the_form(tmp_path):
    with Child(written(tmp_path)) as child:
        found, = child.found
        assert found.op == "relu" and not found.error and "relu_forward" in found.told
        y, gradients = both(child)
        remote = child.form(found)
        assert remote.told == found.told and remote.source.name == "mine.py"
        complaints = remote.conduct({"x": X}, {}, X)
    assert type(y) is np.ndarray and y.tobytes() == np.maximum(X, 0).tobytes()
    assert gradients["x"].tobytes() == (1.0 * (X > 0)).tobytes() and gradients.notes == ()
    assert complaints and all(type(kind) is str and found == []
                              for kind, found in complaints.items())


def test_settings_extras_and_several_arrays(tmp_path):
    w, b = normal(3, 2, 2, 4, seed=1), normal(4, seed=2)
    with Child(written(tmp_path, CONV)) as child:
        remote = child.form(child.found[0])
        assert remote.arrays == ("x", "w", "b") and not remote.channels_first
        assert remote.takes == {"stride": "stride", "pad": "pad"}
        assert remote.extras == {"need"} and remote.holds("stride", (1, 2))
        y, kept = remote.forward({"x": X, "w": w, "b": b}, {"stride": (1, 2), "pad": 1},
                                 memory="Fortran order")
        expected, cache = conv.forward(X, w, b, (1, 2), 1)
        found = remote.backward(y, kept, {"need": ("x", "w")})
        with pytest.raises(WireError, match="object cannot be sent"):
            remote.forward({"x": object()}, {})
    dx, dw, _ = conv.backward(expected, cache)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["x"], dx, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["w"], dw, rtol=1e-12, atol=1e-14)


def test_two_caches_are_kept_and_forgotten_with_their_tokens(tmp_path):
    with Child(written(tmp_path)) as child:
        remote = child.form(child.found[0])
        _, first = remote.forward({"x": X}, {})
        _, second = remote.forward({"x": -X}, {})
        dx = remote.backward(np.ones_like(X), first, {})["x"]
        assert (dx == (X > 0)).all()
        del first
        assert child.freed and (remote.backward(np.ones_like(X), second, {})["x"] == (X < 0)).all()
        assert not child.freed


def test_numbers_of_every_kind_and_shape_cross(does):
    for dtype in ("f2", "f4", "f8", "i1", "i8", "u2", "?", "c8", "c16", ">f8"):
        y = does(f"y = np.arange(4).astype({dtype!r})")
        assert y.dtype == np.dtype(dtype).newbyteorder("=")
        assert (y == np.arange(4).astype(dtype)).all()
    for shape in ((), (0, 3), (1,), (0,)):
        assert does(f"y = np.ones({shape})").shape == shape
    assert does("y = np.float32(2)").dtype == np.float32 and does("y = 3.5") == 3.5


def test_large_arrays_cross(tmp_path):
    x = np.arange(2_000_000.0).reshape(1, 1000, 1000, 2)
    with Child(written(tmp_path, forward="print('x' * 1_000_000)")) as child:
        assert (child.form(child.found[0]).forward({"x": x}, {})[0] == x).all()
        assert len(child.printed) == 1 << 16


def test_its_errors_have_their_line(tmp_path):
    words = said(tmp_path, backward="1 / 0")
    assert words == "OwnError: ZeroDivisionError: division by zero (line 9)"
    assert said(tmp_path, top="import nothing_of_this_name").startswith("FormError: ")
    assert "line 2" in said(tmp_path, text="\ndef relu_forward(:\n")
    with pytest.raises(FormError, match="no such file"):
        Child(tmp_path / "absent.py")


@pytest.mark.parametrize(("code", "deliberate"), [
    ("raise ValueError('no pairs')", True), ("assert x.ndim == 2", True),
    ("raise NotImplementedError", True), ("x[100]", False), ("np.zeros(-1)", False)])
def test_errors_say_whether_they_were_meant(tmp_path, code, deliberate):
    with Child(written(tmp_path, forward=code)) as child:
        with pytest.raises(OwnError) as caught:
            child.form(child.found[0]).forward({"x": X}, {})
        assert caught.value.deliberate is deliberate and caught.value.kind in str(caught.value)
        child.form(child.found[0])  # the process lives on
        assert child.deaths == []


def test_the_environment_is_small_and_one_thread_computes(does):
    with pytest.raises(OwnError) as caught:
        does("raise ValueError(os.environ['OPENBLAS_NUM_THREADS'], sorted(os.environ), "
             "os.path.samefile(os.getcwd(), os.environ['HOME']))")
    words = str(caught.value)
    assert "('1', " in words and "PYTHONHASHSEED" in words and "True)" in words
    assert "PYTEST" not in words


def test_on_linux_nothing_is_lacking(obedient, does):
    assert obedient.lacks == [] or not LINUX


# ---- what careless and hostile files do

ENDS = [
    ("sys.exit(0)", "it ended Python with sys.exit(0)"),
    ("exit()", "sys.exit()"),
    ("raise SystemExit('done')", "sys.exit('done')"),
    ("os._exit(0)", "it ended Python with os._exit(0) in forward"),
    ("os.abort()", "signal 6"),
    ("os.kill(os.getpid(), 9)", "signal 9 (killed) in forward"),
    ("os.kill(0, 9)", "signal 9"),
    ("ctypes.string_at(0)", "it crashed with signal 11 (segmentation fault) in forward (line "),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("input()", "EOFError"),
    ("np.ones(10 ** 10)", "MemoryError"),
    ("many = ['x' * 10 ** 6 for _ in range(10 ** 6)]", "MemoryError"),
    ("f = lambda: f()\nglobals()['f'] = f\nf()", "RecursionError"),
    ("open('big', 'wb').write(bytes(1 << 25))", "OSError"),
    ("class E(BaseException):\n    def __str__(self): raise SystemExit\nraise E", "OwnError"),
]
REFUSED = [
    "os.kill(os.getppid(), 9)",
    "os.kill(-1, 9)",
    "import fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
    "import fcntl; fcntl.fcntl(1, 10, 9)",
    "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "while True: os.fork()",
    "import subprocess; subprocess.run(['sleep', '100'])",
    "os.execv('/bin/sleep', ['sleep', '100'])",
    "os.posix_spawn('/bin/sleep', ['sleep', '100'], {})",
    "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "open(f'/proc/{os.getppid()}/maps').read()",
    "os.open(f'/proc/{os.getppid()}/fd/1', os.O_WRONLY)",
    "open(f'/proc/{os.getppid()}/oom_score_adj', 'w').write('1000')",
    "open('/dev/shm/minicnn-test', 'w')",
    "import fcntl, termios; fcntl.ioctl(1, termios.TIOCSTI, b'x')",
    "import fcntl; fcntl.ioctl(1, 0x541C, b'x')",
    "import fcntl, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 1)",
    "os.memfd_create('m')",
    "checked(LIBC.shmget(0x5ca1ab1e, 1 << 20, 0o1600))",
    "checked(LIBC.shmat(0, None, 0))",
    "checked(LIBC.msgget(0x5ca1ab1e, 0o1600))",
    "checked(LIBC.prctl(1, 0))",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
    "os.setpriority(os.PRIO_USER, 0, 5)",
    "os.sched_setaffinity(os.getppid(), {0})",
    "checked(LIBC.syscall(425, 1, 0))",
]


@pytest.mark.parametrize(("code", "expected"), ENDS, ids=[end[0][:40] for end in ENDS])
def test_an_end_is_one_clear_error(does, code, expected):
    with pytest.raises((Died, OwnError)) as caught:
        does(code)
    assert expected in f"{caught.type.__name__}: {caught.value}"
    assert (does("y = np.ones(2)") == 1).all()


@pytest.mark.skipif(not LINUX, reason="needs seccomp")
@pytest.mark.parametrize("code", REFUSED, ids=[code[:40] for code in REFUSED])
def test_other_processes_are_out_of_reach(does, code):
    with pytest.raises(OwnError, match="PermissionError"):
        does(code)


@pytest.mark.skipif(not LINUX, reason="needs capabilities")
def test_roots_child_has_no_capabilities(does):
    code = "raise ValueError([l for l in open('/proc/self/status') if l.startswith('Cap')])"
    with pytest.raises(OwnError) as caught:
        does(code)
    assert len(re.findall("Cap(?:Inh|Prm|Eff|Amb):.t0{16}", str(caught.value))) == 4


@pytest.mark.skipif(not LINUX, reason="needs prctl")
def test_the_parent_is_closed_while_a_child_lives(tmp_path):
    before = limits._prctl(limits.GET_DUMPABLE)
    with Child(written(tmp_path)), Child(written(tmp_path)) as second:
        assert limits._prctl(limits.GET_DUMPABLE) == 0
        second.close()
        assert limits._prctl(limits.GET_DUMPABLE) == 0
    assert limits._prctl(limits.GET_DUMPABLE) == before


AT_IMPORT = [
    ("import sys; sys.exit(0)", "SystemExit"),
    ("import os; os._exit(0)", "it ended Python with os._exit(0) while it was imported"),
    ("raise KeyboardInterrupt", "mine.py: it ended Python with a KeyboardInterrupt (line 3)"),
    ("import ctypes; ctypes.string_at(0)", "(segmentation fault) while it was imported (line 3)"),
]


@pytest.mark.parametrize(("code", "expected"), AT_IMPORT, ids=[end[0][:40] for end in AT_IMPORT])
def test_an_end_at_import_is_one_clear_error(tmp_path, code, expected):
    assert expected in said(tmp_path, top=code)


SLOW = [
    "while True: pass",
    "time.sleep(1000)",
    "while True:\n    try: time.sleep(100)\n    except BaseException: pass",
    "threading.Event().wait()",
    "while True: print('x' * 100)",
    "sum(range(10 ** 12))",
]


@pytest.mark.thorough
@pytest.mark.parametrize("code", SLOW)
def test_what_never_ends_is_stopped(does, code):
    with pytest.raises(Died, match=r"it was stopped after 1.5 s in forward \(line \d+\)"):
        does(code, SHORT)


@pytest.mark.thorough
def test_the_line_that_never_ends_is_named(tmp_path):
    with Child(written(tmp_path, backward="while x.ndim == 4: pass"), LONG) as child:
        remote = child.form(child.found[0])
        _, kept = remote.forward({"x": X}, {})
        child.seconds = SHORT
        with pytest.raises(Died) as caught:
            remote.backward(X, kept, {})
    assert str(caught.value) == "mine.py: it was stopped after 1.5 s in backward (line 9)"
    path = tmp_path / "größe.py"
    path.write_text("print('x' * 100_000)\nwhile True: print('x')", encoding="utf-8")
    with pytest.raises(Died, match=r"stopped after 1.5 s while it was imported \(line 2\)"):
        Child(path, import_seconds=SHORT)


LIES = [
    ("forge(b'{}')", "no answer"),
    ("forge(b'nonsense')", "no answer"),
    ("forge(b'[' * 100000)", "no answer"),
    ("forge(b'9' * 100000)", "no answer"),
    ("forge(json.dumps({'dict': [['nonce', 'guessed'], ['value', 1]]}).encode())", "no answer"),
    ("forge(json.dumps({'dict': [['nonce', nonce()], ['error', 5]]}).encode())", "that is none"),
    ("forge(json.dumps({'dict': [['nonce', nonce()], ['value', 5]]}).encode())", "that is none"),
    ("forge(json.dumps({'dict': [['nonce', nonce()], ['tries', '']]}).encode())", "that is none"),
    ("""forge(b'{"array": "<f8", "shape": [0, 1' + b'0' * 99 + b']}')""", "no answer"),
    ("""forge(b'{"array": "<f8", "shape": [1000000, 1000000]}')""", "arrays of more than 64 MB"),
    ("""forge(b'{"array": "O", "shape": [1]}', bytes(8))""", "no answer"),
    ("""forge(b'{"array": "<f8", "shape": [-1]}', bytes(8))""", "no answer"),
    ("""forge(b'{"array": "<f8", "shape": [1.5]}', bytes(8))""", "no answer"),
    ("forge(b'{\"array\": \"<f8\", \"shape\": [100]}', bytes(8)); os._exit(0)", "os._exit(0)"),
    ("os.closerange(0, 1000)", "it kept its process from answering"),
    ("import builtins; builtins.len = lambda x: 0", "Died"),
    ("import builtins; builtins.isinstance = lambda *a: True; del builtins.type", "Died"),
    ("json.dumps = None", "Died"),
    ("json.dumps = lambda *a: '{}'", "no answer"),
]


@pytest.mark.parametrize(("code", "expected"), LIES, ids=[lie[0][:40] for lie in LIES])
def test_what_is_no_answer_is_none(does, code, expected):
    with pytest.raises(Died) as caught:
        does(code)
    assert expected in f"Died: {caught.value}"


DESCRIBES = ["'layout': 'XYZW'", "'kind': 'mine'", "'takes': {'stride': 'x'}", "'takes': {'x': 5}",
             "'arrays': ('x', 'w')", "'arrays': ('x', 'x')", "'arrays': ()", "'ranks': (99,)",
             "'ranks': ('2',)", "'extras': {'more'}", "'told': 5", "'remarks': 5"]
LYING = """
import sys
import numpy as np
Worker = sys.modules["__main__"].Worker
describes, wire = Worker.describe, sys.modules["minicnn.gradcheck.apart.wire"]
packed = wire.packed

def opens(change):
    wire.packed = lambda value: packed(value | {"value": change(value["value"])} if type(
        value.get("value")) is list and type((value["value"] or [0])[0]) is tuple else value)
"""


@pytest.mark.parametrize("lie", DESCRIBES)
def test_what_an_op_is_the_parent_knows(tmp_path, lie):
    top = f"{LYING}Worker.describe = lambda *op: describes(*op) | {{{lie}}}"
    assert "it gave an answer that is none in describe" in said(tmp_path, top=top)


def test_a_known_op_has_no_inputs_of_its_own(tmp_path):
    top = f"{LYING}Worker.describe = lambda *op: describes(*op) | {{'inputs': {{'x': np.ones(3)}}}}"
    with Child(written(tmp_path, top=top)) as child:
        assert child.form(child.found[0]).inputs is None


def test_an_op_of_one_s_own_needs_inputs_with_a_gradient(tmp_path):
    for inputs in ({"x": (0, 4)}, {"x": "np.zeros(3, int)"}):
        check = f"CHECK = {{'swish': {{'x': {inputs['x']}}}}}"
        text = RELU.replace("relu", "swish").format(top="", forward="pass", backward="pass")
        assert "none of its inputs has a gradient" in said(tmp_path, text=text + check)


@pytest.mark.parametrize("rows", [
    "[('relu', '', 'told', None)] * 2", "[('relu', '', None, None)]",
    "[('relu', '', 'told', 'error')]", "[('relu', 5, 'told', None)]",
    "[('relu', str(k), 't', None) for k in range(3000)]"])
def test_what_is_no_list_of_ops_is_none(tmp_path, rows):
    top = f"{LYING}opens(lambda found: {rows})"
    assert "it gave an answer that is none in open" in said(tmp_path, top=top)


def test_other_ops_after_a_death_are_no_answer(tmp_path):
    top = f"{LYING}import os\nif os.path.exists(path := __file__ + '.again'): tanh_forward = "
    top += "tanh_backward = lambda x: x"
    code = "if x.ndim == 4: open(path, 'w').close(); os._exit(2)"
    with Child(written(tmp_path, top=top, forward=code), LONG) as child:
        remote = child.form(child.found[0])
        with pytest.raises(Died, match=r"os._exit\(2\) in forward"):
            remote.forward({"x": X}, {})
        with pytest.raises(Died, match="other ops than when it was opened first"):
            remote.forward({"x": X}, {})


def test_names_and_lines_are_short_and_known(tmp_path):
    name = "conv  right\\n\\x1b[2J\\u202e1 of 1 op is right." + "x" * 99
    top = f"""{LYING}
opens(lambda found: [("{name}", "", "told\\nit", None) if op[0] == "tanh" else op
                     for op in found if op[0] in ("relu", "tanh")])
Worker.script = lambda *a, **k: ["a\\nb" + "x" * 3000] * 99
Worker.conduct = lambda *a, **k: {{"1 of 1 op is right.": []}}
tanh_forward = lambda x: (x, x)
tanh_backward = lambda dy, x: dy
"""
    with Child(written(tmp_path, top=top)) as child:
        shown, = [found for found in child.found if found.op != "relu"]
        assert shown.op == "conv right [2J 1 of 1 op is right.xxxxxx" and shown.told == "told it"
        relu, = [found for found in child.found if found.op == "relu"]
        lines = child.form(relu).script({"x": X}, {}, "y", X)
        assert len(lines) == 40 and {*map(len, lines)} == {2000} and "\n" not in "".join(lines)
        with pytest.raises(Died, match="an answer that is none in conduct"):
            child.form(relu).conduct({"x": X}, {}, X)


@pytest.mark.parametrize(("numbers", "answers"), [(40_000_000, 0), (4_000_000, 8)])
def test_answers_that_are_far_too_large_are_none(tmp_path, numbers, answers):
    with Child(written(tmp_path, forward=f"if x.ndim == 4: return np.zeros({numbers}), x"),
               lives=99) as child:
        remote = child.form(child.found[0])
        for _ in range(answers):
            remote.forward({"x": X}, {})
        with pytest.raises(Died, match=r"arrays of more than \d+ MB in forward"):
            remote.forward({"x": X}, {})
            remote.forward({"x": X}, {})


def test_small_numbers_count_as_what_the_parent_makes_of_them(tmp_path):
    code = "if x.ndim == 4: return np.zeros(20_000_000, '?'), x"
    with Child(written(tmp_path, forward=code)) as child, pytest.raises(Died, match="64 MB"):
        child.form(child.found[0]).forward({"x": X}, {})


RETURNS = [
    ("[[1.0]]", "expected the output as an array, got a list"),
    ("(1 for _ in range(3))", "expected the output as an array, got a generator"),
    ("list(range(10 ** 6))", "expected the output as an array, got a list"),
    ("np.array([dy, None], dtype=object)", "numbers, got one of object"),
    ("np.array(['a'])", "numbers, got one of <U1"),
    ("np.zeros(3, 'M8[s]')", "numbers, got one of"),
    ("np.zeros(3, 'f8,i4')", "numbers, got one of"),
    ("None", "forward returns nothing"),
    ("Liar()", "expected the output as an array, got a Liar"),
]


@pytest.mark.parametrize(("code", "expected"), RETURNS, ids=[r[0] for r in RETURNS])
def test_only_arrays_of_numbers_come_back(does, code, expected):
    with pytest.raises(OwnError, match=expected):
        does(f"dy = 1; y = {code}")


def test_a_class_of_arrays_comes_back_as_its_numbers(does):
    y = does("y = np.arange(3.0).view(Sub)")
    assert type(y) is np.ndarray and (y == np.arange(3)).all() and y.dtype == np.float64


HARMLESS = [
    "for k in range(300_000): print('line', k)",
    "import sys; sys.stdout and (sys.stdout.close(), sys.stderr.close())",
    "import sys; sys.stdout = sys.stderr = None",
    "import atexit, time; atexit.register(time.sleep, 1000)",
    "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
    "np.allclose = np.array_equal = lambda *a, **k: True",
    "import signal; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 10, 15)]",
    "import os; os.chdir('/'); os.environ.clear()",
    "import sys, gc; sys.argv[:] = []; sys.setrecursionlimit(200); gc.disable()",
]


def test_mischief_changes_nothing(tmp_path):
    code = "\n".join(HARMLESS)
    with Child(written(tmp_path, top=code, forward=code), LONG, import_seconds=LONG) as child:
        y, gradients = both(child)
        process = child.process.popen
    assert y.tobytes() == np.maximum(X, 0).tobytes() and (gradients["x"] == (X > 0)).all()
    assert process.poll() is not None


def test_what_it_printed_is_kept_and_shown(does):
    with pytest.raises(Died) as caught:
        does("for k in range(100_000): print('line', k)\n"
             "print('\\033[31mlast', flush=True); os._exit(3)")
    assert "os._exit(3) in forward" in caught.value.reason
    assert "it last printed:  [31mlast" in str(caught.value)
    assert 1000 < len(caught.value.printed) <= 1 << 16


# ---- after a death

def test_the_next_request_starts_a_fresh_process(tmp_path):
    code = "import os; x.ndim == 4 and os._exit(0)"
    with Child(written(tmp_path, backward=code), LONG, lives=2) as child:
        remote = child.form(child.found[0])
        for _ in range(2):
            y, kept = remote.forward({"x": X}, {})
            assert (y == relu.forward(X)[0]).all()
            with pytest.raises(Died, match=r"os._exit\(0\) in backward"):
                remote.backward(X, kept, {})
            with pytest.raises(Died, match="cache"):
                remote.backward(X, kept, {})
        with pytest.raises(Died, match="given up: it ended 2 times"):
            remote.forward({"x": X}, {})
        assert child.deaths == ["it ended Python with os._exit(0) in backward"] * 2


@pytest.mark.thorough
def test_an_op_that_dies_when_it_is_tried_costs_only_itself(tmp_path):
    text = """
import os
from minicnn.ops import dense, softmax

def dense_forward(x, w, b):
    os._exit(0)

def dense_backward(dy, cache):
    pass

def softmax_forward(x):
    return softmax.forward(x)

softmax_backward = softmax.backward

def conv_forward(x, w, b):
    while True:
        pass

def conv_backward(dy, cache):
    pass

def relu_forward(x):
    raise KeyboardInterrupt

def relu_backward(dy, cache):
    pass
"""
    with Child(written(tmp_path, text), seconds=5) as child:
        errors = {found.op: found.error for found in child.found}
        assert errors["softmax"] is None and child.deaths == []
        assert errors["dense"] == ("mine.py: dense_forward and dense_backward: it ended Python "
                                   "with os._exit(0) when it was tried on small arrays")
        assert re.fullmatch("mine.py: conv_forward and conv_backward: it was stopped after 5 s "
                            r"when it was tried on small arrays \(line 1[678]\)", errors["conv"])
        assert "ended Python with a KeyboardInterrupt (line 24)" in errors["relu"]
        softmax, = [found for found in child.found if found.op == "softmax"]
        assert child.form(softmax).forward({"x": X[0, 0]}, {})[0].shape == X[0, 0].shape


def test_an_op_that_dies_when_it_is_tried_again_says_so(tmp_path):
    again = "import os; os.path.exists(path := __file__ + '.again') and os._exit(1)"
    code = f"{again}\nif x.ndim == 4: open(path, 'w').close(); os._exit(2)"
    with Child(written(tmp_path, forward=code), LONG) as child:
        remote = child.form(child.found[0])
        with pytest.raises(Died, match=r"os._exit\(2\) in forward"):
            remote.forward({"x": X}, {})
        with pytest.raises(FormError, match=r"os._exit\(1\) when it was tried on small arrays"):
            remote.forward({"x": X}, {})


@pytest.mark.thorough
def test_a_file_cannot_prolong_its_import_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "OPENING", 2)
    text = OBEDIENT + "forged = {'dict': [['nonce', nonce()], ['tries', 'it']]}\n"
    text += "while True: forge(json.dumps(forged).encode())"
    with pytest.raises(Died, match="stopped after 3 s when it was tried"):
        Child(written(tmp_path, text), LONG, import_seconds=SHORT)


def test_nothing_is_left_behind(tmp_path):
    child = Child(written(tmp_path))
    process, folder, reader = child.process.popen, child.process.folder, child.process.reader
    assert os.path.isdir(folder)
    child.close()
    child.close()
    assert process.returncode is not None and not os.path.exists(folder)
    assert not reader.is_alive() and child.printed == ""


def test_a_forgotten_child_ends_too(tmp_path):
    child = Child(written(tmp_path))
    process, folder = child.process.popen, child.process.folder
    del child
    assert process.returncode is not None and not os.path.exists(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_ends_the_child_and_is_raised(tmp_path):
    with Child(written(tmp_path, forward="while x.ndim == 4: pass"), LONG) as child:
        remote, process = child.form(child.found[0]), child.process.popen
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            remote.forward({"x": X}, {})
        timer.join()
        assert process.returncode is not None


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("busy", ["while x.ndim == 4: pass",
                                  "import ctypes; x.ndim == 4 and ctypes.PyDLL(None).sleep(100)"])
def test_the_child_ends_with_its_parent(tmp_path, busy):
    path = written(tmp_path, forward=busy)
    code = (f"from minicnn.gradcheck.apart.child import Child; import numpy as np\n"
            f"child = Child({str(path)!r}, 60)\n"
            "print(child.process.popen.pid, child.process.folder, flush=True)\n"
            "child.form(child.found[0]).forward({'x': np.ones((1, 1, 1, 1))}, {})")
    environment = os.environ | {"TMPDIR": tempfile.gettempdir()}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment,
                          text=True) as parent:
        pid, folder = parent.stdout.readline().split()
        time.sleep(0.3)
        parent.kill()
    end = time.monotonic() + LONG
    while _runs(int(pid)):
        assert time.monotonic() < end
        time.sleep(0.02)
    if os.path.exists(folder):  # the next one removes it, once it is old
        os.utime(folder, (0, 0))
        Child(written(tmp_path)).close()
        assert not os.path.exists(folder)


def test_the_folder_of_one_that_runs_is_not_removed(tmp_path):
    with Child(written(tmp_path)) as child:
        os.utime(child.process.folder, (0, 0))
        Child(written(tmp_path)).close()
        assert os.path.exists(child.process.folder)


def test_a_child_of_a_thread_outlives_it(tmp_path):
    made = []
    thread = threading.Thread(target=lambda: made.append(Child(written(tmp_path))))
    thread.start()
    thread.join()
    with made[0] as child:
        assert both(child)[0].shape == X.shape and child.deaths == []


def _runs(pid):
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False

"""A stranger's file in a walled process: it computes, and does nothing else."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from minicnn.gradcheck.apart import launch, wall
from minicnn.gradcheck.apart import process as process_module
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.apart.walled import Callback, Walled, WallError
from minicnn.gradcheck.own.errors import OwnError

LONG, SHORT = 60, 1  # seconds: for what must end on the busiest machine, and for what never ends
LINUX = sys.platform.startswith("linux")
CONV = '''
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

print("a line at the top of the file")


class Cache(NamedTuple):
    x: np.ndarray
    stride: int


@dataclass
class Momentum:
    rate: float
    past: np.ndarray | None = None

    def step(self, value, gradient):
        self.past = gradient if self.past is None else self.past + gradient
        return value - self.rate * self.past


def scale_forward(x, stride=1):
    assert isinstance(stride, int)
    return x * stride, Cache(x, stride)


def scale_backward(dy, cache):
    return dy * cache.stride, None, math.pi


def windows(x):
    return sliding_window_view(x, 2).sum(-1)


def slope(function, x, step=1e-6):
    up, down = function(x + step), function(x - step)
    return (up - down) / (2 * step)


def same(*args, **kwargs):
    return args, kwargs


def none():
    raise NotImplementedError("to do")


def made(code, *given):
    names = globals() | {"given": given}
    exec(code, names)
    return names["y"]


if __name__ == "__main__":
    raise SystemExit("this is not run")
'''


def some(cases, number):
    """The first of many cases; the others are tried when the tests are to be thorough."""
    return [*cases[:number],
            *(pytest.param(case, marks=pytest.mark.thorough) for case in cases[number:])]


@pytest.fixture(autouse=True)
def nothing_is_left(request, tmp_path, monkeypatch):
    """No temporary folder, no thread and no process is left after a test with its own process."""
    if {"walled", "frail"} & {*request.fixturenames}:
        yield
        return
    temporary, threads = tmp_path / "temporary", threading.active_count()
    temporary.mkdir()
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # as /tmp is: a user of its own has to come in
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(process_module.subprocess, "Popen",
                        lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    yield
    assert not list(temporary.iterdir()) and threading.active_count() == threads
    assert all(process.returncode is not None for process in started)


@pytest.fixture(scope="module")
def walled():
    """A walled process that runs `CONV`."""
    with Walled(CONV, seconds=LONG, import_seconds=LONG, memory_mb=512) as one:
        yield one


@pytest.fixture(scope="module")
def frail():
    """One that may die, and is started again with the next call."""
    modules = "import os, sys, time, gc, json, socket, struct, threading\n"
    with Walled(CONV + modules, seconds=LONG, import_seconds=LONG, memory_mb=512) as one:
        yield one


def y_of(code):
    """A file whose function gives what the code calls y."""
    body = code.strip().replace("\n", "\n    ")  # its first line is the sixth
    return f"import os, sys, time, gc, json, socket, struct, threading\nimport numpy as np\n" \
           f"def right(x):\n    return x + 1\ndef run(*given):\n    {body}\n    return y\n"


def died(one, code, seconds=LONG):
    """Why a call of this code had no answer; the next call, in a fresh process, has its own."""
    one.seconds, start = seconds, time.monotonic()
    with pytest.raises(Died) as caught:
        one.call("made", code)
    assert time.monotonic() - start < seconds + 10
    one.seconds = LONG
    assert one.call("windows", np.arange(3.)).tolist() == [1, 3]
    return caught.value.reason


# ---- what it is for

def test_values_and_handles(walled):
    x = np.arange(6.).reshape(2, 3)
    y, cache = walled.call("scale_forward", x, stride=2, take=("value", "handle"))
    assert y.tobytes() == (2 * x).tobytes() and type(y) is np.ndarray
    dx, none, pi = walled.call("scale_backward", x, cache, take=("value",) * 3)
    assert (dx == 2 * x).all() and none is None and pi == np.pi
    assert (walled.attribute(cache, "x") == x).all() and walled.attribute(cache, "stride") == 2
    assert walled.call("Cache", 1, "b") == (1, "b")  # a named tuple crosses as a tuple
    end = monotonic() + 10
    while "a line at the top" not in walled.printed and monotonic() < end:  # a thread reads it
        sleep(0.01)
    assert "a line at the top" in walled.printed and "not run" not in walled.printed


def test_objects_and_their_methods(walled):
    momentum = walled.call("Momentum", rate=0.5, take="handle")
    values = [walled.call((momentum, "step"), np.ones(2), np.ones(2)).tolist() for _ in range(2)]
    assert values == [[0.5, 0.5], [0, 0]]
    function = walled.call("made", "y = lambda x: x + 1", take="handle")
    assert walled.call((function,), 2) == 3
    again = walled.call("made", "y = given[0].rate", momentum)
    assert again == 0.5
    assert walled.call("made", "y = given[0][0]['a'].rate", [{"a": momentum}]) == 0.5


@pytest.mark.parametrize("value", [
    None, True, 3, -2.5, "word", (1, (2.0, "x")), [1, [None]], {"a": (1, [2])}, float("inf"), (),
    {}])
def test_plain_values_cross_and_come_back(walled, value):
    (found,), _ = walled.call("same", value)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("kind", ["?", "u1", "i4", "i8", "f2", "f4", "f8", "c16"])
def test_arrays_cross_with_their_dtype(walled, kind):
    given = np.arange(12).reshape(3, 4).astype(kind)[:, ::2]
    (found, empty), _ = walled.call("same", given, np.zeros((0, 3)))
    assert found.dtype == given.dtype.newbyteorder("=") and (found == given).all()
    assert empty.shape == (0, 3)


def test_questions_to_the_parent(walled):
    asked = []

    def square(x):
        asked.append(type(x))
        return float((x ** 2).sum())

    assert abs(walled.call("slope", Callback(square), np.array([3.])) - 6) < 1e-6
    assert asked == [np.ndarray] * 2
    with pytest.raises(OwnError, match=r"RuntimeError: ZeroDivisionError: .* \(line"):
        walled.call("slope", Callback(lambda x: 1 / 0), 1.0)
    code = ("try:\n    given[0](1)\nexcept RuntimeError as error:\n"
            "    y = type(error) is RuntimeError\nassert y and given[1](2) == 4")
    assert walled.call("made", code, Callback(lambda x: {}[x]), Callback(lambda x: 2 * x)) is True


def test_own_errors_are_told_with_their_line(walled):
    with pytest.raises(OwnError) as caught:
        walled.call("none")
    line = CONV[:CONV.index("raise NotImpl")].count("\n") + 1
    assert str(caught.value) == f"NotImplementedError: to do (line {line})"
    assert caught.value.kind == "NotImplementedError" and caught.value.deliberate
    assert not caught.value.opening
    with pytest.raises(OwnError, match="there is no conv_forward in convolution.py") as caught:
        walled.call("conv_forward")
    assert caught.value.kind == "Missing"
    for take, words in ((("value",) * 3, "expected 3 results, got 2"), ("value", "got a Cache")):
        with pytest.raises(OwnError, match=words) as caught:
            walled.call("made", "class Cache: pass\ny = (1, 2) if given[0] else Cache()",
                        take != "value", take=take)
    with pytest.raises(OwnError, match="expected 1 results, got a int"):
        walled.call("made", "y = 1", take=("handle",))
    with pytest.raises(OwnError, match="ZeroDivisionError") as caught:
        walled.call("made", "1 / 0")
    assert not caught.value.deliberate


@pytest.mark.parametrize("source, words, kind", [
    ("def f(:\n", r"SyntaxError: invalid syntax \(line 1\)", "SyntaxError"),
    ("import numpy\nimport torch\n", r"No module named 'torch' \(line 2\): there is NumPy",
     "ModuleNotFoundError"),
    ("from matplotlib import pyplot\n", r"No module named 'matplotlib' \(line 1\)",
     "ModuleNotFoundError"),
    ("import minicnn\n", r"No module named 'minicnn' \(line 1\)", "ModuleNotFoundError"),
    ("import minicnn.ops.conv\n", "No module named 'minicnn'", "ModuleNotFoundError"),
    ("x = 1\r\n1 / 0\r\n", r"ZeroDivisionError: division by zero \(line 2\)", "ZeroDivisionError"),
    (b"a = '\xff'\n", "SyntaxError", "SyntaxError"),
    (b"a = 1\0\n", "null bytes", "(SyntaxError|ValueError)")])
def test_a_file_that_cannot_be_run(source, words, kind):
    with pytest.raises(OwnError, match=words) as caught:
        Walled(source, "own.py", import_seconds=LONG)
    assert re.fullmatch(kind, caught.value.kind) and caught.value.opening


@pytest.mark.parametrize("source", [b"\xef\xbb\xbfa = 'x'\r\n", "# coding: latin-1\na = 'ä'\n", "",
                                    b"# coding: latin-1\na = '\xe4'\n"])
def test_every_text_of_python_is_read(source):
    with Walled(source, "numpy.py", import_seconds=LONG):  # nor does its name hide a library
        pass


LIBRARY = """import array, asyncio, bisect, cmath, collections.abc, concurrent.futures, csv, ctypes
import dataclasses, datetime, decimal, fractions, functools, hashlib, heapq, inspect, itertools
import json, logging, lzma, math, multiprocessing, operator, pathlib, pickle, random, re, secrets
import sqlite3, ssl, statistics, string, tempfile, textwrap, threading, timeit, typing, unittest
import numpy.fft, numpy.linalg, numpy.ma, numpy.polynomial, numpy.random, numpy.testing
import numpy.typing, zoneinfo
def run(with_files):
    if with_files:
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        open("file", "w").close()
    thread = threading.Thread(target=print, args=("x",))
    thread.start()
    thread.join()
    return numpy.linalg.inv(numpy.random.default_rng(0).random((3, 3))).shape
"""


def test_the_library_is_whole():
    with Walled(LIBRARY, "own.py", import_seconds=LONG, seconds=LONG) as one:
        assert one.call("run", "sealed" not in one.layers) == (3, 3)


def test_it_starts_quickly():
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with Walled(CONV, import_seconds=LONG) as one:
            one.call("windows", np.arange(3.))
        times.append(time.perf_counter() - start)
    assert min(times) < 2  # 0.2 s when nothing else runs


# ---- calls that end badly

@pytest.mark.parametrize("code, words", [
    ("sys.exit(0)", r"sys.exit\(0\)"), ("raise SystemExit", "sys.exit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"), ("os._exit(0)", r"os._exit\(0\)"),
    ("os._exit(200)", ""), ("os.abort()", "signal 6"), ("os.kill(os.getpid(), 9)", "signal 9"),
    ("import ctypes; ctypes.string_at(8)", "signal 11"),
    ("os.closerange(0, 100); y = 1", "from answering|closed"),
    ("import atexit; atexit.register(print, 'all right'); os._exit(0)", "os._exit"),
    ("for n in range(3, 60):\n    try: os.write(n, b'x' * 100)\n    except OSError: pass",
     "no answer")])
def test_an_end_is_no_answer(frail, code, words):
    assert re.search(words, died(frail, f"{code}\ny = 1"))


@pytest.mark.parametrize("code", [
    "while True: pass", "time.sleep(1000)", "[threading.Thread(target=time.sleep, args=(1000,))"
    ".start() for _ in range(5)]; time.sleep(1000)", "import re; re.match('(a*)*b', 'a' * 99)",
    "import signal; [signal.signal(n, signal.SIG_IGN) for n in (10, 15, 24)]\nwhile True: pass"])
@pytest.mark.thorough
def test_what_does_not_end_is_stopped(frail, code):
    assert f"stopped after {SHORT} s in made" in died(frail, code, SHORT)


def test_the_line_is_told():
    with (Walled(y_of("y = 1\nwhile True: pass"), seconds=SHORT, import_seconds=LONG) as one,
          pytest.raises(Died, match=r"after 1 s in run \(line 7\)")):
        one.call("run")


@pytest.mark.parametrize("code", ["1 / 0", "while True: pass", "import os; os._exit(0)"])
def test_a_file_that_ends_while_it_is_run(code):
    with pytest.raises((Died, OwnError)):
        Walled(code, import_seconds=SHORT)


def test_a_handle_ends_with_its_process(walled):
    with Walled(y_of("os._exit(1)"), import_seconds=LONG) as one:
        kept = one.call("right", 1, take="handle")
        with pytest.raises(Died):
            one.call("run")
        with pytest.raises(Died, match="ended with its process"):
            one.call("right", kept)
        assert one.call("right", 1) == 2
        with pytest.raises(Died):
            walled.call("same", one.call("right", 1, take="handle"))


def test_what_is_forgotten_is_freed(walled):
    count = "import gc\ny = sum(type(one).__name__ == 'Kept' for one in gc.get_objects())"
    kept = walled.call("made", "class Kept: pass\ny = Kept()", take="handle")
    assert walled.call("made", count) == 1
    del kept
    walled.call("made", "y = 1")
    assert walled.call("made", count) == 0


# ---- results that lie, and messages that are forged

LIES = """
class Sub(np.ndarray):
    shape = property(lambda self: (1,))
    dtype = property(lambda self: np.dtype("i1"))
    def __array__(self, *a, **k): return np.zeros(3)
    def view(self, *a): return np.zeros(3)
    def astype(self, *a, **k): return np.zeros(3)
    def __eq__(self, other): return True
class Whole(int):
    __eq__ = lambda self, other: True
    __int__ = __index__ = lambda self: 77
class Real(np.float64):
    __eq__ = lambda self, other: True
    item = __float__ = lambda self: 77.0
class Words(str):
    __str__ = __repr__ = lambda self: "77"
class Pair(tuple):
    __iter__ = lambda self: iter((77, 77, 77))
    __len__ = lambda self: 3
class Table(dict):
    items = lambda self: [(77, 77)]
"""


@pytest.mark.parametrize("lie, truth", [
    ("np.arange(2.).view(Sub)", [0, 1]), ("Whole(5)", 5), ("Real(5)", 5), ("Words('x')", "x"),
    ("Pair((1, 2))", (1, 2)), ("Table(a=1)", {"a": 1}), ("np.float32(1)", 1),
    ("np.ma.array([1, 2], mask=[0, 1])", [1, 2]), ("np.array([1, 2]).view(np.recarray)", [1, 2])])
def test_what_a_result_says_of_itself_does_not_count(walled, lie, truth):
    found = walled.call("made", f"{LIES}\ny = {lie}")
    assert type(found) in (np.ndarray, int, float, str, tuple, dict)
    assert (found.tolist() if type(found) is np.ndarray else found) == truth


@pytest.mark.parametrize("code", [
    "class Liar:\n    __class__ = np.ndarray\n    def __array__(self, *a): return np.zeros(3)\n"
    "    def __eq__(self, other): return True\ny = Liar()",
    "y = np.array([object()])", "y = np.array(['x'])", "y = {1, 2}", "y = len", "y = 1j",
    "y = b''", "y = [object()]", "y = np.array([1], 'M8[s]')", "y = np.zeros(2, 'i4,f8')",
    "y = []\nfor _ in range(1000): y = [y]", "y = []\ny.append(y)", "y = 'x' * (1 << 21)",
    "y = [0] * (1 << 20)", "y = 10 ** 5000", "y = '\\ud800'"])
def test_what_is_no_value_is_an_error_in_words(walled, code):
    with pytest.raises((OwnError, Died)) as caught:
        walled.call("made", code)
    assert str(caught.value)
    assert walled.call("same", 1) == ((1,), {})


FORGED = """
me = sys._getframe()
while "request" not in me.f_locals: me = me.f_back
nonce, out = me.f_locals["request"]["nonce"], me.f_locals["self"].connection
def forge(head, more=b"", out=out):
    head = head if type(head) is bytes else json.dumps(head).encode()
    out.sendall(struct.pack(">I", len(head)) + head + more)
answer = lambda value: {"dict": [["nonce", nonce], ["value", value]]}
asks = lambda what: {"dict": [["nonce", nonce], ["asks", what]]}
"""


def test_an_answer_for_the_next_request_counts_for_none():
    forge = "forge(answer({'array': '<f8', 'shape': [1]}), struct.pack('d', 7))"
    code = f"{FORGED}\n{forge}\n{forge}\ny = np.array([7.])"
    with Walled(y_of(code), import_seconds=LONG) as one:
        assert one.call("run").tolist() == [7]  # of this call it may answer what it likes
        with pytest.raises(Died, match="something that is no answer in right"):
            one.call("right", np.arange(3.))
        assert one.call("right", np.arange(3.)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("message", some([
    "forge(answer({'array': '<f8', 'shape': [1 << 40]}))",
    "forge(answer({'array': '<f8', 'shape': [1 << 24]}), bytes(1 << 27))",
    "forge(answer({'array': '|O', 'shape': [1]}), bytes(8))", "forge(answer({'set': [1]}))",
    "forge(answer({'array': '<f8', 'shape': [-1]}))", "forge(answer({'nothing': 1}))",
    "forge(answer({'array': '<f8', 'shape': [1] * 100_000}), bytes(8))",
    "forge(answer({'array': '<f8', 'shape': [10 ** 4000] * 200}), bytes(8))",
    "forge(answer({'array': '<f8', 'shape': [0] * 65}))", "forge(b'[' * 500_000)",
    "forge(b'[' * 500_000 + b']' * 500_000)", "forge(b'9' * 500_000)", "forge(b'\\xff')",
    "forge({'dict': [['nonce', nonce], ['error', ['Died']]]})", "forge(b'7')", "forge('x')",
    "forge({'dict': [['nonce', nonce], ['error', [1, 2, 3, 4]]]})", "forge(answer('\\ud800'))",
    "forge({'dict': [['nonce', 'x'], ['value', 1]]})", "out.sendall(b'\\xff' * 8)",
    "forge(asks([7, {'tuple': []}]))", "forge(asks(['x', 1]))", "forge(asks(1))",
    "forge(asks([-1, {'tuple': []}]))", "out.sendall(b'\\0\\0')\nos.close(out.fileno())",
    "forge(answer({'dict': [[{'dict': []}, 1]]}))"], 9))
def test_what_is_no_message_is_no_answer(frail, message):
    died(frail, f"{FORGED}\n{message}\nos._exit(0)")


def test_half_a_message_does_not_block_the_parent(frail):
    code = f"{FORGED}\nout.sendall(b'\\0')\ntime.sleep(1000)"
    assert "stopped after" in died(frail, code, SHORT)


def test_questions_are_counted(monkeypatch):
    from minicnn.gradcheck.apart import crossing

    monkeypatch.setattr(crossing, "QUESTIONS", 10)
    with Walled("def run(f, n): return [f(k) for k in range(n)]", import_seconds=LONG) as one:
        assert one.call("run", Callback(lambda k: k), 10) == [*range(10)]
        with pytest.raises(Died, match="more than 10 questions"):
            one.call("run", Callback(lambda k: k), 11)


@pytest.mark.parametrize("code", some([
    "json.dumps = json.loads = None", "socket.socket.send = socket.socket.sendall = None",
    "time.monotonic = lambda: 0", "struct.Struct = struct.pack = None", "sys.modules.clear()",
    "np.array = np.asarray = np.ascontiguousarray = np.empty = None",
    "sys.stdout = sys.stderr = None",
    "import builtins; builtins.isinstance = builtins.len = builtins.issubclass = None",
    "sys.settrace(lambda *a: 1 / 0); threading.settrace(None)", "gc.disable(); gc.freeze()",
    "[frame.clear() for frame in ()]; sys.setrecursionlimit(60)", "sys.meta_path.clear()",
    "import builtins; builtins.type = builtins.exec = builtins.getattr = None"], 5))
def test_what_it_patches_is_its_own_loss(code):
    """The parent lives, and a fresh process has nothing of it."""
    with Walled(y_of(f"{code}\ny = 1"), import_seconds=LONG, seconds=LONG) as one:
        for function in ("run", "right", "right"):
            try:
                assert one.call(function, *[1] * (function == "right")) in (1, 2)
            except (Died, OwnError) as error:
                assert str(error)
    with Walled(y_of("y = 1"), import_seconds=LONG) as one:
        assert one.call("right", 1) == 2


def test_a_flood_is_harmless():
    code = "for _ in range(300): os.write(1, b'right! 10/10 points\\n' * 50_000)\ny = 1"
    with Walled(y_of(code), import_seconds=LONG, seconds=LONG) as one:
        assert one.call("run") == 1
        assert len(one.printed) <= process_module.PRINTED


# ---- the end of the parent, and systems that offer less

@pytest.mark.skipif(not LINUX, reason="needs /proc")
@pytest.mark.parametrize("thread", [False, True])
def test_nothing_outlives_the_parent(tmp_path, thread):
    """Killed in the middle of a call: the process that runs the file ends with it."""
    code = f"""if 1:
    import os, threading, time
    from minicnn.gradcheck.apart.walled import Walled
    def go():
        one = Walled({y_of("while True: pass")!r}, seconds=1000, import_seconds=60)
        print("ready", flush=True)
        one.call("run")
    if {thread}:
        threading.Thread(target=go, daemon=True).start()
        time.sleep(1000)
    go()"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          cwd=tmp_path, env=os.environ | {"TMPDIR": str(tmp_path),
                          "PYTHONPATH": os.pathsep.join(sys.path)}) as parent:
        assert parent.stdout.readline() == b"ready\n"
        below = descendants(parent.pid)
        parent.kill()
    assert len(below) >= 1
    end = time.monotonic() + 10
    while any(map(alive, below)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, below))
    for folder in tmp_path.glob("minicnn-apart-*"):
        folder.rmdir()


def descendants(pid):
    """The processes that a process has started, and theirs."""
    children = [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children")
                for word in path.read_text().split()]
    return children + [below for child in children for below in descendants(child)]


def alive(pid):
    """Whether a process runs."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_on_a_system_that_is_not_linux_it_refuses(monkeypatch):
    """As on macOS, whose limit on memory has no effect."""
    monkeypatch.setattr(launch, "BOOT", launch.BOOT.replace(
        "import json, os, sys, types", "import json, os, sys, types; sys.platform = 'darwin'"))
    with pytest.raises(WallError, match="cannot keep it from your files.*cannot limit its memory"):
        Walled(CONV, import_seconds=LONG)
    with Walled(CONV, import_seconds=LONG, seconds=LONG, minimum=False) as one:
        assert one.call("same", 1) == ((1,), {}) and "clock" in one.layers


def test_without_the_minimum_it_refuses():
    assert wall.missing(wall.LAYERS) == ""
    words = wall.missing({"clock", "memory", "calls"})
    assert words == "this system cannot keep it from your files"
    layers = {"clock", "core"}
    with pytest.raises(WallError, match="from your files, cannot keep it from the network"):
        Walled(CONV, import_seconds=LONG, layers=layers)
    with Walled(CONV, import_seconds=LONG, layers=layers, minimum=False) as one:
        assert one.call("same", 1) == ((1,), {}) and {*one.layers} <= layers


def test_a_python_that_cannot_start_is_not_the_file_s_fault(monkeypatch):
    monkeypatch.setattr(launch, "BOOT", "import sys; sys.exit(3)")
    with pytest.raises(WallError, match="no walled Python can start"):
        Walled(CONV)


def test_where_its_own_root_does_not_work_it_has_none(monkeypatch):
    monkeypatch.setattr(launch, "BOOT", launch.BOOT.replace(
        "given = json", "given = json.loads('{}') if 0 else json", 1).replace(
        "last.main(given)", "assert 'root' not in given['wanted']\nlast.main(given)"))
    with Walled(CONV, import_seconds=LONG, minimum=False) as one:
        assert one.call("same", 1) == ((1,), {}) and "root" not in one.layers

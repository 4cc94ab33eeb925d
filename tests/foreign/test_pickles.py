"""Pickles of plain values are read; every other one is refused, and nothing is ever run."""

import builtins
import collections
import copyreg
import functools
import json
import operator
import os
import pickle
import re
import struct
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import weight_bytes as wb
from fuzz import runner

from minicnn.foreign import pickles

VALUES = [None, True, False, 0, 1, -1, 255, 256, 65535, 65536, -2**31, 2**31, 2**62, -2**70, 1.5,
          "", "näme", "x" * 300, (), (1,), (1, 2), (1, 2, 3), (1, (2, [3, {"a": {}}])), [],
          [1, [2]], {}, {"a": 1, "b": [1.0, None]}, {3: "x", -1: {}}]


def load(data, calls=None, stored=None):
    return pickles.load(memoryview(data), 0, calls or {}, stored)[0]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values(protocol):
    same = [1, "a"]
    value = [*VALUES, same, same, collections.OrderedDict(b=1, a=2)]
    found = load(pickle.dumps(value, protocol))
    assert found == value and list(map(type, found[:-1])) == list(map(type, value[:-1]))
    assert found[-2] is found[-3] and list(found[-1]) == ["b", "a"]


def test_pickles_of_python_2():
    """Its texts have instructions of their own, and its OrderedDict takes a list of pairs."""
    pairs = b"](](U\x01bK\x01e](T\x01\0\0\0aK\x02ee"
    found = load(b"\x80\x02" + wb.name("collections", "OrderedDict") + b"(" + pairs + b"tR.")
    assert found == {"b": 1, "a": 2} and list(found) == ["b", "a"]


def test_pickles_in_a_row():
    data = memoryview(b"ab" + b"".join(pickle.dumps(k, 2) for k in ("x", [2])) + b"rest")
    first, at = pickles.load(data, 2, {})
    second, at = pickles.load(data, at, {})
    assert (first, second, bytes(data[at:])) == ("x", [2], b"rest")


def test_names_are_looked_up_in_the_table_and_stand_for_themselves():
    calls = {"a.b": lambda *arguments: ("called", *arguments), "a.c": None}
    assert load(wb.pickled(wb.call(wb.name("a", "b"), 1, "x")), calls) == ("called", 1, "x")
    assert load(wb.pickled(wb.name("a", "c")), calls) == pickles.Global("a.c")
    with pytest.raises(ValueError, match=r"would call a\.c, which weights do not need"):
        load(wb.pickled(wb.call(wb.name("a", "c"))), calls)


def test_attributes_of_a_dict_are_left_out():
    assert load(wb.pickled(wb.ORDERED + wb.encode({"_metadata": {"version": 1}}) + b"b")) == {}


def test_objects_kept_elsewhere():
    assert load(wb.pickled(wb.encode(("storage", 3)) + b"Q"), stored=lambda name: name[1:]) == (3,)
    with pytest.raises(ValueError, match="persistent id"):
        load(wb.pickled(wb.encode("x") + b"Q"))


# ---- programs in pickles

class Reduced:
    """An object whose pickle is a call."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def dumped(protocol, function, *arguments, **state):
    return pickle.dumps(Reduced(function, arguments, *([state] if state else [])), protocol)


def by_hand(*parts, end=b"."):
    return b"\x80\x02" + b"".join(wb.encode(part) for part in parts) + end


def gadgets(path):
    """Pickles that make the file `path`, or run something else, when Python's pickle reads them."""
    touch, write = f"touch {path}", f"open({str(path)!r}, 'w').close()"
    named = wb.name
    system, chain = named("posix", "system"), named("builtins", "getattr")
    fetched = wb.call(chain, wb.call(named("importlib", "import_module"), "os"), "system")
    return {
        **{f"os.system, protocol {p}": dumped(p, os.system, touch) for p in range(6)},
        "eval": dumped(2, builtins.eval, write),
        "exec": dumped(4, builtins.exec, write),
        "open": dumped(2, builtins.open, str(path), "w"),
        "subprocess": dumped(2, subprocess.Popen, ["touch", str(path)]),
        "getattr chain": by_hand(wb.call(fetched, touch)),
        "__import__": by_hand(wb.call(wb.call(chain, wb.call(named("builtins", "__import__"),
                                                             "os"), "system"), touch)),
        "attrgetter": dumped(2, operator.attrgetter, "system"),
        "methodcaller": by_hand(wb.call(wb.call(named("operator", "methodcaller"), "system", touch),
                                        named("os", "path"))),
        "partial": dumped(2, functools.partial, os.system, touch),
        "types.FunctionType": dumped(2, types.SimpleNamespace),
        "map": dumped(2, map, os.system, [touch]),
        "a class": dumped(2, copyreg._reconstructor, Reduced, object, None),
        "copyreg": dumped(2, copyreg.__newobj__, Reduced),
        "add_extension": dumped(2, copyreg.add_extension, "os", "system", 1),
        "pickle in a pickle": dumped(2, pickle.loads, dumped(2, os.system, touch)),
        "torch.load": by_hand(wb.call(named("torch", "load"), str(path))),
        "torch's own os": by_hand(wb.call(named("torch._utils", "os.system"), touch)),
        "dotted, by the stack": by_hand("torch._utils", "_rebuild_tensor_v2.__globals__", b"\x93"),
        "a method of OrderedDict": by_hand(named("collections", "OrderedDict.fromkeys")),
        "numpy": by_hand(wb.call(named("numpy", "load"), str(path))),
        "numpy's exec": by_hand(wb.call(named("numpy.testing._private.utils", "runstring"), write,
                                        {})),
        "a new line in a name": by_hand(named("collections", "OrderedDict\nposix")),
        "a null in a name": by_hand(named("collections", "OrderedDict\0")),
        "NEWOBJ": by_hand(named("subprocess", "Popen"), (["touch", str(path)],), b"\x81"),
        "NEWOBJ of OrderedDict": by_hand(named("collections", "OrderedDict"), (), b"\x81"),
        "NEWOBJ_EX": by_hand(named("subprocess", "Popen"), (["touch", str(path)],), {}, b"\x92"),
        "INST": b"(S'" + touch.encode() + b"'\niposix\nsystem\n.",
        "OBJ": by_hand(b"(", system, touch, b"o"),
        "EXT1": by_hand(b"\x82\x01"),
        "PERSID": by_hand(b"Px\n"),
        "a called text": by_hand(wb.call(wb.encode("posix.system"), touch)),
        "a called dict": by_hand(wb.call(wb.ORDERED, touch)),
        "arguments that are none": by_hand(named("collections", "OrderedDict"), touch, b"R"),
        "BUILD of a class": by_hand(named("collections", "OrderedDict"),
                                    {"__reduce__": 1}, b"b"),
        "BUILD of a class with slots": by_hand(named("collections", "OrderedDict"),
                                               (None, {"__call__": system}), b"b"),
        "BUILD of a class with nothing": by_hand(named("collections", "OrderedDict"), {}, b"b"),
        "a called class's arguments in a list": by_hand(named("collections", "OrderedDict"), [],
                                                        b"R"),
        "a called number": by_hand(1, (), b"R"),
        "DICT": by_hand(b"(", "a", 1, b"d"),
        "LIST": by_hand(b"(", "a", 1, b"l"),
        "LONG4": by_hand(b"\x8b\x01\0\0\0\x01"),
        "UNICODE": by_hand(b"Va\n"),
        "GET": by_hand(b"g0\n"),
        "DUP": by_hand(1, b"2"),
        "EXT4": by_hand(b"\x84\x01\0\0\0"),
        "BUILD of a list": by_hand([], {"append": 1}, b"b"),
        "BUILD with slots": by_hand(wb.ORDERED, (None, {"__class__": 1}), b"b"),
        "BUILD with a program": by_hand(wb.ORDERED, {"__setstate__": system}, b"b"),
        "__setstate__": by_hand(wb.call(named("builtins", "type"), "X", (), {}), {"a": 1}, b"b"),
        "APPEND to a class": by_hand(named("collections", "deque"), 1, b"a"),
        "APPENDS to a dict": by_hand({}, b"(", 1, b"e"),
        "SETITEM of a module": by_hand(named("os", "environ"), "A", "b", b"s"),
        "SETITEM of a list": by_hand([1], 0, 2, b"s"),
        "a name of no text": by_hand(1, 2, b"\x93"),
        "bytearray": by_hand(b"\x96" + struct.pack("<Q", 4) + b"abcd"),
        "a buffer elsewhere": by_hand(b"\x97"),
        "a set": pickle.dumps({1}, 4),
    }


NAMES = sorted(gadgets("x"))


@pytest.mark.parametrize("which", NAMES)
def test_programs_are_refused_and_not_run(tmp_path, which):
    path = tmp_path / "ran"
    with pytest.raises(ValueError, match="^its pickle |^it is damaged") as error:
        load(gadgets(path)[which])
    assert not path.exists() and "\n" not in str(error.value)


@pytest.mark.parametrize("which", ["os.system, protocol 2", "eval", "exec", "subprocess",
                                   "OBJ", "INST", "getattr chain", "__import__",
                                   "pickle in a pickle"])
def test_the_programs_are_real(tmp_path, which):
    """Python's own pickle runs them: the test above can fail."""
    path = tmp_path / "ran"
    started = pickle.loads(gadgets(path)[which])
    if which == "subprocess":
        started.wait()
    assert path.exists()


def test_the_error_says_what_would_have_been_run(tmp_path):
    with pytest.raises(ValueError, match=r"names 'posix\.system': only tensors and dicts .* is "
                                         r"ever run\. If it is a whole model, save "
                                         r"model\.state_dict"):
        load(gadgets(tmp_path)["os.system, protocol 2"])


def test_no_program_is_imported():
    """To name a module is enough for Python's pickle to run it."""
    assert "antigravity" not in sys.modules
    with pytest.raises(ValueError, match="names 'antigravity.fly'"):
        load(by_hand(wb.name("antigravity", "fly")))
    assert "antigravity" not in sys.modules


# ---- pickles made to take memory or time

def tuples(depth):
    """Tuples of twice the same tuple: 2**depth values to a reader that follows them all."""
    put = b"".join(b"q\x00h\x00h\x00\x86" for _ in range(depth))
    return b")" + put


def pairs():
    """A list of 20,000 pairs, remembered at place 0, and made a dict 20,000 times."""
    ordered = wb.name("collections", "OrderedDict")
    return (b"](" + b"](X\x01\0\0\0aK\x01e" * 20_000 + b"eq\x00"
            + (ordered + b"h\x00\x85R") * 20_000 + b".")


def long_pair():
    """A list of one pair, of 100,000 values, made a dict 50,000 times."""
    ordered = wb.name("collections", "OrderedDict")
    return (b"]](" + b"K\x01" * 100_000 + b"eaq\x00"
            + (ordered + b"h\x00\x85R") * 50_000 + b".")


def many_arguments():
    """A tuple of 100,000 values, and a function called with them 50,000 times."""
    ordered = wb.name("collections", "OrderedDict")
    return b"(" + b"K\x01" * 100_000 + b"tq\x00" + (ordered + b"h\x00R") * 50_000 + b"."


def alike():
    """Integers that Python puts in one place of a dict, and compares one with the other."""
    keys = (((2**61 - 1) * k).to_bytes(12, "little") for k in range(1, 30_000))
    return b"}(" + b"".join(b"\x8a\x0c" + key + b"N" for key in keys) + b"u."


# made when they are needed, so that making them does not hide what reading them takes
BOMBS = {
    "the memo place 2**32 - 1": (lambda: b"Nr\xff\xff\xff\xff.", None),
    "2**60 tuples": (lambda: tuples(60) + b".", None),
    "2**60 tuples as a key": (lambda: tuples(60) + b"}h\0Ns.", "a tuple as a key"),
    "2**60 tuples as arguments": (
        lambda: tuples(60) + wb.name("collections", "OrderedDict") + b"h\0R.",
        "positional arguments"),
    "2**60 tuples as a state": (lambda: wb.ORDERED + tuples(60) + b"b.", "would set a state"),
    "a text said to take 4 GB": (lambda: b"X\xff\xff\xff\xffabc.", "negative byte count"),
    "a text said to take 2 GB": (lambda: b"X\xff\xff\xff\x7fabc.", "far longer"),
    "a text said to take 2 MB": (lambda: b"X\xff\xff\x1f\0abc.", "damaged or cut short"),
    "a text said to take 2**64 bytes": (lambda: b"\x8d" + b"\xff" * 8 + b"a.",
                                        "instruction 0x8d"),
    "an integer of 2 GB": (lambda: b"\x8b\xff\xff\xff\x7f" + b"1" * 100, "instruction 0x8b"),
    "an integer of 255 bytes": (lambda: b"\x8a\xff" + b"1" * 255 + b".", None),
    "an integer of many digits": (lambda: b"L" + b"9" * 1_000_000 + b"L\n.", "instruction 0x4c"),
    "a list in itself": (lambda: b"]q\x00h\x00a.", None),
    "a frame of 2**64 bytes": (lambda: b"\x95" + b"\xff" * 8 + b"N.", None),
    "nothing": (lambda: b"", "cut short"),
    "no end": (lambda: b"N", "cut short"),
    "nothing on the stack": (lambda: b".", "damaged before byte 1: pop from empty"),
    "no mark": (lambda: b"t.", "damaged before byte 1: pop from empty"),
    "a place where nothing is": (lambda: b"h\x05.", "not found at index 5"),
    "a key without a value": (lambda: b"}(K\x01u.", "a key without a value"),
    "bytes that are no text": (lambda: b"X\x01\0\0\0\xff.", "'utf-8' codec can't decode"),
    "half of a character": (lambda: b"X\x03\0\0\0\xed\xa0\x80.", "'utf-8' codec can't decode"),
    "keys that are alike": (alike, "a int as a key"),
    "a list made a dict again and again": (pairs, "far longer"),
    "a pair of 100,000 again and again": (long_pair, "from something other than pairs"),
    "a call with 100,000 arguments again and again": (many_arguments, "positional arguments"),
    "lists in lists, 200,000 deep": (lambda: b"]" * 200_000 + b"a" * 199_999 + b".", None),
    "lists in lists, 400,000 deep": (lambda: b"]" * 400_000 + b"a" * 400_000, "far longer"),
    "tuples in tuples, 200,000 deep": (lambda: b")" + b"\x85" * 200_000 + b".", None),
    "dicts in dicts, 100,000 deep": (
        lambda: b"}X\1\0\0\0a" * 100_000 + b"}" + b"s" * 100_000 + b".", None),
    "20 MB of dicts": (lambda: b"}" * 20_000_000, "far longer or more complex"),
    "20 MB of marks": (lambda: b"(" * 20_000_000, "far longer"),
    "20 MB of remembered lists": (lambda: b"]\x94" * 10_000_000, "far longer"),
    "a name of 20 MB": (lambda: b"c" + b"a" * 20_000_000 + b"\n", "a name does not end"),
    "a text of 60 MB, four bytes a character": (
        lambda: b"X" + struct.pack("<I", 60_000_000) + b"a" * 59_999_996
        + "\U0001F600".encode() + b".", "far longer"),
}


@pytest.fixture(scope="module")
def exploded():
    """What became of each bomb in a process of their own: [size, error, seconds, memory taken].

    The most a process has taken is never less afterwards, so it is measured in a new one.
    """
    program = f"import test_pickles; test_pickles.{explode.__name__}()"
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "made"), *sys.path]
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)}, check=True)
    return json.loads(shown.stdout)


def explode():
    """For the fixture: load each bomb and print what became of it."""
    found = {}
    for which, (bomb, _) in BOMBS.items():
        error, before = None, runner.peak_memory()
        data = bomb()
        began = time.process_time()
        try:
            load(data)
        except ValueError as wrong:
            error = str(wrong)
        spent, grown = time.process_time() - began, runner.peak_memory() - before
        found[which] = [len(data), error, spent, grown]
        del data
    print(json.dumps(found))


@pytest.mark.thorough
@pytest.mark.parametrize("which", BOMBS)
def test_bombs_take_little_memory_and_time(which, exploded):
    """Allowed are 4 times the file and 100 MB, and 5 s."""
    message = BOMBS[which][1]
    size, error, seconds, grown = exploded[which]
    assert error is None if message is None else re.search(message, error)
    assert grown < 4 * size + 100_000_000 and seconds < 5

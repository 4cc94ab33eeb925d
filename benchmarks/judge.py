"""Checkers compared: how many known wrong layers does each one catch?

    minicnn bench judge, in a checkout, or
    python benchmarks/judge.py [--checkers NAME ...] [--right 300] [--seconds 60]
                               [--out benchmarks/results/judge]

The wrong layers are those of minicnn.gradcheck.mistakes. Each checker that is installed looks at
each of them at one plain setting (right_layers.py); minicnn's judge tries all settings of its op.
Then each looks at right layers, drawn by chance, where it should find nothing. Then the defects of
published packages are shown again (published.py).

A checker works in a process of its own, which has a limit of --seconds for each layer. What is
answered is kept in OUT.json: stop and start again as you like, also with another Python for
packages that do not go together (with --checkers). --fresh starts anew.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
import zlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import judge_tables
import machine
import numpy as np
import our_checkers
import program
import right_layers
from judge_tables import CAUGHT, LATE, MISSED, RAISED
from other_checkers import CHECKERS
from our_checkers import JUDGE, KINDS

import minicnn
from minicnn import images
from minicnn.gradcheck import mistakes as known_layers
from minicnn.gradcheck.judge.reference import passes
from minicnn.progress import bar

OUT = Path(__file__).parent / "results" / "judge"
STARTUP, EVERY = 120, 10  # seconds that a process may need to start; between two savings
NAMES = (JUDGE, *CHECKERS, *KINDS)
WITH_TORCH = "torch, full"  # a checker that is there if PyTorch is


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("judge", read, run, arguments)


def run(options):
    """Ask each checker about each layer, write the tables and print them."""
    out = Path(options.out)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})  # before the work
    result = load(out, options)
    for name in options.checkers:
        ask_all(name, result, out, options.seconds)
    if options.published:
        result["published"] = merged(result["published"], published())
    write(out, result)
    print(judge_tables.markdown(result))


# ---- the layers: each has a name, by which the processes speak of it

class Task(NamedTuple):
    """A layer to look at: (forward, backward) of arrays alone; for the judge a Mistake or Right."""

    case: object
    pair: tuple
    arrays: list
    layer: object


def mistakes():
    """The known wrong layers by name, and their right bases."""
    wrong = {f"wrong: {one.op}, {one.base}, {one.kind}": one for one in known_layers.known()}
    return wrong, {f"base: {one.op}, {one.base}": one for one in known_layers.bases()}


def rights(count):
    """The right settings by name."""
    return {f"right {i}: {one.name}": one
            for i, one in enumerate(right_layers.draw(count, right_layers.SEED))}


@cache
def _found(count):
    wrong, bases = mistakes()
    return bases | wrong | rights(count)


def task(name, count):
    """The Task of a name."""
    one = _found(count)[name]
    if isinstance(one, right_layers.Right):
        return Task(one.case, one.pair(), one.arrays(), one)
    case = right_layers.plain(one.op)
    return Task(case, right_layers.pair(one.fresh(), case), right_layers.arrays_of(case), one)


# ---- one answer

class Watched:
    """A pair that notes whether an error arose inside the layer."""

    def __init__(self, pair):
        self.raised = None
        self.forward, self.backward = map(self._noting, pair)

    def _noting(self, function):
        def noting(*arguments):
            try:
                return function(*arguments)
            except BaseException as error:
                self.raised = f"{type(error).__name__}: {error}"
                raise

        return noting


def answer(name, one):
    """(outcome, cause) of a checker for a Task."""
    np.random.seed(0)
    if name == JUDGE:
        caught, cause = by_judge(one)
        return (CAUGHT if caught else MISSED), cause
    watched = Watched(one.pair)
    try:
        caught = _caught(name, watched, one)
    except BaseException:  # by the library, if not by the layer: it refuses such a layer
        caught = True
    return (RAISED if watched.raised else CAUGHT if caught else MISSED), ""


def by_judge(one):
    """(caught, cause) of the judge: a right layer at its setting, any other at all settings."""
    if isinstance(one.layer, right_layers.Right):
        return our_checkers.judged_at(one.case, one.layer.whole()), ""
    return our_checkers.judged(one.layer)


def _caught(name, watched, one):
    arguments = watched.forward, watched.backward, one.arrays
    if name in KINDS:
        return KINDS[name](*arguments, one.case)
    return CHECKERS[name].caught(*arguments)


def works(name):
    """Run a checker on a right layer; raises if its library cannot be used."""
    case = right_layers.plain("tanh")
    pair = right_layers.pair(passes("tanh"), case)
    _caught(name, SimpleNamespace(forward=pair[0], backward=pair[1]),
            Task(case, pair, right_layers.arrays_of(case), None))


# ---- a process for each checker

def serve(pipe, name, count):
    """In the process: answer [outcome, cause, seconds] to each name of a layer that arrives."""
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # of the process: what layers and libraries print
        os.dup2(silent, stream)
    try:
        if name != JUDGE:
            works(name)
        pipe.send("")
    except BaseException as error:
        return pipe.send(f"{type(error).__name__}: {error}")
    while asked := pipe.recv():
        one, start = task(asked, count), time.perf_counter()
        pipe.send([*answer(name, one), round(time.perf_counter() - start, 5)])
    return None


class Process:
    """A checker in a process of its own, started anew after a layer that took too long."""

    def __init__(self, name, count, seconds):
        self.name, self.count, self.seconds = name, count, seconds
        self.process = self.pipe = None

    def start(self):
        """Start the process; raises ValueError if the checker cannot be used."""
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(theirs, self.name, self.count),
                                     daemon=True)
        self.process.start()
        theirs.close()
        told = self._told(STARTUP)
        if told:
            raise ValueError(told if isinstance(told, str) else "its process does not start")

    def ask(self, layer):
        """[outcome, cause, seconds] of a layer."""
        if self.process is None:
            self.start()
        self.pipe.send(layer)
        told = self._told(self.seconds)
        if told in (LATE, RAISED):
            self.stop()
            return [told, "", self.seconds]
        return told

    def _told(self, seconds):
        """What the process says in time; LATE or RAISED if nothing comes."""
        try:
            return self.pipe.recv() if self.pipe.poll(seconds) else LATE
        except (EOFError, OSError):
            return RAISED

    def stop(self):
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = None


def ask_all(name, result, out, seconds):
    """Ask a checker about all layers that it has not answered yet; keeps the answers in `out`."""
    if not present(name):
        return
    forget_other_version(name, result)
    layers_ = result["layers"]
    open_ = [layer for layer in layers_ if name not in layers_[layer]["answers"]
             and asked_of(name, layer)]
    process, saved = Process(name, result["count"], seconds), time.monotonic()
    try:
        with bar(open_, name) as layers:
            for layer in layers:
                layers_[layer]["answers"][name] = process.ask(layer)
                if time.monotonic() > saved + EVERY:
                    write_json(out, result)
                    saved = time.monotonic()
    except ValueError as error:  # of start
        result["checkers"][name] = {"fails": str(error)}
    finally:
        process.stop()
        write_json(out, result)


def present(name):
    """Whether a checker is installed."""
    return name == JUDGE or name in KINDS or CHECKERS[name].version() is not None


def asked_of(name, layer):
    """Whether a checker is asked about a layer: the kinds are not asked about right settings, and
    nobody about PyTorch's where PyTorch is not installed."""
    if not layer.startswith("right"):
        return True
    lacking = f", {right_layers.TORCH}, " in layer and CHECKERS[WITH_TORCH].version() is None
    return not lacking and name not in KINDS


def forget_other_version(name, result):
    """Note the versions that answer now, and drop the answers of others."""
    ours_ = name == JUDGE or name in KINDS
    version = minicnn.__version__ if ours_ else CHECKERS[name].version()
    now = {"version": version, "numpy": np.__version__}
    if result["checkers"].get(name) != now:
        for about in result["layers"].values():
            about["answers"].pop(name, None)
    result["checkers"][name] = now


# ---- the file

def load(out, options):
    """What OUT.json holds, for the layers there are today; or nothing, with --fresh."""
    path = out.with_suffix(".json")
    old = {} if options.fresh or not path.exists() else json.loads(path.read_text("utf-8"))
    wrong, bases = mistakes()
    right = rights(options.right)
    layers = {name: describe(one) for name, one in (bases | wrong | right).items()}
    for name, about in layers.items():
        before = old.get("layers", {}).get(name, {})
        kept = before.pop("answers", {})
        about["answers"] = kept if before == about else {}
    return {"about": machine.about() | {"minicnn": minicnn.__version__}, "count": options.right,
            "checkers": old.get("checkers", {}), "layers": layers,
            "published": old.get("published", [])}


def describe(one):
    """What the tables need of a layer; a wrong layer that changes is asked about again."""
    if isinstance(one, right_layers.Right):
        return {"groups": one.groups}
    digest = zlib.crc32(one.source.encode())
    return {"op": one.op, "base": one.base, "kind": one.kind, "cause": one.cause,
            "also": one.also, "source": digest}


def published():
    """What published.py shows, in a process of its own, since old packages change NumPy."""
    command = [sys.executable, str(Path(__file__).with_name("published.py")), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"published.py: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def merged(old, new):
    """The new rows; and the old ones of packages that are not installed here."""
    here = {row["what"] for row in new}
    return [row for row in old if row["what"] not in here] + new


def write_json(out, result):
    """Write OUT.json with a line for each layer, completely or not at all."""
    layers = ",\n".join(f"{json.dumps(name)}: {json.dumps(about)}"
                        for name, about in result["layers"].items())
    rest = json.dumps({key: value for key, value in result.items() if key != "layers"}, indent=1)
    _write(out.with_suffix(".json"), f'{rest[:-2]},\n "layers": {{\n{layers}}}\n}}')


def write(out, result):
    """Write OUT.json and OUT.md."""
    write_json(out, result)
    _write(out.with_suffix(".md"), judge_tables.markdown(result))


def _write(path, text):
    images.write(path, text + "\n")


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--checkers", nargs="*", choices=NAMES, default=list(NAMES), metavar="NAME",
        help=f"(default: all that are installed, of {', '.join(NAMES)})")
    add("--right", type=int, default=300, metavar="N", help="right settings (default: 300)")
    add("--seconds", type=float, default=60, help="limit for one layer (default: 60)")
    add("--fresh", action="store_true", help="forget the answers that OUT.json holds")
    add("--no-published", dest="published", action="store_false",
        help="do not show the defects of published packages")
    add("--out", default=str(OUT),
        help="path of the results, without suffix (default: benchmarks/results/judge)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

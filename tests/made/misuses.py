"""Wrong calls of the command line, drawn at random from its own parser.

Every call has at least one fault that is certain: a value that the option's own type refuses, a
choice that there is not, an unknown option, or a file that is missing or is something else. Around
it stand other options with odd values, right or wrong.
"""

import argparse
import os
import random
from pathlib import Path

import small
from PIL import Image

from minicnn.cli import COMMANDS, build_parser

ODD = ["", " ", "x", "-1", "0", "1", "3", "1e999", "nan", "-inf", "9" * 30, "1,2", "1,2,3,4",
       "5..2",
       "0x10", "1_0", "٣", "½", "\x1b[2J\x07", "\u202etxt", "a\nb", "💥", "\udcff", "%s%n{}",
       "--", "-", "~", "/", "..", "a" * 300, "conv=", "=", "relu2:999", "keep", "none", "mean"]
LEFT_OUT = {
    "doctor",  # whose report tells of faults
    "bench",  # the programs of a checkout, with parsers of their own
}


def odd_files(folder):
    """Write files that are no photos and no weights, and return their paths; some are not there."""
    whole = folder / "whole.png"
    Image.fromarray(small.photo()).save(whole)
    data = whole.read_bytes()
    contents = {
        "empty.png": b"", "text.png": b"no picture", "cut.png": data[:len(data) // 2],
        "name.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "fake.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 99,
        "zip.pth": b"PK\x03\x04" + b"\0" * 40, "list.json": b"[[[", "nul.txt": b"\0" * 100,
        "latin.txt": b"\xe9\xff\n", "wide.png": data[:16] + b"\x7f\xff\xff\xff" * 2 + data[24:],
        "bell\x07\x1b[2J.png": b"x", "two\nlines.png": b"x", "pickle.npy": b"\x93NUMPY\x01\0v\0{"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.png").mkdir()
    (folder / "empty folder").mkdir()
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "broken.png").symlink_to("gone.png")
    os.mkfifo(folder / "pipe.png")
    there = [*contents, "folder.png", "empty folder", "loop.png", "broken.png", "pipe.png"]
    return [*(str(folder / name) for name in there), "missing.png", "/dev/null", "/dev/zero", "",
            "no/such/folder/a.png", "n" * 300 + ".png", "nul\0byte.png", "/proc/self/mem"]


def draw(seed, folder, files):
    """A wrong call: a list of arguments.

    Parameters
    ----------
    seed : int
    folder : path
        Where results may go.
    files : list of str
        Of `odd_files`.
    """
    rng = random.Random(seed)
    command = rng.choice(sorted(set(COMMANDS) - LEFT_OUT))
    words, parser = [command], _child(build_parser([command]), command)
    while inner := [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]:
        name = rng.choice(sorted(inner[0].choices))
        words.append(name)
        parser = inner[0].choices[name]
    faults = [fault for action in parser._actions for fault in _faults(rng, action, files)]
    faults.append(["--no-such-option" + rng.choice(ODD)])
    if not any(a.nargs in ("*", "+") and not a.option_strings for a in parser._actions):
        faults.append([rng.choice([text for text in ODD if text != "--"])] * 3)  # too many
    noise = [a for a in parser._actions if a.option_strings and a.dest not in ("help", "out")]
    for action in rng.sample(noise, min(len(noise), rng.randrange(3))):
        words += _given(action, rng.choice(ODD))
    if any("--out" in a.option_strings for a in parser._actions):
        words += ["--out", str(Path(folder, rng.choice(["a.png", "a.gif", "b", "c.h5"])))]
    fault = rng.choice(faults)
    needed = [a for a in parser._actions if a.required and not a.option_strings]
    there = [] if fault[:1] == [None] else [rng.choice(files) for _ in needed]
    return [*words, *there, *fault[fault[:1] == [None]:]]


def _child(parser, name):
    (commands,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return commands.choices[name]


def _faults(rng, action, files):
    """Yield arguments that are certainly wrong for an option; None first for one by position."""
    if not action.option_strings:
        photo = action.metavar == "photo"
        if (action.nargs in (None, "+") or photo) and action.choices is None:
            yield [None, rng.choice(files)]
        return
    if action.choices is not None:
        yield _given(action, "no such choice")
    elif action.type is not None:
        refused = [text for text in ODD if _refuses(action.type, text)]
        if refused:
            yield _given(action, rng.choice(refused))
    elif action.dest in ("weights", "redraw") and action.nargs is None:
        yield _given(action, rng.choice(files))


def _given(action, value):
    name = action.option_strings[-1]
    return [name] if action.nargs == 0 else [f"{name}={value}"]


def _refuses(kind, text):
    try:
        kind(text)
    except (ValueError, TypeError, argparse.ArgumentTypeError):
        return True
    return False

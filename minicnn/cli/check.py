"""``minicnn check``: see `minicnn.gradcheck.judge.files`, for --json `record` beside it."""

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path

from minicnn import images, progress
from minicnn.cli import INTERRUPTED
from minicnn.cli.kinds import number
from minicnn.course.rendering import painting
from minicnn.gradcheck.judge import features, files, record, words
from minicnn.gradcheck.judge.step_sizes import error_by_step
from minicnn.gradcheck.own.forms import KINDS
from minicnn.gradcheck.own.layouts import LAYOUTS
from minicnn.report import check as page
from minicnn.terminal import columns, tell

SCREEN = "-"
LOOKS = {"wrong": r"\bWRONG\b|^  gradient +wrong", "right": r"(?<= )right(?= .*\d\.\d$)",
         "dim": r"^  not claimed.*", "bold": r"^  [a-z][a-z ]{11}(?= )|^\S+( \(\w+\))?$",
         "code": r"^    (?:import |from |print\(|\w+(?:, \w+)* = ).*"}
ABOUT = """\
FILE.py is run, in a process of its own with limits on time, memory, files and processes; or name
one class of it, FILE.py:Conv. Its ops are recognised by their names: conv_forward and conv_backward
(x, w, b, conv_param), max_pool_..., batchnorm_..., softmax_loss and so on, or classes with forward
and backward, or PyTorch modules. Each is run at many settings, in float64 and float32. There are
two verdicts. The gradient: are y, dx, dw, ... right? The conduct: are the arguments left alone, the
dtype kept, earlier calls forgotten, ...?

Columns: results right and wrong; cannot do: the op raises an error of its own, or none but errors;
not claimed: it has no such setting, or --without names it; skipped: the time was up.

FEATURES of --without, settings that your op is not meant for:
"""
STATUS = """
Exit status: 0 if at least one op was judged and all are right in both verdicts; 1 if not; 2 for
wrong usage; 130 after Ctrl-C, with the results so far."""


def add(parser):
    """The options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = "kinds of conduct: " + ", ".join(features.conduct_kinds())
    parser.epilog = "\n".join([
        ABOUT.rstrip(), *(f"  {name:<16} {text}" for name, text in features.FEATURES.items()),
        *words.wrapped("  ", "    ", kinds), STATUS])
    parser.add_argument("file", metavar="FILE", help="the Python file with your layers")
    parser.add_argument("--op", action="append", default=[], metavar="NAME",
                        help="judge this op only, conv or \"conv (naive)\"; repeatable (default: "
                             "all that are found)")
    parser.add_argument("--form", choices=KINDS, help="what your code looks like: page (this "
                        "library's form), course (cs231n's), class, torch (default: recognised)")
    parser.add_argument("--layout", choices=LAYOUTS, help="of your images (default: recognised)")
    parser.add_argument("--without", type=_features, default=(), metavar="FEATURES",
                        help="what your layers do not support, separated by commas; see below")
    parser.add_argument("--quick", action="store_true",
                        help="a quarter of the settings and no large arrays: about a second an op")
    parser.add_argument("--seconds", type=number(above=0), default=files.SECONDS, metavar="N",
                        help="time for each op; then the other settings are skipped (default: "
                             "%(default)g)")
    parser.add_argument("--json", nargs="?", const=SCREEN, metavar="FILE.json",
                        help="also write the results as JSON; without a name, or with -, print "
                             "them in place of the table")
    parser.add_argument("--html", metavar="FILE.html", help="also write a page with pictures of "
                        "the errors")


def run(options):
    """Judge every op and print the table; returns the exit status."""
    if options.json not in (None, SCREEN):
        images.check_destination(options.json, {".json": "JSON"})
    if options.html is not None:
        images.check_destination(options.html, {".html": "HTML", ".htm": "HTML"})
    try:
        layers = files.opened(options.file, layout=options.layout, form=options.form,
                                quick=options.quick, seconds=options.seconds)
    except ValueError as error:
        _write(options, [], 0, error=str(error))
        raise
    with layers:
        found = files.chosen(layers.found, options.op)
        done, finished = _judge(layers, found, options)
    _write(options, done, len(found), finished)
    if not finished:
        print("minicnn: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0 if done and all(one.ok for one in done) else 1


def _judge(layers, found, options):
    """(the Judged so far, whether none is left), each printed as soon as it is there."""
    paint, width = painting(sys.stdout, LOOKS), columns(words.WIDTH)

    def say(text):
        if options.json != SCREEN:
            tell(*text.split("\n"), paint=paint)

    if not found:
        say(files.no_op(Path(options.file).name))
        return [], True
    names, done, finished = [files.name_of(one) for one in found], [], True
    left = [] if options.op else [one for one in layers.found if one not in found]
    say("\n".join(line for one in found for line in words.taken(one, width)))
    say("\n".join(line for one in left for line in words.left_out(one, width)))
    say("\n" + "\n".join(words.headings(names)))
    curve = None if options.html is None else error_by_step
    with progress.bar(found, "check", unit="op") as bar:
        try:
            for one in bar:
                done.append(files.judged(
                    layers, one, without=options.without, quick=options.quick,
                    seconds=options.seconds, curve=curve))
                with bar.external_write_mode() if not bar.disable else nullcontext():
                    say(words.line(names, done[-1]))
        except KeyboardInterrupt:
            finished = False
    for lines in filter(None, (words.details(one, width) for one in done)):
        say("\n".join(["", *lines]))
    say("\n" + words.conclusion(done, len(found), width))
    if layers.lacks:
        lacks = ", ".join(layers.lacks)
        say("\n".join(words.wrapped("This system cannot limit: ", "  ", lacks, width)))
    return done, finished


def _write(options, done, found, finished=True, error=""):
    """Write --json and --html."""
    results = record.as_dict(options.file, done, found, finished=finished, error=error,
                             quick=options.quick, without=options.without)
    text = json.dumps(results, indent=1)
    if options.json == SCREEN:
        print(text)
    elif options.json is not None:
        images.write(options.json, text + "\n")
    if options.html is not None:
        page.write(options.html, results, done)


def _features(text):
    """A list of features, for argparse."""
    try:
        return features.left_out(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error

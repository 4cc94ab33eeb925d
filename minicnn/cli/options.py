"""Shared by the commands: common options, and saving results."""

import argparse
import inspect
import os
import sys
from dataclasses import fields
from math import inf
from pathlib import Path

from minicnn import images
from minicnn.cli import INTERRUPTED, document
from minicnn.cli.kinds import index_or_name, names, number, whole
from minicnn.cli.naming import Default
from minicnn.foreign.load import load
from minicnn.network.rows import near
from minicnn.network.using import MISSING, WORDS
from minicnn.report import animation, drawn, full_size, trace
from minicnn.terminal import escaped, note, tell

PICTURE = ("the picture; a small one is enlarged for viewing, and it itself goes into the folder "
           "of that name, without the suffix")
SHEET = ("the sheet; each picture at its own size goes into the folder of that name, without the "
         "suffix")


class Command:
    """The options of one command, with the defaults of the function that it calls.

    All commands have --weights, --labels (but for `weights` False), --out, --json, --seed, --device
    and --ops, those that make pictures --show; if the function requires an `image`, the command
    takes a photo, see `photo`.

    Parameters
    ----------
    parser : ArgumentParser
    function : callable, optional
        The function that the command calls.
    out : str, optional
        Default of --out, the path of the result. Without it the command prints text, which --out
        writes to a file.
    result : str
        What is written there, for the help.
    weights : bool
        Whether it works on one network.
    draws : bool
        Whether the photo may be left out.
    """

    def __init__(self, parser, function=None, out=None, result="the result", weights=True,
                 draws=True):
        self.parser, self.function = parser, function
        if weights:
            parser.files.add_argument(
                "--weights", default="minivgg", metavar="NAME_OR_PATH",
                help="name of a shipped or fetched network, or an .h5 file (default: %(default)s)")
            parser.files.add_argument("--labels", metavar="FILE",
                                      help="class names, one per line")
        output(parser, out, result)
        parameters = {} if function is None else inspect.signature(function).parameters
        if "seed" in parameters:
            self.option("seed", type=whole(0), metavar="N")
        else:
            parser.add_argument("--seed", type=whole(0), metavar="N",
                                help=argparse.SUPPRESS)  # it uses no random numbers
        device(parser)
        ops(parser)
        if "image" in parameters and parameters["image"].default is inspect.Parameter.empty:
            if draws:
                photo(parser)
            else:
                parser.add_argument("image", metavar="photo")

    def option(self, name, help="", **settings):
        """Add ``--name`` with the function's default for this parameter."""
        option(self.parser, self.function, name, help, **settings)

    def options(self, **kinds):
        """Add the remaining fields of the function's Options class.

        `kinds` are functions from text, for fields whose values are neither numbers nor choices.
        """
        there = {action.dest for action in self.parser._actions}
        for one in fields(self.function.options):
            if one.name not in there:
                self.option(one.name, **({"type": kinds[one.name]} if one.name in kinds else {}))

    def layers(self, help):
        """Add --layers, names separated by commas."""
        self.option("layers", type=names, metavar="A,B,...", help=help)

    def target(self):
        """Add --target, the class to explain."""
        self.option("target", type=index_or_name, metavar="CLASS",
                    help="number of the class, from 0, or its name (default: the most "
                         "probable class)")

    def keeping(self):
        """Add --keep-settings, which `save` carries out."""
        self.parser.files.add_argument("--keep-settings", action="store_true",
                                       help="also write the settings to a .json file next to the "
                                            "picture, under its name, for `minicnn replay`")
        self.parser.set_defaults(keeps=self.function.__name__.rpartition(".")[2])

    def watching(self):
        """Add --frames, --every and --plot, which `call` carries out."""
        add = self.parser.files.add_argument
        add("--frames", metavar="FILE.gif|FILE.mp4",
            help=f"also write the steps as an animation; {animation.NEEDED}")
        add("--every", type=whole(1), default=5, metavar="N",
            help="one frame for every N steps (default: %(default)s)")
        add("--plot", metavar="FILE.png", help="also plot the objective, or the loss, and each "
                                               "term's share of it, at every step")


def photo(parser, name="image", many=""):
    """Add the photo, or photos, whose help then is `many`; where none is given, `drawn` is it."""
    parser.add_argument(name, metavar="photo", nargs="*" if many else "?",
                        help=f"{many}{'; ' * bool(many)}(default: a ladybird, drawn by the "
                             "library)".lstrip())
    parser.set_defaults(complete=lambda options: _drawn(options, name, many))


def named(photo):
    """The name of a photo that `photo` has brought."""
    return photo if isinstance(photo, str) else "ladybird"


def _drawn(options, name, many):
    """Draw the photo if none is given, and say so."""
    if getattr(options, name) in (None, []):
        setattr(options, name, [drawn.ladybird()] if many else drawn.ladybird())
        note("minicnn: no photo is given: this is of a ladybird, drawn by the library")


def output(parser, out=None, result="the result"):
    """Add --out, and --json; --show too for pictures."""
    first, suffix = os.path.splitext(out or "")
    add = parser.files.add_argument
    add("--out", default=out and Default(out), metavar="PATH",
        help=f"where to write {result}; replaces what is there (default: {out}; where that is "
             f"there already, {first}-2{suffix} and so on)"
        if out else "write the text to this file; replaces it")
    add("--json", action="store_true", help=document.about(parser.prog.partition(" ")[2]))
    if out and suffix != ".h5":
        add("--show", action="store_true", help="also show it: with the system's viewer if there "
            "is a display, else in the terminal if that can show pictures")


def device(parser):
    """Add --device."""
    parser.shared.add_argument(
        "--device", choices=("cpu", "gpu", "auto"), default="cpu",
        help="where to compute; auto uses the GPU if CuPy finds one (default: %(default)s)")


def ops(parser):
    """Add --ops and --missing."""
    parser.shared.add_argument(
        "--ops", action="append", default=[], metavar="OP=FILE.py",
        help="use your own code for an op, conv=mine.py, or for a row, conv1_1=mine.py; mine.py "
             "alone for all ops in it; 'plain', or conv=plain, for the plain implementation (page) "
             "in minicnn.ops; repeatable (default: the fast twins)")
    parser.shared.add_argument(
        "--missing", choices=MISSING, default="error",
        help="what to do for a layer whose settings your op does not support: stop with an error, "
             "or use minicnn's plain implementation (page) (default: %(default)s)")


def option(parser, function, name, help="", required=False, **settings):
    """Add ``--name`` with the default of `function` for its parameter `name`.

    A field of the function's Options class brings its own words and limits. If it is not given, it
    is absent from the parsed options, so that a preset's value is not overridden.
    """
    own = getattr(function, "options", None)
    one = {one.name: one for one in fields(own)}.get(name) if own else None
    if one is not None:
        from minicnn.vis.options import shown  # only for methods, since all of `vis` comes with it

        about = one.metadata
        if about["choices"] is not None:
            settings = {"choices": about["choices"]} | settings
        elif "type" not in settings and one.type in (int, float):
            settings = {"type": _number_of(one), "metavar": "N"} | settings
        words = f"{help or about['words']} (default: {shown(one)})"
        parser.add_argument(f"--{name.replace('_', '-')}", help=words.replace("%", "%%"),
                            default=argparse.SUPPRESS, **settings)
        return
    default = inspect.signature(function).parameters[name].default
    if not required:
        settings["default"] = default
        help = help if default is None else f"{help} (default: {default})".strip()
    parser.add_argument(f"--{name.replace('_', '-')}", help=help.replace("%", "%%"),
                        required=required, **settings)


def _number_of(one):
    """The kind of value of a numeric field of an Options class."""
    least, above, most = (one.metadata[name] for name in ("least", "above", "most"))
    if one.type is int:
        return whole(0 if least is None else least)
    return number(-inf if least is None else least, -inf if above is None else above,
                  inf if most is None else most)


def network(options):
    """Load the network of --weights and --labels, with --ops and --device applied."""
    return equipped(load(options.weights, label_file=options.labels), options)


def equipped(net, options):
    """The network with --ops and --device applied."""
    return with_ops(net, options).to(options.device)


def with_ops(net, options):
    """The network with --ops applied; prints which code computes which rows."""
    for text in options.ops:
        name, equals, given = text.partition("=")
        there = sorted({layer.op for _, layer, _ in net.rows} - {None})
        if text in WORDS:
            net = net.using(text, missing=options.missing)
        elif not equals:
            net = net.using(**_all_of(text, net, there), missing=options.missing)
        elif name in there:
            net = net.using(**{name: given}, missing=options.missing)
        elif name in net.names:
            net = net.using({name: given}, missing=options.missing)
        else:
            hint = near(name, [*there, *net.names], 0.4) or f"; near it: {', '.join(there)}"
            raise ValueError(f"--ops {text}: network {net.name} has no op and no layer {name!r}"
                             + hint)
    if options.ops:
        note(*str(net.choice).split("\n"))
    return net


def _all_of(file, net, there):
    """{op: Source} of all the network's ops that a file defines by name."""
    if ".py" not in file:
        raise ValueError(f"--ops {file}: expected {' or '.join(WORDS)}, OP=FILE.py, or FILE.py")
    from minicnn.gradcheck.own.names import named_in
    from minicnn.gradcheck.own.sources import Source

    source = Source(file)
    found = {op: source for op in named_in(source) if op in there}
    if not found:
        raise ValueError(f"{file}: nothing in it is named like an op of network {net.name} "
                         f"({', '.join(there)}); name the op: --ops OP={file}")
    return found


def call(method, options, net, **more):
    """Call `method` on the network with all options that it has a parameter for.

    It shows a progress bar, and writes --frames and --plot if the method supports them.
    """
    parameters = inspect.signature(method).parameters
    chosen = {name: getattr(options, name) for name in parameters if name in options}
    if "progress" in parameters:
        chosen["progress"] = True
    if "frames" not in options or "watch" not in parameters:
        return method(net, **chosen | more)
    frames = None if options.frames is None else animation.Frames(net, options.every)
    made = method(net, **chosen | more, watch=frames)
    if frames is not None:
        animation.save(options.frames, map(images.enlarged, frames.pictures))
    if options.plot is not None:
        trace.plot(options.plot, made if isinstance(made, list) else [made])
    return made


def make(method, options, sheet=None, pictures=None, **more):
    """Call `method`, save its picture or ``sheet(record)``; returns the exit status.

    The pictures of the sheet, ``pictures(record)``, are saved beside it; see `save`.
    """
    check_destinations(options, folder=sheet is None or pictures is not None)
    net = network(options)
    record = call(method, options, net, **more)
    return save(record, options, net, None if sheet is None else sheet(record),
                None if pictures is None else pictures(record))


def check_text(options):
    """Raise if --out is given and cannot be written: before the work, not after it."""
    if options.out is not None:
        images.check_writable(options.out)


def say(text, options, **values):
    """Print a text or a list of lines, or write it to --out; with --json, a document of the values
    in its place: see `minicnn.cli.document`."""
    if values and options.json:
        text = document.document(options.command, **values)
    lines = text.split("\n") if isinstance(text, str) else text
    if options.out is None:
        tell(*lines)
        return
    images.write(options.out, "\n".join(map(escaped, lines)) + "\n")


def save(record, options, net, sheet=None, pictures=None, told=None, records=None):
    """Write the record's picture, or a sheet, to --out and print its caption, or lines `told`;
    with --json a document of the record, or of several `records`.

    A small picture is enlarged. It itself, and the pictures {name: picture} of a sheet, go into the
    folder of the same name, see `report.full_size`. With --keep-settings also write the settings.
    Returns the exit status.
    """
    beside = show(options.out, record.image if sheet is None else sheet, sheet is not None,
                  pictures)
    if "keep_settings" in options and options.keep_settings:
        from minicnn.report import saved

        saved.save(record, net, _settings_file(options), options.keeps,
                   getattr(options, "image", None), options.weights, options.labels)
    first, *others = [record.caption] if told is None else told
    result(options, [record] if records is None else records,
           [f"{options.out}: {first}", *others], beside, net=net)
    return finish(record)


def result(options, records, lines, beside=(), files=(), net=None, **more):
    """Print what was made: lines of text; or with --json one document, see `minicnn.cli.document`.

    Parameters
    ----------
    options : Namespace
    records : list of Record
        One for each picture.
    lines : list of str
    beside : list of (line, paths)
        What `show` returned.
    files : sequence of path
        What else was written; the lines name it.
    net : Network, optional
        Whose classes' names the document then has.
    **more
        Further keys of the document.
    """
    asked = {"steps": getattr(options, "frames", None), "plot": getattr(options, "plot", None)}
    asked = {what: path for what, path in asked.items() if isinstance(path, str)}
    if "keep_settings" in options and options.keep_settings:
        asked["settings"] = _settings_file(options)
    if not options.json:
        tell(*lines, *(line for line, _ in beside),
             *(f"  {what}: {path}" for what, path in asked.items()))
        return
    values = {
        "out": options.out,
        "files": [*(path for _, paths in beside for path in paths), *files, *asked.values()],
        "results": [document.of_record(one, net) for one in records],
        "interrupted": any(one.interrupted for one in records),
        "skipped": [line for one in records for line in one.skipped]}
    tell(*document.document(options.command, **values | more).split("\n"))


def show(path, picture, is_sheet=False, pictures=None):
    """Write a picture, enlarged if it is small, or a sheet and its pictures at their own size;
    returns where these are, if anywhere: [(a line that says so, paths)]."""
    if is_sheet:
        images.save(path, picture)
        if pictures is None:
            return []
        where = full_size.save(path, pictures)
        return [(f"  each picture at its own size: {where}{os.sep}",
                 [where / f"{full_size.file_name(name)}.png" for name in pictures])]
    itself, (height, width) = full_size.show(path, picture), picture.shape[:2]
    return [] if itself is None else [(f"  enlarged from {width}x{height}; itself: {itself}",
                                       [itself])]


def finish(record):
    """Print the photos that were skipped, and whether Ctrl-C came; drop what was kept until the
    result was saved. Returns the exit status."""
    tell_skipped(record.skipped)
    kept = getattr(record, "unfinished", None)
    if record.interrupted:
        then = ("what was done until then is saved" if kept is None else
                "the same command goes on from here")
        print(f"minicnn: interrupted; {then}", file=sys.stderr)
        return INTERRUPTED
    if kept is not None:
        kept.remove()
    return 0


def tell_skipped(lines):
    """Print the photos that could not be read to standard error."""
    for line in lines:
        tell(f"minicnn: skipped {line}", file=sys.stderr)


# ---- saved settings, frames and plots: for the commands that have them

def check_destinations(options, formats=images.FORMATS, more=(), folder=False):
    """Raise if a requested file cannot be written: before the work, not after it.

    Parameters
    ----------
    options : Namespace
    formats : dict
        Of --out.
    more : sequence of path
        Further pictures that the command writes.
    folder : bool
        Whether there may be one for the pictures at their own size.
    """
    files = [(options.out, formats), *((path, images.FORMATS) for path in more)]
    if "keep_settings" in options and options.keep_settings:
        files.append((_settings_file(options), {".json": "JSON"}))
    files += [(getattr(options, name), kinds)
              for name, kinds in (("frames", animation.FORMATS), ("plot", images.FORMATS))
              if isinstance(getattr(options, name, None), str)]  # for zoom --frames is a number
    places = [os.path.realpath(path) for path, _ in files]
    for (path, kinds), place in zip(files, places, strict=True):
        if kinds is animation.FORMATS:
            animation.check(path)
        else:
            images.check_destination(path, kinds)
        if places.count(place) > 1:
            raise ValueError(f"{path}: two results would be written to it; give each a name")
    if folder:
        full_size.check(options.out)


def _settings_file(options):
    return Path(options.out).with_suffix(".json")

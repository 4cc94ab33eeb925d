"""What the commands share: the options all of them have, kinds of values, and saving."""

import argparse
import inspect
import sys
from math import inf, isfinite
from pathlib import Path

from minicnn import images
from minicnn.cli import INTERRUPTED
from minicnn.foreign.load import load
from minicnn.ops import lrn, relu
from minicnn.report import animation, saved, trace


class Command:
    """The options of one command, with the defaults of the function that it calls.

    All commands have --weights, --labels, --out, --seed and --device; where the function needs an
    `image`, the command takes a photo.

    Parameters
    ----------
    parser : ArgumentParser
    function : callable, optional
        What the command calls.
    out : str, optional
        Where the result goes if nothing is said; without it --out is for text that is otherwise
        printed.
    """

    def __init__(self, parser, function=None, out=None):
        self.parser, self.function = parser, function
        parser.add_argument("--weights", default="minivgg", metavar="NAME_OR_PATH",
                            help="a shipped or fetched network's name, or an .h5 file (default: "
                                 "%(default)s)")
        parser.add_argument("--labels", metavar="FILE", help="class names, one a line")
        parser.add_argument("--out", default=out, metavar="PATH",
                            help="(default: %(default)s)" if out else "write the text there")
        parameters = {} if function is None else inspect.signature(function).parameters
        if "seed" in parameters:
            self.option("seed", type=whole(0), metavar="N")
        else:
            parser.add_argument("--seed", type=whole(0), metavar="N", help="nothing is random here")
        device(parser)
        if "image" in parameters and parameters["image"].default is inspect.Parameter.empty:
            parser.add_argument("image", metavar="photo")

    def option(self, name, help="", **settings):
        """``--name`` with the default that the function has for its parameter."""
        option(self.parser, self.function, name, help, **settings)

    def layers(self, help):
        """--layers, names with commas between."""
        self.option("layers", type=names, metavar="A,B,...", help=help)

    def rules(self, *others):
        """--relu, one of its rules or of some others, and --lrn."""
        more = f", or {' or '.join(others)} of them side by side" if others else ""
        self.option("relu", choices=[*relu.RULES, *others], help=f"rule at the ReLUs{more}")
        self.option("lrn", choices=lrn.RULES, help="rule at local response normalisations")

    def size(self):
        """--size, of what `Network.prepare` makes of a photo."""
        self.option("size", type=side, help="side in pixels, or 'keep'; the network's own")

    def target(self):
        """--target, the one class that is asked about."""
        self.option("target", type=index_or_name, metavar="CLASS",
                    help="a number counted from 0, or a name; the likeliest")

    def keeping(self):
        """--keep-settings; `save` does it."""
        self.parser.add_argument("--keep-settings", action="store_true",
                                 help="also write how it was made beside the picture, under its "
                                      "name with .json, for `minicnn replay`")
        self.parser.set_defaults(keeps=self.function.__name__.rpartition(".")[2])

    def watching(self):
        """--frames, --every and --plot; `call` does them."""
        self.parser.add_argument("--frames", metavar="FILE.gif",
                                 help="also write the way as an animation")
        self.parser.add_argument("--every", type=whole(1), default=5, metavar="N",
                                 help="frames: one for every N steps (default: %(default)s)")
        self.parser.add_argument("--plot", metavar="FILE.png",
                                 help="also write a plot of the value and of each term's share")


def device(parser):
    """The option --device."""
    parser.add_argument("--device", choices=("cpu", "gpu", "auto"), default="cpu",
                        help="(default: %(default)s)")


def option(parser, function, name, help="", required=False, **settings):
    """``--name`` with the default that `function` itself has for its parameter `name`."""
    default = inspect.signature(function).parameters[name].default
    if not required:
        settings["default"] = default
        help = f"{help} (default: {'as said' if default is None else default})".strip()
    parser.add_argument(f"--{name.replace('_', '-')}", help=help.replace("%", "%%"),
                        required=required, **settings)


def network(options):
    """The network that --weights, --labels and --device ask for."""
    return load(options.weights, label_file=options.labels).to(options.device)


def call(method, options, net, **more):
    """What `method` makes of the network, with every option that it has a parameter for.

    It shows its bar, and does what --frames and --plot ask for, if it can.
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
        animation.save(options.frames, frames.pictures)
    if options.plot is not None:
        trace.plot(options.plot, made if isinstance(made, list) else [made])
    return made


def make(method, options, sheet=None, **more):
    """Save what `method` makes of the network, or ``sheet(record)`` of it; the exit status."""
    check_destinations(options)
    net = network(options)
    record = call(method, options, net, **more)
    return save(record, options, net, None if sheet is None else sheet(record))


def say(text, options):
    """Print a text, or write it to --out."""
    if options.out is None:
        print(text)
        return
    with images.atomic(options.out) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def save(record, options, net, picture=None):
    """Write a record's picture, or a sheet of it, to --out and print its caption; the exit status.

    With --keep-settings how it was made is written beside it.
    """
    images.save(options.out, record.image if picture is None else picture)
    if "keep_settings" in options and options.keep_settings:
        saved.save(record, net, _settings_file(options), options.keeps,
                   getattr(options, "image", None), options.weights, options.labels)
    print(f"{options.out}: {record.caption}")
    return finish(record)


def finish(record):
    """Name the photos that were skipped; the exit status."""
    tell_skipped(record.skipped)
    return INTERRUPTED if record.interrupted else 0


def tell_skipped(lines):
    """Name, on standard error, the photos that could not be read."""
    for line in lines:
        print(f"minicnn: skipped {line}", file=sys.stderr)


# ---- settings kept, frames and plots: for the commands that have them

def check_destinations(options):
    """Raise unless all that was asked for could be written: before the work, not after it."""
    images.check_destination(options.out)
    if "keep_settings" in options and options.keep_settings:
        images.check_destination(_settings_file(options), saved.FORMATS)
    if "frames" in options and options.frames is not None:
        images.check_destination(options.frames, animation.FORMATS)
    if "plot" in options and options.plot is not None:
        images.check_destination(options.plot)


def _settings_file(options):
    return Path(options.out).with_suffix(".json")


# ---- kinds of values: functions from text, for argparse's `type`

def whole(least=1):
    """A whole number of at least `least`."""
    return _kind(int, lambda value: value >= least, f"a whole number of at least {least}")


def number(least=-inf, above=-inf, most=inf):
    """A finite number, within limits where given."""
    limits = {f"of at least {least}": least > -inf, f"above {above}": above > -inf,
              f"of at most {most}": most < inf}
    words = " and ".join(limit for limit, given in limits.items() if given)
    return _kind(float, lambda v: isfinite(v) and above < v <= most and v >= least,
                 f"a number {words}".strip())


def names(text):
    """Names with commas between: a list of str."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers(text):
    """Whole numbers with commas between: a list of int."""
    return [_kind(int, lambda value: True, "N,N,...")(number) for number in names(text)]


def side(text):
    """A side in pixels, or "keep"."""
    return text if text == "keep" else _kind(int, lambda v: v > 0, "pixels, or 'keep'")(text)


def index_or_name(text):
    """An int where the text is one, else the text."""
    return int(text) if text.lstrip("-").isdecimal() else text


def position(text):
    """ROW,COLUMN as a pair of ints."""
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"expected ROW,COLUMN, got {text!r}")
    return tuple(_kind(int, lambda v: True, "two whole numbers, ROW,COLUMN")(p) for p in parts)


def colour(text):
    """A grey level or R,G,B, each in 0..255; None for "mean", the network's mean colour."""
    if text == "mean":
        return None
    level = _kind(int, lambda v: 0 <= v <= 255, "0..255, or R,G,B, or 'mean'")
    parts = [level(part) for part in text.split(",")]
    if len(parts) not in (1, 3):
        raise argparse.ArgumentTypeError(f"expected 0..255, or R,G,B, or 'mean', got {text!r}")
    return tuple(parts) if len(parts) == 3 else parts[0]


def _kind(convert, accept, words):
    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"expected {words}, got {text!r}")
        return value
    return parse

"""The command line: one subcommand a public function, same name, same options.

Nothing is computed here. Options take their defaults from the signature of the function they are
handed to, so the help cannot disagree with the code. Exit status: 0 done, 1 it could not be done
(one line on standard error says why), 2 wrong usage, 130 interrupted, with what there was saved.
"""

import argparse
import inspect
import os
import sys
import warnings

from minicnn import __version__, images, models, summary, vis
from minicnn.models import load
from minicnn.ops import lrn, relu
from minicnn.report import sheets
from minicnn.report.tour import tour
from minicnn.vis.maximize import STARTS
from minicnn.vis.texture import POOLINGS

INTERRUPTED = 130


def main(arguments=None):
    """Run one command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return options.command(options) or 0
    except KeyboardInterrupt:
        print("minicnn: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `minicnn summary | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"minicnn: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except MemoryError:
        print("minicnn: not enough memory; use a smaller size", file=sys.stderr)
        return 1


def build_parser():
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="minicnn", description="See, run and check how a convolutional network sees.")
    parser.add_argument("--version", action="version", version=f"minicnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_tour, _add_summary, _add_classify, _add_maximize, _add_deconvnet,
                _add_texture):
        add(commands)
    return parser


def _add_tour(commands):
    parser = _command(commands, "tour", tour, _tour,
                      "one picture of each kind, with an index.html, into a folder", "tour")
    parser.add_argument("photo", nargs="?", help="default: one that comes with matplotlib")


def _tour(options):
    page = tour(_network(options), options.photo, options.out, options.seed, True)
    print(page)


def _add_summary(commands):
    parser = _command(commands, "summary", models.load, _summary, "a network's layers as a table")
    which = parser.add_argument_group("a network without weights")
    names = [name for name in models.__all__ if name != "load"]
    which.add_argument("--model", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--style", choices=list(summary.STYLES), default="keras",
                        help="whose table (default: %(default)s)")


def _summary(options):
    network = getattr(models, options.model)() if options.model else _network(options)
    _say(network.summary(options.style), options)


def _add_classify(commands):
    parser = _command(commands, "classify", None, _classify,
                      "the likeliest classes of photos, with probabilities")
    parser.add_argument("photos", nargs="+", metavar="photo")
    parser.add_argument("--top", type=_positive, default=5, metavar="N",
                        help="how many (default: %(default)s)")


def _classify(options):
    network, lines = _network(options), []
    for photo in options.photos:
        lines += [photo] if len(options.photos) > 1 else []
        lines += [f"{probability:.4f}  {label}"
                  for label, probability in network.classify(photo, options.top)]
    _say("\n".join(lines), options)


def _add_maximize(commands):
    method = vis.maximize
    parser = _command(commands, "maximize", method, _maximize,
                      "the image that a class or a channel responds to most", "maximize.png")
    _option(parser, method, "layer", help="where to look; the class scores where not given")
    _option(parser, method, "channel", type=_index_or_name,
            help="its number, counted from 0, or a class's name")
    _option(parser, method, "steps", type=_positive)
    _option(parser, method, "start", choices=STARTS)
    _option(parser, method, "size", type=_positive, help="side in pixels; the network's own")
    _option(parser, method, "rate", type=float, help="mean change a step, in grey levels")
    _option(parser, method, "momentum", type=float)
    _option(parser, method, "jitter", type=int, help="most pixels rolled; a 14th of the side")
    _option(parser, method, "diffuse", type=float, help="how fast fine noise is worn away, 0..1")


def _maximize(options):
    images.check_destination(options.out)
    return _save(_call(vis.maximize, options, progress=True), options)


def _add_deconvnet(commands):
    method = vis.deconvnet
    parser = _command(commands, "deconvnet", method, _deconvnet,
                      "one unit projected down to the pixels of a photo", "deconvnet.png")
    parser.add_argument("image", metavar="photo")
    _option(parser, method, "layer", required=True)
    _option(parser, method, "channel", type=int, help="counted from 0; the most active one")
    _option(parser, method, "position", type=_position, metavar="ROW,COLUMN",
            help="in the feature map; where it is strongest")
    _option(parser, method, "relu", choices=list(relu.RULES), help="rule at the ReLUs")
    _option(parser, method, "lrn", choices=lrn.RULES, help="rule at local response normalisations")
    _option(parser, method, "size", type=_size, help="side in pixels, or 'keep'; the network's own")


def _deconvnet(options):
    images.check_destination(options.out)
    network = _network(options)
    record = _call(vis.deconvnet, options, network)
    photo = network.restore(network.prepare(options.image, options.size))[0]
    images.save(options.out, sheets.projection(photo, record))
    print(f"{options.out}: {record.caption}")


def _add_texture(commands):
    method = vis.texture
    parser = _command(commands, "texture", method, _texture,
                      "a new image with the texture of a photo", "texture.png")
    parser.add_argument("image", metavar="photo")
    _option(parser, method, "layers", type=lambda text: text.split(","), metavar="A,B,...",
            help="where Gram matrices are matched; the first ReLU and four poolings")
    _option(parser, method, "steps", type=_positive)
    _option(parser, method, "size", type=_size, help="side in pixels, or 'keep'; the network's own")
    _option(parser, method, "rate", type=float, help="step length in grey levels")
    _option(parser, method, "pooling", choices=POOLINGS)


def _texture(options):
    images.check_destination(options.out)
    return _save(_call(vis.texture, options, progress=True), options)


def _command(commands, name, function, run, help, out=None):
    parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(command=run)
    parser.add_argument("--weights", default="minivgg", metavar="NAME_OR_PATH",
                        help="a shipped network's name, or an .h5 file (default: %(default)s)")
    parser.add_argument("--labels", metavar="FILE", help="class names, one a line")
    parser.add_argument("--out", default=out, metavar="PATH",
                        help="(default: %(default)s)" if out else "write the text there")
    if function is not None and "seed" in inspect.signature(function).parameters:
        _option(parser, function, "seed", type=int, metavar="N")
    else:
        parser.add_argument("--seed", type=int, metavar="N", help="nothing is random here")
    parser.add_argument("--device", choices=("cpu", "gpu", "auto"), default="cpu",
                        help="(default: %(default)s)")
    return parser


def _option(parser, function, name, help="", required=False, **settings):
    """--name with the default that `function` itself has for it."""
    default = inspect.signature(function).parameters[name].default
    if not required:
        settings["default"] = default
        help = f"{help} (default: {'as said' if default is None else default})".strip()
    parser.add_argument(f"--{name}", help=help, required=required, **settings)


def _network(options):
    return load(options.weights, label_file=options.labels).to(options.device)


def _call(method, options, network=None, **more):
    """`method` on the network, with every option that it has a parameter for."""
    wanted = [name for name in inspect.signature(method).parameters if name in vars(options)]
    chosen = {name: getattr(options, name) for name in wanted}
    return method(_network(options) if network is None else network, **chosen, **more)


def _say(text, options):
    if options.out is None:
        print(text)
        return
    with images.atomic(options.out) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _save(record, options):
    images.save(options.out, record.image)
    print(f"{options.out}: {record.caption}")
    return INTERRUPTED if record.interrupted else 0


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return value


def _size(text):
    return text if text == "keep" else _positive(text)


def _index_or_name(text):
    return int(text) if text.lstrip("-").isdigit() else text


def _position(text):
    row, _, column = text.partition(",")
    return int(row), int(column)


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"minicnn: warning: {message}", file=sys.stderr)



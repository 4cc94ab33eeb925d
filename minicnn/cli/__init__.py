"""The command line: one subcommand a public function, same name, same options, one a file.

Nothing is computed here. Options take their defaults from the signature of the function they are
handed to, so the help cannot disagree with the code. Exit status: 0 done, 1 it could not be done
(one line on standard error says why), 2 wrong usage, 130 interrupted, with what there was saved.

A command's file has ``add(parser)``, which gives the parser its options, and ``run(options)``. Only
the file of the command that was asked for is imported.
"""

import argparse
import importlib
import os
import sys
import warnings

COMMANDS = {
    "tour": "one picture of each kind, with an index.html, into a folder",
    "summary": "a network's layers as a table",
    "classify": "the likeliest classes of photos, with probabilities",
    "maximize": "the image that a class or a channel responds to most",
    "filters": "what the first filters of every layer respond to most, as one sheet",
    "deconvnet": "what of a photo made a unit, a channel or a layer respond",
    "activations": "every channel of every layer for one photo, as pictures and figures",
    "kernels": "the first layer's filters in colour, or any layer's kernels plane by plane",
    "hypercolumns": "a photo's pixels as vectors of many layers: mean, segments, similarity",
    "saliency": "the pixels of a photo that a class's score depends on",
    "gradcam": "where in a photo the evidence for a class is",
    "occlusion": "what a class's probability owes to each part of a photo",
    "compare": "two networks' first layers: dead filters, aliasing, what a unit sees",
    "strongest": "the patches of many photos that drive each channel most, projected",
    "deepdream-image": "pictures that activate channels of a layer, as MATLAB makes them",
    "dream": "a photo in which a layer sees more of what it sees",
    "zoom": "a dream, a step nearer, a dream again: frames as a GIF and a sheet",
    "texture": "a new image with the texture of a photo",
    "convert": "another program's weight file as one of minicnn's own",
    "doctor": "what this machine has and what is wrong with it: libraries, GPU, cache, every op",
    "fetch": "an official weight file brought, proved, converted and kept",
    "replay": "a picture again, the same, from the settings kept with it",
    "bench": "the benchmarks, in a checkout of the source: how fast, and how right",
}
INTERRUPTED = 130


def main(arguments=None):
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":  # any letter goes out
        sys.stdout.reconfigure(errors="backslashreplace")
    options = build_parser(arguments).parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return options.run(options) or 0
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


def build_parser(arguments=()):
    """The parser of all commands; only the one that `arguments` name has its options."""
    from minicnn import __version__

    parser = argparse.ArgumentParser(
        prog="minicnn", description="See, run and check how a convolutional network sees.")
    parser.add_argument("--version", action="version", version=f"minicnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=f"{words[0].upper()}"
                                                                    f"{words[1:]}.")
        if name in arguments:
            file = importlib.import_module(f"minicnn.cli.{name.replace('-', '_')}")
            file.add(command)
            command.set_defaults(run=file.run)
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"minicnn: warning: {message}", file=sys.stderr)

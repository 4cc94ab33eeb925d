"""``minicnn dream``: see `minicnn.vis.dream`."""

import argparse

from minicnn import vis
from minicnn.cli.options import Command, make, names, number, side, whole


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.dream, "dream.png")
    command.option("size", type=side, help="side in pixels, or 'keep'")
    dreaming(command)
    command.keeping()


def dreaming(command):
    """The options that say how to dream, which `minicnn zoom` has too."""
    command.option("layers", type=weighted, metavar="PLACE[=WEIGHT],...",
                   help="each a layer, or layer:channel; deep feature maps")
    command.option("octaves", type=whole(1), help="sizes of the photo")
    command.option("octave_scale", type=number(above=1), help="from size to size")
    command.option("steps", type=whole(1), help="in each octave")
    command.option("rate", type=number(above=0), help="mean change a step, in grey levels")
    command.option("jitter", type=whole(0), help="most pixels rolled")
    command.option("guide", metavar="PHOTO", help="whose features are wanted; no guide")
    command.option("tile", type=tile, metavar="N|none",
                   help="most pixels along a side looked at without tiles")
    command.option("overlap", type=whole(0),
                   help="pixels that tiles see beyond their own; all they need")


def run(options):
    """Make the picture and save it."""
    return make(vis.dream, options)


def weighted(text):
    """PLACE or PLACE=WEIGHT, with commas between: a dict of place to weight."""
    weights = {}
    for part in names(text):
        place, equals, weight = part.partition("=")
        weights[place.strip()] = number()(weight) if equals else 1.0
    if not weights or not all(weights):
        raise argparse.ArgumentTypeError(f"expected PLACE or PLACE=WEIGHT, ..., got {text!r}")
    return weights


def tile(text):
    """Pixels, or None for "none"."""
    return None if text == "none" else whole(1)(text)

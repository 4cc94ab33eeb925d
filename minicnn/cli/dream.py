"""``minicnn dream``: see `minicnn.vis.dream`."""

import argparse

from minicnn import vis
from minicnn.cli.kinds import names, number, side, span, whole
from minicnn.cli.options import PICTURE, Command, make


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.dream, "dream.png", PICTURE)
    dreaming(command)
    command.keeping()


def dreaming(command):
    """The options that say how to dream, which `minicnn zoom` has too."""
    command.option("layers", type=weighted, metavar="PLACE[=WEIGHT],...",
                   help="what to see more of: layers, or channels as layer:N or layer:FIRST..LAST "
                        "(default: deep feature maps that see little more than the whole image)")
    command.option("tile", type=tile, metavar="N|none")
    command.options(size=side)


def run(options):
    """Make the picture and save it."""
    return make(vis.dream, options)


def weighted(text):
    """Parse PLACE or PLACE=WEIGHT, separated by commas, into a dict of place to weight.

    A place LAYER:FIRST..LAST stands for all these channels, each with the weight.
    """
    weights = {}
    for part in names(text):
        place, equals, weight = part.partition("=")
        layer, colon, channels = place.strip().rpartition(":")
        places = [f"{layer}:{k}" for k in (span(channels) if colon else None) or ()]
        weights |= dict.fromkeys(places or [place.strip()], number()(weight) if equals else 1.0)
    if not weights or not all(weights):
        raise argparse.ArgumentTypeError(f"expected PLACE or PLACE=WEIGHT, ..., got {text!r}")
    return weights


def tile(text):
    """Pixels, or None for "none"."""
    return None if text == "none" else whole(1)(text)

"""``minicnn dream``: see `minicnn.vis.dream`."""

import argparse

from minicnn import vis
from minicnn.cli import options as of


def add(parser):
    """The options of the command."""
    of.common(parser, vis.dream, "dream.png")
    of.option(parser, vis.dream, "size", type=of.side, help="side in pixels, or 'keep'")
    dreaming(parser, vis.dream)
    of.keeping(parser, vis.dream)


def dreaming(parser, method):
    """The options that say how to dream, which `minicnn zoom` has too."""
    of.option(parser, method, "layers", type=weighted, metavar="PLACE[=WEIGHT],...",
              help="each a layer, or layer:channel; deep feature maps")
    of.option(parser, method, "octaves", type=of.whole(1), help="sizes of the photo")
    of.option(parser, method, "octave_scale", type=of.number(above=1), help="from size to size")
    of.option(parser, method, "steps", type=of.whole(1), help="in each octave")
    of.option(parser, method, "rate", type=of.number(above=0),
              help="mean change a step, in grey levels")
    of.option(parser, method, "jitter", type=of.whole(0), help="most pixels rolled")
    of.option(parser, method, "guide", metavar="PHOTO", help="whose features are wanted; no guide")
    of.option(parser, method, "tile", type=tile, metavar="N|none",
              help="most pixels along a side looked at without tiles")
    of.option(parser, method, "overlap", type=of.whole(0),
              help="pixels that tiles see beyond their own; all they need")


def run(options):
    """Make the picture and save it."""
    return of.make(vis.dream, options)


def weighted(text):
    """PLACE or PLACE=WEIGHT, with commas between: a dict of place to weight."""
    weights = {}
    for part in of.names(text):
        place, equals, weight = part.partition("=")
        weights[place.strip()] = of.number()(weight) if equals else 1.0
    if not weights or not all(weights):
        raise argparse.ArgumentTypeError(f"expected PLACE or PLACE=WEIGHT, ..., got {text!r}")
    return weights


def tile(text):
    """Pixels, or None for "none"."""
    return None if text == "none" else of.whole(1)(text)

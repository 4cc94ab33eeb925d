"""``minicnn dream``: see `minicnn.vis.dream`."""

import argparse

from minicnn import vis
from minicnn.cli.options import (
    call,
    check_destinations,
    common,
    keeping,
    names,
    network,
    number,
    option,
    save,
    side,
    whole,
)


def add(parser):
    """The options of the command."""
    common(parser, vis.dream, "dream.png")
    parser.add_argument("image", metavar="photo")
    option(parser, vis.dream, "size", type=side, help="side in pixels, or 'keep'")
    dreaming(parser, vis.dream)
    keeping(parser, vis.dream)


def dreaming(parser, method):
    """The options that say how to dream, which `minicnn zoom` has too."""
    option(parser, method, "layers", type=weighted, metavar="PLACE[=WEIGHT],...",
           help="each a layer, or layer:channel; deep feature maps")
    option(parser, method, "octaves", type=whole(1), help="sizes of the photo")
    option(parser, method, "octave_scale", type=number(above=1), help="from size to size")
    option(parser, method, "steps", type=whole(1), help="in each octave")
    option(parser, method, "rate", type=number(above=0), help="mean change a step, in grey levels")
    option(parser, method, "jitter", type=whole(0), help="most pixels rolled")
    option(parser, method, "guide", metavar="PHOTO", help="whose features are wanted; no guide")
    option(parser, method, "tile", type=tile, metavar="N|none",
           help="most pixels along a side looked at without tiles")
    option(parser, method, "overlap", type=whole(0),
           help="pixels that tiles see beyond their own; all they need")


def run(options):
    """Make the picture and save it."""
    check_destinations(options)
    net = network(options)
    return save(call(vis.dream, options, net, progress=True), options, net)


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

"""``minicnn deepdream-image``: see `minicnn.vis.deepdream_image`."""

import argparse

from minicnn import vis
from minicnn.cli.options import (
    call,
    check_destinations,
    common,
    index_or_name,
    keeping,
    names,
    network,
    number,
    option,
    save,
    side,
    whole,
)
from minicnn.report import deepdream_image as sheets
from minicnn.vis.deepdream_image import SCALINGS


def add(parser):
    """The options of the command."""
    method = vis.deepdream_image
    common(parser, method, "deepdream-image.png")
    option(parser, method, "layer", type=index_or_name,
           help="its name, or its number as MATLAB counts, 1 being the image; the class scores")
    option(parser, method, "channels", type=channels, metavar="N,FIRST..LAST,...",
           help="counted from 0; at the class scores also names of classes")
    option(parser, method, "initial_image", metavar="PHOTO", help="where to begin; noise")
    option(parser, method, "size", type=side, help="side in pixels of the first pyramid level; "
           "what 9 x 9 units see, or the photo's own")
    option(parser, method, "pyramid_levels", type=whole(1), help="sizes, the first included")
    option(parser, method, "pyramid_scale", type=number(above=1), help="from size to size")
    option(parser, method, "iterations", type=whole(1), help="at each level")
    option(parser, method, "output_scaling", choices=SCALINGS,
           help="linear: each picture from black to white on its own; none: as colours around "
           "the network's mean")
    option(parser, method, "tile", type=whole(1), metavar="N",
           help="most pixels along a side looked at at a time; no tiles")
    option(parser, method, "verbose", action="store_const", const=print,
           help="print the table of iterations; silent")
    option(parser, method, "verbose_frequency", type=whole(1),
           help="iterations from line to line")
    parser.add_argument("--thumbnail", type=whole(1), default=128, metavar="N",
                        help="side in pixels of each picture on the sheet (default: %(default)s)")
    keeping(parser, method)


def run(options):
    """Make the pictures and save the sheet."""
    check_destinations(options)
    net = network(options)
    found = call(vis.deepdream_image, options, net, progress=options.verbose is None)
    status = save(found, options, net, sheets.sheet(found, options.thumbnail))
    print("\n".join(found.names))
    return status


def channels(text):
    """Numbers, ranges FIRST..LAST with both ends, and class names, with commas between."""
    found = []
    for part in names(text):
        first, dots, last = part.partition("..")
        if dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last):
            found.extend(range(int(first), int(last) + 1))
        elif dots:
            raise argparse.ArgumentTypeError(f"expected FIRST..LAST, got {part!r}")
        else:
            found.append(index_or_name(part))
    return found

"""``minicnn deepdream-image``: see `minicnn.vis.deepdream_image`."""

import argparse

from minicnn import vis
from minicnn.cli import options as of
from minicnn.report import deepdream_image as sheets
from minicnn.vis.deepdream_image import SCALINGS


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.deepdream_image, "deepdream-image.png")
    command.option("layer", type=of.index_or_name,
                   help="its name, or its number as MATLAB counts, 1 being the image; the class "
                   "scores")
    command.option("channels", type=channels, metavar="N,FIRST..LAST,...",
                   help="counted from 0; at the class scores also names of classes")
    command.option("initial_image", metavar="PHOTO", help="where to begin; noise")
    command.option("size", type=of.side,
                   help="side in pixels of the first pyramid level; what 9 x 9 units see, or the "
                   "photo's own")
    command.option("pyramid_levels", type=of.whole(1), help="sizes, the first included")
    command.option("pyramid_scale", type=of.number(above=1), help="from size to size")
    command.option("iterations", type=of.whole(1), help="at each level")
    command.option("output_scaling", choices=SCALINGS,
                   help="linear: each picture from black to white on its own; none: as colours "
                   "around the network's mean")
    command.option("tile", type=of.whole(1), metavar="N",
                   help="most pixels along a side looked at at a time; no tiles")
    command.option("verbose", action="store_const", const=print,
                   help="print the table of iterations; silent")
    command.option("verbose_frequency", type=of.whole(1), help="iterations from line to line")
    parser.add_argument("--thumbnail", type=of.whole(1), default=128, metavar="N",
                        help="side in pixels of each picture on the sheet (default: %(default)s)")
    command.keeping()


def run(options):
    """Make the pictures and save the sheet."""
    of.check_destinations(options)
    net = of.network(options)
    found = of.call(vis.deepdream_image, options, net, progress=options.verbose is None)
    status = of.save(found, options, net, sheets.sheet(found, options.thumbnail))
    print("\n".join(found.names))
    return status


def channels(text):
    """Numbers, ranges FIRST..LAST with both ends, and class names, with commas between."""
    found = []
    for part in of.names(text):
        first, dots, last = part.partition("..")
        if dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last):
            found.extend(range(int(first), int(last) + 1))
        elif dots:
            raise argparse.ArgumentTypeError(f"expected FIRST..LAST, got {part!r}")
        else:
            found.append(of.index_or_name(part))
    return found

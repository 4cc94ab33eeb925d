"""``minicnn deepdream-image``: see `minicnn.vis.deepdream_image`."""

import sys
from functools import partial

from minicnn import vis
from minicnn.cli import kinds
from minicnn.cli import options as of
from minicnn.report import deepdream_image as sheets
from minicnn.terminal import tell


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.deepdream_image, "deepdream-image.png", of.SHEET)
    command.option("layer", type=kinds.index_or_name,
                   help="its name, or its number as MATLAB counts, 1 being the image (default: "
                   "the class scores)")
    command.option("channels", type=channels, metavar="N,FIRST..LAST,...",
                   help="indices, from 0; if the layer holds the class scores, class names are "
                   "also accepted")
    command.options(size=kinds.side)
    command.option("verbose", action="store_const", const=tell,
                   help="print the table of iterations")
    parser.add_argument("--thumbnail", type=kinds.whole(1), metavar="N",
                        help="side in pixels of each picture on the sheet (default: such that the "
                        "sheet is about 1000 wide; 96 to 256)")
    command.keeping()


def run(options):
    """Make the pictures and save the sheet."""
    of.check_destinations(options, folder=True)
    if options.json and options.verbose is not None:
        options.verbose = partial(tell, file=sys.stderr)
    net = of.network(options)
    found = of.call(vis.deepdream_image, options, net, progress=options.verbose is None)
    status = of.save(found, options, net, sheets.sheet(found, options.thumbnail),
                     sheets.pictures(found))
    if not options.json and found.names != [str(channel) for channel in found.channels]:  # classes
        tell(f"one after the other: {', '.join(found.names)}")
    return status


def channels(text):
    """Parse numbers, ranges FIRST..LAST with both ends, and class names, separated by commas."""
    return [one for part in kinds.names(text)
            for one in kinds.span(part) or [kinds.index_or_name(part)]]

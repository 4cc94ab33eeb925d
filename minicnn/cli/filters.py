"""``minicnn filters``: see `minicnn.vis.filters`."""

import sys
from pathlib import Path

from minicnn import images, vis
from minicnn.cli import INTERRUPTED
from minicnn.cli.options import call, common, names, option, whole
from minicnn.report import filters as sheets
from minicnn.vis.filters import ORDERS
from minicnn.vis.presets import PRESETS


def add(parser):
    """The options of the command."""
    method = vis.filters
    common(parser, method, "filters.png")
    option(parser, method, "layers", type=names, metavar="A,B,...",
           help="where to look; every convolution, or the ReLU behind it for a preset that makes a "
           "mean large")
    option(parser, method, "count", type=whole(1), metavar="N", help="filters of each layer")
    option(parser, method, "order", choices=ORDERS,
           help="by number, or those with the highest value first")
    option(parser, method, "preset", choices=[*PRESETS], help="how each is maximised")
    option(parser, method, "steps", type=whole(1), metavar="N", help="the preset's")
    option(parser, method, "size", type=whole(1), metavar="N",
           help="side of each picture in pixels; the network's own")


def run(options):
    """Make the sheet and save it; until it is whole, finished filters are kept beside it."""
    images.check_destination(options.out)
    found = call(vis.filters, options, folder=Path(options.out).parent, progress=True)
    images.save(options.out, sheets.sheet(found))
    print(f"{options.out}: {found.caption}")
    if found.interrupted:
        print("minicnn: interrupted; the same command goes on from here", file=sys.stderr)
    return INTERRUPTED if found.interrupted else 0

"""``minicnn filters``: see `minicnn.vis.filters`."""

import sys
from pathlib import Path

from minicnn import vis
from minicnn.cli.options import Command, make, whole
from minicnn.report import filters as sheets
from minicnn.vis.filters import ORDERS
from minicnn.vis.presets import PRESETS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.filters, "filters.png")
    command.layers("where to look; every convolution, or the ReLU behind it for a preset "
                   "that makes a mean large")
    command.option("count", type=whole(1), metavar="N", help="filters of each layer")
    command.option("order", choices=ORDERS, help="by number, or those with the highest value first")
    command.option("preset", choices=[*PRESETS], help="how each is maximised")
    command.option("steps", type=whole(1), metavar="N", help="the preset's")
    command.option("size", type=whole(1), metavar="N",
                   help="side of each picture in pixels; the network's own")


def run(options):
    """Make the sheet and save it; until it is whole, finished filters are kept beside it."""
    status = make(vis.filters, options, sheets.sheet, folder=Path(options.out).parent)
    if status:
        print("minicnn: interrupted; the same command goes on from here", file=sys.stderr)
    return status

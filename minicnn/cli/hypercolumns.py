"""``minicnn hypercolumns``: see `minicnn.vis.hypercolumns`."""

from minicnn import vis
from minicnn.cli.kinds import position, side
from minicnn.cli.options import SHEET, Command, make
from minicnn.report import hypercolumns as sheets


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.hypercolumns, "hypercolumns.png", SHEET)
    command.layers("names, or numbers as Keras counts them, where 0 is the image and 1 the first "
                   "layer (default: the last layer of each map size)")
    command.option("pixel", type=position, metavar="ROW,COLUMN")
    command.options(size=side)


def run(options):
    """Make the sheet and save it."""
    return make(vis.hypercolumns, options, sheets.sheet, sheets.pictures)

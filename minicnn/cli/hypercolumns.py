"""``minicnn hypercolumns``: see `minicnn.vis.hypercolumns`."""

from minicnn import vis
from minicnn.cli.options import Command, make, position, whole
from minicnn.report import hypercolumns as sheets
from minicnn.vis.hypercolumns import VIEWS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.hypercolumns, "hypercolumns.png")
    command.layers("names, or numbers as Keras counts: 0 the image, 1 the first layer; "
                   "the last of each map size")
    command.option("view", choices=list(VIEWS), help="what to show")
    command.option("pixel", type=position, metavar="ROW,COLUMN",
                   help="for the similarity, in the photo as the network sees it; its middle")
    command.option("clusters", type=whole(2), metavar="N", help="for the segments")
    command.size()


def run(options):
    """Make the sheet and save it."""
    return make(vis.hypercolumns, options, sheets.sheet)

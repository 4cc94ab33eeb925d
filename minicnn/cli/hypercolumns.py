"""``minicnn hypercolumns``: see `minicnn.vis.hypercolumns`."""

from minicnn import vis
from minicnn.cli.options import common, layers, make, option, position, size, whole
from minicnn.report import hypercolumns as sheets
from minicnn.vis.hypercolumns import VIEWS


def add(parser):
    """The options of the command."""
    method = vis.hypercolumns
    common(parser, method, "hypercolumns.png")
    layers(parser, method, "names, or numbers as Keras counts: 0 the image, 1 the first layer; "
           "the last of each map size")
    option(parser, method, "view", choices=list(VIEWS), help="what to show")
    option(parser, method, "pixel", type=position, metavar="ROW,COLUMN",
           help="for the similarity, in the photo as the network sees it; its middle")
    option(parser, method, "clusters", type=whole(2), metavar="N", help="for the segments")
    size(parser, method)


def run(options):
    """Make the sheet and save it."""
    return make(vis.hypercolumns, options, sheets.sheet)

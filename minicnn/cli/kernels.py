"""``minicnn kernels``: see `minicnn.vis.kernels`."""

from minicnn import vis
from minicnn.cli.kinds import numbers
from minicnn.cli.options import Command, make
from minicnn.report import kernels as sheets


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.kernels, "kernels.png")
    command.option("layer", help="a convolution, or a dense layer above feature maps (default: "
                   "the first convolution)")
    command.option("filters", type=numbers, metavar="N,FIRST..LAST,...")
    command.option("inputs", type=numbers, metavar="N,FIRST..LAST,...")
    command.options()


def run(options):
    """Make the sheet and save it."""
    return make(vis.kernels, options, sheets.sheet)

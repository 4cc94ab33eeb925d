"""``minicnn kernels``: see `minicnn.vis.kernels`."""

from minicnn import vis
from minicnn.cli.options import Command, make, numbers
from minicnn.report import kernels as sheets
from minicnn.vis.kernels import SCALES


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.kernels, "kernels.png")
    command.option("layer", help="a convolution, or a dense layer above maps; the first "
                   "convolution")
    command.option("filters", type=numbers, metavar="N,N,...",
                   help="which channels of the layer; all of the first convolution, else the "
                   "first 16")
    command.option("inputs", type=numbers, metavar="N,N,...",
                   help="which planes of each, one by one; the first convolution in colour, "
                   "else the first 16")
    command.option("scale", choices=SCALES,
                   help="each filter over its own largest weight, or all over the layer's")


def run(options):
    """Make the sheet and save it."""
    return make(vis.kernels, options, sheets.sheet)

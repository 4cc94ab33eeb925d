"""``minicnn occlusion``: see `minicnn.vis.occlusion`."""

from minicnn import vis
from minicnn.cli.options import Command, colour, make, whole
from minicnn.report import heatmaps


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.occlusion, "occlusion.png")
    command.target()
    command.option("layer", help="of the feature map; the last that computes any")
    command.option("channel", type=int,
                   help="the feature map, counted from 0; the one with the largest total")
    command.option("square", type=whole(1), metavar="PIXELS",
                   help="its side; a quarter of the photo's shorter side")
    command.option("stride", type=whole(1), metavar="PIXELS",
                   help="from one square to the next; a quarter of a square")
    command.option("value", type=colour, metavar="COLOUR",
                   help="of the square, 0..255, or R,G,B; 'mean', the network's mean colour")
    command.option("batch", type=whole(1), metavar="N", help="squares to look at in one pass")
    command.size()
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.occlusion, options, heatmaps.occlusion)

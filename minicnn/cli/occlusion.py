"""``minicnn occlusion``: see `minicnn.vis.occlusion`."""

from minicnn import vis
from minicnn.cli.kinds import colour, side, whole
from minicnn.cli.options import SHEET, Command, make
from minicnn.report import heatmaps


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.occlusion, "occlusion.png", SHEET)
    command.target()
    command.option("layer", help="layer of the feature map (default: the last layer that computes "
                   "feature maps)")
    command.option("channel", type=whole(0), metavar="N",
                   help="index of the feature map, from 0 (default: the map with the largest "
                        "total activation)")
    command.options(value=colour, size=side)
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.occlusion, options, heatmaps.occlusion, heatmaps.occlusion_pictures)

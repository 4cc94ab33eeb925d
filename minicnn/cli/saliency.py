"""``minicnn saliency``: see `minicnn.vis.saliency`."""

from minicnn import vis
from minicnn.cli.options import Command, colour, make, number, whole
from minicnn.report import heatmaps
from minicnn.vis.saliency import METHODS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.saliency, "saliency.png")
    command.target()
    command.option("method", choices=list(METHODS), help="which map")
    command.option("samples", type=whole(1), metavar="N",
                   help="smooth: noisy copies of the photo")
    command.option("noise", type=number(least=0), metavar="SHARE",
                   help="smooth: standard deviation, as a share of the photo's range")
    command.option("steps", type=whole(1), metavar="N",
                   help="integrated: points on the way from the baseline")
    command.option("baseline", type=colour, metavar="COLOUR",
                   help="integrated: where the way begins, 0..255, or R,G,B, or 'mean'")
    command.size()
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.saliency, options, heatmaps.saliency)

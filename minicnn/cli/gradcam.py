"""``minicnn gradcam``: see `minicnn.vis.gradcam`."""

from minicnn import vis
from minicnn.cli.kinds import side
from minicnn.cli.options import SHEET, Command, make
from minicnn.report import heatmaps
from minicnn.vis.gradcam import METHODS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.gradcam, "gradcam.png", SHEET)
    command.target()
    command.option("layer", help="a layer with feature maps (default: the last one that computes "
                                 "them)")
    command.option("method", choices=METHODS, help="how the feature maps are weighted")
    command.option("guided", action="store_true")
    command.options(size=side)
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.gradcam, options, heatmaps.gradcam, heatmaps.gradcam_pictures)

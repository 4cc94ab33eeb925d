"""``minicnn gradcam``: see `minicnn.vis.gradcam`."""

from minicnn import vis
from minicnn.cli.options import Command, make
from minicnn.report import heatmaps
from minicnn.vis.gradcam import METHODS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.gradcam, "gradcam.png")
    command.target()
    command.option("layer", help="one with feature maps; the last that computes any")
    command.option("method", choices=list(METHODS), help="how feature maps are weighed")
    command.option("guided", action="store_true", help="make guided Grad-CAM, too")
    command.size()
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.gradcam, options, heatmaps.gradcam)

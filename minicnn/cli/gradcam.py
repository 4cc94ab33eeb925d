"""``minicnn gradcam``: see `minicnn.vis.gradcam`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.report import heatmaps
from minicnn.vis.gradcam import METHODS


def add(parser):
    """The options of the command."""
    method = vis.gradcam
    of.common(parser, method, "gradcam.png")
    of.target(parser, method)
    of.option(parser, method, "layer", help="one with feature maps; the last that computes any")
    of.option(parser, method, "method", choices=list(METHODS), help="how feature maps are weighed")
    of.option(parser, method, "guided", action="store_true", help="make guided Grad-CAM, too")
    of.size(parser, method)
    of.keeping(parser, method)


def run(options):
    """Make the sheet and save it."""
    return of.make(vis.gradcam, options, heatmaps.gradcam)

"""``minicnn gradcam``: see `minicnn.vis.gradcam`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.report import heatmaps
from minicnn.vis.gradcam import METHODS


def add(parser):
    """The options of the command."""
    method = vis.gradcam
    of.common(parser, method, "gradcam.png")
    parser.add_argument("image", metavar="photo")
    of.option(parser, method, "target", type=of.index_or_name, metavar="CLASS",
              help="a number counted from 0, or a name; the likeliest")
    of.option(parser, method, "layer", help="one with feature maps; the last that computes any")
    of.option(parser, method, "method", choices=list(METHODS), help="how feature maps are weighed")
    of.option(parser, method, "guided", action="store_true", help="make guided Grad-CAM, too")
    of.option(parser, method, "size", type=of.side,
              help="side in pixels, or 'keep'; the network's own")
    of.keeping(parser, method)


def run(options):
    """Make the sheet and save it."""
    return of.make(vis.gradcam, options, heatmaps.gradcam)

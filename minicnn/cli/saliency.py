"""``minicnn saliency``: see `minicnn.vis.saliency`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.report import heatmaps
from minicnn.vis.saliency import METHODS


def add(parser):
    """The options of the command."""
    method = vis.saliency
    of.common(parser, method, "saliency.png")
    of.target(parser, method)
    of.option(parser, method, "method", choices=list(METHODS), help="which map")
    of.option(parser, method, "samples", type=of.whole(1), metavar="N",
              help="smooth: noisy copies of the photo")
    of.option(parser, method, "noise", type=of.number(least=0), metavar="SHARE",
              help="smooth: standard deviation, as a share of the photo's range")
    of.option(parser, method, "steps", type=of.whole(1), metavar="N",
              help="integrated: points on the way from the baseline")
    of.option(parser, method, "baseline", type=of.colour, metavar="COLOUR",
              help="integrated: where the way begins, 0..255, or R,G,B, or 'mean'")
    of.size(parser, method)
    of.keeping(parser, method)


def run(options):
    """Make the sheet and save it."""
    return of.make(vis.saliency, options, heatmaps.saliency)

"""``minicnn occlusion``: see `minicnn.vis.occlusion`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.report import heatmaps


def add(parser):
    """The options of the command."""
    method = vis.occlusion
    of.common(parser, method, "occlusion.png")
    of.target(parser, method)
    of.option(parser, method, "layer", help="of the feature map; the last that computes any")
    of.option(parser, method, "channel", type=int,
              help="the feature map, counted from 0; the one with the largest total")
    of.option(parser, method, "square", type=of.whole(1), metavar="PIXELS",
              help="its side; a quarter of the photo's shorter side")
    of.option(parser, method, "stride", type=of.whole(1), metavar="PIXELS",
              help="from one square to the next; a quarter of a square")
    of.option(parser, method, "value", type=of.colour, metavar="COLOUR",
              help="of the square, 0..255, or R,G,B; 'mean', the network's mean colour")
    of.option(parser, method, "batch", type=of.whole(1), metavar="N",
              help="squares to look at in one pass")
    of.size(parser, method)
    of.keeping(parser, method)


def run(options):
    """Make the sheet and save it."""
    return of.make(vis.occlusion, options, heatmaps.occlusion)

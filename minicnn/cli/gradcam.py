"""``minicnn gradcam``: see `minicnn.vis.gradcam`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.cli.options import common, index_or_name, option, side
from minicnn.report import heatmaps
from minicnn.vis.gradcam import METHODS


def add(parser):
    """The options of the command."""
    method = vis.gradcam
    common(parser, method, "gradcam.png")
    parser.add_argument("image", metavar="photo")
    option(parser, method, "target", type=index_or_name, metavar="CLASS",
           help="a number counted from 0, or a name; the likeliest")
    option(parser, method, "layer", help="one with feature maps; the last that computes any")
    option(parser, method, "method", choices=list(METHODS), help="how feature maps are weighed")
    option(parser, method, "guided", action="store_true", help="make guided Grad-CAM, too")
    option(parser, method, "size", type=side, help="side in pixels, or 'keep'; the network's own")
    of.keeping(parser, method)


def run(options):
    """Make the sheet and save it."""
    of.check_destinations(options)
    net = of.network(options)
    record = of.call(vis.gradcam, options, net)
    return of.save(record, options, net, heatmaps.gradcam(record))

"""``minicnn texture``: see `minicnn.vis.texture`."""

from minicnn import vis
from minicnn.cli.options import common, keeping, layers, make, number, option, size, watching, whole
from minicnn.vis.texture import POOLINGS


def add(parser):
    """The options of the command."""
    method = vis.texture
    common(parser, method, "texture.png")
    layers(parser, method, "where Gram matrices are matched; the first ReLU and four poolings")
    option(parser, method, "steps", type=whole(1))
    size(parser, method)
    option(parser, method, "rate", type=number(above=0), help="step length in grey levels")
    option(parser, method, "pooling", choices=POOLINGS)
    keeping(parser, method)
    watching(parser)


def run(options):
    """Make the picture and save it."""
    return make(vis.texture, options)

"""``minicnn texture``: see `minicnn.vis.texture`."""

from minicnn import vis
from minicnn.cli.options import Command, make, number, whole
from minicnn.vis.texture import POOLINGS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.texture, "texture.png")
    command.layers("where Gram matrices are matched; the first ReLU and four poolings")
    command.option("steps", type=whole(1))
    command.size()
    command.option("rate", type=number(above=0), help="step length in grey levels")
    command.option("pooling", choices=POOLINGS)
    command.keeping()
    command.watching()


def run(options):
    """Make the picture and save it."""
    return make(vis.texture, options)

"""``minicnn texture``: see `minicnn.vis.texture`."""

from minicnn import vis
from minicnn.cli.kinds import side, whole
from minicnn.cli.options import PICTURE, Command, make


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.texture, "texture.png", PICTURE)
    command.layers("layers whose Gram matrices are matched (default: the first ReLU and four "
                   "poolings)")
    command.options(size=side, new_size=whole(1))
    command.keeping()
    command.watching()


def run(options):
    """Make the picture and save it."""
    return make(vis.texture, options)

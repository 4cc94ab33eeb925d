"""``minicnn texture``: see `minicnn.vis.texture`."""

from minicnn import vis
from minicnn.cli import options as of
from minicnn.cli.options import common, names, number, option, size, whole
from minicnn.vis.texture import POOLINGS


def add(parser):
    """The options of the command."""
    method = vis.texture
    common(parser, method, "texture.png")
    parser.add_argument("image", metavar="photo")
    option(parser, method, "layers", type=names, metavar="A,B,...",
           help="where Gram matrices are matched; the first ReLU and four poolings")
    option(parser, method, "steps", type=whole(1))
    size(parser, method)
    option(parser, method, "rate", type=number(above=0), help="step length in grey levels")
    option(parser, method, "pooling", choices=POOLINGS)
    of.keeping(parser, method)
    of.watching(parser)


def run(options):
    """Make the picture and save it."""
    of.check_destinations(options)
    net = of.network(options)
    watch = of.Watch(options, net)
    record = of.call(vis.texture, options, net, progress=True, watch=watch)
    watch.save(record.caption)
    return of.save(record, options, net)

"""``minicnn maximize``: see `minicnn.vis.maximize`."""

from minicnn import images, vis
from minicnn.cli.options import call, common, index_or_name, number, option, save, whole
from minicnn.vis.maximize import STARTS


def add(parser):
    """The options of the command."""
    method = vis.maximize
    common(parser, method, "maximize.png")
    option(parser, method, "layer", help="where to look; the class scores where not given")
    option(parser, method, "channel", type=index_or_name,
           help="its number, counted from 0, or a class's name")
    option(parser, method, "steps", type=whole(1))
    option(parser, method, "start", choices=STARTS)
    option(parser, method, "size", type=whole(1), help="side in pixels; the network's own")
    option(parser, method, "rate", type=number(above=0),
           help="mean change a step, in grey levels")
    option(parser, method, "momentum", type=number(0))
    option(parser, method, "jitter", type=whole(0),
           help="most pixels rolled; a 14th of the side")
    option(parser, method, "diffuse", type=number(0, most=1),
           help="how fast fine noise is worn away, 0..1")


def run(options):
    """Make the picture and save it."""
    images.check_destination(options.out)
    return save(call(vis.maximize, options, progress=True), options)

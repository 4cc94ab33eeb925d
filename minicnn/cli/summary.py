"""``minicnn summary``: see `minicnn.network.summary`."""

from minicnn import models
from minicnn.cli.options import Command, network, option, say
from minicnn.network import Network, summary


def add(parser):
    """The options of the command."""
    Command(parser)
    which = parser.add_argument_group("a network without weights")
    names = [name for name in models.__all__ if name != "load"]
    which.add_argument("--model", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--style", choices=list(summary.STYLES), default="keras",
                        help="style of the table (default: %(default)s)")
    option(parser, Network.summary, "receptive_fields", action="store_true",
           help="add each layer's receptive field: size, stride and offset in pixels")


def run(options):
    """Print the table."""
    net = getattr(models, options.model)() if options.model else network(options)
    say(net.summary(options.style, options.receptive_fields), options)

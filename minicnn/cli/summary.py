"""``minicnn summary``: see `minicnn.network.summary`."""

from minicnn import models
from minicnn.cli.options import Command, network, option, say
from minicnn.network import Network, receptive, summary


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
    say(net.summary(options.style, options.receptive_fields), options, network=net.name,
        input=net.input_shape, parameters=net.count(), layers=[*_layers(net, options)])


def _layers(net, options):
    """Yield each layer as plain values, for --json."""
    fields = receptive.fields(net) if options.json and options.receptive_fields else {}
    for name, layer, inputs in net.rows:
        field = fields.get(name)
        yield {"name": name, "kind": type(layer).__name__, "settings": layer.settings(),
               "inputs": inputs, "shape": net.shapes[name],
               "parameters": {key: shape for key, shape in net.param_shapes.get(name, {}).items()},
               "receptive_field": field and {"size": field.size, "stride": field.stride,
                                             "offset": field.offset}}

"""``minicnn summary``: see `minicnn.network.summary`, and `minicnn.vis.estimate` for --method."""

from minicnn import images, models
from minicnn.backend import control_groups
from minicnn.cli.kinds import whole
from minicnn.cli.options import Command, network, option, say
from minicnn.network import Network, receptive, summary
from minicnn.vis import estimate
from minicnn.vis.memory import gigabytes


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
    method = parser.add_argument_group("the memory that a method takes")
    method.add_argument("--method", choices=list(estimate.METHODS), metavar="NAME",
                        help=", ".join(estimate.METHODS))
    method.add_argument("--size", type=whole(1), metavar="N", help="side of the image in pixels "
                        "(default: the network's own)")
    method.add_argument("--tile", type=whole(1), metavar="N", help="for dream, texture and style, "
                        "side of the tiles in pixels (default: the method's own)")


def run(options):
    """Print the table, and the memory that a method takes."""
    net = getattr(models, options.model)() if options.model else network(options)
    memory = _memory(net, options) if options.method else None
    lines = net.summary(options.style, options.receptive_fields).split("\n")
    say(lines + ([_told(options, *memory)] if memory else []), options, network=net.name,
        input=net.input_shape, parameters=net.count(), layers=[*_layers(net, options)],
        memory=memory and dict(zip(("size", "bytes", "free"), memory, strict=True)))


def _memory(net, options):
    """(size, bytes that --method takes, bytes that are free or None)."""
    size = images.height_width(options.size or net.input_shape[:2])
    tiles = {} if options.tile is None else {"tile": options.tile}
    return (size, estimate.estimate(net, size, options.method, **tiles),
            control_groups.memory_available())


def _told(options, size, count, free):
    return (f"Memory of {options.method} at {size[0]}x{size[1]} pixels: about {gigabytes(count)}"
            + (f"; {gigabytes(free)} are free" if free is not None else ""))


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

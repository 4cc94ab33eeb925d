"""``minicnn strongest``: see `minicnn.vis.strongest`."""

import sys
from pathlib import Path

from minicnn import images, vis
from minicnn.cli.kinds import numbers, whole
from minicnn.cli.naming import Default
from minicnn.cli.options import Command, call, network, result, tell_skipped
from minicnn.files import patches
from minicnn.report import strongest as sheets
from minicnn.terminal import tell


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.strongest, "strongest")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("photos", nargs="*", default=[], metavar="PHOTOS",
                        help="photos, folders of photos, or a data set's .h5 file")
    source.add_argument("--redraw", metavar="FILE", help="draw the pictures of an earlier run's "
                        "strongest.h5 again; needs neither photos nor network")
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--zoom", dest="view", action="store_const", const="zoom", default="core",
                      help="show the part of each patch where the projections are not faint "
                           "(default: the square that holds 90 %% of a projection's energy)")
    view.add_argument("--whole", dest="view", action="store_const", const="whole",
                      help="show all that a unit sees")
    command.layers("layers to look at (default: all layers of rectified feature maps)")
    command.option("channels", type=numbers, metavar="N,FIRST..LAST,...",
                   help="indices of channels in each layer, from 0 (default: all)")
    command.option("shifts", type=int)
    command.options(size=whole(1))


def run(options):
    """Make the file strongest.h5 and a picture for each layer, in one folder."""
    if options.redraw and isinstance(options.out, Default):
        options.out = str(Path(options.redraw).parent)
    try:
        found = patches.read(options.redraw) if options.redraw else _found(options)
        _check(options, found.layers)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on from here") from None
    try:
        made = []
        for path in sheets.save(found, options.out, options.layers, options.channels, options.view):
            made.append(path)
            tell(*[path] * (not options.json))
        if options.json:
            result(options, [], [], files=[found.path, *made], layers=_units(found, options),
                   skipped=found.unreadable)
        tell_skipped(found.unreadable)
    except (KeyboardInterrupt, OSError):
        tell(f"minicnn: {found.path} is whole; --redraw {found.path} draws the pictures",
             file=sys.stderr)
        raise


def _found(options):
    net = network(options)
    layers = {name: range(net.shapes[name][-1]) for name in
              map(net.find, options.layers or vis.strongest.rectified(net))}
    images.check_folder(options.out, [vis.strongest.FILE])
    _check(options, layers)
    record = call(vis.strongest, options, net, folder=options.out)
    tell(*[record.caption] * (not options.json))
    return record.patches


def _units(found, options):
    """The strongest units of each channel as plain values, for --json."""
    return {layer: [{"channel": one.channel, "units": [
        dict(zip(("photo", "value", "position", "box"), unit, strict=True))
        for unit in zip(one.names, one.values, one.positions, one.boxes, strict=True)]}
        for one in found.channels(layer, options.channels)] for layer in options.layers
        or found.layers}


def _check(options, layers):
    images.check_folder(options.out, [name for _, _, name in sheets.pages(
        layers, options.layers, options.channels)])

"""``minicnn strongest``: see `minicnn.vis.strongest`."""

import sys

from minicnn import vis
from minicnn.cli import INTERRUPTED
from minicnn.cli.options import Command, call, network, numbers, tell_skipped, whole
from minicnn.files import patches
from minicnn.report import strongest as sheets


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.strongest, "strongest")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("photos", nargs="*", default=[], metavar="PHOTOS",
                        help="photos, folders of photos, or a data set's .h5 file")
    source.add_argument("--redraw", metavar="FILE", help="draw the pictures of an earlier run's "
                        "strongest.h5 again; needs neither photos nor network")
    parser.add_argument("--zoom", action="store_true", help="draw only as much of a patch as the "
                        "projections reach to")
    command.layers("where to look; all rectified feature maps")
    command.option("channels", type=numbers, metavar="N,N,...",
                   help="of each layer, counted from 0; all")
    command.option("count", type=whole(1), metavar="N", help="places kept for each channel")
    command.rules()
    command.option("size", type=whole(1), metavar="N",
                   help="side of the photos in pixels; the network's own")
    command.option("split", metavar="NAME", help="which part of a data set")
    command.option("batch", type=whole(1), metavar="N", help="photos handed to a process at once")
    command.option("workers", type=whole(1), metavar="N",
                   help="processes; the result is the same for any number")


def run(options):
    """Make the file strongest.h5 and a picture for each layer, in one folder."""
    try:
        if options.redraw:
            found = patches.read(options.redraw)
        else:
            record = call(vis.strongest, options, network(options), folder=options.out)
            found = record.patches
            print(record.caption)
        for path in sheets.save(found, options.out, options.layers, options.channels, options.zoom):
            print(path)
        tell_skipped(found.unreadable)
    except KeyboardInterrupt:
        print("minicnn: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED

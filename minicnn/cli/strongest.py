"""``minicnn strongest``: see `minicnn.vis.strongest`."""

import sys

from minicnn import vis
from minicnn.cli import INTERRUPTED
from minicnn.cli.options import (
    call,
    common,
    layers,
    network,
    numbers,
    option,
    tell_skipped,
    whole,
)
from minicnn.files import patches
from minicnn.ops import lrn, relu
from minicnn.report import strongest as sheets


def add(parser):
    """The options of the command."""
    method = vis.strongest
    common(parser, method, "strongest")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("photos", nargs="*", default=[], metavar="PHOTOS",
                        help="photos, folders of photos, or a data set's .h5 file")
    source.add_argument("--redraw", metavar="FILE", help="draw the pictures of an earlier run's "
                        "strongest.h5 again; needs neither photos nor network")
    parser.add_argument("--zoom", action="store_true", help="draw only as much of a patch as the "
                        "projections reach to")
    layers(parser, method, "where to look; all rectified feature maps")
    option(parser, method, "channels", type=numbers, metavar="N,N,...",
           help="of each layer, counted from 0; all")
    option(parser, method, "count", type=whole(1), metavar="N", help="places kept for each channel")
    option(parser, method, "relu", choices=list(relu.RULES), help="rule at the ReLUs")
    option(parser, method, "lrn", choices=lrn.RULES, help="rule at local response normalisations")
    option(parser, method, "size", type=whole(1), metavar="N",
           help="side of the photos in pixels; the network's own")
    option(parser, method, "split", metavar="NAME", help="which part of a data set")
    option(parser, method, "batch", type=whole(1), metavar="N",
           help="photos handed to a process at once")
    option(parser, method, "workers", type=whole(1), metavar="N",
           help="processes; the result is the same for any number")


def run(options):
    """Make the file strongest.h5 and a picture for each layer, in one folder."""
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("minicnn: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED


def _run(options):
    if options.redraw:
        found = patches.read(options.redraw)
    else:
        found = call(vis.strongest, options, network(options), folder=options.out)
        print(f"{found.path}: {found.about['photos']:,} photos")
    for path in sheets.save(found, options.out, options.layers, options.channels, options.zoom):
        print(path)
    tell_skipped(found.unreadable)

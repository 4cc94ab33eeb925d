"""``minicnn doctor``: see `minicnn.doctor`."""

from minicnn.cli.options import check_text, ops, option, say, with_ops
from minicnn.doctor import examine


def add(parser):
    """The options of the command."""
    parser.add_argument("--weights", metavar="NAME_OR_PATH",
                        help="also describe this network, and check every layer against the probe "
                             "stored with it")
    option(parser, examine, "device", choices=("cpu", "gpu", "auto"),
           help="also run the ops and networks on the GPU")
    ops(parser)
    parser.add_argument("--cache", metavar="FOLDER",
                        help="folder of fetched networks (default: MINICNN_CACHE, or the user's "
                             "cache folder)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", metavar="PATH", help="write the text to this file")


def run(options):
    """Print the report; the exit status is 1 if anything is bad."""
    check_text(options)
    if options.ops and options.weights is None:
        options.weights = "minivgg"  # a network to run the ops in
    report = examine(options.weights, options.device, options.cache,
                     lambda network: with_ops(network, options))
    say(str(report), options, **report.as_dict())
    return 1 if report.bad else 0

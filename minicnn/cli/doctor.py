"""``minicnn doctor``: see `minicnn.doctor`."""

import json

from minicnn.cli.options import option, say
from minicnn.doctor import examine


def add(parser):
    """The options of the command."""
    parser.add_argument("--weights", metavar="NAME_OR_PATH",
                        help="also look at this network: what it is, and whether every layer "
                             "computes what the probe stored with it says")
    option(parser, examine, "device", choices=("cpu", "gpu", "auto"),
           help="also run the ops and networks on the GPU")
    parser.add_argument("--cache", metavar="FOLDER",
                        help="of fetched networks (default: MINICNN_CACHE, or the user's own)")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    parser.add_argument("--out", metavar="PATH", help="write the text there")


def run(options):
    """Print what was found; the exit status is 1 if anything is bad."""
    report = examine(options.weights, options.device, options.cache)
    say(json.dumps(report.as_dict(), indent=1) if options.json else str(report), options)
    return 1 if report.bad else 0

"""``minicnn classify``: see `minicnn.network.Network.classify`."""

from minicnn.cli.options import Command, check_text, network, say, whole


def add(parser):
    """The options of the command."""
    Command(parser)
    parser.add_argument("photos", nargs="+", metavar="photo")
    parser.add_argument("--top", type=whole(1), default=5, metavar="N",
                        help="number of classes (default: %(default)s)")


def run(options):
    """Print the most probable classes of each photo."""
    check_text(options)
    net, lines = network(options), []
    for photo in options.photos:
        lines += [photo] if len(options.photos) > 1 else []
        lines += [f"{probability:.4f}  {label}"
                  for label, probability in net.classify(photo, options.top)]
    say("\n".join(lines), options)

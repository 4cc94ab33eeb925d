"""``minicnn tour``: see `minicnn.report.tour`."""

from minicnn import images
from minicnn.cli.options import Command, network, result
from minicnn.report.tour import FILES, tour


def add(parser):
    """The options of the command."""
    Command(parser, tour, "tour")
    parser.add_argument("photo", nargs="?", help="(default: a ladybird, drawn by the library)")


def run(options):
    """Make the pictures and print the path of their page."""
    images.check_folder(options.out, FILES)
    page = tour(network(options), options.photo, options.out, options.seed, True, options.weights,
                options.labels)
    result(options, [], [str(page)], files=[page])

"""``minicnn classes``: the names that --target takes."""

from minicnn.cli.options import Command, network, say


def add(parser):
    """The options of the command."""
    Command(parser)
    parser.add_argument("words", nargs="*", metavar="WORD",
                        help="list only classes whose name contains one of these words")


def run(options):
    """Print the number and the name of each class."""
    net = network(options)
    if not net.labels:
        raise ValueError(f"network {net.name} has no class names; give them with --labels FILE")
    words = [word.lower() for word in options.words]
    found = [(number, name) for number, name in enumerate(net.labels)
             if not words or any(word in name.lower() for word in words)]
    if not found:
        raise ValueError(f"network {net.name} has no class with {' or '.join(options.words)} in "
                         f"its name; `minicnn classes` lists all {len(net.labels)}")
    say([f"{number:4}  {name}" for number, name in found], options, network=net.name,
        classes=[{"number": number, "name": name} for number, name in found])

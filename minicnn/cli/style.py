"""``minicnn style``: see `minicnn.vis.style`."""

from minicnn import vis
from minicnn.cli.dream import weighted
from minicnn.cli.options import PICTURE, Command, make, names, number, side


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.style, "style.png", PICTURE)
    parser.add_argument("styles", nargs="+", metavar="painting", help="whose style to paint it in")
    for what in ("content", "style"):
        command.option(f"{what}_layers", type=weighted, metavar="LAYER[=WEIGHT],...",
                       help=f"where {what} is compared (default: as in VGG, see vis.style)")
    for what in ("mask", "style_mask"):
        command.option(what, type=names, metavar="PICTURE,...")
    command.option("folder", metavar="DIR", help="keep the image there while it is worked on; the "
                   "same command goes on from there after it was killed")
    command.options(size=side, blend=lambda text: [number(0)(part) for part in names(text)])
    command.keeping()
    command.watching()


def run(options):
    """Make the picture and save it."""
    return make(vis.style, options)

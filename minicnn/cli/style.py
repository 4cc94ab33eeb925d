"""``minicnn style``: see `minicnn.vis.style`."""

import sys

from minicnn import vis
from minicnn.cli import kinds
from minicnn.cli import options as of
from minicnn.cli.dream import weighted
from minicnn.terminal import tell
from minicnn.vis.coarse_to_fine import SMALLEST, ladder

SMALL, REMEDY = 128, 192  # pixels of the longer side: below SMALL there is no room for strokes


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.style, "style.png", of.PICTURE, draws=False)
    parser.add_argument("styles", nargs="+", metavar="painting", help="whose style to paint it in")
    for what in ("content", "style"):
        command.option(f"{what}_layers", type=weighted, metavar="LAYER[=WEIGHT],...",
                       help=f"where {what} is compared (default: as in VGG, see vis.style)")
    for what in ("mask", "style_mask"):
        command.option(what, type=kinds.names, metavar="PICTURE,...")
    command.option("folder", metavar="DIR", help="keep the image there while it is worked on; the "
                   "same command goes on from there after it was killed")
    command.options(size=kinds.side,
                    blend=lambda text: [kinds.number(0)(part) for part in kinds.names(text)])
    command.keeping()
    command.watching()


def run(options):
    """Make the picture and save it."""
    of.check_destinations(options, folder=True)
    net = of.network(options)
    record = of.call(vis.style, options, net)
    count = record.settings["sizes"] or 1  # None: as many as have room
    if words := "; ".join(_small(record.x.shape[1:3], count)):
        tell(f"minicnn: warning: {words}", file=sys.stderr)
    return of.save(record, options, net)


def _small(size, count):
    """What to say of a picture (H, W) that was too small for its sizes, or for a style."""
    made, (h, w) = ladder(size, count), size
    if len(made) < count:
        yield (f"made at {' and '.join(f'{b}x{a}' for a, b in made)} only, not at {count} sizes: "
               f"none has a side below {SMALLEST} pixels")
    if max(size) < SMALL:
        yield f"{w}x{h} pixels have little room for a style; add --size {REMEDY} to see one"

"""``minicnn zoom``: see `minicnn.vis.zoom`."""

from pathlib import Path

from minicnn import images, vis
from minicnn.cli.dream import dreaming
from minicnn.cli.kinds import whole
from minicnn.cli.options import Command, call, check_destinations, finish, network, result
from minicnn.report import animation
from minicnn.report import zoom as sheets


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.zoom, "zoom.gif", f"the animation; {animation.NEEDED}")
    parser.add_argument("image", nargs="?", metavar="photo",
                        help="where to begin (default: noise)")
    dreaming(command)
    parser.add_argument("--milliseconds", type=whole(animation.LEAST), default=100, metavar="N",
                        help="how long each frame is shown (default: %(default)s)")


def run(options):
    """Make the frames; save the GIF, and beside it the sheet. Until then frames are kept there."""
    sheet = Path(options.out).with_suffix(".png")
    check_destinations(options, animation.FORMATS, [sheet])
    found = call(vis.zoom, options, network(options), folder=sheet.parent, keep=True)
    animation.save(options.out, map(images.enlarged, found.frames), options.milliseconds)
    images.save(sheet, sheets.sheet(found))
    result(options, [found], [f"{options.out}, {sheet}: {found.caption}"], files=[sheet])
    return finish(found)

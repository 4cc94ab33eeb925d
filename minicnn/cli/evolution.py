"""``minicnn evolution``: see `minicnn.vis.evolution`."""

from minicnn import vis
from minicnn.cli.kinds import numbers, whole
from minicnn.cli.options import SHEET, Command, call, check_destinations, equipped, save
from minicnn.report import animation
from minicnn.report import evolution as sheets
from minicnn.train import snapshots


def add(parser):
    """The options of the command."""
    parser.add_argument("folder", metavar="FOLDER",
                        help="snapshots, which minicnn train --snapshots FOLDER keeps")
    parser.add_argument("photos", metavar="photo", nargs="+",
                        help="photos, folders of photos, or a data set's .h5 file")
    command = Command(parser, vis.evolution, "evolution.png", SHEET, weights=False)
    command.layers("layers to look at (default: all layers of rectified feature maps)")
    command.option("channels", type=numbers, metavar="N,FIRST..LAST,...",
                   help="indices of channels to show in each layer, from 0 (default: as many as "
                        "count says, drawn at random)")
    command.option("at", type=numbers, metavar="N,FIRST..LAST,...")
    command.options(size=whole(1))
    parser.add_argument("--projections", action="store_true",
                        help="show the projections only, without the patches of photos")
    parser.add_argument("--frames", metavar="FILE.gif|FILE.mp4",
                        help=f"also write it as an animation, a frame for each snapshot; "
                             f"{animation.NEEDED}")
    parser.add_argument("--milliseconds", type=whole(animation.LEAST), default=700, metavar="N",
                        help="how long each frame is shown (default: %(default)s)")
    parser.add_argument("--plot", metavar="FILE.png",
                        help="also plot how far each layer was at each snapshot")


def run(options):
    """Make the figure and save it, and print what each layer did; the exit status."""
    check_destinations(options, folder=True)
    networks = {epoch: equipped(network, options) for epoch, network in
                snapshots.load(options.folder, getattr(options, "at", None)).items()}
    found = call(vis.evolution, options, networks)
    if options.frames is not None:
        animation.save(options.frames, sheets.frames(found), options.milliseconds)
    if options.plot is not None:
        sheets.plot(options.plot, found)
    return save(found, options, None, sheets.figure(found, not options.projections),
                sheets.pictures(found), told=found.caption.split("\n"))

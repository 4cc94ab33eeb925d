"""``minicnn saliency``: see `minicnn.vis.saliency`."""

from minicnn import vis
from minicnn.cli.kinds import colour, side
from minicnn.cli.options import SHEET, Command, make
from minicnn.report import heatmaps
from minicnn.vis.saliency import METHODS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.saliency, "saliency.png", SHEET)
    command.target()
    command.option("method", choices=METHODS, help="what is shown at each pixel")
    command.options(baseline=colour, size=side)
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    return make(vis.saliency, options, heatmaps.saliency, heatmaps.saliency_pictures)

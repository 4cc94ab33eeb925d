"""``minicnn filters``: see `minicnn.vis.filters`."""

from pathlib import Path

from minicnn import vis
from minicnn.cli.kinds import whole
from minicnn.cli.options import SHEET, Command, make
from minicnn.report import filters as sheets
from minicnn.vis.presets import PRESETS


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.filters, "filters.png", SHEET)
    command.layers("layers whose filters are shown (default: every convolution, or the ReLU after "
                   "it with a preset that makes a mean large)")
    command.option("preset", choices=[*PRESETS])
    command.options(size=whole(1))


def run(options):
    """Make the sheet and save it; until it is whole, finished filters are kept beside it."""
    return make(vis.filters, options, sheets.sheet, sheets.pictures,
                folder=Path(options.out).parent, keep=True)

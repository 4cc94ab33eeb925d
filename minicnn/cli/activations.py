"""``minicnn activations``: see `minicnn.vis.activations` and `minicnn.vis.survey`."""

import shlex
from pathlib import Path

from minicnn import images, vis
from minicnn.cli.options import Command, call, finish, network, whole
from minicnn.images.photos import find
from minicnn.report import activations as sheets
from minicnn.vis.activations import SCALES


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.activations, "activations")
    command.layers("names, or numbers as Keras counts: 0 the image, 0:15 the first " "fifteen; all")
    command.option("maps", type=whole(1), metavar="N",
                   help="only the first N channels of each layer; in one picture a column a layer")
    command.option("scale", choices=SCALES, help="how values become colours")
    command.size()
    parser.add_argument("--over", nargs="+", metavar="PATH", help="count over "
                        "these photos, folders of photos or data set (default: the photo alone)")


def run(options):
    """Make a folder of sheets, or one picture where --out ends like one; print the statistics."""
    out = Path(options.out)
    into_folder = out.is_dir() or not out.suffix
    if not into_folder:
        images.check_destination(out)
    over = [options.image] if options.over is None else options.over
    find(over)  # whether there is something to look at, before the work begins
    net = network(options)
    found = call(vis.activations, options, net)
    if into_folder:
        command = shlex.join(["minicnn", "activations", options.image, "--weights",
                              options.weights, "--scale", options.scale])
        out = sheets.folder(found, out, command, progress=True)
    else:
        images.save(out, sheets.picture(found))
    print(out)
    survey = vis.survey(net, over, options.layers, options.size, progress=True)
    print(sheets.table(survey.statistics, survey.photos))
    return finish(survey)

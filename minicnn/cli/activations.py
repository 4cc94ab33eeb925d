"""``minicnn activations``: see `minicnn.vis.activations` and `minicnn.vis.survey`."""

import shlex
from pathlib import Path

from minicnn import images, vis
from minicnn.cli.kinds import side
from minicnn.cli.options import Command, call, finish, network, result
from minicnn.files.photos import find
from minicnn.report import activations as sheets
from minicnn.terminal import tell


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.activations, "activations")
    command.layers("names, or numbers as Keras counts them, where 0 is the image and 0:15 the "
                   "first fifteen (default: all layers)")
    command.options(size=side)
    parser.add_argument("--over", nargs="+", metavar="PATH", help="photos, folders of photos or a "
                        "data set to take the statistics over (default: the photo alone)")


def run(options):
    """Make a folder of sheets, or one picture if --out names one; print the statistics."""
    out = Path(options.out)
    into_folder = out.is_dir() or not out.suffix
    if into_folder:
        images.check_folder(out, ["photo.png", "index.html"])
    else:
        images.check_destination(out)
    over = [options.image] if options.over is None else options.over
    find(over)  # fails now, not after the work, if there are no photos
    net = network(options)
    found = call(vis.activations, options, net)
    if into_folder:
        command = shlex.join([
            "minicnn", "activations", *[options.image] * isinstance(options.image, str),
            "--weights", options.weights, "--scale", found.settings["scale"]])
        out = sheets.folder(found, out, command, progress=True)
    else:
        images.save(out, sheets.picture(found))
    if not options.json:
        tell(out)
    survey = call(vis.survey, options, net, photos=over)
    result(options, [found, survey], sheets.table(survey.statistics, survey.photos).split("\n"),
           files=[out], layers=[one._asdict() for one in survey.statistics])
    return finish(survey)

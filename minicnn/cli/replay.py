"""``minicnn replay``: see `minicnn.report.saved`."""

from minicnn import images
from minicnn.cli.options import device
from minicnn.foreign.load import load
from minicnn.report import heatmaps, saved, sheets

SHEETS = {  # of the commands that save more than the method's own picture
    "deconvnet": sheets.projection, "gradcam": heatmaps.gradcam, "occlusion": heatmaps.occlusion,
    "saliency": heatmaps.saliency,
}


def add(parser):
    """The options of the command."""
    parser.add_argument("file", metavar="FILE.json",
                        help="what a command with --keep-settings wrote beside its picture")
    parser.add_argument("--weights", metavar="NAME_OR_PATH",
                        help="(default: those it was made with, from where they were)")
    parser.add_argument("--labels", metavar="FILE",
                        help="class names, one a line, for --weights")
    parser.add_argument("--photo", metavar="FILE", help="(default: the one it was made from)")
    parser.add_argument("--out", default="replay.png", metavar="PATH",
                        help="(default: %(default)s)")
    device(parser)


def run(options):
    """Make the picture again, compare, and save it."""
    images.check_destination(options.out)
    entry = saved.read(options.file)
    net = (saved.load_network(options.file, entry) if options.weights is None
           else load(options.weights, label_file=options.labels)).to(options.device)
    photo = options.photo
    if photo is None and entry["photo"] is not None:
        photo = saved.find_photo(options.file, entry)
    record = saved.replay(options.file, net, photo, progress=True)
    sheet = SHEETS.get(entry["method"])
    images.save(options.out, record.image if sheet is None else sheet(record))
    print(f"{options.out}: the same as {options.file} tells of: {record.caption}")

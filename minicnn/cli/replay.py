"""``minicnn replay``: see `minicnn.report.saved`."""

from minicnn import images
from minicnn.cli.options import device, equipped, ops
from minicnn.foreign.load import load
from minicnn.report import heatmaps, saved, sheets

SHEETS = {  # for commands that save more than the method's own picture
    "deconvnet": sheets.projection, "gradcam": heatmaps.gradcam, "occlusion": heatmaps.occlusion,
    "saliency": heatmaps.saliency,
}


def add(parser):
    """The options of the command."""
    parser.add_argument("file", metavar="FILE.json",
                        help="the settings file that a command wrote with --keep-settings")
    parser.add_argument("--weights", metavar="NAME_OR_PATH",
                        help="network to use (default: the weights it was made with, at the same "
                             "path)")
    parser.add_argument("--labels", metavar="FILE",
                        help="class names for --weights, one per line")
    parser.add_argument("--photo", metavar="FILE", help="photo to use (default: the photo "
                        "it was made from)")
    parser.add_argument("--out", default="replay.png", metavar="PATH",
                        help="picture to write (default: %(default)s)")
    device(parser)
    ops(parser)


def run(options):
    """Make the picture again, compare it with the saved hash, and save it."""
    entry = saved.read(options.file)
    photo = options.photo
    if photo is None and entry["photo"] is not None:
        photo = saved.find_photo(options.file, entry)
    with images.sparing(*filter(None, (photo, entry["network"]["weights"]))):
        images.check_destination(options.out)
        net = equipped(saved.load_network(options.file, entry) if options.weights is None
                       else load(options.weights, label_file=options.labels), options)
        record = saved.replay(options.file, net, photo, progress=True)
        sheet = SHEETS.get(entry["method"])
        images.save(options.out, record.image if sheet is None else sheet(record))
    print(f"{options.out}: the same picture as in {options.file}: {record.caption}")

"""``minicnn replay``: see `minicnn.report.saved`."""

from pathlib import Path

from minicnn import images
from minicnn.cli.options import device, equipped, ops, output, result, show
from minicnn.foreign.load import load
from minicnn.report import deepdream_image, full_size, heatmaps, saved, sheets

SHEETS = {  # for commands that save more than the method's own picture
    "deepdream_image": (deepdream_image.sheet, deepdream_image.pictures),
    "deconvnet": (sheets.projection, sheets.projection_pictures),
    "gradcam": (heatmaps.gradcam, heatmaps.gradcam_pictures),
    "occlusion": (heatmaps.occlusion, heatmaps.occlusion_pictures),
    "saliency": (heatmaps.saliency, heatmaps.saliency_pictures),
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
    output(parser, "replay.png", "the picture")
    device(parser)
    ops(parser)


def run(options):
    """Make the picture again, compare it with the saved hash, and save it."""
    entry = saved.read(options.file)
    photo = options.photo
    if photo is None and entry["photo"] is not None:
        photo = saved.find_photo(options.file, entry)
    files = [one for one in (photo, entry["network"]["weights"]) if isinstance(one, (str, Path))]
    with images.sparing(*files):
        images.check_destination(options.out)
        full_size.check(options.out)
        net = equipped(saved.load_network(options.file, entry) if options.weights is None
                       else load(options.weights, label_file=options.labels), options)
        record = saved.replay(options.file, net, photo, progress=True)
        if entry["method"] in SHEETS:
            sheet, pictures = SHEETS[entry["method"]]
            beside = show(options.out, sheet(record), True, pictures(record))
        else:
            beside = show(options.out, record.image)
    result(options, [record], [f"{options.out}: the same picture as in {options.file}: "
                               f"{record.caption}"], beside)

"""``minicnn hypercolumns``: see `minicnn.vis.hypercolumns`."""

from minicnn import images, vis
from minicnn.cli.options import call, common, names, network, option, position, size, whole
from minicnn.report import hypercolumns as sheets
from minicnn.vis.hypercolumns import VIEWS


def add(parser):
    """The options of the command."""
    method = vis.hypercolumns
    common(parser, method, "hypercolumns.png")
    parser.add_argument("image", metavar="photo")
    option(parser, method, "layers", type=names, metavar="A,B,...",
           help="names, or numbers as Keras counts: 0 the image, 1 the first layer; the last of "
           "each map size")
    option(parser, method, "view", choices=list(VIEWS), help="what to show")
    option(parser, method, "pixel", type=position, metavar="ROW,COLUMN",
           help="for the similarity, in the photo as the network sees it; its middle")
    option(parser, method, "clusters", type=whole(2), metavar="N", help="for the segments")
    size(parser, method)


def run(options):
    """Make the sheet and save it."""
    images.check_destination(options.out)
    net = network(options)
    record = call(vis.hypercolumns, options, net)
    photo = net.restore(net.prepare(options.image, options.size))[0]
    images.save(options.out, sheets.sheet(photo, record))
    print(f"{options.out}: {record.caption}")

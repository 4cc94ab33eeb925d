"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from minicnn import images, vis
from minicnn.cli.options import call, common, network, option, position, side
from minicnn.ops import lrn, relu
from minicnn.report import sheets


def add(parser):
    """The options of the command."""
    method = vis.deconvnet
    common(parser, method, "deconvnet.png")
    parser.add_argument("image", metavar="photo")
    option(parser, method, "layer", required=True)
    option(parser, method, "channel", type=int, help="counted from 0; the most active one")
    option(parser, method, "position", type=position, metavar="ROW,COLUMN",
           help="in the feature map; where it is strongest")
    option(parser, method, "relu", choices=list(relu.RULES), help="rule at the ReLUs")
    option(parser, method, "lrn", choices=lrn.RULES, help="rule at local response normalisations")
    option(parser, method, "size", type=side, help="side in pixels, or 'keep'; the network's own")


def run(options):
    """Make the sheet and save it."""
    images.check_destination(options.out)
    net = network(options)
    record = call(vis.deconvnet, options, net)
    photo = net.restore(net.prepare(options.image, options.size))[0]
    images.save(options.out, sheets.projection(photo, record))
    print(f"{options.out}: {record.caption}")

"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from minicnn import images, vis
from minicnn.cli.options import call, common, network, option, position, side
from minicnn.ops import lrn, relu
from minicnn.report import sheets
from minicnn.vis.deconvnet import WHOLE, each_rule, step_through

EACH = "each"  # for a rule: all of them, side by side


def add(parser):
    """The options of the command."""
    method = vis.deconvnet
    common(parser, method, "deconvnet.png")
    parser.add_argument("image", metavar="photo")
    option(parser, method, "layer", required=True)
    option(parser, method, "channel", type=int, help="counted from 0; the most active one")
    option(parser, method, "position", type=_place, metavar="ROW,COLUMN|all",
           help="in the feature map, or the whole map; where it is strongest")
    option(parser, method, "relu", choices=[*relu.RULES, EACH],
           help=f"rule at the ReLUs, or {EACH} of them side by side")
    option(parser, method, "lrn", choices=lrn.RULES, help="rule at local response normalisations")
    option(parser, method, "size", type=side, help="side in pixels, or 'keep'; the network's own")
    parser.add_argument("--steps", action="store_true",
                        help="every map on the way down, as text and as a sheet")
    parser.set_defaults(wrong_usage=parser.error)


def run(options):
    """Make the sheet and save it."""
    if options.steps and options.relu == EACH:
        options.wrong_usage("--steps shows one rule; choose it with --relu")
    images.check_destination(options.out)
    net = network(options)
    photo = net.restore(net.prepare(options.image, options.size))[0]
    sheet, text = _made(options, net, photo)
    images.save(options.out, sheet)
    print(f"{options.out}: {text}")


def _made(options, net, photo):
    """(the sheet, what to say of it)."""
    if options.steps:
        record, steps = call(step_through, options, net)
        return sheets.steps(record, steps), "\n".join([record.caption, *map(str, steps)])
    if options.relu == EACH:
        records = call(each_rule, options, net)
        return sheets.rules(photo, records), "\n".join(r.caption for r in records.values())
    record = call(vis.deconvnet, options, net)
    return sheets.projection(photo, record), record.caption


def _place(text):
    return text if text == WHOLE else position(text)

"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from dataclasses import replace

from minicnn import vis
from minicnn.cli import options as of
from minicnn.cli.options import call, common, network, option, position, size
from minicnn.ops import lrn, relu
from minicnn.report import sheets
from minicnn.vis.deconvnet import WHOLE, each_rule, each_stage

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
    size(parser, method)
    parser.add_argument("--steps", action="store_true",
                        help="every map on the way down, as text and as a sheet")
    of.keeping(parser, method)
    parser.set_defaults(wrong_usage=parser.error)


def run(options):
    """Make the sheet and save it."""
    if options.steps and options.relu == EACH:
        options.wrong_usage("--steps shows one rule; choose it with --relu")
    if options.keep_settings and (options.steps or options.relu == EACH):
        options.wrong_usage("--keep-settings is for one projection: without --steps, by one rule")
    of.check_destinations(options)
    net = network(options)
    photo = net.restore(net.prepare(options.image, options.size))[0]
    record, sheet = _made(options, net, photo)
    return of.save(record, options, net, sheet)


def _made(options, net, photo):
    """(the record, with all there is to say as its caption; the sheet)."""
    if options.steps:
        record, steps = call(each_stage, options, net)
        text = "\n".join([record.caption, *map(str, steps)])
        return replace(record, caption=text), sheets.steps(record, steps)
    if options.relu == EACH:
        records = call(each_rule, options, net)
        text = "\n".join(record.caption for record in records.values())
        return replace(records["deconvnet"], caption=text), sheets.rules(photo, records)
    record = call(vis.deconvnet, options, net)
    return record, sheets.projection(photo, record)


def _place(text):
    return text if text == WHOLE else position(text)

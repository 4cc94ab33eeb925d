"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from dataclasses import replace

from minicnn import vis
from minicnn.cli import options as of
from minicnn.cli.options import option
from minicnn.ops import lrn, relu
from minicnn.report import sheets
from minicnn.vis.deconvnet import WHOLE, each_rule, each_stage

EACH = "each"  # for a rule: all of them, side by side


def add(parser):
    """The options of the command."""
    method = vis.deconvnet
    of.common(parser, method, "deconvnet.png")
    option(parser, method, "layer", required=True)
    option(parser, method, "channel", type=int, help="counted from 0; the most active one")
    option(parser, method, "position", type=_place, metavar="ROW,COLUMN|all",
           help="in the feature map, or the whole map; where it is strongest")
    option(parser, method, "relu", choices=[*relu.RULES, EACH],
           help=f"rule at the ReLUs, or {EACH} of them side by side")
    option(parser, method, "lrn", choices=lrn.RULES, help="rule at local response normalisations")
    of.size(parser, method)
    parser.add_argument("--steps", action="store_true",
                        help="every map on the way down, as text and as a sheet")
    of.keeping(parser, method)
    parser.set_defaults(wrong_usage=parser.error)


def run(options):
    """Make the sheet and save it."""
    if options.steps and options.relu == EACH:
        options.wrong_usage("--steps shows one rule; choose it with --relu")
    if not options.steps and options.relu != EACH:
        return of.make(vis.deconvnet, options, sheets.projection)
    if options.keep_settings:
        options.wrong_usage("--keep-settings is for one projection: without --steps, by one rule")
    of.check_destinations(options)
    net = of.network(options)
    if options.steps:
        record, stages = of.call(each_stage, options, net)
        sheet, told = sheets.stages(record, stages), [record.caption, *map(str, stages)]
    else:
        records = of.call(each_rule, options, net)
        record, *_ = records.values()
        sheet, told = sheets.rules(records), [each.caption for each in records.values()]
    return of.save(replace(record, caption="\n".join(told)), options, net, sheet)


def _place(text):
    return text if text == WHOLE else of.position(text)

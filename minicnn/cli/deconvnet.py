"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from dataclasses import replace

from minicnn import vis
from minicnn.cli.options import Command, call, check_destinations, make, network, position, save
from minicnn.report import sheets
from minicnn.vis.deconvnet import WHOLE, each_rule, each_stage

EACH = "each"  # for a rule: all of them, side by side


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.deconvnet, "deconvnet.png")
    command.option("layer", required=True)
    command.option("channel", type=int, help="counted from 0; the most active one")
    command.option("position", type=_place, metavar="ROW,COLUMN|all",
                   help="in the feature map, or the whole map; where it is strongest")
    command.rules(EACH)
    command.size()
    parser.add_argument("--steps", action="store_true",
                        help="every map on the way down, as text and as a sheet")
    command.keeping()
    parser.set_defaults(wrong_usage=parser.error)


def run(options):
    """Make the sheet and save it."""
    if options.steps and options.relu == EACH:
        options.wrong_usage("--steps shows one rule; choose it with --relu")
    if not options.steps and options.relu != EACH:
        return make(vis.deconvnet, options, sheets.projection)
    if options.keep_settings:
        options.wrong_usage("--keep-settings is for one projection: without --steps, by one rule")
    check_destinations(options)
    net = network(options)
    if options.steps:
        record, stages = call(each_stage, options, net)
        sheet, told = sheets.stages(record, stages), [record.caption, *map(str, stages)]
    else:
        records = call(each_rule, options, net)
        record, *_ = records.values()
        sheet, told = sheets.rules(records), [each.caption for each in records.values()]
    return save(replace(record, caption="\n".join(told)), options, net, sheet)


def _place(text):
    return text if text == WHOLE else position(text)

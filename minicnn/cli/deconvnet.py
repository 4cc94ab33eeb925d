"""``minicnn deconvnet``: see `minicnn.vis.deconvnet`."""

from minicnn import vis
from minicnn.cli import kinds
from minicnn.cli import options as of
from minicnn.ops.relu import RULES
from minicnn.report import sheets
from minicnn.vis.deconvnet import WHOLE, DeconvnetOptions, each_rule, each_stage

EACH = "each"  # for --relu: all rules, side by side


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.deconvnet, "deconvnet.png", of.SHEET)
    command.option("layer", required=True, help="layer of the unit")
    command.option("channel", type=kinds.whole(0), metavar="N",
                   help="index of the feature map, from 0 (default: the map with the strongest "
                        "activation)")
    command.option("position", metavar="ROW,COLUMN|all",
                   type=lambda text: text if text == WHOLE else kinds.position(text),
                   help='position in the map, or "all" for the whole map (default: the strongest '
                        "activation)")
    rules = DeconvnetOptions.__dataclass_fields__["relu"].metadata["words"]
    command.option("relu", choices=[*RULES, EACH], help=f"{rules}; {EACH}, all three side by side")
    command.options(size=kinds.side)
    parser.add_argument("--steps", action="store_true",
                        help="also show the maps at every step back to the pixels: print a "
                             "summary and save a sheet of pictures")
    command.keeping()


def run(options):
    """Make the sheet and save it."""
    each = getattr(options, "relu", None) == EACH
    if options.steps and each:
        options.wrong_usage("--steps shows one rule; choose it with --relu")
    if not options.steps and not each:
        return of.make(vis.deconvnet, options, sheets.projection, sheets.projection_pictures)
    if options.keep_settings:
        options.wrong_usage("--keep-settings is for one projection by one rule; leave --steps and "
                            f"--relu {EACH} out")
    of.check_destinations(options, folder=True)
    net = of.network(options)
    if options.steps:
        record, stages = of.call(each_stage, options, net)
        records, told = [record], [record.caption, *map(str, stages)]
        sheet = sheets.stages(record, stages)
        pictures = sheets.projection_pictures(record)
    else:
        by_rule = of.call(each_rule, options, net)
        record, *_ = records = [*by_rule.values()]
        sheet, told = sheets.rules(by_rule), [one.caption for one in records]
        pictures = sheets.rules_pictures(by_rule)
    return of.save(record, options, net, sheet, pictures, told, records)

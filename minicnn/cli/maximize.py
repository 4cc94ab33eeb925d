"""``minicnn maximize``: see `minicnn.vis.maximize`."""

import argparse
import os

from minicnn import vis
from minicnn.cli import kinds
from minicnn.cli import options as of
from minicnn.report import filters as sheets
from minicnn.report import full_size
from minicnn.vis.presets import PRESETS, STARTS


def add(parser):
    """The options of the command."""
    command = of.Command(
        parser, vis.maximize, "maximize.png", "the picture, enlarged for viewing if it is small, "
        "or a sheet of several; each itself then goes into the folder of that name, without the "
        "suffix")
    command.option("layer", help="layer of the channel (default: the class scores)")
    some = {"type": kinds.units, "nargs": "+", "action": OneOrSeveral}
    command.option("channel", **some, metavar="N,FIRST..LAST,...",
                   help="index of the channel, from 0; several make a sheet")
    command.option("target", **some, metavar="CLASS",
                   help="in place of a layer's channel, a class: its number, or its name as "
                        "`minicnn classes` lists it; several make a sheet")
    command.option("preset", choices=[*PRESETS],
                   help="a set of options that go together; options given as well take precedence "
                   "(where none is named: object for a class of a network of 128 pixels or more, "
                   "else none)")
    command.options(start=_start, size=kinds.whole(1), zoom=kinds.pair)
    command.keeping()
    command.watching()


def run(options):
    """Make the picture, or a sheet of several, and save it."""
    several = isinstance(options.channel, list) or isinstance(options.target, list)
    if several and options.keep_settings:
        options.wrong_usage("--keep-settings keeps those of one picture; ask for one")
    if not several:
        return of.make(vis.maximize, options)
    of.check_destinations(options, folder=True)
    net = of.network(options)
    records = of.call(vis.maximize, options, net)
    names = [full_size.unit(net, one.settings["layer"], one.settings["channel"]) for one in records]
    beside = of.show(options.out, sheets.side_by_side(net, records), True,
                     dict(zip(names, [one.image for one in records], strict=True)))
    of.result(options, records,
              [f"{options.out}:", *[f"  {record.caption}" for record in records]], beside, net=net)
    return of.finish(records[0])


class OneOrSeveral(argparse.Action):
    """Joins lists of values; keeps a single value as it is, and several as a list."""

    def __call__(self, parser, namespace, values, option_string=None):
        joined = [value for some in values for value in some]
        setattr(namespace, self.dest, joined if len(joined) > 1 else joined[0])


def _start(text):
    if text not in STARTS and not os.path.isfile(text):  # False for any text
        raise argparse.ArgumentTypeError(f"expected {', '.join(STARTS)}, or the path of a photo, "
                                         f"got {text!r}")
    return text

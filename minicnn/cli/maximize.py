"""``minicnn maximize``: see `minicnn.vis.maximize`."""

import argparse
from pathlib import Path

from minicnn import images, vis
from minicnn.cli import options as of
from minicnn.report import filters as sheets
from minicnn.vis.maximize import STARTS
from minicnn.vis.presets import CHOICES, PRESETS


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.maximize, "maximize.png")
    command.option("layer", help="where to look; the class scores where not given")
    command.option("channel", type=of.index_or_name, nargs="+", metavar="CHANNEL",
                   help="its number, counted from 0, or a class's name; several make a sheet")
    command.option("preset", choices=[*PRESETS],
                   help="options published together; what is given besides wins")
    command.option("steps", type=of.whole(1), metavar="N",
                   help="100, or the preset's; so all below")
    command.option("start", type=_start, help=f"{', '.join(STARTS)}, or a photo; zeros")
    command.option("size", type=of.whole(1), help="side in pixels; the network's own")
    command.option("rate", type=of.number(above=0), help="mean change a step, in grey levels; 2")
    command.option("momentum", type=of.number(0, most=1), help="0.5")
    command.option("jitter", type=of.whole(0), metavar="PIXELS",
                   help="how far it is rolled before each look; a 14th of the side")
    command.option("diffuse", type=of.number(0, most=1),
                   help="how fast fine noise is worn away, 0..1; 0.1")
    command.option("settle", type=of.number(0, most=1), metavar="SHARE",
                   help="of the steps, the last ones, without jitter, transforms and moves; 0.1")
    command.option("sure", type=of.number(0), metavar="WEIGHT",
                   help="of a class's log-probability beside its score; 300")
    command.option("l2", type=of.number(0), metavar="WEIGHT",
                   help="of the image's squared length in grey levels, subtracted; 0")
    for name, words in PARTS.items():
        command.option(name, choices=CHOICES[name], help=words)
    command.keeping()
    command.watching()
    parser.set_defaults(wrong_usage=parser.error)


PARTS = {
    "measure": "what of a channel is made large; mean",
    "optimizer": "sgd",
    "normalize": "what a gradient is divided by; mean_abs",
    "basis": "what the image is made from; pixels",
    "transforms": "what is done before each look besides jitter; none",
    "moves": "what is done after each step besides diffusing; none",
}


def run(options):
    """Make the picture, or a sheet of several, and save it."""
    several = isinstance(options.channel, list) and len(options.channel) > 1
    if several and options.keep_settings:
        options.wrong_usage("--keep-settings keeps those of one picture; give one --channel")
    if isinstance(options.channel, list) and not several:
        (options.channel,) = options.channel
    if not several:
        return of.make(vis.maximize, options)
    of.check_destinations(options)
    net = of.network(options)
    records = of.call(vis.maximize, options, net)
    images.save(options.out, sheets.side_by_side(net, records))
    print("\n  ".join([f"{options.out}:", *[record.caption for record in records]]))
    return of.finish(records[0])


def _start(text):
    if text not in STARTS and not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"expected {', '.join(STARTS)}, or the path of a photo, "
                                         f"got {text!r}")
    return text

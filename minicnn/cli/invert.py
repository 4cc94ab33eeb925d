"""``minicnn invert``: see `minicnn.vis.invert`."""

from minicnn import vis
from minicnn.cli import kinds
from minicnn.cli import options as of
from minicnn.report import invert as sheets
from minicnn.vis.invert import ALL


def add(parser):
    """The options of the command."""
    command = of.Command(parser, vis.invert, "invert.png", of.SHEET)
    command.option("layers", type=layers, metavar="A,B,...|all",
                   help="layers to invert, each on its own; several make a sheet (default: the "
                        "last feature maps of each size, and the class scores)")
    command.options(size=kinds.side)
    command.keeping()
    command.watching()


def run(options):
    """Make the picture, or a sheet of several, and save it."""
    several = (not isinstance(options.layers, str) or options.layers == ALL
               or getattr(options, "starts", 1) > 1)
    if several and options.keep_settings:
        options.wrong_usage("--keep-settings keeps those of one picture; ask for one layer")
    if not several:
        return of.make(vis.invert, options)
    of.check_destinations(options, folder=True)
    net = of.network(options)
    found = of.call(vis.invert, options, net)
    beside = of.show(options.out, sheets.sheet(found), True, {
        f"{one.settings['layers']}_{one.settings['seed']}": one.image for one in found})
    of.result(options, found, [f"{options.out}:", *[f"  {one.caption}" for one in found]], beside,
              net=net)
    return of.finish(found[-1])


def layers(text):
    """One layer's name, or a list of several; "all" stays as it is."""
    names = kinds.names(text)
    return names[0] if len(names) == 1 else names

"""``minicnn compare``: see `minicnn.vis.compare`."""

from minicnn import images, vis
from minicnn.cli.kinds import side
from minicnn.cli.options import Command, call, equipped, finish, network, photo, result
from minicnn.foreign.load import load
from minicnn.report import comparison


def add(parser):
    """The options of the command."""
    command = Command(parser, vis.compare, "compare.png")
    photo(parser, "photos", "photos, folders of photos, or a data set's .h5 file")
    command.option("against", required=True, metavar="NAME_OR_PATH", help="the second network")
    command.options(size=side)


def run(options):
    """Make the picture and save it, and print the numbers; the exit status."""
    images.check_destination(options.out)
    net = network(options)
    options.against = equipped(load(options.against), options)
    found = call(vis.compare, options, net)
    images.save(options.out, comparison.figure(found))
    result(options, [found], [f"{options.out}:", *found.caption.split("\n")],
           networks=[_of(found.first), _of(found.second)])
    return finish(found)


def _of(layer):
    """The numbers of a FirstLayer, for --json."""
    kh, kw, channels, filters = layer.w.shape
    return {"network": layer.network, "layer": layer.layer, "filters": filters,
            "kernel": [kh, kw, channels], "stride": layer.stride, "photos": layer.photos,
            "faint": layer.faint, "silent": layer.silent,
            "filter_aliasing": layer.filter_aliasing,
            "response_aliasing": layer.response_aliasing}

"""``minicnn fetch``: see `minicnn.foreign.fetch`."""

from minicnn.cli.document import about, document
from minicnn.files import cache, manifest
from minicnn.foreign.fetch import fetch, is_whole
from minicnn.network.summary import lined_up
from minicnn.terminal import tell

COLUMNS = ("name", "network", "for short", "size", "top-1", "top-5", "licence", "here")


def add(parser):
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME",
                      help="name of a file, such as vgg16_caffe, or of a network, such as vgg16, "
                           "for its preferred file")
    what.add_argument("--list", action="store_true", help="list all files that can be fetched")
    parser.add_argument("--from-file", metavar="FILE",
                        help="a local copy of the official file: nothing is downloaded")
    parser.add_argument("--cache", metavar="FOLDER", help="folder of fetched networks (default: "
                        "MINICNN_CACHE, or the user's cache folder)")
    parser.add_argument("--json", action="store_true", help=about("fetch"))
    parser.add_argument("--again", action="store_true", help="download and convert it again")
    parser.add_argument("--keep", action="store_true", help="also keep the original file")


def run(options):
    """Fetch a network and describe it, or print the list."""
    if options.list and not options.json:
        tell(*table(options.cache).split("\n"))
        return
    if options.list:
        _as_json(options, None, manifest.known().values())
        return
    known = manifest.find(options.name)
    there = options.from_file is None and not options.again and is_whole(known.name, options.cache)
    path = fetch(options.name, options.from_file, options.cache, options.again, options.keep,
                 progress=True)
    if options.json:
        _as_json(options, path, [known])
    else:
        tell(*_told(path, known, options, there))


def _as_json(options, path, some):
    here = {entry.name for entry in cache.entries(options.cache)}
    short = {name: model for model, name in manifest.preferred().items()}
    files = [{"name": one.name, "network": one.model, "short": short.get(one.name),
              "bytes": one.size, "top1": one.accuracy and one.accuracy.top1,
              "top5": one.accuracy and one.accuracy.top5, "licence": one.licence,
              "here": one.name in here} for one in some]
    tell(*document(options.command, out=path, cache=cache.folder(options.cache),
                   files=files).split("\n"))


def table(folder=None):
    """The files that can be fetched, as a table.

    Parameters
    ----------
    folder : str or path, optional
        The cache; the table shows which networks are in it.
    """
    here = {entry.name for entry in cache.entries(folder)}
    short = {name: model for model, name in manifest.preferred().items()}
    lines = [COLUMNS, *[_row(known, short, here) for known in manifest.known().values()]]
    return "\n".join([*lined_up(lines), "", "Accuracies are in percent, as published. The cache is "
                                             f"{cache.folder(folder)}."])


def _row(known, short, here):
    accuracy = known.accuracy
    return (known.name, known.model, short.get(known.name, ""),
            "unknown" if known.size is None else f"{known.size / 1e6:,.0f} MB",
            _percent(accuracy and accuracy.top1), _percent(accuracy and accuracy.top5),
            "unknown" if known.licence is None else known.licence.partition(" (")[0],
            "yes" if known.name in here else "")


def _percent(value):
    return "" if value is None else f"{value:.4g}"


def _told(path, known, options, there):
    """Yield lines about a network: what it is, its origin and licence, and how to use it."""
    record = next(entry for entry in cache.entries(options.cache) if entry.path == path).record
    yield (f"{path}: {record['model']}, {record['parameters']:,} parameters, "
           f"{record['class_names']} class names{' (already in the cache)' if there else ''}")
    yield f"{known.words}; licence: {known.licence or 'unknown'}."
    if known.accuracy is not None:
        figures = [f"top-{k} {value:.4g} %" for k, value in
                   ((1, known.accuracy.top1), (5, known.accuracy.top5)) if value is not None]
        yield f"Published: {', '.join(figures)} ({known.accuracy.how}; {known.accuracy.source})."
    if not known.hashes:
        yield "No hash is known for this file: only its contents were checked."
    yield from record["notes"]
    use = options.name if options.cache is None else str(path)
    yield f"Use it with --weights {use}, or minicnn.load({use!r})."

"""Sheets of activations: every channel of a layer, the first channels of many, a folder of all."""

from pathlib import Path

import numpy as np

from minicnn import images
from minicnn.images import display
from minicnn.progress import bar
from minicnn.report import page
from minicnn.report.colour_bar import ColourBar, under
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.terminal import escaped
from minicnn.vis.survey import statistics

COLUMNS = 16  # channels a row
UNITS = 64  # units a row, of layers without positions
LEAST_TILE, MOST_TILE = 48, 96  # side of one channel's picture, in pixels
MOST_CHANNELS = 4096  # on one picture
SCALES = {
    "deviation": "grey level 128 + 64 (a - mean) / std of each channel",
    "range": "each channel from its smallest activation (dark) to its largest (bright)",
    "layer": "one scale for all channels, so that weak ones are dark",
}
UNIT_SCALES = {  # of layers without positions, which are one picture
    "deviation": "grey level 128 + 64 (a - mean) / std over all channels",
    "range": "from the smallest activation (dark) to the largest (bright)",
    "layer": "from zero, or the smallest activation if that is negative (dark), to the largest "
             "(bright)",
}


def sheet(found, layer):
    """Every channel of one layer, 16 a row, in viridis.

    Parameters
    ----------
    found : vis.Activations
    layer : str

    Returns
    -------
    (H, W, 3) uint8
        The number of a channel is that of its row plus that of its column. The units of a layer
        without positions are blocks, 64 a row.
    """
    levels = found.levels(layer)
    title = f"{layer}, {'x'.join(map(str, found.maps[layer].shape))}"
    make = _units if levels.ndim == 1 else _channels
    return caption(under(make(levels, title), _bar(found, [layer])), describe(found, layer))


def _bar(found, layers):
    """What the colours of these layers' maps stand for."""
    scale, maps = found.settings["scale"], [found.maps[layer] for layer in layers]
    own = "channel" if any(a.ndim == 3 for a in maps) and scale != "layer" else "layer"
    if scale == "deviation":
        return ColourBar("-2", "2", f"standard deviations from the {own}'s mean")
    if len(maps) == 1 and own == "layer":
        least = float(maps[0].min())
        return ColourBar(min(0.0, least) if scale == "layer" else least, float(maps[0].max()),
                         "activation")
    return ColourBar("lowest", "highest", f"activation of the {own}")


def _channels(levels, title):
    pictures = display.channels(levels)
    columns = min(COLUMNS, len(pictures))
    tile = min(max(*levels.shape[:2], LEAST_TILE), MOST_TILE)
    return contact_sheet(pictures, columns, title=title, tile=tile,
                         row_labels=[str(k) for k in range(0, len(pictures), columns)], blocks=True,
                         column_labels=[f"+{k}" for k in range(columns)])


def _units(levels, title):
    columns, rows = min(UNITS, len(levels)), -(-len(levels) // UNITS)
    blocks = np.full((rows * columns, 3), 255, np.uint8)
    blocks[: len(levels)] = display.coloured(levels)  # C -> C,3
    return contact_sheet(blocks.reshape(rows, 1, columns, 3), 1, title=title,
                         tile=(12, 12 * columns), blocks=True,
                         row_labels=[str(k * columns) for k in range(rows)])


def first_maps(found):
    """The first channels of every layer: a column for each layer, a row for each channel.

    Parameters
    ----------
    found : vis.Activations
        Made with ``maps``.

    Returns
    -------
    (H, W, 3) uint8
    """
    count, layers = found.settings["maps"], list(found.maps)
    pictures = {layer: display.channels(found.levels(layer)) for layer in layers}
    nothing = np.full((1, 1, 3), 255, np.uint8)  # a layer may have fewer channels
    tiles = [pictures[layer][k] if k < len(pictures[layer]) else nothing
             for k in range(count) for layer in layers]
    sheet = contact_sheet(tiles, len(layers), column_labels=layers, tile=MOST_TILE,
                          row_labels=[str(k) for k in range(count)], blocks=True)
    words = (f"{found.network}: channels 0 to {count - 1} of {', '.join(layers)}; "
             f"{SCALES[found.settings['scale']]}")
    return caption(under(sheet, _bar(found, layers)), words)


def describe(found, layer):
    """A layer's caption: network, layer, number of channels, scale, statistics."""
    a, shown = found.maps[layer], found.settings["maps"]
    size = f" of {a.shape[0]}x{a.shape[1]} positions" if a.ndim == 3 else ", one number each"
    part = f", the first {shown} shown" if shown is not None and shown < a.shape[-1] else ""
    scale = (SCALES if a.ndim == 3 else UNIT_SCALES)[found.settings["scale"]]
    one, = statistics({layer: a})
    return (f"{found.network} {layer}: {a.shape[-1]} channels{size}{part}; {scale}; activations "
            f"from {a.min():.3g} to {a.max():.3g}; {one.blank:.1%} of the channels are blank, "
            f"{one.zeros:.1%} of the activations are zero")


def picture(found):
    """One picture of all layers: their sheets one above the other, or `first_maps`.

    Parameters
    ----------
    found : vis.Activations
        Made with ``maps`` for `first_maps`.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ValueError
        More channels than one picture has room for.
    """
    if found.settings["maps"] is not None:
        return first_maps(found)
    count = sum(a.shape[-1] for a in found.maps.values())
    if count > MOST_CHANNELS:
        raise ValueError(f"activations: {count:,} channels of {len(found.maps)} layers are too "
                         f"many for one picture (at most {MOST_CHANNELS:,}); name fewer layers, "
                         "ask for the first maps only, or write into a folder")
    return stacked([sheet(found, layer) for layer in found.maps])


def folder(found, path, command="minicnn activations PHOTO", progress=False):
    """A sheet for each layer, and an index.html with all of them, in a folder.

    Parameters
    ----------
    found : vis.Activations
    path : str or path
        Made where it does not exist; files of the same name are replaced.
    command : str
        The command that makes it, shown on the page.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Path
        The path of index.html. On Ctrl-C the page has the sheets that were made so far.
    """
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    images.save(path / "photo.png", contact_sheet([found.photo], tile=256))
    sections = [page.Section("The photo", "As the network sees it, and the numbers of every layer: "
                             "channels that are blank in it, activations that are zero.",
                             table(statistics(found.maps)), "photo.png")]
    digits = len(str(len(found.maps)))
    try:
        for number, layer in enumerate(bar(found.maps, "sheets", progress), start=1):
            name = f"{number:0{digits}}_{layer.replace('/', '_')}.png"
            images.save(path / name, sheet(found, layer))
            sections.append(page.Section(layer, describe(found, layer),
                                         f"{command} --layers {layer} --out {name}", name))
    finally:
        page.write(path / "index.html", f"What {found.network} computes from a photo",
                   "Every channel of every layer. A channel that is dark throughout responds to "
                   "nothing in the photo.", sections)
    return path / "index.html"


def table(layers, photos=1):
    """Statistics as a table of text.

    Parameters
    ----------
    layers : list of vis.survey.LayerStatistics
    photos : int
        Number of photos that they were counted in.

    Returns
    -------
    str
    """
    silent = f"channels silent in {'all ' if photos > 1 else ''}{photos} photo{'s' * (photos > 1)}"
    cells = [("layer", "shape", "blank channels", "zero activations", silent)]
    cells += [(escaped(one.layer), "x".join(map(str, one.shape)), f"{one.blank:.1%}",
               f"{one.zeros:.1%}", f"{len(one.dead)} of {one.shape[-1]}{_some(one.dead)}")
              for one in layers]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {blank:>{widths[2]}}  "
                     f"{zeros:>{widths[3]}}  {dead}" for name, shape, blank, zeros, dead in cells)


def _some(numbers, most=8):
    shown = ", ".join(map(str, numbers[:most])) + ", ..." * (len(numbers) > most)
    return f": {shown}" if numbers else ""

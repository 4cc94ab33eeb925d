"""Sheets of maximised channels: those maximised together, or one row per layer."""

import numpy as np

from minicnn.report.contact_sheet import caption, contact_sheet, roomy

TILES = 128, 160  # least side of a filter's picture on a sheet, and how large its own may make it


def side_by_side(network, records, tile=None):
    """Pictures that were maximised together, with their captions.

    Parameters
    ----------
    network : Network
    records : list of vis.Record
        Of `vis.maximize`, one a channel.
    tile : int, optional
        Side of each in pixels. By default, such that the sheet is about 1000 pixels wide, 96 to
        256, and at least the pictures' own.

    Returns
    -------
    (H, W, 3) uint8
    """
    tile = max(roomy(len(records)), *records[0].image.shape[:2]) if tile is None else tile
    labels = [_name(network, record) for record in records]
    sheet = contact_sheet([record.image for record in records], tile=tile, labels=labels)
    return caption(sheet, "\n".join(record.caption for record in records))


def _name(network, record):
    channel = record.settings["channel"]
    return network.label(channel) if record.settings["layer"] == network.logits else str(channel)


def sheet(found, tile=None):
    """The filters of `vis.filters` as one sheet.

    Parameters
    ----------
    found : vis.filters.Filters
        What Ctrl-C left out stays white.
    tile : int, optional
        Side of each picture in pixels. By default, the picture's own, within 128..160, and more
        for few pictures of one layer.

    Returns
    -------
    (H, W, 3) uint8
        Several layers: a row a layer, in the order of the network, with the filters' numbers above
        the columns. One layer: near square. Where it is near square, or the best come first, each
        picture has its number below it, and the value that its objective reached.
    """
    grid, by_value = len(found.layers) > 1, found.settings["order"] == "value"
    columns = max(len(row.channels) for row in found.layers)
    white = np.full((*found.settings["size"], 3), 255, np.uint8)
    pictures = [picture for row in found.layers
                for picture in [*row.pictures, *[white] * (columns - len(row.pictures))]]
    labels = ([label for row in found.layers for label in _labels(row, columns)]
              if by_value or not grid else None)
    if tile is None:
        own = int(np.clip(max(found.settings["size"]), *TILES))
        tile = own if grid else max(own, roomy(columns))
    made = contact_sheet(
        pictures, columns if grid else None, labels, tile=tile,
        row_labels=[row.layer for row in found.layers] if grid else None,
        column_labels=[str(k) for k in range(columns)] if grid and not by_value else None)
    below = "" if labels is None else "; below each, its number and the objective reached"
    return caption(made, found.caption + below)


def pictures(found):
    """The pictures of `vis.filters`, (H, W, 3) uint8 each, by layer and number."""
    return {f"{row.layer}_{channel}": picture for row in found.layers
            for channel, picture in zip(row.channels, row.pictures, strict=False)}


def _labels(row, columns):
    """The number and the objective of each filter of a row; nothing where a picture is missing."""
    known = [f"{channel}: {value:.3g}"
             for channel, value in zip(row.channels, row.values, strict=False)]
    return known + [""] * (columns - len(known))

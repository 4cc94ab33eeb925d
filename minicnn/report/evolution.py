"""The figure of Zeiler & Fergus (2014, figure 4): features at chosen epochs; and the curves."""

import numpy as np

from minicnn import images
from minicnn.report.canvas import Canvas
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import shown

TILE = 72  # pixels
EMPTY = 225  # grey level of a place without a feature
GAMMA = 0.8  # of the projections: below 1 it shows faint contours
SIZE, DPI = (10.0, 3.8), 100  # inches; dots an inch
ROOM = 0.045  # of the width of a panel, for a label


def figure(found, patches=True, at=None, tile=TILE):
    """A row for each channel, a column for each snapshot; at the left, the layers.

    Parameters
    ----------
    found : vis.evolution.Evolution
    patches : bool
        Show beside each projection the patch of the photo that it belongs to.
    at : sequence of int, optional
        The epochs to show; by default, all snapshots.
    tile : int
        Side of a picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Zero is grey, and each projection has its own scale. A channel that no photo activates is
        left empty.
    """
    tiles, rows, at = [], [], found.epochs if at is None else at
    for layer, channels in found.features.items():
        for channel, features in channels.items():
            tiles += [tile_of(features[found.epochs.index(epoch)], patches, tile) for epoch in at]
            rows.append(f"{layer} {channel}")
    sheet = contact_sheet(tiles, row_labels=rows, column_labels=[f"epoch {one}" for one in at],
                          gap=4)
    beside = ", and beside it the patch itself" if patches else ""
    return caption(sheet, f"For each channel and snapshot the unit that responds most in all "
                          f"photos, projected down to the patch that it sees{beside}. Where a row "
                          f"jumps, another photo has become the strongest.\n{found.caption}")


def frames(found, tile=TILE):
    """The same as an animation: a frame for each snapshot, with a row for each layer.

    Returns
    -------
    list of (H, W, 3) uint8
        Of one size.
    """
    made = []
    columns = max(map(len, found.features.values()))
    blank = np.full((tile, tile, 3), 255, np.uint8)
    for t, epoch in enumerate(found.epochs):
        tiles = []
        for channels in found.features.values():
            row = [tile_of(features[t], False, tile) for features in channels.values()]
            tiles += row + [blank] * (columns - len(row))
        made.append(contact_sheet(tiles, columns, row_labels=list(found.features),
                                  title=f"epoch {epoch}", gap=4))
    return made


def plot(path, found):
    """Draw how far each layer was at each snapshot, and save it as a PNG or JPEG file."""
    images.save(path, draw(found))


def draw(found):
    """The same plot as a picture (H, W, 3) uint8.

    Left, the correlation of the responses with those of the last snapshot; in the middle, how much
    of their way the weights still have to go; right, the share of channels whose strongest photo
    changed. The epochs are on a scale of log(1 + epoch).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(SIZE, DPI, layout="constrained")
    canvas, panels = FigureCanvasAgg(figure), figure.subplots(1, 3)
    x = np.log1p(found.epochs)
    for axes, values, words in zip(
            panels, (found.responses, found.weights, found.jumps),
            ("correlation of responses with the last", "way of the weights that is left",
             "share of channels with another\nstrongest photo than before"), strict=True):
        for layer, each in values.items():
            axes.plot(x, each, marker=".", label=layer)
        axes.set_xticks(x, _with_room(x, found.epochs), fontsize="x-small", rotation=90)
        axes.set_ylim(min(0, *(np.nanmin(v, initial=0) for v in values.values())), 1.02)
        axes.set_xlabel("epoch")
        axes.set_title(words, fontsize="medium")
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _with_room(x, words):
    """The labels of the places x, of which those too near the next one to be read are empty."""
    labels, later = [""] * len(x), np.inf
    for k in reversed(range(len(x))):
        if later - x[k] > ROOM * np.ptp(x):
            labels[k], later = str(words[k]), x[k]
    return labels


def pictures(found):
    """{file name: picture} of every projection, at its own size."""
    return {f"{layer} channel {channel} epoch {epoch}": shown(feature.projection, GAMMA)
            for layer, channels in found.features.items() for channel, features in channels.items()
            for epoch, feature in zip(found.epochs, features, strict=True)
            if feature is not None and feature.patch.size}


def tile_of(feature, patches, side):
    """The projection of a feature, and beside it its patch; grey for no feature."""
    empty = np.full((side, side, 3), EMPTY, np.uint8)
    if feature is None or not feature.patch.size:  # silent, or it sees only padding
        return np.concatenate([empty] * (1 + patches), axis=1)
    parts = [_square(shown(feature.projection, GAMMA), side)]
    parts += [_square(feature.patch, side)] * patches
    return np.concatenate(parts, axis=1)


def _square(picture, side):
    """A picture enlarged to fill a square, in its middle."""
    scale = side / max(picture.shape[:2])
    size = [max(1, round(n * scale)) for n in picture.shape[:2]]
    sheet = Canvas(side, side, EMPTY)
    sheet.paste(images.resize(picture, size, "lanczos"), (side - size[0]) // 2,
                (side - size[1]) // 2)
    return sheet.pixels()

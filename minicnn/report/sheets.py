"""Sheets for one method's record: the picture, and beside it what helps to understand it."""

import numpy as np

from minicnn.backend import to_host
from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.vis.deconvnet import NOT_ZERO, region

FRAME = (255, 40, 40)
TILE = 224
TELLS = "A projection tells where in the photo the unit looks, and little of what it is for."
PLANES, PLANE_TILE = 6, 72  # of a stage: feature maps shown, side of each in pixels


def projection(record, tile=TILE):
    """A deconvnet projection beside its photo, whole and enlarged.

    Parameters
    ----------
    record : vis.Record
        Of `vis.deconvnet`. A frame on the photo marks where the projection is not faint.
    tile : int
        Side of each of the four pictures, in pixels.

    Returns
    -------
    (H, W, 3) uint8
    """
    top, bottom, left, right = region(record.x)
    patch = np.s_[top:bottom, left:right]
    sheet = contact_sheet(
        [framed(record.photo, top, bottom, left, right), record.photo[patch], record.image,
         record.image[patch]], columns=4, tile=tile,
        labels=["photo", "photo, enlarged", "projection", "projection, enlarged"])
    return caption(sheet, f"{record.caption}\n{TELLS}")


def projection_pictures(record):
    """The photo and its projection, (H, W, 3) uint8 each, by name."""
    return {"photo": record.photo, "projection": record.image}


def rules_pictures(records):
    """The photo and its projections, (H, W, 3) uint8 each, by name."""
    first = next(iter(records.values()))
    return {"photo": first.photo} | {rule: record.image for rule, record in records.items()}


def rules(records, tile=TILE):
    """The projections of one unit by several rules, side by side.

    Parameters
    ----------
    records : dict of str to vis.Record
        By rule, of `vis.deconvnet.each_rule`.
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        The whole pictures, and below them, enlarged, the part where any projection is not faint.
    """
    sides = [region(record.x) for record in records.values()]
    top, bottom, left, right = [pick(side) for pick, side in
                                zip((min, max, min, max), zip(*sides, strict=True), strict=True)]
    photo = next(iter(records.values())).photo
    pictures = [record.image for record in records.values()]
    parts = [picture[top:bottom, left:right] for picture in [photo, *pictures]]
    sheet = contact_sheet(
        [framed(photo, top, bottom, left, right), *pictures, *parts], columns=1 + len(records),
        tile=tile, column_labels=["photo", *records], row_labels=["whole", "enlarged"])
    (first, record), *_ = records.items()
    words = record.caption.replace(f"rule {first}", f"rules {', '.join(records)}")
    lrn = [one.settings["lrn"] for one in records.values() if one.settings]
    if len(set(lrn)) > 1:
        words = words.replace(f"LRN {lrn[0]}", f"LRN {', '.join(lrn)}")
    return caption(sheet, f"{words}\nEach projection is scaled by itself; zero is grey. {TELLS}")


def stages(record, stages, planes=PLANES, tile=PLANE_TILE):
    """The way down from a unit to the pixels: one strip of pictures for each stage.

    Parameters
    ----------
    record : vis.Record
    stages : sequence of vis.deconvnet.Stage
        Both as `vis.deconvnet.each_stage` returns them.
    planes : int
        How many feature maps to show of each stage, strongest first, with their numbers: those
        with the most energy (sum of squares) after unpooling and rectifying. From one filtering to
        the next they are the same maps, to show what unpooling and rectifying do.
    tile : int
        Side of each in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Each strip shows first the magnitude of all maps together, then single maps with zero as
        grey and one scale for the strip, all cut to what is not zero and one pixel around it.
        Stages that leave nothing (on paths the unit gets nothing from) are left out. The last strip
        is the projection.
    """
    shown = [stage for stage in stages[:-1] if stage.array.any()]
    labelled = [pictures for group in _same_maps(shown) for pictures in _pictures(group, planes)]
    top, bottom, left, right = region(record.x)
    labelled.append([("", record.image), ("enlarged", record.image[top:bottom, left:right])])
    strips = [_strip(stage, pictures, 1 + planes, tile, blocks=stage is not stages[-1])
              for stage, pictures in zip([*shown, stages[-1]], labelled, strict=True)]
    return caption(stacked(strips), f"{record.caption}\nFrom the unit down to the pixels.")


def _same_maps(stages):
    """The stages in groups, from one filtering to the next: the same feature maps all along."""
    group = []
    for stage in stages:
        same = stage.operation.partition(":")[0] in ("unpool", "rectify", "LRN")
        if group and not (same and stage.array.shape[-1] == group[-1].array.shape[-1]):
            yield group
            group = []
        group.append(stage)
    yield group


def _pictures(group, planes):
    """(label, picture) of each map shown, a list a stage."""
    maps = [to_host(stage.array)[0] for stage in group]
    maps = [m[None, None] if m.ndim == 1 else m for m in maps]  # D -> 1,1,D
    energy = (maps[-1] ** 2).sum(axis=(0, 1))  # H,W,C -> C
    chosen = np.argsort(-energy, kind="stable")[:planes]
    return [_labelled(below, chosen) for below in maps]


def _labelled(maps, chosen):
    top, bottom, left, right = region(maps[None], share=NOT_ZERO)
    maps = maps[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    together = display.to_uint8(np.sqrt((maps**2).sum(axis=2)), 0)  # H,W,C -> H,W
    shown = display.signed_to_uint8(maps[..., chosen])
    return [("all maps", together)] + [(f"map {c}", shown[..., k]) for k, c in enumerate(chosen)]


def _strip(stage, labelled, columns, tile, blocks):
    """One strip of the sheet, below what was done."""
    blank = "", np.full((tile, tile), 255, np.uint8)
    labels, pictures = zip(*labelled, *[blank] * (columns - len(labelled)), strict=True)
    return contact_sheet(pictures, columns, labels, tile=tile, blocks=blocks,
                         title=f"{stage.layer}: {stage.operation}")


def framed(photo, top, bottom, left, right):
    """A copy of a photo (H, W, 3) uint8 with a frame around ``photo[top:bottom, left:right]``."""
    copy = photo.copy()
    copy[[max(top - 1, 0), min(bottom, len(photo) - 1)], left:right] = FRAME
    copy[top:bottom, [max(left - 1, 0), min(right, photo.shape[1] - 1)]] = FRAME
    return copy

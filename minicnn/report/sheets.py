"""Sheets for one method's record: what to lay beside the picture so that it can be understood."""

import numpy as np

from minicnn.backend import to_host
from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.vis.deconvnet import NOT_ZERO, region

FRAME = (255, 40, 40)
TILE = 224
PLANES, PLANE_TILE = 6, 72  # of a step: feature maps shown, side of each in pixels


def projection(photo, record, tile=TILE):
    """A deconvnet projection beside its photo, whole and enlarged.

    Parameters
    ----------
    photo : (H, W, 3) uint8
        What the network saw; a frame is drawn around what the unit could see of it.
    record : vis.Record
        Of `vis.deconvnet`, of the same size.
    tile : int
        Side of each of the four pictures, in pixels.

    Returns
    -------
    (H, W, 3) uint8
    """
    top, bottom, left, right = region(record.x)
    patch = np.s_[top:bottom, left:right]
    sheet = contact_sheet(
        [_framed(photo, top, bottom, left, right), photo[patch], record.image,
         record.image[patch]], columns=4, tile=tile,
        labels=["photo", "the unit's part of it", "projection", "its part enlarged"])
    return caption(sheet, record.caption)


def rules(photo, records, tile=TILE):
    """The projections of one unit by several rules, side by side.

    Parameters
    ----------
    photo : (H, W, 3) uint8
        What the network saw.
    records : dict of str to vis.Record
        By rule, of `vis.deconvnet.each_rule`, of the same size.
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Above the whole pictures, below the part that any of the projections shows, enlarged.
    """
    sides = [region(record.x) for record in records.values()]
    top, bottom, left, right = [pick(side) for pick, side in
                                zip((min, max, min, max), zip(*sides, strict=True), strict=True)]
    pictures = [record.image for record in records.values()]
    parts = [picture[top:bottom, left:right] for picture in [photo, *pictures]]
    sheet = contact_sheet(
        [_framed(photo, top, bottom, left, right), *pictures, *parts], columns=1 + len(records),
        tile=tile, column_labels=["photo", *records], row_labels=["whole", "enlarged"])
    (first, record), *_ = records.items()
    words = record.caption.replace(f"rule {first}", f"rules {', '.join(records)}")
    return caption(sheet, f"{words}\nEach projection is scaled by itself; zero is grey.")


def steps(record, walk, planes=PLANES, tile=PLANE_TILE):
    """The way down from a unit to the pixels, a row a step.

    Parameters
    ----------
    record : vis.Record
    walk : sequence of vis.deconvnet.Stage
        The two that `vis.deconvnet.each_stage` returns.
    planes : int
        How many feature maps to show of each step: those with the most energy once they are
        unpooled and rectified, strongest first, with their numbers; the same ones from a filtering
        to the next, so that it can be seen what unpooling and rectifying do.
    tile : int
        Side of each in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Each row has first the energy of all maps together, then single maps with zero as grey, one
        scale a row, cut to one place around what is not zero. Steps that leave nothing (on paths
        the unit does not see through) are left out. The last row is the projection.
    """
    shown = [step for step in walk[:-1] if step.array.any()]
    rows = [row for stage in _stages(shown) for row in _stage_rows(stage, planes)]
    top, bottom, left, right = region(record.x)
    rows.append([("", record.image), ("enlarged", record.image[top:bottom, left:right])])
    strips = [_strip(step, row, 1 + planes, tile)
              for step, row in zip([*shown, walk[-1]], rows, strict=True)]
    return caption(stacked(strips), f"{record.caption}\nFrom the unit down to the pixels.")


def _stages(walk):
    """The steps from one filtering to the next: the same feature maps all along."""
    stage = []
    for step in walk:
        same = step.operation.partition(":")[0] in ("unpool", "rectify", "LRN")
        if stage and not (same and step.array.shape[-1] == stage[-1].array.shape[-1]):
            yield stage
            stage = []
        stage.append(step)
    yield stage


def _stage_rows(stage, planes):
    """(label, picture) of each map shown, a list a step."""
    maps = [to_host(step.array)[0] for step in stage]
    maps = [m[None, None] if m.ndim == 1 else m for m in maps]  # D -> 1,1,D
    energy = (maps[-1] ** 2).sum(axis=(0, 1))  # H,W,C -> C
    chosen = np.argsort(-energy, kind="stable")[:planes]
    return [_row(below, chosen) for below in maps]


def _row(maps, chosen):
    top, bottom, left, right = region(maps[None], share=NOT_ZERO)
    maps = maps[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    together = display.to_uint8(np.sqrt((maps**2).sum(axis=2)), 0)  # H,W,C -> H,W
    shown = display.signed_to_uint8(maps[..., chosen])
    return [("all maps", together)] + [(f"map {c}", shown[..., k]) for k, c in enumerate(chosen)]


def _strip(step, row, columns, tile):
    """One row of the sheet, below what was done."""
    blank = "", np.full((tile, tile), 255, np.uint8)
    labels, pictures = zip(*row, *[blank] * (columns - len(row)), strict=True)
    return contact_sheet(pictures, columns, labels, tile=tile,
                         title=f"{step.layer}: {step.operation}")


def _framed(photo, top, bottom, left, right):
    framed = photo.copy()
    framed[[max(top - 1, 0), min(bottom, len(photo) - 1)], left:right] = FRAME
    framed[top:bottom, [max(left - 1, 0), min(right, photo.shape[1] - 1)]] = FRAME
    return framed

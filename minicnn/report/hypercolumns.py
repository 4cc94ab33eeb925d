"""The sheet of a hypercolumn view, with the photo beside it, so that one sees what is where."""

from minicnn.report.colour_bar import ColourBar
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.report.sheets import FRAME

TILE = 320
UNITS = {"mean": "mean activation", "similarity": "cosine"}  # of views that show a number


def sheet(record, tile=TILE):
    """A view of hypercolumns beside its photo.

    Parameters
    ----------
    record : vis.Record
        From `vis.hypercolumns`. A cross around a pixel shows what a similarity is compared with.
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        For segments a third picture shows them over the photo.
    """
    view, made = record.settings["view"], pictures(record)
    bar = None
    if view in UNITS:
        bar = ColourBar(float(record.x.min()), float(record.x.max()), UNITS[view])
    sheet = contact_sheet(list(made.values()), len(made), list(made), tile=tile,
                          blocks=[view == "segments" and name != "photo" for name in made],
                          bars=None if bar is None else [None, bar])
    return caption(sheet, record.caption)


def pictures(record):
    """The pictures of the sheet, (H, W, 3) uint8 each, by name."""
    view, photo = record.settings["view"], record.photo
    if view == "similarity":
        photo = marked(photo, *record.settings["pixel"])
    both = {"both": photo // 2 + record.image // 2} if view == "segments" else {}
    return {"photo": photo, view: record.image} | both


def marked(photo, row, column):
    """The photo with a cross of four arms around a pixel, which itself stays visible."""
    marked = photo.copy()
    size = max(photo.shape[:2])
    gap, arm, thick = 1 + size // 100, 2 + size // 20, 1 + size // 200
    near, far = slice(gap, gap + arm), slice(-gap - arm + 1, -gap + 1)
    for rows, columns in [(near, None), (far, None), (None, near), (None, far)]:
        marked[_span(row, rows, thick), _span(column, columns, thick)] = FRAME
    return marked


def _span(centre, away, thick):
    """A slice `away` from `centre`, or around it and as thick as a line; cut off at 0."""
    if away is None:
        away = slice(-(thick // 2), thick - thick // 2)
    return slice(max(centre + away.start, 0), max(centre + away.stop, 0))

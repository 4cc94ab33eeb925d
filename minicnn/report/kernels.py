"""The sheet of a layer's kernels."""

from minicnn.report.contact_sheet import caption, contact_sheet

LEAST_TILE, BLOCK = 48, 8  # of a kernel's picture, and of one weight, in pixels


def sheet(found):
    """Kernels as blocks of colour, one block a weight.

    Parameters
    ----------
    found : vis.kernels.Kernels

    Returns
    -------
    (H, W, 3) uint8
        In colour near square, with the filters' numbers below; plane by plane a row a filter, a
        column an input channel.
    """
    side = max(found.pictures.shape[1:3])
    tile = side * max(1, BLOCK, -(-LEAST_TILE // side))
    if found.inputs is None:
        sheet = contact_sheet(found.pictures, tile=tile, labels=[str(k) for k in found.filters])
    else:
        sheet = contact_sheet(found.pictures, len(found.inputs), tile=tile,
                              row_labels=[f"filter {k}" for k in found.filters],
                              column_labels=[f"in {k}" for k in found.inputs])
    return caption(sheet, found.caption)

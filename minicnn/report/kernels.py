"""The sheet of a layer's kernels."""

from minicnn.report.colour_bar import under
from minicnn.report.contact_sheet import caption, contact_sheet

LEAST_TILE, BLOCK = 48, 8  # sides in pixels: of a kernel's picture, of one weight


def sheet(found):
    """Kernels as blocks of colour, one block for each weight.

    Parameters
    ----------
    found : vis.kernels.Kernels

    Returns
    -------
    (H, W, 3) uint8
        Kernels in colour are laid out nearly square, with the indices of the filters below. Plane
        by plane there is a row for each filter and a column for each plane.
    """
    side = max(found.pictures.shape[1:3])
    tile = side * max(1, BLOCK, -(-LEAST_TILE // side))
    if found.inputs is None:
        sheet = contact_sheet(found.pictures, tile=tile, labels=[str(k) for k in found.filters],
                              blocks=True)
    else:
        sheet = contact_sheet(found.pictures, len(found.inputs), tile=tile,
                              row_labels=[f"filter {k}" for k in found.filters],
                              column_labels=[f"in {k}" for k in found.inputs], blocks=True)
    return caption(under(sheet, found.bar), found.caption)

"""The sheet of inversions: the photo, and what each layer still knows of it."""

from minicnn.report.contact_sheet import caption, contact_sheet

TILE, MOST = 224, 8  # side of a picture in pixels; pictures in a row
WORDS = ("Below each: how near the picture is to the photo (PSNR; more is nearer), and how far its "
         "activation at that layer is from the photo's (at 0 % the layer cannot tell them apart).")


def sheet(found, tile=TILE):
    """The photo and its inversions, each with its PSNR and the error of its activation.

    Parameters
    ----------
    found : list of vis.invert.Inversion
        Of one photo. What Ctrl-C left out is left out.
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        A row a start, of all layers; one start's many layers in rows of about the same length.
    """
    starts = len({one.settings["seed"] for one in found})
    layers = len({one.settings["layers"] for one in found})
    pictures, labels = [], []
    for k, one in enumerate(found):
        if k % layers == 0:  # each row begins with the photo
            pictures.append(one.photo)
            labels.append("photo" if starts == 1 else f"photo; start {one.settings['seed']}")
        pictures.append(one.image)
        labels.append(f"{one.settings['layers']}: {one.psnr:.1f} dB, {one.error:.0%}")
    rows = starts if starts > 1 else -(-len(pictures) // MOST)
    columns = 1 + layers if starts > 1 else -(-len(pictures) // rows)
    return caption(contact_sheet(pictures, columns, labels, tile=tile), WORDS)

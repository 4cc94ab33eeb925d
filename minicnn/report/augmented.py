"""A sheet that shows what an augmentation does to some images."""

import numpy as np

from minicnn.report.contact_sheet import contact_sheet


def sheet(images, vary, variations=7, seed=0, tile=96, title=None):
    """Each image, and beside it what training would be given of it.

    Parameters
    ----------
    images : (N, H, W, 3) or (N, H, W, 1) uint8
    vary : callable (images, rng) -> images
        See `minicnn.train.augment`.
    variations : int
    seed : int
    tile : int
        Side of each picture, in pixels.
    title : str, optional

    Returns
    -------
    (H, W, 3) uint8
    """
    rng = np.random.default_rng(seed)
    columns = [images, *(vary(images, rng) for _ in range(variations))]
    pictures = [column[k] for k in range(len(images)) for column in columns]
    labels = ["image", *(f"variation {k + 1}" for k in range(variations))]
    return contact_sheet(pictures, column_labels=labels, tile=tile, title=title)

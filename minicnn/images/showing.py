"""Show pictures in a window or in a notebook."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 3.0  # inches


def show(*pictures: Any, titles: Sequence[str] | None = None, side: float = SIDE) -> Figure:
    """Show pictures side by side, enlarged or reduced to the same height.

    Parameters
    ----------
    *pictures : (H, W, 3) or (H, W) uint8 arrays, or records with such an array as `image`
        A list of them counts as several.
    titles : sequence of str, optional
        By default the caption of each record.
    side : float
        The height of each picture, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig("all.png")`` saves it.

    Raises
    ------
    ValueError
        No pictures, or an argument that is not a valid picture.
    """
    import matplotlib.pyplot as plt

    pictures = [one for some in pictures
                for one in (some if isinstance(some, (list, tuple)) else [some])]
    if not pictures:
        raise ValueError("show: give at least one picture")
    images = [np.asarray(getattr(picture, "image", picture)) for picture in pictures]
    for image in images:
        if image.dtype != np.uint8 or image.ndim not in (2, 3):
            raise ValueError("show: expected pictures (H, W, 3) or (H, W) uint8, or records with "
                             f"such an `image`, got {image.dtype} {image.shape}; "
                             "images.load reads a file, run.show(layer) shows feature maps")
    titles = titles or [getattr(picture, "caption", "") for picture in pictures]
    wide = [image.shape[1] / image.shape[0] for image in images]
    figure, axes = plt.subplots(1, len(images), squeeze=False, width_ratios=wide,
                                figsize=(max(SIDE, side * sum(wide)), side + 0.6))
    for place, image, title in zip(axes[0], images, titles, strict=True):
        place.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        place.set_title(fill(title, 40), fontsize=7)
        place.axis("off")
    with warnings.catch_warnings():  # without a screen no window can open
        warnings.filterwarnings("ignore", message=".*non-interactive.*")
        plt.show()
    return figure

"""Hypercolumns of a photo as a picture: mean, similarity to a pixel, segments, main directions.

A pixel's hypercolumn holds the activations of all chosen layers above that pixel (Hariharan et al.
2015). `minicnn.vis.hypercolumn_maps` builds hypercolumns and computes the numbers of each view,
without ever stacking them all.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicnn.images import display
from minicnn.vis.hypercolumn_maps import hypercolumn_maps
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True)
class HypercolumnsOptions(Options):
    """Options of `hypercolumns`."""

    view: str = option(
        "mean", "what is shown of each pixel: mean, the mean of all activations in its "
        "hypercolumn; segments, the cluster of similar hypercolumns that it belongs to; "
        "similarity, the cosine of its hypercolumn with that of one pixel; components, the three "
        "directions in which hypercolumns differ most, as red, green and blue",
        choices=("mean", "segments", "similarity", "components"))
    pixel: Any = option(None, "for similarity, the pixel to compare with, counted from 0 in the "
                        "photo as the network sees it", kind="(row, column)",
                        otherwise="the middle of the photo")
    clusters: int = option(6, "for segments, the number of clusters", least=2, most=20)
    size: Any = photo_size()
    seed: int = option(0, "for segments, the seed that k-means starts from", least=0)

    def __post_init__(self):
        super().__post_init__()
        if self.pixel is not None and self.view != "similarity":
            raise ValueError("hypercolumns: pixel is for the view similarity, got it with view "
                             f"{self.view}; leave it out, or choose view similarity")


@takes(HypercolumnsOptions)
def hypercolumns(network, image, layers=None, *, options):
    """Show a photo's hypercolumns, one number or colour for each pixel.

    All views but the mean are taken of hypercolumns in which every layer counts alike, see
    `Hypercolumns.balanced`.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str or int, optional
        Names or numbers, see `activations.pick`. By default, the last layer of each map size.
    **options

    Returns
    -------
    Record
        `x` has the numbers that the picture shows, (1, H, W, 1 or 3): the mean activation, the
        number of the cluster (0 for the largest), the cosine, or the three components.

    Raises
    ------
    ValueError
        A layer or pixel that does not exist; a pixel above which nothing is active; an option that
        is out of range or does not go with the view.
    """
    found = hypercolumn_maps(network, image, layers, options.size)
    if options.view == "similarity":
        options = replace(options, pixel=_pixel(options.pixel, found.size))
    x, picture, words = VIEWS[options.view](found, options)
    return Record(
        image=picture, x=x.reshape(1, *found.size, -1),
        caption=f"{network.name} hypercolumns of {', '.join(found.maps)}: {found.channels} "
                f"channels for each pixel; {words}",
        settings={"layers": list(found.maps), **options.settings()},
        photo=network.restore(network.prepare(image, options.size))[0])


# ---- the views: the numbers, their picture, and words for the caption

def _mean(found, options):
    x = found.mean()
    return x, _map(x), f"mean activation, {_range(x)}"


def _similarity(found, options):
    x = found.balanced().similarity(options.pixel)
    row, column = options.pixel
    return x, _map(x), f"cosine with pixel {row},{column}, {_range(x)}"


def _segments(found, options):
    x = found.balanced().segments(options.clusters, options.seed)
    shares = np.bincount(x.ravel()) / x.size
    picture = display.coloured(x.astype(np.uint8), "tab10" if len(shares) <= 10 else "tab20")
    return x, picture, (f"{len(shares)} clusters (k-means, seed {options.seed}) with "
                        f"{', '.join(f'{share:.0%}' for share in shares)} of the pixels")


def _components(found, options):
    x = found.balanced().components()
    picture = np.zeros((*found.size, 3), np.uint8)
    for k in range(x.shape[2]):
        low, high = np.quantile(x[..., k], (0.005, 0.995))  # or a few pixels set the range
        if low < high:
            picture[..., k] = display.to_uint8(x[..., k], low, high)
    return x, picture, "first three principal components as red, green and blue"


VIEWS = {"mean": _mean, "segments": _segments, "similarity": _similarity, "components": _components}


def _map(values):
    return display.coloured(display.to_uint8(values))


def _range(values):
    return f"{values.min():.3g} (dark) to {values.max():.3g} (bright)"


def _pixel(pixel, size):
    """The pixel's row and column, checked; the middle of the photo where none is given."""
    row, column = (size[0] // 2, size[1] // 2) if pixel is None else pixel
    if not (0 <= row < size[0] and 0 <= column < size[1]):
        raise ValueError(f"hypercolumns: the photo as the network sees it has {size[0]} rows and "
                         f"{size[1]} columns, counted from 0; there is no pixel {row},{column}")
    return int(row), int(column)

"""Views of a photo's hypercolumns: their mean, segments, likeness to one pixel, main directions.

What a hypercolumn is (Hariharan et al. 2015), and how each view is had without stacking them all,
is told in `minicnn.vis.hypercolumn_maps`.
"""

import numpy as np

from minicnn.images import display
from minicnn.vis.arguments import check_choice, settings_of
from minicnn.vis.hypercolumn_maps import hypercolumn_maps
from minicnn.vis.record import Record

MOST_CLUSTERS = 20  # that many colours can be told apart


def hypercolumns(network, image, layers=None, view="mean", pixel=None, clusters=6, size=None,
                 seed=0):
    """A view of a photo's hypercolumns, one value or colour a pixel.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str or int, optional
        As for `hypercolumn_maps`.
    view : {"mean", "segments", "similarity", "components"}
        mean: over all channels, as they are. similarity: the cosine with one pixel's hypercolumn.
        segments: clusters of similar hypercolumns. components: the three directions along which
        they differ most, as red, green and blue. For the last three the layers are `balanced`.
    pixel : (row, column), optional
        For the similarity: in the photo as the network sees it, counted from 0; its middle where
        not given.
    clusters : int
        For the segments: how many, 2 to 20.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.
    seed : int
        For the segments.

    Returns
    -------
    Record
        `x` is what the view shows, (1, H, W, 1 or 3): the mean, the cosine, each pixel's cluster
        (0 for the largest), the components.

    Raises
    ------
    ValueError
        An unknown view or layer, a pixel that is not there or where nothing is active.
    """
    settings = settings_of(locals())
    check_choice("hypercolumns", "view", view, VIEWS)
    if pixel is not None and view != "similarity":
        raise ValueError(f"hypercolumns: a pixel is for the view 'similarity', not for {view!r}")
    if not 2 <= clusters <= MOST_CLUSTERS:
        raise ValueError(f"hypercolumns: clusters must be 2 to {MOST_CLUSTERS}, got {clusters}")
    found = hypercolumn_maps(network, image, layers, size)
    settings["layers"] = list(found.maps)
    if view == "similarity":
        settings["pixel"] = _pixel(pixel, found.size)
    seen, picture, words = VIEWS[view](found, settings)
    caption = (f"{network.name} hypercolumns of {', '.join(found.maps)}: {found.channels} channels "
               f"a pixel; {words}")
    return Record(image=picture, caption=caption, settings=settings, x=seen[None],
                  photo=network.restore(network.prepare(image, size))[0])


# ---- the views: numbers (H, W, 1 or 3), picture, words

def _mean(found, settings):
    mean = found.mean()
    return mean[..., None], _map(mean), f"their mean, {_extent(mean)}"


def _similarity(found, settings):
    row, column = settings["pixel"]
    cosine = found.balanced().similarity((row, column))
    return cosine[..., None], _map(cosine), f"cosine with pixel {row},{column}, {_extent(cosine)}"


def _segments(found, settings):
    labels = found.balanced().segments(settings["clusters"], settings["seed"])
    shares = np.bincount(labels.ravel()) / labels.size
    colours = "tab10" if len(shares) <= 10 else "tab20"
    words = (f"{len(shares)} clusters (k-means, seed {settings['seed']}) of "
             + ", ".join(f"{share:.0%}" for share in shares))
    return labels[..., None], display.coloured(labels.astype(np.uint8), colours), words


def _components(found, settings):
    parts = found.balanced().components()
    picture = np.zeros((*found.size, 3), np.uint8)
    for k in range(parts.shape[2]):
        low, high = np.quantile(parts[..., k], (0.005, 0.995))  # else a few pixels would rule
        if low < high:
            picture[..., k] = display.to_uint8(parts[..., k], low, high)
    return parts, picture, "their first principal components as red, green and blue"


def _map(values):
    return display.coloured(display.to_uint8(values))


def _extent(values):
    return f"{values.min():.3g} (dark) to {values.max():.3g} (bright)"


VIEWS = {"mean": _mean, "segments": _segments, "similarity": _similarity,
         "components": _components}


def _pixel(pixel, size):
    row, column = (size[0] // 2, size[1] // 2) if pixel is None else pixel
    if not (0 <= row < size[0] and 0 <= column < size[1]):
        raise ValueError(f"hypercolumns: the photo as the network sees it has {size[0]} rows and "
                         f"{size[1]} columns, counted from 0; there is no pixel {row},{column}")
    return int(row), int(column)

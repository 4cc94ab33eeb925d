"""Regions: which part of a photo is painted like which part of which painting (Gatys et al. 2017).

A mask is a grey picture of the size of its photo or painting. One mask divides it: each grey level
is a region, and the photo's regions are painted like those of the same level in the painting, or,
without a mask for the painting, like the first, second, ... painting, the darkest region first.
Several masks are a region each, white for what belongs to it; the n-th goes with the n-th.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.vis.options import OptionsError

MOST = 8  # grey levels of a mask: a JPEG or a soft brush has many more


class Region(NamedTuple):
    """A part of the photo, and what it is painted like; masks are (H, W), 0..1, None for all."""

    content: Any
    painting: int
    style: Any


class Scene(NamedTuple):
    """What is painted like what.

    Attributes
    ----------
    photo : uint8 array (H, W, 3)
    paintings : list of uint8 arrays (h, w, 3)
    parts : list of Region
    shares : list of float
        The weight of each region.
    style_scale : float
        Longer side of the paintings as a share of that of the image.
    """

    photo: Any
    paintings: list
    parts: list
    shares: list
    style_scale: float = 1.0

    def photo_at(self, network, size):
        """The photo as the network's input, for an image of a size (H, W)."""
        return network.prepare(images.resize(self.photo, size), "keep")

    def paintings_at(self, network, size):
        """The paintings likewise, each with its own shape."""
        side = max(size) * self.style_scale
        return [network.prepare(images.resize(one, fitted(one, side)), "keep")
                for one in self.paintings]


def fitted(picture, side):
    """(H, W) with the picture's shape whose longer side has so many pixels."""
    h, w = picture.shape[:2]
    return tuple(max(1, int(np.rint(each * side / max(h, w)))) for each in (h, w))


def regions(mask, style_mask, photo, paintings):
    """The regions that masks describe.

    Parameters
    ----------
    mask, style_mask : path, array, sequence of these, or None
    photo : uint8 array (H, W, 3)
    paintings : list of uint8 arrays (h, w, 3)

    Returns
    -------
    list of Region
        Without masks, one of all the photo for each painting.

    Raises
    ------
    OptionsError
        A mask of another size than its picture, one without a region, or of too many levels;
        regions that go with nothing.
    """
    if mask is None:
        if style_mask is not None:
            raise OptionsError("style: style_mask says what regions of a painting are for; give "
                               "mask, those of the photo, too")
        return [Region(None, k, None) for k in range(len(paintings))]
    masks, style_masks = _listed(mask), _listed(style_mask)
    parts = _parts("mask", masks, [photo] * len(masks))
    if style_mask is None:
        if len(parts) != len(paintings):
            raise OptionsError(f"style: mask has {_count(parts, 'region')}, but there is "
                               f"{_count(paintings, 'painting')}; give one painting for each, or "
                               "style_mask, the regions of one painting")
        return [Region(part, k, None) for k, part in enumerate(parts.values())]
    several = len(paintings) > 1
    if several and len(paintings) != len(style_masks):
        raise OptionsError(f"style: {_count(style_masks, 'style_mask')} for "
                           f"{len(paintings)} paintings; give one for each, or one painting")
    looks = _parts("style_mask", style_masks,
                   paintings if several else paintings * len(style_masks))
    if len(masks) == len(style_masks) == 1:
        missing = [str(level) for level in parts if level not in looks]
        if missing:
            raise OptionsError(f"style: mask has grey levels {', '.join(map(str, parts))}, but "
                               f"style_mask has {', '.join(map(str, looks))}: no region for "
                               f"{', '.join(missing)}; draw both with the same levels")
        return [Region(part, 0, looks[level]) for level, part in parts.items()]
    if len(parts) != len(looks):
        raise OptionsError(f"style: mask has {_count(parts, 'region')}, style_mask "
                           f"{_count(looks, 'region')}; there must be as many of each")
    return [Region(part, k if several else 0, look)
            for k, (part, look) in enumerate(zip(parts.values(), looks.values(), strict=True))]


def shrunk(mask, size):
    """A mask (H, W) at a smaller size: the mean over the pixels that each new one covers."""
    rows, columns = (_overlap(old, new) for old, new in zip(mask.shape, size, strict=True))
    return rows @ mask @ columns.T  # (h, H) @ (H, W) @ (W, w) -> h,w


def guide(mask, size):
    """A mask at a layer's size, scaled to a mean square of 1, for `objectives.changed.guided`."""
    small = shrunk(mask, size)
    return small / np.sqrt((small * small).mean())


def plain(masks):
    """Masks as a setting: paths as text, arrays as they are."""
    if isinstance(masks, (list, tuple)):
        return [plain(each) for each in masks]
    return masks if masks is None or hasattr(masks, "shape") else str(masks)


def _parts(what, masks, pictures):
    """{grey level, or number: the mask of a region} of one mask or of several."""
    greys = []
    for mask, picture in zip(masks, pictures, strict=True):
        grey = images.pictures.to_pixels(mask)[..., 1]
        if grey.shape != picture.shape[:2]:
            raise OptionsError(f"style: {what}{_name(mask)} has {grey.shape[0]}x{grey.shape[1]} "
                               f"pixels, its picture {picture.shape[0]}x{picture.shape[1]}; draw "
                               "it over the picture itself")
        if len(masks) > 1 and not grey.any():
            raise OptionsError(f"style: {what}{_name(mask)} is black all over; paint white what "
                               "belongs to its region")
        greys.append(grey)
    if len(masks) > 1:
        return {k: grey / 255 for k, grey in enumerate(greys)}
    levels = np.unique(greys[0])
    if len(levels) > MOST:
        raise OptionsError(f"style: {what}{_name(masks[0])} has {len(levels)} grey levels, each a "
                           f"region; draw it with at most {MOST}, without soft edges, and save it "
                           "as PNG")
    return {int(level): (greys[0] == level).astype(float) for level in levels}


def _listed(masks):
    return list(masks) if isinstance(masks, (list, tuple)) else [masks]


def _name(mask):
    return "" if hasattr(mask, "shape") else f" {mask}"


def _count(things, what):
    return f"{len(things)} {what}{'s' * (len(things) != 1)}"


def _overlap(old, new):
    """(new, old): the share of each old pixel in the mean that is a new one."""
    ends, before = np.arange(new + 1) * old / new, np.arange(old)
    shared = np.minimum(ends[1:, None], before + 1) - np.maximum(ends[:-1, None], before)
    return shared.clip(0) * new / old

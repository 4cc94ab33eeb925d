"""Conversion of pixels to a network's input values and back.

A network's input is a float32 batch (N, H, W, C). `Preprocessing` says how pixels become such a
batch, and is stored with the weights: the wrong channel order, mean or range is the most common
mistake, and no error reveals it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np

from minicnn.images.decoding import LARGE
from minicnn.images.pictures import (
    RESAMPLES,
    ImageError,
    Photo,
    check_choice,
    check_finite,
    height_width,
    resize,
    to_pil,
    to_pixels,
    warn_of_enlarged,
)

CHANNELS = {"RGB": [0, 1, 2], "BGR": [2, 1, 0], "L": [0]}  # the pixels' plane for each channel
RULES = ("crop", "squash")


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """How a photo becomes the input values that a network was trained on.

    x = (pixels in the network's channel order - mean) * scale, with pixels in 0..255.

    Parameters
    ----------
    size : (H, W)
        The network's input size.
    order : "RGB", "BGR" or "L" (grey)
    mean : number, one number for each channel, or (h, w, C) array
        In 0..255 and in the network's order. A mean image is at least as large as `size`: at that
        size its centre is subtracted (the same as in Caffe, which subtracts before it crops), at
        any other size its mean pixel.
    scale : number, or one number for each channel
    resize_to : int or None
        Side length before the crop; None resizes directly to `size`.
    rule : "crop" or "squash"
        crop: the shorter side becomes `resize_to`. squash: the whole picture becomes `resize_to` x
        `resize_to`, whatever its shape (Caffe). Then the centre of `size` is cropped.
    resample : one of RESAMPLES

    Examples
    --------
    Caffe's VGG; its AlexNet (with the 256 x 256 mean image instead of its mean pixel); GoogLeNet:

    >>> vgg = Preprocessing((224, 224), "BGR", (103.939, 116.779, 123.68))
    >>> alexnet = Preprocessing((227, 227), "BGR", (104.007, 116.669, 122.679), rule="squash")
    >>> googlenet = Preprocessing((224, 224), "BGR", (104, 117, 123))

    torchvision, whose mean and standard deviation are published for pixels in 0..1:

    >>> mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    >>> torchvision = Preprocessing((224, 224), "RGB", [255 * m for m in mean],
    ...                             [1 / (255 * s) for s in std], resample="bilinear")

    Keras' "tf" mode gives -1..1; plain 0..1; a grey 28 x 28 digit:

    >>> keras = Preprocessing((299, 299), "RGB", 127.5, 1 / 127.5, None, "squash", "nearest")
    >>> plain = Preprocessing((64, 64), scale=1 / 255)
    >>> digit = Preprocessing((28, 28), "L", scale=1 / 255, resize_to=None)
    """

    size: tuple
    order: str = "RGB"
    mean: object = 0.0
    scale: object = 1.0
    resize_to: int | None = 256
    rule: str = "crop"
    resample: str = "bicubic"

    def __post_init__(self):
        for name, choices in (("order", CHANNELS), ("rule", RULES), ("resample", RESAMPLES)):
            check_choice(name, getattr(self, name), choices)
        channels = len(CHANNELS[self.order])
        size = height_width(self.size)
        values = {"size": size, "mean": _mean(self.mean, size, channels),
                  "scale": _per_channel("scale", self.scale, channels),
                  "resize_to": _resize_to(self.resize_to, size, self.rule)}
        if min(values["scale"]) <= 0:
            raise ImageError(f"Preprocessing: scale must be above 0, got {self.scale}")
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the class is frozen

    def __eq__(self, other):
        return isinstance(other, Preprocessing) and all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    def to_dict(self) -> dict:
        """Return the fields as strings, numbers and lists, for JSON and HDF5 attributes.

        A `resize_to` of None becomes 0, because HDF5 has no None. A mean image stays an array:
        store it as a data set, because an attribute holds at most 64 KB.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["resize_to"] = self.resize_to or 0
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict) -> Preprocessing:
        """Rebuild from `to_dict`'s form, also with NumPy scalars, arrays and bytes (HDF5).

        Raises
        ------
        ImageError
            A field is missing or unknown: a guessed default would give wrong pictures.
        """
        names = {f.name for f in fields(cls)}
        if set(values) != names:
            raise ImageError(f"Preprocessing: missing {sorted(names - set(values))}, "
                             f"unknown {sorted(set(values) - names)}")
        text = {k: v.decode() if isinstance(v, bytes) else str(v)
                for k, v in values.items() if k in ("order", "rule", "resample")}
        return cls(**{**values, **text, "resize_to": int(values["resize_to"] or 0) or None})


def how_to_set(shape: Sequence[int]) -> str:
    """What to do for a network of input (H, W, C) that has no Preprocessing: the shortest that
    works, to be pasted. For error messages."""
    *size, channels = shape
    if channels not in (1, 3):
        return f"give it arrays (N, H, W, {channels}), for no photo has {channels} channels"
    order = ', "L"' if channels == 1 else ""
    framing = ", resize_to=None" if min(size) > Preprocessing.resize_to else ""
    return (f"set network.preprocessing = minicnn.images.Preprocessing({tuple(size)}{order}"
            f"{framing}), with the order, mean and scale that it was trained with")


def prepare(image: Photo, preprocessing: Preprocessing,
            size: int | Sequence[int] | str | None = None) -> np.ndarray:
    """Turn a photo into a network's input.

    Sizes are rounded to the nearest pixel. A crop that cannot be centred exactly lies half a pixel
    up and to the left. (torchvision rounds the long side down, which can shift by one column.)

    Parameters
    ----------
    image : path, PIL image, or uint8 array (H, W, 3), (H, W, 1) or (H, W)
        Floats within 0..1 count as fractions of 255, with a warning. A file of more than 33 million
        pixels is read at a reduced size if that is enough.
    preprocessing : Preprocessing
    size : None, int, (H, W) or "keep"
        None: the network's own size. Another size keeps the framing: `resize_to` scales in
        proportion. "keep": the photo's own size, without resizing or cropping.

    Returns
    -------
    x : (1, H, W, C) float32

    Raises
    ------
    ImageError
        An unreadable file; an array of another shape, kind or range.
    """
    if isinstance(size, str) and size == "keep":
        pixels = to_pixels(image)
    else:
        wanted = preprocessing.size if size is None else height_width(size)

        def before_crop(have):
            return _size_before_crop(have, preprocessing, wanted)

        pixels = to_pixels(image, before_crop)
        large = before_crop(pixels.shape[:2])
        middle = wanted if large[0] * large[1] > LARGE else None  # of a strip only what is seen
        pixels = _centre(resize(pixels, large, preprocessing.resample, middle), wanted)
    warn_of_enlarged(image)
    return normalize(pixels[None], preprocessing)


def normalize(pixels: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Turn pixels that already have the right size into a network's input values.

    Parameters
    ----------
    pixels : (N, H, W, 3) uint8, red first; for order "L" also (N, H, W, 1)
    preprocessing : Preprocessing

    Returns
    -------
    x : (N, H, W, C) float32, (pixels in the network's order - mean) * scale
    """
    if preprocessing.order == "L" and pixels.shape[3] != 1:
        grey = [np.asarray(to_pil(image).convert("L")) for image in pixels]
        pixels = np.stack(grey)[..., None]  # N,H,W -> N,H,W,1
    x = pixels[..., CHANNELS[preprocessing.order]].astype(np.float32)
    return (x - _mean_at(preprocessing, x.shape)) * np.float32(preprocessing.scale)


def restore(x: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Turn a network's input back into pictures: the inverse of `prepare`, except for the framing.

    Parameters
    ----------
    x : (N, H, W, C) floats
        Any N, H and W. Values outside 0..255 are clipped.
    preprocessing : Preprocessing

    Returns
    -------
    images : (N, H, W, 3) uint8, red first; grey is repeated three times

    Raises
    ------
    ImageError
        Another shape, or values that are not finite.
    """
    x = np.asarray(x)
    channels = CHANNELS[preprocessing.order]
    if x.ndim != 4 or x.shape[-1] != len(channels):
        raise ImageError(f"images.restore: expected (N, H, W, {len(channels)}) for order "
                         f"{preprocessing.order}, got {x.shape}")
    check_finite(x, "images.restore")
    pixels = x / np.float32(preprocessing.scale) + _mean_at(preprocessing, x.shape)
    return to_rgb(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), preprocessing)


def to_rgb(x: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Reorder a network's channels as red, green, blue without changing values; grey is repeated.

    For arrays that have the network's channels but are no photos, such as a gradient at the image.
    """
    channels = CHANNELS[preprocessing.order]
    ordered = np.asarray(x)[..., channels]  # BGR undoes itself
    return np.repeat(ordered, 3 // len(channels), axis=-1)  # N,H,W,C -> N,H,W,3


def bounds(preprocessing: Preprocessing, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that pixels 0 and 255 become: an image between them can be shown.

    Parameters
    ----------
    preprocessing : Preprocessing
    shape : (H, W), (H, W, C) or (N, H, W, C)

    Returns
    -------
    low, high : float32, (1, 1, 1, C), or (1, H, W, C) if a mean image is subtracted
    """
    shape = tuple(shape)
    sides = shape if len(shape) == 2 else shape[-3:-1]
    mean = _mean_at(preprocessing, (1, *sides, len(CHANNELS[preprocessing.order])))
    scale = np.float32(preprocessing.scale)
    return (0 - mean) * scale, (255 - mean) * scale


# ---- framing


def _size_before_crop(have, preprocessing, size):
    """The size to resize to, computed in fractions so that half a pixel is exact."""
    own, side = preprocessing.size, preprocessing.resize_to
    if preprocessing.rule == "squash":
        return size if side is None else tuple(
            _nearest(Fraction(side * n, m)) for n, m in zip(size, own, strict=True))
    ratio = max(Fraction(n, m) for n, m in zip(size, have, strict=True))  # at least cover the crop
    if side is not None:
        ratio = max(ratio, Fraction(side * min(size), min(own) * min(have)))
    return tuple(_nearest(n * ratio) for n in have)


def _nearest(fraction):
    return int(fraction + Fraction(1, 2))


def _centre(image, size):
    """Centre crop of (..., H, W, C) to (..., *size, C)."""
    top, left = ((have - want) // 2 for have, want in zip(image.shape[-3:-1], size, strict=True))
    return image[..., top:top + size[0], left:left + size[1], :]


def _mean_at(preprocessing, shape):
    """The mean to subtract from x of `shape`: (1, 1, 1, C), or (1, H, W, C) for a mean image."""
    mean = np.asarray(preprocessing.mean, np.float32)
    if mean.ndim == 1:
        return mean.reshape(1, 1, 1, -1)  # C -> 1,1,1,C
    if tuple(shape[1:3]) == preprocessing.size:
        return _centre(mean, preprocessing.size)[None]
    return mean.mean(axis=(0, 1), dtype=np.float64, keepdims=True)[None].astype(np.float32)


# ---- checks of the settings

def _resize_to(side, size, rule):
    if side is None:
        return None
    least = max(size) if rule == "squash" else min(size)
    if int(side) != side or side < least:
        raise ImageError(f"Preprocessing: resize_to must be a whole number of at least {least} "
                         f"(the size is {size}), or None; got {side!r}")
    return int(side)


def _per_channel(name, value, channels):
    numbers = np.asarray(value, np.float64)
    if numbers.ndim > 1 or numbers.size not in (1, channels) or not np.isfinite(numbers).all():
        raise ImageError(f"Preprocessing: {name} must be a number or {channels} (one for each "
                         f"channel), got {value!r}")
    return tuple(np.broadcast_to(numbers, channels).tolist())


def _mean(mean, size, channels):
    """Check the mean: a tuple of C floats, or a read-only float32 array (h, w, C)."""
    if np.ndim(mean) == 3:
        return _mean_image(np.array(mean, np.float32), size, channels)
    pixel = _per_channel("mean", mean, channels)
    if min(pixel) < 0 or max(pixel) > 255:
        raise ImageError(f"Preprocessing: mean lies in 0..255, got {pixel}")
    if 0 < max(pixel) <= 1:
        raise ImageError(f"Preprocessing: mean {pixel} looks made for pixels in 0..1; multiply it "
                         "by 255 (and divide the scale by 255)")
    return pixel


def _mean_image(mean, size, channels):
    if mean.shape[2] != channels or mean.shape[0] < size[0] or mean.shape[1] < size[1]:
        hint = "; Caffe's (C, H, W) needs .transpose(1, 2, 0)" if mean.shape[0] == channels else ""
        raise ImageError(f"Preprocessing: a mean image is (h, w, {channels}) and at least as large "
                         f"as {size}, got {mean.shape}{hint}")
    check_finite(mean, "Preprocessing: mean")
    mean.flags.writeable = False
    return mean

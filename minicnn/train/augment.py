"""Augmentation: variations of a training image that keep its class.

Each is a function of (images (N, H, W, C), generator), returning new images of the same type;
`crop`, `colour` and `noise` take uint8 pixels. `chain` applies several in turn, and `affine` makes
one that turns, moves, shears and zooms. What a setting does is best seen: `report.augmented`.
"""

from collections.abc import Callable

import numpy as np

FILLS = ("nearest", "reflect", "wrap", "constant")


def chain(*variations: Callable) -> Callable:
    """One variation that applies several in turn."""
    def vary(images, rng):
        for variation in variations:
            images = variation(images, rng)
        return images
    return vary


def flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror each image left to right with probability 1/2."""
    chosen = rng.random(len(images)) < 0.5
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def shift(images: np.ndarray, rng: np.random.Generator, most: int = 4) -> np.ndarray:
    """Shift each image by up to `most` pixels each way, with the border reflected."""
    n, h, w, _ = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode="reflect")
    tops, lefts = rng.integers(0, 2 * most + 1, size=(2, n))
    return np.stack([image[top : top + h, left : left + w]
                     for image, top, left in zip(padded, tops, lefts, strict=True)])


def crop(images: np.ndarray, rng: np.random.Generator, least: float = 0.5,
         size: int | None = None) -> np.ndarray:
    """A random part of each image, resized to `size` x `size` (by default to the images' height).

    The part has between `least` and all of the image's area, and 3:4 to 4:3 of its proportions
    (Szegedy et al. 2015, section 6, with a larger least area).
    """
    from PIL import Image

    _check_pixels(images, "crop")
    n, h, w, channels = images.shape
    size, shares = size or h, rng.uniform(least, 1, n)
    stretches = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), n) / 2)
    heights = np.minimum(np.sqrt(shares) * stretches, 1) * h
    widths = np.minimum(np.sqrt(shares) / stretches, 1) * w
    tops, lefts = rng.random((2, n)) * (h - heights, w - widths)
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], 1).clip(0, (w, h, w, h))
    pictures = images[..., 0] if channels == 1 else images
    cut = np.stack([np.asarray(Image.fromarray(picture).resize((size, size), Image.BILINEAR, box))
                    for picture, box in zip(pictures, boxes.tolist(), strict=True)])
    return cut.reshape(n, size, size, channels)


def colour(images: np.ndarray, rng: np.random.Generator, most: float = 0.2) -> np.ndarray:
    """Change each image's brightness, contrast and saturation by factors 1 - most ... 1 + most."""
    _check_pixels(images, "colour")
    brightness, contrast, saturation = rng.uniform(1 - most, 1 + most, (3, len(images), 1, 1, 1))
    x = images * brightness.astype(np.float32)
    grey = x.mean(axis=3, keepdims=True)
    middle = grey.mean(axis=(1, 2), keepdims=True)
    grey_part, middle_part = contrast * (1 - saturation), 1 - contrast
    x = x * (contrast * saturation).astype(np.float32)
    x += (grey * grey_part + middle * middle_part).astype(np.float32)
    return np.rint(x.clip(0, 255)).astype(np.uint8)


def noise(images: np.ndarray, rng: np.random.Generator, most: float = 20) -> np.ndarray:
    """Add normal noise, whose standard deviation for each image is drawn from 0 ... most.

    A network that has to ignore noise depends less on the finest detail, and the pictures that
    maximise its classes are smoother.
    """
    _check_pixels(images, "noise")
    deviation = rng.uniform(0, most, (len(images), 1, 1, 1)).astype(np.float32)
    added = deviation * rng.standard_normal(images.shape, np.float32)
    return np.rint((images + added).clip(0, 255)).astype(np.uint8)


def _check_pixels(images, who):
    if images.dtype != np.uint8:
        raise ValueError(f"augment.{who}: expected uint8 pixels 0..255, got {images.dtype}; vary "
                         "the pixels, and let the network's preprocessing make numbers of them")


def affine(rotation: float = 40, width_shift: float = 0.2, height_shift: float = 0.2,
           shear: float = 0.2, zoom: float = 0.2, horizontal_flip: bool = True,
           fill: str = "nearest", value: float = 0.0) -> Callable:
    """A variation that turns, moves, shears and zooms each image, as Keras' generator does.

    The defaults are those of the usual first lecture (Chollet 2017, section 5.2). With c = cos, s =
    sin of the angle a, shear h and zooms z, a point (y, x) of the new image, counted from the
    centre, shows the point

        [y0]   [c  -s] [1  -sin h] [zy  0 ] [y]   [dy]
        [x0] = [s   c] [0   cos h] [0   zx] [x] + [dx]

    of the old one, interpolated linearly between its four neighbours.

    Parameters
    ----------
    rotation : float
        The largest angle, in degrees; drawn from -rotation ... rotation.
    width_shift, height_shift : float
        The largest shift, as a share of the width and height.
    shear : float
        The largest angle of shearing, in radians, as in Keras until 2017, when this 0.2 was
        written. (Later versions take degrees, in which 0.2 changes next to nothing.)
    zoom : float
        Both sides are scaled by factors drawn from 1 - zoom ... 1 + zoom.
    horizontal_flip : bool
        Mirror half of the images left to right.
    fill : one of FILLS
        What is outside of the image: its nearest pixel, its mirror image, the image again, or
        `value`.
    value : float

    Returns
    -------
    callable (images, rng) -> images
    """
    if fill not in FILLS:
        raise ValueError(f"affine: fill must be one of {', '.join(FILLS)}, got {fill!r}")

    def vary(images, rng):
        n, h, w, _ = images.shape
        a = np.deg2rad(rng.uniform(-rotation, rotation, n))
        dy, dx = rng.uniform(-1, 1, (2, n)) * [[height_shift * h], [width_shift * w]]
        lean = rng.uniform(-shear, shear, n)
        zy, zx = rng.uniform(1 - zoom, 1 + zoom, (2, n))
        zx = zx * np.where(horizontal_flip and rng.random(n) < 0.5, -1, 1)
        zero, one = np.zeros(n), np.ones(n)
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        slant = np.array([[one, -np.sin(lean)], [zero, np.cos(lean)]])
        scale = np.array([[zy, zero], [zero, zx]])
        matrix = np.einsum("abn,bcn,cdn->nad", turn, slant, scale)
        return _sampled(images, matrix, np.stack([dy, dx], 1), fill, value)
    return vary


def _sampled(images, matrix, move, fill, value):
    """Each image where its matrix (N, 2, 2) and shift (N, 2) send the points of the new one."""
    n, h, w, _ = images.shape
    middle = np.array([h - 1, w - 1]) / 2
    points = np.stack(np.meshgrid(*map(np.arange, (h, w)), indexing="ij"), -1) - middle
    old = np.einsum("nab,hwb->nhwa", matrix, points) + (middle + move)[:, None, None]
    first = np.floor(old).astype(int)
    share = (old - first).astype(np.float32)[..., None]
    total = np.zeros(images.shape, np.float32)
    for down in (0, 1):
        for right in (0, 1):
            weight = abs(1 - down - share[..., 0, :]) * abs(1 - right - share[..., 1, :])
            total += weight * _at(images, first[..., 0] + down, first[..., 1] + right, fill, value)
    return total.astype(images.dtype) if images.dtype.kind == "f" else np.rint(
        total.clip(0, 255)).astype(images.dtype)


def _at(images, rows, columns, fill, value):
    """The pixels at rows and columns (N, H, W), which may lie outside."""
    n, h, w, _ = images.shape
    found = images[np.arange(n)[:, None, None], _inside(rows, h, fill), _inside(columns, w, fill)]
    if fill != "constant":
        return found
    outside = (rows < 0) | (rows >= h) | (columns < 0) | (columns >= w)
    return np.where(outside[..., None], np.float32(value), found)


def _inside(index, size, fill):
    """The index, 0 ... size - 1, that stands for one outside."""
    if fill == "wrap":
        return index % size
    if fill == "reflect":
        turned = index % (2 * size)
        return np.minimum(turned, 2 * size - 1 - turned)
    return index.clip(0, size - 1)


# by name, for the command line
VARIATIONS = {"flip": flip, "shift": shift, "crop": crop, "colour": colour, "noise": noise,
              "lecture": affine(),
              "digits": affine(10, 0.1, 0.1, 0.1, 0.1, horizontal_flip=False)}

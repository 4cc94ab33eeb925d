"""Augmentation: variations of a training image that keep its class.

Each is a function of (images uint8 (N, H, W, C), generator), returning new images.
"""

import numpy as np
from PIL import Image


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
    n, h, w, _ = images.shape
    size, shares = size or h, rng.uniform(least, 1, n)
    stretches = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), n) / 2)
    heights = np.minimum(np.sqrt(shares) * stretches, 1) * h
    widths = np.minimum(np.sqrt(shares) / stretches, 1) * w
    tops, lefts = rng.random((2, n)) * (h - heights, w - widths)
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], 1).clip(0, (w, h, w, h))
    return np.stack([np.asarray(Image.fromarray(image).resize((size, size), Image.BILINEAR, box))
                     for image, box in zip(images, boxes.tolist(), strict=True)])


def colour(images: np.ndarray, rng: np.random.Generator, most: float = 0.2) -> np.ndarray:
    """Change each image's brightness, contrast and saturation by factors 1 - most ... 1 + most."""
    brightness, contrast, saturation = rng.uniform(1 - most, 1 + most, (3, len(images), 1, 1, 1))
    x = images * brightness.astype(np.float32)
    grey = x.mean(axis=3, keepdims=True)
    middle = grey.mean(axis=(1, 2), keepdims=True)
    grey_part, middle_part = contrast * (1 - saturation), 1 - contrast
    x = x * (contrast * saturation).astype(np.float32)
    x += (grey * grey_part + middle * middle_part).astype(np.float32)
    return np.rint(x.clip(0, 255)).astype(np.uint8)

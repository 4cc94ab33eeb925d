"""Augmentation: variations of a training image that keep its class.

Each is a function of (images uint8 (N, H, W, C), generator), returning new images.
"""

import numpy as np


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

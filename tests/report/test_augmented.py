"""The sheet of an augmentation: the image first, then what training would get."""

import numpy as np

from minicnn.report import augmented
from minicnn.train import augment


def test_a_row_for_each_image_and_a_column_for_each_variation():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    seen = []

    def vary(batch, rng):
        seen.append(batch)
        return augment.flip(batch, rng)

    small, large = (augmented.sheet(images, vary, count, tile=48) for count in (2, 4))
    assert small.shape[0] == large.shape[0] and small.shape[1] < large.shape[1]
    assert len(seen) == 6 and all(batch is images for batch in seen)
    again = augmented.sheet(images, vary, 2, tile=48)
    np.testing.assert_array_equal(small, again)
    other = augmented.sheet(images, vary, 2, seed=5, tile=48)
    assert (small != other).any()


def test_grey_images():
    images = np.zeros((1, 8, 8, 1), np.uint8)
    assert augmented.sheet(images, augment.affine(), 1).shape[2] == 3

"""The drawn data set: seeded, endless, and no class told by a pixel or a colour."""

import numpy as np
import pytest

from minicnn.train.shapes import CLASSES, Shapes


def test_an_image_depends_on_the_seed_and_its_number_alone():
    some, more = Shapes(20, seed=3), Shapes(1000, seed=3)
    np.testing.assert_array_equal(some[[7, 3]], more[[7, 3]])
    np.testing.assert_array_equal(some[7], some.draw(7))
    assert (some[7] != Shapes(20, seed=4)[7]).any() and (some[7] != some[17]).any()
    assert more[np.array([999])].shape == (1, 64, 64, 3)


def test_ten_classes_in_equal_numbers():
    drawn = Shapes(30)
    assert len(CLASSES) == 10 and np.bincount(drawn.labels).tolist() == [3] * 10
    assert drawn.shape == (30, 64, 64, 3) and len(drawn) == 30
    assert drawn[:4].shape == (4, 64, 64, 3) and drawn[:0].shape == (0, 64, 64, 3)
    assert drawn[:4].dtype == drawn.dtype == np.uint8


def test_no_pixel_and_no_colour_tells_the_class():
    """The mean colours of the classes differ by less than the images of a class do."""
    drawn = Shapes(200, size=16)
    colours = drawn[np.arange(200)].mean(axis=(1, 2)).reshape(20, 10, 3)  # image, class, colour
    assert colours.mean(axis=0).std(axis=0).max() < 0.6 * colours.std(axis=0).mean()


def test_shapes_lie_inside_and_textures_fill_the_image():
    """At the border a shape's image is nearly flat; a texture changes there."""
    drawn = Shapes(100, seed=1)
    border = np.concatenate([drawn[np.arange(100)][:, edge].astype(float) for edge in (0, -1)], 1)
    change = np.abs(np.diff(border[:, ::4], axis=1)).mean(axis=(1, 2)).reshape(10, 10).mean(axis=0)
    assert change[:5].max() < 0.7 * change[5:].min(), dict(zip(CLASSES, change, strict=True))


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least one image of at least 8 pixels"):
        Shapes(0)
    with pytest.raises(ValueError, match="size 4"):
        Shapes(10, size=4)

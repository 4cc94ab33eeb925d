"""Masks: what they divide, how they shrink, and which are refused."""

import numpy as np
import pytest
import small
from PIL import Image

from minicnn.vis import regions
from minicnn.vis.options import OptionsError

PHOTO, PAINTING, OTHER = small.photo(8, 12), small.photo(10, 6, seed=1), small.photo(4, 4, seed=2)


def halves(height, width, levels=(0, 255)):
    """Left and right."""
    mask = np.full((height, width), levels[0], np.uint8)
    mask[:, width // 2 :] = levels[1]
    return mask


def test_without_masks_every_painting_is_for_all_of_the_photo():
    found = regions.regions(None, None, PHOTO, [PAINTING, OTHER])
    assert found == [(None, 0, None), (None, 1, None)]


def test_grey_levels_pair_regions():
    """The painting's third level is for nothing in this photo."""
    look = halves(10, 6, (255, 0))
    look[0] = 99
    found = regions.regions(halves(8, 12), look, PHOTO, [PAINTING])
    assert [part.painting for part in found] == [0, 0]
    for part, columns, level in zip(found, (slice(0, 6), slice(6, 12)), (0, 255), strict=True):
        assert part.content[:, columns].all() and part.content.sum() == 48
        np.testing.assert_array_equal(part.style, look == level)


def test_the_darkest_region_is_painted_like_the_first_painting():
    found = regions.regions(halves(8, 12, (200, 10)), None, PHOTO, [PAINTING, OTHER])
    assert [part.painting for part in found] == [0, 1] and found[0].style is None
    assert found[0].content[:, 6:].all() and found[1].content[:, :6].all()


def test_several_masks_are_a_region_each_and_may_be_soft(tmp_path):
    path = tmp_path / "soft.png"
    Image.fromarray(np.full((8, 12), 51, np.uint8)).save(path)
    looks = [halves(10, 6), halves(4, 4)]
    found = regions.regions([path, 255 - halves(8, 12)], looks, PHOTO, [PAINTING, OTHER])
    np.testing.assert_allclose(found[0].content, 0.2)
    assert [part.painting for part in found] == [0, 1] and found[1].style.shape == (4, 4)
    one = regions.regions([path, halves(8, 12)], [halves(10, 6)] * 2, PHOTO, [PAINTING])
    assert [part.painting for part in one] == [0, 0]
    assert regions.plain([path, path]) == [str(path)] * 2 and regions.plain(None) is None


def test_shrunk_is_the_mean_over_what_a_pixel_covers():
    mask = np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(regions.shrunk(mask, (3, 4)), mask)
    np.testing.assert_allclose(regions.shrunk(mask, (1, 2)), [[4.5, 6.5]])
    np.testing.assert_allclose(regions.shrunk(np.array([[0.0], [3], [6]]), (2, 1)), [[1], [5]])
    assert (regions.guide(halves(8, 12) / 255, (2, 3)) ** 2).mean() == pytest.approx(1)


MANY = np.arange(96, dtype=np.uint8).reshape(8, 12)


@pytest.mark.parametrize("mask, style_mask, paintings, told", [
    (None, halves(10, 6), [PAINTING], "give mask, those of the photo, too"),
    (halves(9, 12), None, [PAINTING], "mask has 9x12 pixels, its picture 8x12; draw it over"),
    (halves(8, 12), halves(8, 12), [PAINTING], "style_mask has 8x12 pixels, its picture 10x6"),
    (MANY, None, [PAINTING], "mask has 96 grey levels, each a region; draw it with at most 8"),
    (halves(8, 12), None, [PAINTING], "mask has 2 regions, but there is 1 painting; give one"),
    (halves(8, 12), halves(10, 6, (0, 9)), [PAINTING],
     "mask has grey levels 0, 255, but style_mask has 0, 9: no region for 255; draw both"),
    (halves(8, 12), [halves(10, 6)] * 3, [PAINTING], "mask has 2 regions, style_mask 3 regions"),
    (halves(8, 12), halves(10, 6), [PAINTING, OTHER], "1 style_mask for 2 paintings; give one"),
    ([0 * halves(8, 12), halves(8, 12)], None, [PAINTING, OTHER], "mask is black all over")])
def test_masks_that_do_not_fit(mask, style_mask, paintings, told):
    with pytest.raises(OptionsError, match=told):
        regions.regions(mask, style_mask, PHOTO, paintings)

"""Counting over photos: sums, what is skipped, and Ctrl-C."""

import operator

import numpy as np
import pytest
import small

from minicnn.vis.over_photos import over_photos

PHOTOS = [small.photo(seed=k) for k in range(4)]


def test_the_counts_of_all_photos_are_added():
    total = over_photos("sizes", PHOTOS, lambda photo: photo.astype(int), operator.add)
    np.testing.assert_array_equal(total.counts, np.sum(PHOTOS, axis=0, dtype=int))
    assert total[1:] == (4, [], False)


def test_what_cannot_be_read_is_skipped_and_listed(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    total = over_photos("sizes", [tmp_path / "a.png", *PHOTOS], np.size, operator.add)
    assert total.counts == 4 * PHOTOS[0].size and total.photos == 4
    assert len(total.skipped) == 1 and "a.png: not a picture" in total.skipped[0]


def test_none_at_all_is_an_error(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(ValueError, match="sizes: none of the 1 photos can .*a.png: not a picture"):
        over_photos("sizes", [tmp_path / "a.png"], np.size, operator.add)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_ctrl_c_keeps_what_was_counted(after):
    seen = []

    def count(photo):
        if len(seen) == after:
            raise KeyboardInterrupt
        seen.append(photo)
        return 1

    if not after:
        with pytest.raises(KeyboardInterrupt):
            over_photos("sizes", PHOTOS, count, operator.add)
    else:
        assert over_photos("sizes", PHOTOS, count, operator.add) == (after, after, [], True)

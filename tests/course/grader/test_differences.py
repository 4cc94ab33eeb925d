"""Pictures of a wrong answer."""

import numpy as np
import pytest

from minicnn.course.grader.differences import MOST, NOT_FINITE, SIDE, pictures

RNG = np.random.default_rng(0)


def test_the_plane_with_the_largest_difference_drawn_large():
    expected = RNG.standard_normal((2, 4, 6, 3))
    theirs = expected.copy()
    theirs[1, 2, 5, 1] += 9
    found = pictures(theirs, expected)
    assert found.words == "sample 1, channel 1"
    assert found.theirs.shape == found.expected.shape == (4 * 32, SIDE, 3)
    grid = found.difference[16::32, 16::32].astype(int)
    assert np.argwhere((grid != grid[0, 0]).any(-1)).tolist() == [[2, 5]]
    assert grid[2, 5, 0] > grid[2, 5, 2]  # too large is red
    assert np.argwhere((found.theirs != found.expected).any(-1)).min(0).tolist() == [64, 160]


def test_kernels_have_their_places_first():
    expected = RNG.standard_normal((3, 2, 4, 5))
    theirs = expected.copy()
    theirs[0, 1, 3, 2] = -9
    found = pictures(theirs, expected, kernels=True)
    assert found.words == "channel 3, kernel 2" and found.theirs.shape == (192, 128, 3)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (3, 4, 2), (1, 1, 1, 1), (2, 2, 3, 4, 2),
                                   (1, 500), (300, 300, 3)])
def test_any_shape_gives_pictures(shape):
    expected = RNG.standard_normal(shape)
    found = pictures(expected + 1, expected)
    for one in found[:3]:
        assert one.dtype == np.uint8 and one.shape[2] == 3 and max(one.shape[:2]) <= SIDE


def test_of_large_planes_the_part_around_the_difference_is_shown():
    expected = np.zeros((300, 300))
    theirs = expected.copy()
    theirs[290, 7] = 1
    found = pictures(theirs, expected)
    assert found.difference.shape[0] == MOST * (SIDE // MOST)
    assert (found.difference != found.difference[0, -1]).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen(bad):
    expected = np.arange(9.0).reshape(3, 3)
    theirs = expected.copy()
    theirs[1, 1] = bad
    found = pictures(theirs, expected)
    assert tuple(found.theirs[96, 96]) == tuple(found.difference[96, 96]) == NOT_FINITE
    assert tuple(found.expected[96, 96]) != NOT_FINITE


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.complex64])
def test_all_kinds_of_numbers(dtype):
    a = np.ones((2, 3), dtype)
    assert pictures(a, np.zeros_like(a)).difference is not None


def test_shapes_that_differ_have_no_difference():
    found = pictures(np.ones((1, 3, 3, 1)), np.ones((1, 4, 4, 1)))
    assert found.difference is None and found.theirs.shape[0] == found.expected.shape[0] == SIDE


@pytest.mark.parametrize("theirs", [1e308, -1e308, 1e-320, 0.0])
def test_extreme_numbers(theirs):
    assert pictures(np.full((2, 2), theirs), -np.full((2, 2), theirs)) is not None
    assert pictures(np.array([theirs, np.nan]), np.array([np.nan, np.nan])) is not None


@pytest.mark.parametrize("theirs", [None, np.zeros((0, 3)), np.array(["a"]), np.array([None])])
def test_nothing_to_draw(theirs):
    assert pictures(theirs, np.ones(3)) is None and pictures(np.ones(3), theirs) is None

"""Pictures side by side."""

import numpy as np

from minicnn.course.grader import panels

RNG = np.random.default_rng(0)


def test_the_strongest_map_holds_the_largest_number():
    a = RNG.standard_normal((1, 3, 4, 5))
    a[0, 2, 1, 3] = 99
    assert np.array_equal(panels.strongest_map(a), a[0, :, :, 3])
    assert panels.strongest_map(RNG.standard_normal((1, 7))).shape == (1, 7)


def test_a_difference_is_seen_and_none_is_black():
    one = RNG.integers(0, 255, (20, 20, 3), np.uint8)
    alike, apart = (panels.compared(("before", one), one, other) for other in (one, 255 - one))
    assert alike.dtype == np.uint8 and alike.shape == apart.shape and alike.shape[2] == 3
    right = alike[60:160, -120:-60]  # inside the last of the four pictures
    assert not right.any() and apart[60:160, -120:-60].any()


def test_bars_make_it_wider():
    one = RNG.integers(0, 255, (20, 20, 3), np.uint8)
    assert panels.panels({"a": one}, {"x": (0.5, 0.4)}).shape[1] > panels.panels(
        {"a": one}).shape[1]

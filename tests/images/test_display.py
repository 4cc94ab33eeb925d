"""Numbers made visible."""

import numpy as np
import pytest
from matplotlib import colormaps

from minicnn.images import ImageError, display


def test_to_uint8_spreads_and_clips():
    a = np.array([[-1.0, 0.0], [0.5, 3.0]], np.float32)
    assert display.to_uint8(a).tolist() == [[0, 64], [96, 255]]
    assert display.to_uint8(a, low=0, high=1).tolist() == [[0, 0], [128, 255]]
    assert display.to_uint8(np.array([3, 4])).tolist() == [0, 255]
    for constant in (np.zeros(3), np.full((2, 2), -7.5)):
        assert (display.to_uint8(constant) == 128).all()
    with pytest.raises(ImageError, match="low must be below high"):
        display.to_uint8(a, low=1, high=1)


def test_signed_zero_is_mid_grey():
    a = np.array([-4.0, -2.0, 0.0, 2.0])
    assert display.signed_to_uint8(a).tolist() == [1, 64, 128, 192]
    assert display.signed_to_uint8(a, limit=2).tolist() == [1, 1, 128, 255]
    assert display.signed_to_uint8(np.zeros(2)).tolist() == [128, 128]
    assert display.signed_to_uint8(a, gamma=0.5).tolist() == [1, 38, 128, 218]  # 127 / sqrt(2): 90
    with pytest.raises(ImageError, match="limit must be above 0"):
        display.signed_to_uint8(a, limit=0)


@pytest.mark.parametrize("show", [display.to_uint8, display.signed_to_uint8])
def test_display_refuses(show):
    with pytest.raises(ImageError, match="1 of 2 values are not finite"):
        show(np.array([0, np.inf]))
    for other in (np.array([1j]), np.array([]), np.array(["a"])):
        with pytest.raises(ImageError, match="expected real numbers"):
            show(other)


def test_levels_get_the_colours_of_a_matplotlib_map():
    levels = np.arange(256, dtype=np.uint8).reshape(2, 128)
    shown = display.coloured(levels, "magma")
    assert shown.shape == (2, 128, 3) and shown.dtype == np.uint8
    table = np.array(colormaps["magma"].colors)  # 256 colours, 0..1
    np.testing.assert_allclose(shown.reshape(256, 3), 255 * table, atol=1)  # to a whole number
    with pytest.raises(ImageError, match="expected uint8 levels 0..255, got float64"):
        display.coloured(np.zeros(3))


def test_channels_are_pictures_and_tiles_fill_rows():
    levels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)  # H,W,C
    pictures = display.channels(levels)
    np.testing.assert_array_equal(pictures[3], display.coloured(levels[..., 3]))
    assert display.channels(levels[0, 0]).shape == (4, 1, 1, 3)
    sheet = display.tiled(pictures, 3)
    assert sheet.shape == (2 * 3 - 1, 3 * 4 - 1, 3)
    np.testing.assert_array_equal(sheet[:2, 4:7], pictures[1])
    np.testing.assert_array_equal(sheet[3:, :3], pictures[3])
    assert (sheet[2] == 255).all() and (sheet[:, 3] == 255).all() and (sheet[3:, 3:] == 255).all()

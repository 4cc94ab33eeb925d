"""Augmentation: what changes, what must not."""

import numpy as np
import pytest

from minicnn.train import augment


def pictures(count=40, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, (count, 6, 9, 3)).astype(dtype)


@pytest.mark.parametrize("vary", [augment.flip, augment.shift])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_shape_type_order_and_argument_stay(vary, dtype):
    images = pictures(dtype=dtype)
    before = images.copy()
    varied = vary(images, np.random.default_rng(1))
    assert varied.shape == images.shape and varied.dtype == dtype
    assert not np.shares_memory(varied, images)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("vary", [augment.flip, augment.shift])
def test_the_generator_decides(vary):
    one, again, other = (vary(pictures(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_flip_mirrors_some_images_left_to_right_and_no_other_way():
    images = pictures()
    varied = augment.flip(images, np.random.default_rng(1))
    mirrored = [(v == i[:, ::-1]).all() for v, i in zip(varied, images, strict=True)]
    same = [(v == i).all() for v, i in zip(varied, images, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 10 <= sum(mirrored) <= 30  # 40 coins: six standard deviations around 20


def test_shift_moves_each_image_by_at_most_so_many_pixels():
    images = np.broadcast_to(np.arange(400, dtype=np.int64).reshape(1, 20, 20, 1), (60, 20, 20, 1))
    varied = augment.shift(images, np.random.default_rng(1), most=2)
    middle = varied[:, 10, 10, 0] - images[:, 10, 10, 0]
    moves = {(int(m + 210) // 20 - 10, int(m + 210) % 20 - 10) for m in middle}
    assert all(abs(down) <= 2 and abs(right) <= 2 for down, right in moves)
    assert len(moves) > 15  # of the 25 moves there are, 60 draws meet 23 on average
    for image, (_, width) in zip(varied, [(20, 20)] * 60, strict=True):
        assert (np.diff(image[5:15, 5:15, 0], axis=0) == width).all()


def test_shift_reflects_the_border():
    image = np.arange(5).reshape(1, 1, 5, 1).repeat(5, axis=1)
    varied = {tuple(augment.shift(image, np.random.default_rng(seed), most=1)[0, 0, :, 0].tolist())
              for seed in range(30)}
    assert varied == {(1, 0, 1, 2, 3), (0, 1, 2, 3, 4), (1, 2, 3, 4, 3)}


def test_a_crop_is_a_part_of_the_image_between_the_least_area_and_all_of_it():
    row, column = np.mgrid[:32, :32].astype(np.uint8)
    ramp = np.stack([row, column, row], -1)[None].repeat(200, 0) * np.uint8(4)
    cut = augment.crop(ramp, np.random.default_rng(0), 0.5, 16)
    assert cut.shape == (200, 16, 16, 3) and cut.dtype == np.uint8
    heights = np.ptp(cut[..., 0].astype(int), axis=(1, 2)) / 4 / 15 * 16 / 32
    widths = np.ptp(cut[..., 1].astype(int), axis=(1, 2)) / 4 / 15 * 16 / 32
    area = heights * widths
    assert 0.45 < area.min() < 0.6 and area.max() < 1.03  # a ramp of whole numbers: 5 % rounding
    assert heights.max() > 0.95 and widths.max() > 0.95
    again = augment.crop(ramp, np.random.default_rng(0), 0.5, 16)
    np.testing.assert_array_equal(cut, again)


def test_colour_changes_brightness_contrast_and_saturation_within_bounds():
    grey = np.full((100, 4, 4, 3), 100, np.uint8)
    changed = augment.colour(grey, np.random.default_rng(0), 0.2)
    assert changed.min() >= 80 and changed.max() <= 120 and np.ptp(changed) > 30
    assert (changed == changed[:, :1, :1, :1]).all()  # grey stays grey, flat stays flat
    np.testing.assert_array_equal(augment.colour(grey, np.random.default_rng(0), 0), grey)


# ---- turning, moving, shearing, zooming

PLAIN = {"rotation": 0, "width_shift": 0, "height_shift": 0, "shear": 0, "zoom": 0,
         "horizontal_flip": False}


@pytest.mark.parametrize("fill", augment.FILLS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_affine_without_settings_changes_nothing(fill, dtype):
    images = pictures(3, dtype)
    varied = augment.affine(**PLAIN, fill=fill)(images, np.random.default_rng(0))
    np.testing.assert_array_equal(varied, images, strict=True)


def test_affine_shape_type_argument_and_generator():
    images = pictures(5)
    before = images.copy()
    one, again, other = (augment.affine()(images, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == images.shape and one.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


class Fixed:
    """A generator whose uniform numbers are all the upper limit."""

    def uniform(self, low, high, size=None):
        return np.full(size, float(high))

    def random(self, size=None):
        return np.zeros(size)


def test_affine_turns_by_the_angle():
    images = pictures(1)[:, :, :6]
    turned = augment.affine(**PLAIN | {"rotation": 90})(images, Fixed())
    np.testing.assert_array_equal(turned[0], np.rot90(images[0], -1))  # or 1: a right angle


def test_affine_mirrors():
    images = pictures(1)
    mirrored = augment.affine(**PLAIN | {"horizontal_flip": True})(images, Fixed())
    np.testing.assert_array_equal(mirrored, images[:, :, ::-1])


@pytest.mark.parametrize("fill, last", [("nearest", [5, 5]), ("reflect", [5, 4]), ("wrap", [0, 1]),
                                        ("constant", [99, 99])])
def test_affine_moves_and_fills(fill, last):
    """Six columns moved by two to the left: the last two are from outside."""
    images = np.tile(np.arange(6, dtype=np.uint8)[None, None, :, None], (1, 4, 1, 3))
    moved = augment.affine(**PLAIN | {"width_shift": 2 / 6}, fill=fill, value=99)(images, Fixed())
    assert moved[0, 1, :, 0].tolist() == [2, 3, 4, 5, *last]


def test_affine_zooms_around_the_middle():
    ramp = np.tile(np.arange(9, dtype=np.float32)[None, None, :, None], (1, 3, 1, 1))
    zoomed = augment.affine(**PLAIN | {"zoom": 0.5})(ramp, Fixed())  # shows 1.5 times as much
    np.testing.assert_allclose(zoomed[0, 1, 2:7, 0], 4 + 1.5 * np.arange(-2, 3))


def test_affine_shears_rows_against_each_other():
    ramp = np.tile(np.arange(20, dtype=np.float32)[None, :, None, None], (1, 1, 20, 1))
    slanted = augment.affine(**PLAIN | {"shear": np.arcsin(0.5)})(ramp, Fixed())[0, 10, 5:15, 0]
    np.testing.assert_allclose(np.diff(slanted), -0.5, atol=1e-5)  # y0 = y - x sin h; float32


def test_affine_refuses_an_unknown_fill():
    with pytest.raises(ValueError, match="one of nearest, reflect, wrap, constant, got 'edge'"):
        augment.affine(fill="edge")


def test_chain_applies_in_turn():
    images, rng = pictures(8), np.random.default_rng(3)
    expected = augment.shift(augment.flip(images, rng), rng)
    np.testing.assert_array_equal(
        augment.chain(augment.flip, augment.shift)(images, np.random.default_rng(3)), expected)


@pytest.mark.parametrize("name", augment.VARIATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_variation_of_the_table_keeps_size_and_type(name, channels):
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12, channels)).astype(np.uint8)
    varied = augment.VARIATIONS[name](images, np.random.default_rng(1))
    assert varied.shape == images.shape and varied.dtype == np.uint8


def test_noise_is_drawn_for_each_image_and_keeps_the_mean():
    grey = np.full((50, 16, 16, 3), 128, np.uint8)
    noisy = augment.noise(grey, np.random.default_rng(0), 20).astype(float)
    deviations = noisy.std(axis=(1, 2, 3))
    assert deviations.min() < 4 and 15 < deviations.max() < 21
    assert abs(noisy.mean() - 128) < 0.3  # 50 * 768 numbers of deviation 12: four of theirs


@pytest.mark.parametrize("name", ["crop", "colour", "noise"])
def test_floats_are_refused_by_those_that_take_pixels(name):
    with pytest.raises(ValueError, match=f"augment.{name}: expected uint8 pixels"):
        getattr(augment, name)(pictures(2, np.float32), np.random.default_rng(0))

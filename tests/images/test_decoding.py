"""Pillow images of all modes and sizes as pixels."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from minicnn import images
from minicnn.images import ImageError, Preprocessing, decoding

PLAIN = Preprocessing((4, 8), resize_to=None)


def png(a, colour_type, transparent):
    """A PNG file of 16 bits with a transparent colour, which Pillow cannot write."""
    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in a)
    head = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 16, colour_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"tRNS", np.asarray(transparent, ">u2").tobytes())
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.mark.parametrize("colour_type, shape", [(0, (5, 7)), (2, (5, 7, 3))])
def test_the_transparent_colour_of_a_16_bit_png_becomes_white(colour_type, shape):
    a = np.random.default_rng(0).integers(0, 65536, shape)
    data = png(a, colour_type, a[2, 3])
    picture = Image.open(io.BytesIO(data))
    for got in (images.decode(data), images.prepare(picture, PLAIN, "keep")[0]):
        assert (got == 255).all(axis=2).tolist() == [[(p, q) == (2, 3) for q in range(7)]
                                                     for p in range(5)]


def test_a_dark_transparent_colour_of_16_bits():
    """Each level is below 256, so only the file tells that it has 16 bits."""
    a = np.full((2, 2, 3), 60000)
    a[1, 0] = 200, 100, 3
    assert (images.decode(png(a, 2, a[1, 0]))[1, 0] == 255).all()


def test_whole_numbers_up_to_255_are_grey_levels_and_said_to_be():
    v = np.linspace(0, 255, 32).astype(np.int32).reshape(4, 8)
    with pytest.warns(UserWarning, match="up to 255 count as grey levels 0..255"):
        got = images.prepare(Image.fromarray(v), PLAIN)
    np.testing.assert_array_equal(got[0, ..., 1], v)


@pytest.mark.parametrize("dtype, most", [(np.uint16, 255), (np.uint16, 1023), (np.int32, 4095)])
def test_a_nearly_black_picture_is_said_to_be_one(dtype, most):
    v = np.linspace(0, most, 32).astype(dtype).reshape(4, 8)
    with pytest.warns(UserWarning, match=f"nearly black.* lightest pixel is {most} of 65535"):
        got = images.prepare(Image.fromarray(v), PLAIN)
    np.testing.assert_array_equal(got[0, ..., 0], np.rint(v / 257))


def test_black_itself_and_a_picture_with_light_pixels_need_no_warning():
    for most in (0, 4096, 65535):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            images.prepare(Image.fromarray(np.full((4, 8), most, np.uint16)), PLAIN)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "La", "PA", "RGB", "RGBA", "RGBa", "RGBX",
                                  "CMYK", "YCbCr", "LAB", "HSV", "I;16", "I", "I;16B", "I;16L"])
def test_every_mode_is_read(mode):
    steps = ("LA", mode) if mode == "La" else ("RGBA", mode) if mode == "RGBa" else (mode,)
    picture = Image.new("L", (8, 4), 255) if "16" not in mode else Image.new(mode, (8, 4), 65535)
    picture = picture.convert("RGB") if mode == "LAB" else picture
    for step in steps if "16" not in mode and mode != "LAB" else ():
        picture = picture.convert(step)
    picture = Image.new("LAB", (8, 4), (255, 128, 128)) if mode == "LAB" else picture
    picture = Image.new("I", (8, 4), 65535) if mode == "I" else picture
    before = picture.tobytes(), picture.mode
    got = images.prepare(picture, PLAIN)
    assert got.shape == (1, 4, 8, 3) and got.min() >= 254
    assert (picture.tobytes(), picture.mode) == before


def test_a_picture_that_cannot_be_decoded_is_an_image_error():
    with pytest.raises(ImageError, match="mode F"):
        images.prepare(Image.new("F", (8, 4), 0.5), PLAIN)
    half = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)).save(
        half, "PNG")
    picture = Image.open(io.BytesIO(half.getvalue()[:4000]))
    with pytest.raises(ImageError, match="PIL image of mode RGB"):
        images.prepare(picture, PLAIN)


def test_a_pipe_and_a_device_are_no_missing_files(tmp_path):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "a.png")
        with pytest.raises(ImageError, match="a.png: is a pipe or a device, not an ordinary file"):
            images.load(tmp_path / "a.png")
    with pytest.raises(ImageError, match="is a pipe or a device"):
        images.load(os.devnull)


# ---- large pictures

@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(decoding, "LARGE", 100 * 100)


def gradual(height, width):
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * y / height, 255 * x / width, 128 + 0 * x], -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
@pytest.mark.parametrize("shape", [(320, 480), (480, 320)])
@pytest.mark.parametrize("turned", [1, 6])
def test_a_large_picture_is_read_reduced(tmp_path, small_is_large, suffix, shape, turned):
    """And looks the same: within 3 grey levels, what JPEG and two resizings leave."""
    path, p = tmp_path / f"a.{suffix}", Preprocessing((12, 20), resize_to=14)
    exif = Image.Exif()
    exif[0x0112] = turned
    Image.fromarray(gradual(*shape)).save(path, exif=exif)
    whole, sizes = images.load(path), []

    def wanted(have):
        sizes.append(have)
        return tuple(side // 20 for side in have)

    reduced = images.load(path, wanted)
    assert reduced.shape[0] == whole.shape[0] // 6 + (whole.shape[0] % 6 > 0) or suffix == "jpg"
    assert all(3 * side // 20 <= small < side // 2
               for small, side in zip(reduced.shape[:2], whole.shape[:2], strict=True))
    np.testing.assert_allclose(images.prepare(path, p), images.prepare(whole, p), atol=3)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16", "CMYK"])
def test_a_large_picture_of_any_mode_is_read_reduced(tmp_path, small_is_large, mode):
    picture = Image.new("I;16", (300, 300), 32896) if mode == "I;16" else Image.new(
        "RGB", (300, 300), (128, 128, 128)).convert(mode)
    picture.save(tmp_path / "a.tif")
    got = images.load(tmp_path / "a.tif", lambda have: (10, 10))
    assert got.shape == (30, 30, 3)
    np.testing.assert_allclose(got, 128, atol=1)


def test_a_picture_of_ordinary_size_or_hardly_larger_than_wanted_is_read_whole(small_is_large,
                                                                               tmp_path):
    for side, wanted in ((100, 5), (200, 67), (200, 300)):
        Image.fromarray(gradual(side, side)).save(tmp_path / "a.png")
        got = images.load(tmp_path / "a.png", lambda have, wanted=wanted: (wanted, wanted))
        np.testing.assert_array_equal(got, gradual(side, side))


def test_too_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 50_000)
    monkeypatch.setattr(decoding, "LARGE", 10_000)
    Image.fromarray(gradual(300, 300)).save(tmp_path / "a.png")
    Image.fromarray(gradual(300, 300)).save(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match=r"a.png: 300 x 300 is more than 50,000 pixels; make"):
        images.load(tmp_path / "a.png", lambda have: (10, 10))
    assert images.load(tmp_path / "a.jpg", lambda have: (10, 10)).shape[0] <= 75  # decoded at 1/8
    with pytest.raises(ImageError, match="300 x 300"):
        images.load(tmp_path / "a.jpg")


def test_of_a_long_strip_only_the_middle_is_computed():
    strip = np.random.default_rng(0).integers(0, 256, (3, 700, 3)).astype(np.uint8)
    whole = images.resize(strip, (60, 14000))
    middle = images.resize(strip, (60, 14000), middle=(50, 64))
    np.testing.assert_allclose(middle, whole[5:55, 6968:7032], atol=1)  # rounding of the places

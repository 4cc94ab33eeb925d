"""Picture files: read as a viewer shows them, written whole or not at all; resizing."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minicnn import images
from minicnn.images import ImageError, Preprocessing


def random_image(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


# ---- load

def test_rgb_is_read_as_it_is(tmp_path):
    image = random_image()
    Image.fromarray(image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(images.load(tmp_path / "a.png"), image)
    np.testing.assert_array_equal(images.load(str(tmp_path / "a.png")), image)


def test_decode_takes_the_bytes_of_a_file_and_names_what_is_broken(tmp_path):
    Image.fromarray(random_image()).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    np.testing.assert_array_equal(images.decode(data), images.load(tmp_path / "a.jpg"))
    for broken in (data[:200], b"", b"text"):
        with pytest.raises(ImageError, match="^number 7: "):
            images.decode(broken, "number 7")


def test_one_pixel_is_a_picture(tmp_path):
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "a.png")
    assert images.load(tmp_path / "a.png").tolist() == [[[1, 2, 3]]]
    x = images.prepare(tmp_path / "a.png", Preprocessing((64, 64), scale=1 / 255))
    assert x.shape == (1, 64, 64, 3)


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)  # 12 -> H,W
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(images.load(tmp_path / "a.png"), np.stack([grey] * 3, axis=-1))


def test_one_bit(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    assert images.load(tmp_path / "a.png").tolist() == [[[255] * 3, [0] * 3]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, suffix):
    grey = np.array([[0, 257, 32896, 65535, 128, 129]], np.uint16)
    Image.fromarray(grey).save(tmp_path / f"a.{suffix}")
    got = images.load(tmp_path / f"a.{suffix}")
    assert got[0, :, 0].tolist() == [0, 1, 128, 255, 0, 1]


def test_16_bit_pgm_is_scaled(tmp_path):
    values = np.array([0, 32896, 65535], ">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 65535\n" + values.tobytes())
    assert images.load(tmp_path / "a.pgm")[0, :, 0].tolist() == [0, 128, 255]


def test_float_picture_is_refused(tmp_path):
    Image.fromarray(np.array([[0.5, 2.0]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="a.tif: expected 8- or 16-bit pixels, got float32"):
        images.load(tmp_path / "a.tif")


def test_transparency_is_laid_on_white(tmp_path):
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    got = images.load(tmp_path / "a.png")
    assert got[0, :2].tolist() == [[200, 100, 0], [255, 255, 255]]
    np.testing.assert_allclose(got[0, 2], [244, 224, 204], atol=1)


def test_grey_with_transparency(tmp_path):
    Image.fromarray(np.array([[[7, 255], [7, 0]]], np.uint8)).save(tmp_path / "a.png")
    assert images.load(tmp_path / "a.png").tolist() == [[[7] * 3, [255] * 3]]


@pytest.mark.parametrize("transparency, second", [(None, [4, 5, 6]), (1, [255] * 3),
                                                  (b"\xff\x00", [255] * 3)])
def test_palette(tmp_path, transparency, second):
    picture = Image.new("P", (2, 1))
    picture.putpixel((1, 0), 1)
    picture.putpalette([1, 2, 3, 4, 5, 6])
    options = {} if transparency is None else {"transparency": transparency}
    picture.save(tmp_path / "a.png", **options)
    assert images.load(tmp_path / "a.png").tolist() == [[[1, 2, 3], second]]


def test_rgb_with_one_transparent_colour(tmp_path):
    Image.fromarray(np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)).save(
        tmp_path / "a.png", transparency=(9, 9, 9))
    assert images.load(tmp_path / "a.png").tolist() == [[[1, 2, 3], [255] * 3]]


def test_cmyk_jpeg(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    np.testing.assert_allclose(images.load(tmp_path / "a.jpg")[4, 4], [255, 0, 0], atol=3)


@pytest.mark.parametrize("orientation, undo", [
    (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, lambda a: np.rot90(a))])
def test_camera_orientation_is_applied(tmp_path, orientation, undo):
    image = random_image()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(images.load(tmp_path / "a.png"), undo(image))


def test_broken_exif_does_not_hide_the_picture(tmp_path):
    image = random_image()
    Image.fromarray(image).save(tmp_path / "a.png", exif=b"Exif\x00\x00no such thing as a header")
    np.testing.assert_array_equal(images.load(tmp_path / "a.png"), image)


def test_first_frame_of_an_animation(tmp_path):
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    np.testing.assert_array_equal(images.load(tmp_path / "a.gif")[0, 0], [255, 0, 0])


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageError, match="no.png: no such file"):
        images.load(tmp_path / "no.png")
    with pytest.raises(ImageError, match="is a folder"):
        images.load(tmp_path)


def test_text_and_empty_files(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ImageError, match="text.png: not a picture"):
        images.load(tmp_path / "text.png")
    with pytest.raises(ImageError, match="empty"):
        images.load(tmp_path / "empty.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.9])
def test_truncated_file_is_one_line(tmp_path, suffix, kept):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(random_image(60, 60)).save(path)
    path.write_bytes(path.read_bytes()[:int(path.stat().st_size * kept)])
    with pytest.raises(ImageError, match=rf"a\.{suffix}: ") as raised:
        images.load(path)
    assert "\n" not in str(raised.value)


def test_decompression_bomb(tmp_path, monkeypatch):
    Image.fromarray(random_image(10, 10)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with pytest.raises(ImageError, match="more than 80 pixels; make the picture smaller"):
        images.load(tmp_path / "a.png")


def test_no_pixels(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 0 3 255\n")
    with pytest.raises(ImageError, match="a.pgm"):
        images.load(tmp_path / "a.pgm")
    with pytest.raises(ImageError, match="no pixels"):
        images.prepare(Image.new("RGB", (0, 3)), Preprocessing((224, 224)))


# ---- save

@pytest.mark.parametrize("name", ["a.png", "a.PNG"])
def test_png_keeps_every_pixel(tmp_path, name):
    image = random_image()
    images.save(tmp_path / name, image)
    np.testing.assert_array_equal(images.load(tmp_path / name), image)
    images.save(str(tmp_path / name), image[::-1, :, 0])
    np.testing.assert_array_equal(images.load(tmp_path / name)[..., 1], image[::-1, :, 0])
    assert os.listdir(tmp_path) == [name]
    images.save(tmp_path / name, image[..., :1])
    np.testing.assert_array_equal(images.load(tmp_path / name)[..., 2], image[..., 0])
    assert images.encode(image[..., :1]) == images.encode(image[..., 0])


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.JPG"])
def test_jpeg_is_close_and_obeys_quality(tmp_path, name):
    image = images.resize(random_image(8, 8), 64)
    images.save(tmp_path / name, image)
    size = (tmp_path / name).stat().st_size
    assert abs(images.load(tmp_path / name).astype(int) - image).mean() < 3
    with Image.open(tmp_path / name) as picture:
        assert picture.format == "JPEG"
    images.save(tmp_path / name, image, quality=30)
    assert (tmp_path / name).stat().st_size < size


@pytest.mark.parametrize("image, message", [
    (np.zeros((4, 4, 3)), "restore"), (np.zeros((4, 4), bool), "bool"),
    (np.zeros((1, 4, 4, 3), np.uint8), r"x\[0\]"), (np.zeros((4, 4, 2), np.uint8), "expected"),
    (np.zeros((0, 4), np.uint8), "expected")])
def test_save_refuses_other_arrays(tmp_path, image, message):
    with pytest.raises(ImageError, match=message):
        images.save(tmp_path / "a.png", image)
    assert os.listdir(tmp_path) == []


def test_save_refuses_other_names(tmp_path):
    for name in ("a.bmp", "a", ".png"):
        with pytest.raises(ImageError, match=".png, .jpg, .jpeg"):
            images.save(tmp_path / name, random_image())
    with pytest.raises(ImageError, match="quality"):
        images.save(tmp_path / "a.jpg", random_image(), quality=0)
    with pytest.raises(ValueError, match="does not exist; create it"):
        images.save(tmp_path / "no" / "a.png", random_image())
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        images.save(tmp_path / "folder.png", random_image())


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_failed_save_leaves_the_older_file_and_nothing_else(tmp_path, monkeypatch, name):
    images.save(tmp_path / name, random_image())
    before = (tmp_path / name).read_bytes()

    def fail_midway(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fail_midway)
    with pytest.raises(OSError, match="disk full"):
        images.save(tmp_path / name, random_image(seed=1))
    assert (tmp_path / name).read_bytes() == before
    assert os.listdir(tmp_path) == [name]


# ---- resizing

def test_resize():
    image = random_image(8, 6)
    assert images.resize(image, (3, 5)).shape == (3, 5, 3)
    assert images.resize(image[..., 0], 4, "lanczos").shape == (4, 4)
    np.testing.assert_array_equal(images.resize(image[..., :1], 4)[..., 0],
                                  images.resize(image[..., 0], 4))
    with pytest.raises(ImageError, match="resample"):
        images.resize(image, 4, "best")


@pytest.mark.parametrize("size, large", [
    ((1, 1), (256, 256)), ((48, 64), (192, 256)), ((20, 16), (260, 208)), ((160, 3), (320, 6)),
    ((223, 9), (446, 18)), ((224, 9), (224, 9)), ((9, 300), (9, 300))])
def test_enlarged_by_a_whole_factor_to_256_or_more(size, large):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    made = images.enlarged(picture)
    assert made.shape == (*large, 3) and (made is picture) == (size == large)
    factor = large[0] // size[0]
    np.testing.assert_array_equal(
        images.enlarged(picture, "nearest"),
        picture.repeat(factor, axis=0).repeat(factor, axis=1))
    assert images.enlarged(picture[..., 0]).shape == large


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_comment_goes_into_the_file_and_changes_no_pixel(tmp_path, suffix):
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    images.save(tmp_path / f"a{suffix}", picture)
    images.save(tmp_path / f"b{suffix}", picture, comment="grün")
    np.testing.assert_array_equal(*(images.load(tmp_path / f"{name}{suffix}") for name in "ab"))
    with Image.open(tmp_path / f"b{suffix}") as opened:
        said = opened.info.get("Comment", opened.info.get("comment"))
        assert (said.decode() if isinstance(said, bytes) else said) == "grün"

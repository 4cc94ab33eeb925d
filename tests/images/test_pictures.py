import json
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from minicnn import images
from minicnn.images import ImageError, Preprocessing

STD = (0.229, 0.224, 0.225)
EXAMPLES = {
    "vgg": Preprocessing((224, 224), "BGR", (103.939, 116.779, 123.68)),
    "alexnet": Preprocessing((227, 227), "BGR", (104.007, 116.669, 122.679), rule="squash"),
    "torchvision": Preprocessing((224, 224), "RGB", [255 * m for m in (0.485, 0.456, 0.406)],
                                 [1 / (255 * s) for s in STD], resample="bilinear"),
    "keras": Preprocessing((299, 299), "RGB", 127.5, 1 / 127.5, None, "squash", "nearest"),
    "plain": Preprocessing((64, 64), scale=1 / 255),
    "mean image": Preprocessing((5, 7), "BGR", np.random.default_rng(1).uniform(0, 255, (8, 9, 3)),
                                resize_to=None),
    "grey": Preprocessing((28, 28), "L", 33.3, 1 / 78.6, resize_to=None),
}
every_example = pytest.mark.parametrize("name", EXAMPLES)


def random_image(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def every_value():
    """Every pixel value in every channel, and mixed."""
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)  # 256 -> H,W
    return np.stack([ramp, ramp[::-1], ramp.T], axis=-1)


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
    x = images.prepare(tmp_path / "a.png", EXAMPLES["plain"])
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
    with pytest.raises(ImageError, match="cannot be read .*exceeds limit"):
        images.load(tmp_path / "a.png")


def test_no_pixels(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 0 3 255\n")
    with pytest.raises(ImageError, match="a.pgm"):
        images.load(tmp_path / "a.pgm")
    with pytest.raises(ImageError, match="no pixels"):
        images.prepare(Image.new("RGB", (0, 3)), EXAMPLES["vgg"])


# ---- save

@pytest.mark.parametrize("name", ["a.png", "a.PNG"])
def test_png_keeps_every_pixel(tmp_path, name):
    image = random_image()
    images.save(tmp_path / name, image)
    np.testing.assert_array_equal(images.load(tmp_path / name), image)
    images.save(str(tmp_path / name), image[::-1, :, 0])
    np.testing.assert_array_equal(images.load(tmp_path / name)[..., 1], image[::-1, :, 0])
    assert os.listdir(tmp_path) == [name]


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


def test_failed_save_leaves_the_older_file_and_nothing_else(tmp_path, monkeypatch):
    images.save(tmp_path / "a.png", random_image())
    before = (tmp_path / "a.png").read_bytes()

    def fail_midway(self, path, **options):
        path.write_bytes(b"half of a ")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail_midway)
    with pytest.raises(OSError, match="disk full"):
        images.save(tmp_path / "a.png", random_image(seed=1))
    assert (tmp_path / "a.png").read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_atomic_cleans_up_after_any_interruption(tmp_path, error):
    def write_half():
        with images.atomic(tmp_path / "w.h5") as temporary:
            assert temporary.parent == tmp_path and temporary.suffix == ".h5"
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert os.listdir(tmp_path) == []


def test_atomic_names_the_users_file_in_errors(tmp_path):
    with (pytest.raises(PermissionError, match=r"denied.*w\.h5"),
          images.atomic(tmp_path / "w.h5") as temporary):
        raise PermissionError(13, "denied", str(temporary))


def test_atomic_follows_a_link_and_spares_devices(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with images.atomic(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    with pytest.raises(ValueError, match="not an ordinary file"), images.atomic(os.devnull):
        pass


# ---- Preprocessing

@every_example
def test_dict_and_back(name):
    values = EXAMPLES[name].to_dict()
    assert Preprocessing.from_dict(values) == EXAMPLES[name]
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    assert Preprocessing.from_dict(json.loads(json.dumps(plain))) == EXAMPLES[name]


@every_example
def test_dict_survives_hdf5(tmp_path, name):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs.update(EXAMPLES[name].to_dict())
        assert Preprocessing.from_dict(dict(file.attrs)) == EXAMPLES[name]


def test_dict_of_bytes_and_dict_with_wrong_fields():
    values = EXAMPLES["vgg"].to_dict()
    assert Preprocessing.from_dict({**values, "order": b"BGR"}) == EXAMPLES["vgg"]
    del values["mean"]
    with pytest.raises(ImageError, match=r"missing \['mean'\], unknown \['colour'\]"):
        Preprocessing.from_dict({**values, "colour": 1})


def test_equality_and_freezing():
    assert EXAMPLES["vgg"] != EXAMPLES["torchvision"] and EXAMPLES["vgg"] != "vgg"
    with pytest.raises(AttributeError):
        EXAMPLES["vgg"].order = "RGB"
    with pytest.raises(ValueError):
        EXAMPLES["mean image"].mean[0] = 0


@pytest.mark.parametrize("settings, message", [
    ({"order": "GBR"}, "RGB, BGR, L; got 'GBR'"),
    ({"rule": "stretch"}, "crop, squash"),
    ({"resample": "cubic"}, "bicubic"),
    ({"size": (0, 5)}, "at least 1"),
    ({"size": (5.5, 5)}, "whole number"),
    ({"size": (5, 5, 3)}, "whole number"),
    ({"mean": (1, 2)}, "or 3"),
    ({"mean": (104, np.nan, 123)}, "mean"),
    ({"mean": (0.485, 0.456, 0.406)}, "multiply it by 255"),
    ({"mean": 300}, "0..255"),
    ({"mean": np.zeros((3, 256, 256))}, "transpose"),
    ({"mean": np.zeros((100, 256, 3))}, "covers"),
    ({"mean": np.full((256, 256, 3), np.inf)}, "finite"),
    ({"scale": 0}, "above 0"),
    ({"scale": (1, 2)}, "scale"),
    ({"resize_to": 200}, "at least 224"),
    ({"resize_to": 256.5}, "whole number"),
])
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(ImageError, match=message):
        Preprocessing(**{"size": (224, 224), **settings})


# ---- prepare and restore

@every_example
def test_restore_undoes_prepare_on_every_pixel(name):
    image = every_value()
    x = images.prepare(image, EXAMPLES[name], size="keep")
    back = images.restore(x, EXAMPLES[name])
    if EXAMPLES[name].order == "L":
        image = np.stack([np.asarray(Image.fromarray(image).convert("L"))] * 3, axis=-1)
    assert x.dtype == np.float32 and back.dtype == np.uint8
    np.testing.assert_array_equal(back, image[None])
    np.testing.assert_array_equal(images.restore(x.astype(np.float64), EXAMPLES[name]), back)


def test_mean_image_round_trip_at_its_own_size():
    image = random_image(5, 7)
    x = images.prepare(image, EXAMPLES["mean image"])
    np.testing.assert_array_equal(images.restore(x, EXAMPLES["mean image"])[0], image)


def test_values_by_hand():
    image = np.array([[[10, 20, 30]]], np.uint8)
    bgr = Preprocessing((1, 1), "BGR", (1, 2, 3), (1, 10, 100), resize_to=None)
    assert images.prepare(image, bgr).tolist() == [[[[29, 180, 700]]]]
    tf = images.prepare(image, EXAMPLES["keras"], "keep")[0, 0, 0]
    np.testing.assert_allclose(tf, [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1], rtol=1e-6)


def test_mean_image_subtract_then_crop_equals_crop_then_subtract():
    mean = np.random.default_rng(0).uniform(0, 255, (256, 256, 3)).astype(np.float32)
    p = Preprocessing((227, 227), "BGR", mean, rule="squash")
    photo = random_image(300, 200)
    whole = np.asarray(Image.fromarray(photo).resize((256, 256), Image.Resampling.BICUBIC))
    expected = (whole[:, :, ::-1].astype(np.float32) - mean)[14:241, 14:241]
    np.testing.assert_array_equal(images.prepare(photo, p)[0], expected)
    elsewhere = images.prepare(photo, p, size="keep")[0]
    np.testing.assert_allclose(elsewhere, photo[:, :, ::-1] - mean.mean((0, 1), float), atol=1e-4)


@pytest.mark.parametrize("shape, size, large", [
    ((300, 451), None, (256, 385)), ((451, 300), None, (385, 256)), ((10, 10), None, (256, 256)),
    ((300, 451), 448, (512, 770)), ((100, 200), (224, 672), (336, 672))])
def test_crop_keeps_the_centre_of_the_resized_photo(shape, size, large):
    photo = random_image(*shape)
    p = Preprocessing((224, 224), resample="bilinear")
    height, width = (224, 224) if size is None else np.broadcast_to(size, 2)
    whole = np.asarray(Image.fromarray(photo).resize(large[::-1], Image.Resampling.BILINEAR))
    top, left = (large[0] - height) // 2, (large[1] - width) // 2
    np.testing.assert_array_equal(images.prepare(photo, p, size)[0],
                                  whole[top:top + height, left:left + width])


def test_squash_and_no_resize_to():
    photo = random_image(30, 50)
    squash = Preprocessing((20, 24), rule="squash", resize_to=None)
    expected = np.asarray(Image.fromarray(photo).resize((24, 20), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(images.prepare(photo, squash)[0], expected)
    crop = Preprocessing((10, 10), resize_to=None)
    expected = np.asarray(Image.fromarray(photo).resize((17, 10), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(images.prepare(photo, crop)[0], expected[:, 3:13])


def test_path_pil_and_array_agree(tmp_path):
    image = random_image(30, 40)
    images.save(tmp_path / "a.png", image)
    x = images.prepare(image, EXAMPLES["vgg"])
    for same in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(image)):
        np.testing.assert_array_equal(images.prepare(same, EXAMPLES["vgg"]), x)
    grey = images.prepare(image[..., 0], EXAMPLES["plain"], "keep")
    np.testing.assert_allclose(grey[0], np.stack([image[..., 0] / 255] * 3, -1), rtol=1e-6)


def test_prepare_leaves_the_array_alone():
    image = random_image(30, 40)
    before = image.copy()
    x = images.prepare(image, EXAMPLES["plain"], "keep")
    x[:] = 0
    np.testing.assert_array_equal(image, before)


def test_fractions_are_taken_with_a_warning():
    image = random_image()
    with pytest.warns(UserWarning, match="fractions of 255") as caught:
        x = images.prepare(image / 255, EXAMPLES["vgg"], "keep")
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(x, images.prepare(image, EXAMPLES["vgg"], "keep"))


@pytest.mark.parametrize("image, message", [
    (np.full((4, 4, 3), 200.0), "raw pixels"), (np.full((4, 4, 3), -0.5), "raw pixels"),
    (np.full((4, 4), np.nan), "raw pixels"), (np.zeros((4, 4), int), "int64"),
    (np.zeros((1, 4, 4, 3), np.uint8), r"x\[0\]"), (np.zeros((4, 4, 4), np.uint8), "expected"),
    ([[1, 2]], "got list")])
def test_prepare_refuses(image, message):
    with pytest.raises(ImageError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        images.prepare(image, EXAMPLES["vgg"])


def test_prepare_refuses_sizes_and_endless_strips():
    for size in (0, (1, 2, 3), "large", 22.4):
        with pytest.raises(ImageError, match="size"):
            images.prepare(random_image(), EXAMPLES["vgg"], size)
    with pytest.raises(ImageError, match="crop a very long picture"):
        images.prepare(np.zeros((1, 5000), np.uint8), EXAMPLES["vgg"])


def test_restore_clips_and_refuses():
    p = EXAMPLES["vgg"]
    x = np.array([-1e4, 0.0, 1e4]).reshape(1, 1, 1, 3)  # 3 -> N,H,W,C
    assert images.restore(x, p).tolist() == [[[[255, 117, 0]]]]
    assert images.restore(np.zeros((2, 3, 4, 3)), p).shape == (2, 3, 4, 3)
    with pytest.raises(ImageError, match=r"\(N, H, W, 3\)"):
        images.restore(x[0], p)
    with pytest.raises(ImageError, match="1 of 3 values are not finite"):
        images.restore(np.where(x > 1, np.nan, x), p)


@every_example
def test_bounds_are_what_black_and_white_become(name):
    p = EXAMPLES[name]
    for size in (p.size, (4, 6)):
        black = images.prepare(np.zeros((*size, 3), np.uint8), p, "keep")
        white = images.prepare(np.full((*size, 3), 255, np.uint8), p, "keep")
        for shape in (size, black.shape, black.shape[1:]):
            low, high = images.bounds(p, shape)
            np.testing.assert_array_equal(np.broadcast_to(low, black.shape), black)
            np.testing.assert_array_equal(np.broadcast_to(high, white.shape), white)
            assert low.dtype == high.dtype == np.float32 and low.ndim == high.ndim == 4


# ---- resizing

def test_resize():
    image = random_image(8, 6)
    assert images.resize(image, (3, 5)).shape == (3, 5, 3)
    assert images.resize(image[..., 0], 4, "lanczos").shape == (4, 4)
    with pytest.raises(ImageError, match="resample"):
        images.resize(image, 4, "best")


# ---- real photos, against an independent implementation

@pytest.mark.parametrize("network, photo, size, mean", [
    *[("googlenet", photo, 224, (104, 117, 123)) for photo in
      ("coffee.png", "chelsea.png", "rocket.jpg")],
    *[("squeezenet11", photo, 227, (104, 117, 123)) for photo in
      ("coffee.png", "chelsea.png", "rocket.jpg")],
    *[("vgg19norm", photo, 224, (103.939, 116.779, 123.68)) for photo in
      ("coffee.png", "tubingen.jpg")],
])
def test_golden_inputs_are_reproduced(shared_data, network, photo, size, mean):
    golden = np.load(shared_data / "golden" / f"{network}_{photo.split('.')[0]}.npz")["input_bgr"]
    x = images.prepare(shared_data / "photos" / photo, Preprocessing((size, size), "BGR", mean))
    np.testing.assert_array_equal(x[0], golden.transpose(1, 2, 0))  # C,H,W -> H,W,C

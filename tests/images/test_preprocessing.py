"""Preprocessing: its settings, into a network's numbers and back."""

import json
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from minicnn import images
from minicnn.images import ImageError, Preprocessing
from minicnn.images.preprocessing import how_to_set

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
    ({"mean": np.zeros((100, 256, 3))}, "at least as large as"),
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
    for name in EXAMPLES:
        np.testing.assert_array_equal(images.prepare(image[..., :1], EXAMPLES[name]),
                                      images.prepare(image[..., 0], EXAMPLES[name]))


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


@pytest.mark.parametrize("shape", [(8, 10, 3), (28, 28, 1), (299, 299, 3), (224, 400, 3)])
def test_the_call_that_an_error_message_shows_works(shape):
    shown = re.search(r"network.preprocessing = minicnn\.images\.(\S.*\)),", how_to_set(shape))[1]
    x = images.prepare(np.zeros((50, 60, 3), np.uint8), eval(shown))
    assert x.shape == (1, *shape)
    assert "no photo has 4 channels" in how_to_set((8, 8, 4))


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

"""Parametrisations: forward and adjoint, encoding and back, and whose numbers come out."""

import checks
import nets
import numpy as np
import pytest
import small

from minicnn import gradcheck, images
from minicnn.ascent import parametrize
from minicnn.ascent.loop import look
from minicnn.ascent.objectives import channel
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv

BGR = small.network(dtype=np.float64)  # mean (100, 110, 120), scale 1 / 50
TORCH = Preprocessing((9, 12), "RGB", (123.7, 116.3, 103.5), (1 / 58.4, 1 / 57.1, 1 / 57.4), None)
MEAN_IMAGE = Preprocessing((9, 12), "BGR", np.random.default_rng(0).uniform(90, 130, (9, 12, 3)),
                           1.0, None, "squash")
GREY = Preprocessing((9, 12), "L", 0, 1 / 255, None)


def bare(preprocessing, size=(9, 12)):
    channels = len(images.CHANNELS[preprocessing.order])
    return nets.trained(Network("bare", [("conv", Conv(2, 3))], (*size, channels), preprocessing))


NETWORKS = {"BGR": BGR, "RGB": bare(TORCH), "mean image": bare(MEAN_IMAGE), "grey": bare(GREY)}
SIZES = [(4, 6), (5, 7), (6, 5), (3, 4), (1, 1), (2, 1)]
KINDS = {"pixels": parametrize.pixels, "fourier": parametrize.fourier,
         "laplacian": parametrize.laplacian}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_network = pytest.mark.parametrize("name", NETWORKS)


def linear(kind, size=(5, 7), name="BGR", **more):
    return KINDS[kind](NETWORKS[name], size, limit="linear", **more)


def dot(a, b):
    return float((a * b).sum())


def parameters(parametrization, count=2, seed=1):
    """Larger than `start` draws them, in float64."""
    return 20 * parametrization.start(count, seed).astype(np.float64)


# ---- the way back

@every_kind
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_without_a_squash_the_way_back_is_the_adjoint(kind, size):
    """Affine: <F t - F 0, dy> = <t, F^T dy>."""
    made = linear(kind, size)
    t = parameters(made)
    image, back = made.forward(t)
    dy = nets.like(image)
    assert image.shape == (2, *size, 3) and back(dy).shape == t.shape
    moved = image - made.forward(np.zeros_like(t))[0]
    assert dot(moved, dy) == pytest.approx(dot(t, back(dy)), rel=1e-12)


CASES = [(name, kind, {}) for name in NETWORKS for kind in KINDS] + [
    ("BGR", kind, more) for kind in KINDS
    for more in ({"limit": "linear"}, {"decorrelate": False}, {"mask": 0.9, "chroma": 1.4})]


@pytest.mark.parametrize("name, kind, more", CASES, ids=str)
def test_gradient(name, kind, more):
    levels = {"levels": 1} if kind == "laplacian" else {}
    made = KINDS[kind](NETWORKS[name], (2, 3), **more, **levels)
    for count in (1, 2):
        gradcheck.check(made.forward, lambda dy, back: back(dy), {"t": parameters(made, count)},
                        linear=("t",) * ("limit" in more), name=kind).raise_if_failed()


def test_every_stored_frequency_answers_for_its_negative_once_or_twice():
    """The gradient at each number of a spectrum, one at a time; odd and even widths and heights."""
    for h, w in SIZES:
        checks.adjoint(parametrize._spectrum(h, w, 1.0).forward, (2, h, w // 2 + 1, 1))


# ---- what comes out

@every_network
@every_kind
def test_a_sigmoid_stays_between_black_and_white(name, kind):
    made = KINDS[kind](NETWORKS[name])
    image, _ = made.forward(1e4 * parameters(made))  # and overflows nowhere
    low, high = images.bounds(NETWORKS[name].preprocessing, image.shape)
    # the bounds are float32
    assert (image >= low - 1e-4).all() and (image <= high + 1e-4).all()
    for c in range(image.shape[3]):  # and both are reached
        part, ends = image[..., c], [bound[..., c] for bound in (low, high)]
        assert (part - ends[0]).min() < 1e-4 and (ends[1] - part).min() < 1e-4


@every_network
@every_kind
def test_the_start_is_grey_with_a_little_noise(name, kind):
    network = NETWORKS[name]
    made = KINDS[kind](network)
    image, _ = made.forward(made.start(3, seed=1))
    assert image.shape == (3, *network.input_shape) and image.dtype == np.float32
    levels = images.restore(image, network.preprocessing).astype(float)
    assert abs(levels.mean() - 127.5) < 12 and 0.2 < levels.std() < 40


@every_kind
def test_the_start_is_seeded_and_its_spread_is_given(kind):
    made, wide = KINDS[kind](BGR), KINDS[kind](BGR, sd=0.1)
    first, again, other = (made.start(2, seed) for seed in (0, 0, 1))
    assert nets.same(first, again) and not np.array_equal(first, other)
    np.testing.assert_allclose(wide.start(2), 10 * first, rtol=1e-6)  # float32
    # a thousand numbers or more: a standard deviation is known to 2 %; 4 of those
    assert first.std() == pytest.approx(0.01, rel=0.08)


@every_kind
def test_images_of_a_batch_are_independent(kind):
    made = KINDS[kind](BGR, (5, 7))
    t = parameters(made, 3)
    both, back = made.forward(t)
    dy = nets.like(both)
    for n in range(3):
        alone, back_alone = made.forward(t[n : n + 1])
        np.testing.assert_allclose(both[n], alone[0], rtol=1e-12)
        np.testing.assert_allclose(back(dy)[n], back_alone(dy[n : n + 1])[0], rtol=1e-12,
                                   atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_network
@every_kind
def test_types_are_kept_and_arguments_too(name, kind, dtype):
    made = KINDS[kind](NETWORKS[name])
    t = parameters(made).astype(dtype)
    before = t.copy()
    image, back = made.forward(t)
    assert image.dtype == dtype and back(image).dtype == dtype
    assert made.encode(image).dtype == dtype
    np.testing.assert_array_equal(t, before)


# ---- an image as parameters

@every_network
@every_kind
def test_an_image_s_parameters_make_that_image(name, kind):
    """But for black and white, which a sigmoid does not reach: half a grey level of 255."""
    network = NETWORKS[name]
    made = KINDS[kind](network)
    picture = small.photo(*network.input_shape[:2])
    x = network.prepare(picture, "keep").astype(np.float64)
    t = made.encode(x)
    assert t.shape == made.start().shape
    off = (made.forward(t)[0] - x) / np.array(network.preprocessing.scale)
    assert np.abs(off).max() < 0.51


@every_kind
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_without_a_squash_encoding_is_exact(kind, size):
    made = linear(kind, size)
    x = nets.images(2, (*size, 3))
    np.testing.assert_allclose(made.forward(made.encode(x))[0], x, rtol=0, atol=1e-12)


# ---- Lucid's numbers

@pytest.mark.parametrize("h, w, own_negative", [(4, 5, (0,)), (5, 6, (0, 3))], ids=str)
def test_each_number_of_a_spectrum_is_a_wave_of_lucid_s_strength(h, w, own_negative):
    """A cosine for the real part, a sine for the imaginary; twice where the wave stands for its
    negative as well, over height * width, scaled, over 4."""
    decay, mapping = 1.5, parametrize._spectrum(h, w, 1.5)
    rows, columns = np.mgrid[:h, :w]

    def frequency(k, f):
        return max(np.hypot((k - h if 2 * k >= h else k) / h, f / w), 1 / max(h, w))
    every = [frequency(k, f) for k, f in np.ndindex(h, w // 2 + 1)]
    gain = np.sqrt(sum(f**-2 for f in every) / sum(f**-3 for f in every))
    for k, f in np.ndindex(h, w // 2 + 1):
        scale = gain * np.sqrt(h * w) / frequency(k, f) ** decay
        strength = (1 if f in own_negative else 2) * scale / (h * w) / 4
        angle = 2 * np.pi * (k * rows / h + f * columns / w)
        for part, wave in enumerate((np.cos(angle), -np.sin(angle))):
            t = np.zeros((1, 2, h, w // 2 + 1, 1))
            t[0, part, k, f] = 1
            np.testing.assert_allclose(mapping.forward(t)[0][0, ..., 0], strength * wave,
                                       atol=1e-14)


def test_colours_go_together_as_in_lucid():
    """Its matrix over the length of its longest column; the first colour is nearly grey."""
    made = parametrize.pixels(bare(Preprocessing((1, 1), "RGB", 0, 1 / 255, None), (5, 5)), (1, 1),
                              limit="linear")
    matrix = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    matrix /= np.sqrt(0.26**2 + 0.27**2 + 0.27**2)
    t = np.array([0.3, -0.2, 0.7])
    image, _ = made.forward(t.reshape(1, 1, 1, 3))
    # the scale, 1 / 255, is float32
    np.testing.assert_allclose(image.ravel(), matrix @ t + [0.48, 0.46, 0.41], rtol=1e-6)


def test_channels_come_in_the_network_s_order():
    """A red picture: red is the last channel of a BGR network."""
    made = parametrize.pixels(BGR, (1, 1), decorrelate=False)
    image, back = made.forward(np.array([50.0, -50, -50]).reshape(1, 1, 1, 3))
    np.testing.assert_allclose(image.ravel(), [-100 / 50, -110 / 50, (255 - 120) / 50], rtol=1e-6)
    assert images.restore(image, BGR.preprocessing).ravel().tolist() == [255, 0, 0]


def test_fourier_s_noise_is_smoother_than_pixels_noise():
    """With decay 0 it is white."""
    def roughness(made):
        x = made.forward(made.start())[0]
        return float(np.abs(np.diff(x, axis=2)).mean() / x.std(axis=(1, 2)).mean())
    network = bare(TORCH, (64, 64))
    white = roughness(parametrize.pixels(network))
    assert roughness(parametrize.fourier(network)) < 0.6 * white
    assert roughness(parametrize.fourier(network, decay=0)) == pytest.approx(white, rel=0.05)


def test_at_224_pixels_the_gain_is_the_one_that_was_measured():
    """For decay 1.35, with which class pictures were tried; Lucid's scale at 1 is untouched."""
    for decay, gain in [(1.0, 1.0), (1.25, 0.369), (1.35, 0.233), (1.5, 0.113)]:
        t = np.zeros((1, 2, 224, 113, 1))
        t[0, 0, 0, 56] = 1  # a quarter of a cycle per pixel
        wave = parametrize._spectrum(224, 224, decay).forward(t)[0]
        assert wave.max() == pytest.approx(gain * 4**decay / 2 / 224, rel=2e-3)


@pytest.mark.parametrize("size", [(8, 8), (6, 14)], ids=str)
def test_a_mask_fades_to_grey_by_the_distance_in_half_sides(size):
    made = parametrize.pixels(bare(TORCH, size), size, mask=0.95)
    image, _ = made.forward(np.full((1, *size, 3), 0.7))
    plain, _ = parametrize.pixels(bare(TORCH, size), size).forward(np.zeros((1, *size, 3)))
    whole, _ = parametrize.pixels(bare(TORCH, size), size).forward(np.full((1, *size, 3), 0.7))
    ratio = np.abs(image - plain)[0, :, :, 0] / np.abs(whole - plain)[0, :, :, 0]
    corner = np.hypot(1 - 1 / size[0], 1 - 1 / size[1])
    assert ratio[size[0] // 2, size[1] // 2] > 0.99
    # a sigmoid is steeper in the middle: the faded number's own share comes out a little larger
    assert ratio[0, 0] == pytest.approx(1 / (1 + (corner / 0.95) ** 6), rel=0.06)


def test_chroma_is_a_factor_on_all_colours_but_the_first():
    network = bare(Preprocessing((1, 1), "RGB", 0, 1 / 255, None), (5, 5))
    vivid, plain = (parametrize.pixels(network, (1, 1), limit="linear", chroma=chroma)
                    for chroma in (1.4, 1.0))
    t = np.array([0.3, -0.2, 0.7])
    np.testing.assert_allclose(vivid.forward(t.reshape(1, 1, 1, 3))[0],
                               plain.forward((t * [1, 1.4, 1.4]).reshape(1, 1, 1, 3))[0],
                               rtol=1e-12)


# ---- composed, and refused

def test_itself_is_the_image():
    x = nets.images()
    image, back = parametrize.ITSELF.forward(x)
    assert image is x and back(x) is x and parametrize.ITSELF.encode(x) is x


@every_kind
def test_the_slope_of_an_objective_along_the_parameters(kind):
    """Through network, numbers, colours, squash and basis."""
    made = KINDS[kind](BGR)
    objective = channel("conv1", 1, "squares")
    t = parameters(made, 1)
    image, back = made.forward(t)
    gradient = back(look(BGR, objective, image)[1])
    direction, h = nets.like(t), 1e-5
    up, down = (look(BGR, objective, made.forward(t + s * h * direction)[0], backward=False)[0]
                for s in (1, -1))
    # central differences: h^2 of curvature, 1e-16 / h of rounding
    assert dot(gradient, direction) == pytest.approx(
        float(up.total[0] - down.total[0]) / (2 * h), rel=1e-6)


@every_kind
def test_an_unknown_limit(kind):
    with pytest.raises(ValueError, match="limit must be one of sigmoid, linear, got 'clip'"):
        KINDS[kind](BGR, limit="clip")


@every_kind
def test_a_network_that_does_not_prepare_photos_says_so(kind):
    with pytest.raises(ValueError, match="Preprocessing"):
        KINDS[kind](Network("bare", [("conv", Conv(2, 3))], (6, 6, 3)))

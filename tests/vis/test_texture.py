"""Texture synthesis: the losses fall, the targets are the photo's, the network stays itself."""

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, vis
from minicnn.ascent import objectives
from minicnn.ascent.objectives import gram_matrix
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense, ReLU
from minicnn.vis.coarse_to_fine import Border
from minicnn.vis.texture import CROSS, STATISTICS, default_layers, texture_loss

NETWORK, PHOTO = small.network(), small.photo()


def quick(steps=2, **more):
    return vis.texture(NETWORK, PHOTO, steps=steps, **more)


def stripes(height=64, width=64):
    """A texture with a direction and two colours."""
    phase = np.add.outer(np.arange(height), 2 * np.arange(width)) / 5
    wave = (np.sin(phase) > 0)[..., None]
    return np.where(wave, (200, 120, 40), (30, 60, 160)).astype(np.uint8)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_loss_falls_fivefold_in_a_dozen_steps(pooling):
    record = vis.texture(minicnn.load("minivgg"), stripes(), steps=12, sizes=1, padding="zeros",
                         pooling=pooling)
    assert record.trace.shape == (13, 1) and (record.trace <= 0).all()
    assert record.trace[-1] > record.trace[0] / 5  # minus the loss


@pytest.mark.parametrize("statistic", [*STATISTICS, CROSS])
def test_l_bfgs_never_lets_the_loss_rise_whatever_the_statistic(statistic):
    record = vis.texture(minicnn.load("minivgg"), stripes(), steps=4, sizes=1,
                         padding="zeros", statistic=statistic)
    assert (np.diff(record.trace[:, 0]) > 0).all() and record.trace[-1] > record.trace[0] / 1.2


@pytest.mark.thorough
def test_l_bfgs_gets_further_than_adam_in_as_many_steps():
    ends = [vis.texture(minicnn.load("minivgg"), stripes(), steps=30, sizes=1,
                        optimizer=optimizer).trace[-1, 0] for optimizer in ("lbfgs", "adam")]
    assert ends[0] > ends[1] / 1.5


def test_the_result_has_the_texture_and_not_the_places_of_the_photo():
    """Gram matrices come near the photo's, far nearer than those of another photo; pixels do
    not, for it started from noise."""
    network = minicnn.load("minivgg")
    record = vis.texture(network, stripes(), steps=15, sizes=2, padding="zeros")

    def gram(picture):
        x = network.prepare(picture, "keep")
        return gram_matrix(network.with_average_pooling().forward(x, to="pool2").output)

    photo, made, other = gram(stripes()), gram(record.image), gram(small.photo(64, 64))
    assert np.linalg.norm(made - photo) < 0.2 * np.linalg.norm(other - photo)
    apart = np.abs(record.image.astype(int) - stripes().astype(int)).mean()
    assert apart > 20  # of grey levels: no copy


# ---- the loss

def test_the_loss_is_one_for_each_layer_of_an_image_without_activation_and_zero_for_the_photo():
    layers = ["relu1", "mix"]
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to=layers)
    loss = texture_loss(run, layers)
    silent = {name: np.zeros_like(run[name]) for name in layers}
    np.testing.assert_allclose(loss.evaluate(silent).total, 2, rtol=1e-5)  # float32
    np.testing.assert_allclose(loss.evaluate(run).total, 0, atol=1e-10)
    assert loss.places == layers


def test_cross_compares_each_layer_with_the_next_too():
    layers = ["relu1", "pool1", "mix"]
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to=layers)
    loss = texture_loss(run, layers, CROSS)
    assert [term.name for term in loss.terms] == [
        "relu1 gram", "pool1 gram", "mix gram", "relu1:pool1 gram", "pool1:mix gram"]
    np.testing.assert_allclose(loss.evaluate(run).total, 0, atol=1e-10)
    silent = {name: np.zeros_like(run[name]) for name in layers}
    np.testing.assert_allclose(loss.evaluate(silent).total, 5, rtol=1e-5)  # float32


def test_the_trace_is_minus_the_loss_of_the_image_with_averages_for_maxima():
    record = quick(steps=3, layers=["relu1", "pool1", "mix"])
    network = NETWORK.with_average_pooling()
    border = Border(network, record.settings["layers"], "reflect")
    loss = texture_loss(border.seen(network, network.prepare(PHOTO)), ["relu1", "pool1", "mix"])
    end = loss.evaluate(border.seen(network, record.x)).total
    np.testing.assert_allclose(record.trace[-1], -end, rtol=1e-5)  # float32
    assert f"-> {end[0]:.4g} in 3 steps" in record.caption


def test_max_pooling_takes_the_network_as_it_is():
    record = quick(steps=3, layers=["pool1"], pooling="max", padding="zeros")
    loss = texture_loss(NETWORK.forward(NETWORK.prepare(PHOTO)), ["pool1"])
    end = loss.evaluate(NETWORK.forward(record.x)).total
    np.testing.assert_allclose(record.trace[-1], -end, rtol=1e-5)  # float32
    assert record.x.tobytes() != quick(steps=3, layers=["pool1"]).x.tobytes()


# ---- the network

@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_network_itself_is_untouched(pooling):
    x = NETWORK.prepare(PHOTO)
    before, summary = NETWORK.forward(x), NETWORK.summary()
    parameters = {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    quick(pooling=pooling)
    after = NETWORK.forward(x)
    assert NETWORK.summary() == summary
    for name in NETWORK.names:
        np.testing.assert_array_equal(after[name], before[name])
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, parameters[place])
    assert after.switches("pool1").any() and after.switches("mix/pool").any()


# ---- sizes, seeds, layers

@pytest.mark.parametrize("size, shape", [
    (None, (16, 20)), ("keep", (26, 33)), ((18, 24), (18, 24)), (22, (22, 22))])
def test_size(size, shape):
    record = vis.texture(NETWORK, small.photo(26, 33), ["relu1", "pool1"], steps=2, size=size)
    assert record.image.shape == (*shape, 3) and record.x.shape == (1, *shape, 3)


def test_a_target_from_a_photo_of_another_size_can_be_reached():
    """A Gram matrix is a mean over positions: twice the same texture has nearly the same one."""
    network = minicnn.load("minivgg")
    grams = [gram_matrix(network.forward(network.prepare(stripes(*size), "keep"), to="relu1_1")
                         .output) for size in ((64, 64), (96, 128))]
    difference = np.linalg.norm(grams[0] - grams[1]) / np.linalg.norm(grams[0])
    assert 0 < difference < 0.05  # the border, and stripes cut elsewhere
    loss = texture_loss(network.forward(network.prepare(stripes()), to="relu1_1"), ["relu1_1"])
    other = network.forward(network.prepare(stripes(96, 128), "keep"), to="relu1_1")
    assert loss.evaluate(other).total < 0.01


def test_same_seed_same_bytes_other_seed_other_bytes():
    first, again, other = (quick(seed=s).x.tobytes() for s in (0, 0, 1))
    assert first == again != other


def test_the_picture_stays_between_black_and_white():
    record = quick(steps=8, rate=80.0, colours="free")
    low, high = images.bounds(NETWORK.preprocessing, record.x.shape)
    assert (record.x >= low).all() and (record.x <= high).all()
    np.testing.assert_array_equal(record.image, NETWORK.restore(record.x)[0])


@pytest.mark.parametrize("network, layers", [
    (minicnn.models.vgg19(), ["relu1_1", "pool1", "pool2", "pool3", "pool4"]),  # the paper's
    (minicnn.models.minivgg(), ["relu1_1", "pool1", "pool2", "pool3", "pool4"]),
    (small.network(), ["relu1", "pool1"]),
    (Network("bare", [("a", Conv(2, 3)), ("b", Conv(3, 3))], (8, 8, 3)), ["b"])],
    ids=lambda v: getattr(v, "name", ""))
def test_default_layers(network, layers):
    assert default_layers(network) == layers


def test_the_layers_taken_are_in_the_record():
    assert quick().settings["layers"] == ["relu1", "pool1"]
    assert "texture from relu1, pool1: loss" in quick().caption


# ---- what the image is like

def test_its_histograms_are_the_photo_s():
    record = vis.texture(NETWORK, small.photo(40, 48), steps=2, size="keep")
    for c in range(3):
        made, photo = (np.sort(picture[..., c], axis=None).astype(int)
                       for picture in (record.image, small.photo(40, 48)))
        assert np.abs(made - photo).max() <= 6  # pixels of one value stay together


def test_an_image_larger_than_its_photo_at_several_sizes():
    shapes = []
    record = vis.texture(NETWORK, small.photo(40, 48), ["relu1"], steps=2, sizes=3, size="keep",
                         new_size=(100, 70), watch=lambda step: shapes.append(step.image.shape))
    assert record.image.shape == (100, 70, 3) and len(record.trace) == 5  # (50, 35), (100, 70)
    assert set(shapes) == {(1, 100, 70, 3)}  # each enlarged, as frames have to be
    assert (np.diff(record.trace[:3, 0]) > 0).all()


def test_a_tile_has_no_seam():
    """Its circular border goes on as the inside does: the loss is that of the tile rolled."""
    record = vis.texture(NETWORK, PHOTO, ["relu1", "pool1"], steps=6, padding="circular")
    network = NETWORK.with_average_pooling()
    border = Border(network, ["relu1", "pool1"], "circular")
    loss = texture_loss(border.seen(network, network.prepare(PHOTO)), ["relu1", "pool1"])
    values = [border.look(network, loss, np.roll(record.x, shift, (1, 2)), (), None, False,
                          False)[0].total[0] for shift in ((0, 0), (6, 10), (2, 14))]
    np.testing.assert_allclose(values, values[0], rtol=1e-5)  # float32
    np.testing.assert_allclose(-record.trace[-1, 0], values[0], rtol=1e-5)


def test_the_spectrum_is_one_more_term_at_every_size():
    record = vis.texture(NETWORK, small.photo(80, 66), ["relu1"], steps=3, sizes=2, size="keep",
                         spectrum_weight=0.5)
    assert list(record.by_term) == ["relu1 gram", "spectrum"] and len(record.trace) == 7
    photo = NETWORK.prepare(small.photo(80, 66), "keep")
    end = objectives.spectrum(photo).evaluate({"image": record.x}).total / (photo**2).sum()
    np.testing.assert_allclose(record.by_term["spectrum"][-1], -0.5 * end, rtol=1e-4)  # float32
    with pytest.raises(ValueError, match="photo has 80x66 pixels and new_size is 90x90; leave one"):
        vis.texture(NETWORK, small.photo(80, 66), size="keep", new_size=90, spectrum_weight=0.5)


# ---- what is refused

def test_an_unknown_pooling_and_layer():
    with pytest.raises(ValueError, match="pooling must be one of average, max, got 'median'"):
        quick(pooling="median")
    with pytest.raises(LayerNameError, match="no layer 'rellu1'; near it: .*relu1"):
        quick(layers=["rellu1"])


def test_a_silent_layer_is_named():
    network = small.network()
    network.params["conv2"]["b"][:] = -1e3
    with pytest.raises(ValueError, match="relu2 is silent for this photo; leave it out"):
        vis.texture(network, PHOTO, ["relu1", "relu2"], steps=1)


def test_a_dense_layer_has_no_texture():
    with pytest.raises(ValueError, match="fc"):
        quick(layers=["relu1", "fc"])


def test_a_network_of_dense_layers_only_has_no_texture():
    network = nets.trained(Network("flat", [("fc", Dense(3)), ("relu", ReLU())], (16, 20, 3),
                                   NETWORK.preprocessing), dtype=np.float32)
    with pytest.raises(ValueError, match="relu"):
        vis.texture(network, PHOTO, steps=1)


@pytest.mark.parametrize("options", [
    {"statistic": "gram"}, {"statistic": CROSS},
    pytest.param({"statistic": "wasserstein"}, marks=pytest.mark.thorough),
    pytest.param({"spectrum_weight": 0.5}, marks=pytest.mark.thorough)], ids=str)
def test_in_tiles_it_is_the_same_texture(options):
    """What is no sum over places is looked at in whole layers, the spectrum in the whole image."""
    whole, tiled = (vis.texture(NETWORK, PHOTO, ["relu1", "mix"], size=48, sizes=1, steps=2,
                                tile=tile, **options) for tile in (None, 20))
    np.testing.assert_allclose(tiled.trace, whole.trace, rtol=1e-3)
    assert abs(tiled.x - whole.x).max() < 0.02  # a grey level

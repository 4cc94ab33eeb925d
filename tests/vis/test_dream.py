"""DeepDream: the octaves of google/deepdream, literally, and what else may be asked of it."""

import interrupted
import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, models, vis
from minicnn.ascent.colours import natural, of_photos
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense
from minicnn.ops import resize
from minicnn.vis.convolutional import convolutional
from minicnn.vis.dream import (
    DreamOptions,
    carried,
    chosen,
    default_layer,
    places,
    shrunk,
)
from minicnn.vis.record import Record

NETWORK = small.network()
PHOTO = small.photo(34, 40)


def quick(layers="relu2", octaves=2, steps=2, jitter=3, **more):
    return vis.dream(NETWORK, more.pop("image", PHOTO), layers, octaves=octaves,
                     steps=steps, jitter=jitter, **more)


# ---- what it is for

def test_it_is_google_s_loop():
    """Octaves from small to large, detail carried on, jitter, step over its mean magnitude."""
    base = NETWORK.prepare(PHOTO, "keep")
    octaves = [base]
    for _ in range(2):
        h, w = octaves[0].shape[1:3]
        octaves.insert(0, resize.forward(octaves[0], (round(h / 1.3), round(w / 1.3)))[0])
    low, high = images.bounds(NETWORK.preprocessing, (1, 1))
    detail = np.zeros_like(octaves[0])
    for k, octave in enumerate(octaves):
        rng = np.random.default_rng([7, 0, k])
        detail = resize.forward(detail, octave.shape[1:3])[0]
        x = octave + detail
        for _ in range(3):
            shift = rng.integers(-4, 5, size=2)
            run = NETWORK.forward(np.roll(x, shift, (1, 2)), to="mix")
            g = np.roll(run.backward({"mix": run["mix"]}), -shift, (1, 2))
            x = np.clip(x + 2.0 / 50 * g / np.abs(g).mean(), low, high)  # a grey level is 1/50
        detail = x - octave
    record = quick("mix", octaves=3, octave_scale=1.3, steps=3, rate=2.0, jitter=4, seed=7,
                   colours="rgb")
    np.testing.assert_allclose(record.x, x, atol=1e-4)  # float32, values around 2


def test_small_networks_climb_in_natural_colours():
    assert quick(steps=1).settings["colours"] == "natural"
    x = NETWORK.prepare(PHOTO, "keep")
    assert chosen(DreamOptions(), models.vgg16(), x).colours == "rgb"
    run = NETWORK.forward(x, to="relu2")
    g = natural(run.backward({"relu2": run["relu2"]}), of_photos(NETWORK)[1])
    low, high = images.bounds(NETWORK.preprocessing, (1, 1))
    expected = np.clip(x + 1.5 / 50 * g / np.abs(g).mean(), low, high)
    np.testing.assert_allclose(quick(octaves=1, steps=1, jitter=0).x, expected, atol=1e-5)


def test_the_layer_s_energy_rises_and_the_photo_can_still_be_recognised():
    network, photo = minicnn.load("minivgg"), small.photo(72, 96)
    record = vis.dream(network, photo, "relu3_2", octaves=2, steps=5, colours="rgb")
    energies = [float((network.forward(x, to="relu3_2").output ** 2).sum() / 2)
                for x in (network.prepare(photo, "keep"), record.x)]
    assert energies[1] > 2 * energies[0]
    off = record.image.astype(float) - photo
    assert 1 < np.abs(off).mean() < 25  # 10 steps of 1.5 grey levels


def test_what_it_returns():
    record = quick(octaves=2, steps=3)
    assert isinstance(record, Record) and record.image.shape == PHOTO.shape
    np.testing.assert_array_equal(record.image, NETWORK.restore(record.x)[0])
    assert record.trace.shape == (7, 1) and not record.interrupted
    assert record.caption == (f"small dream at relu2: 6 steps in 2 octaves, energy "
                              f"{record.trace[0, 0]:.4g} -> {record.trace[-1, 0]:.4g}")


@pytest.mark.parametrize("layers, guide, words", [
    ("mix:1", None, "sum of squared activations"), ("mix", PHOTO, "dot product with the guide's"),
    (["mix", "relu2:1"], None, "weighted sum of relative energies"),
    (["mix", "relu2"], PHOTO, "weighted sum of relative dot products")])
def test_the_caption_says_what_was_climbed(layers, guide, words):
    assert f", {words} " in quick(layers, octaves=1, steps=1, guide=guide).caption


def test_the_settings_make_the_same_again():
    record = quick({"mix": 2.0, "relu2:1": 1.0}, octave_scale=1.2, rate=3.0, size=30, seed=9)
    assert record.settings["layers"] == {"mix": 2.0, "relu2:1": 1.0}
    again = vis.dream(NETWORK, PHOTO, **record.settings)
    assert again.image.tobytes() == record.image.tobytes() and again.settings == record.settings


def test_same_seed_same_bytes_other_seed_other_bytes():
    first, again, other = (quick(seed=s).x.tobytes() for s in (0, 0, 1))
    assert first == again != other


def test_the_picture_stays_between_black_and_white():
    record = quick(rate=60.0)
    low, high = images.bounds(NETWORK.preprocessing, record.x.shape)
    assert (record.x >= low).all() and (record.x <= high).all()


@pytest.mark.parametrize("size, shape", [("keep", (34, 40)), (30, (30, 30)), ((28, 36), (28, 36)),
                                         (None, (16, 20))])
def test_size(size, shape):
    assert quick(size=size, octaves=1).image.shape == (*shape, 3)


# ---- octaves

def test_octaves_end_with_the_photo_and_carry_detail():
    base = NETWORK.prepare(PHOTO, "keep")
    bases = shrunk(base, 3, 1.4)
    assert [b.shape[1:3] for b in bases] == [(17, 20), (24, 29), (34, 40)]
    np.testing.assert_array_equal(bases[-1], base)
    np.testing.assert_array_equal(carried(bases[0], bases[0], bases[1]), bases[1])
    added = carried(bases[0] + 1, bases[0], bases[1])
    np.testing.assert_allclose(added, bases[1] + 1, rtol=1e-6, atol=1e-6)  # float32


@pytest.mark.parametrize("size, scale, octaves", [
    ((16, 20), 1.4, 4), ((80, 60), 1.4, 4), ((90, 70), 1.4, 5), ((70, 90), 2.0, 4),
    ((90, 70), 1.2, 9)])
def test_a_large_photo_gets_more_octaves(size, scale, octaves):
    """The smallest is at least as large as the network's 16 x 20, if there are more than 4."""
    options = chosen(DreamOptions(octave_scale=scale), NETWORK, np.zeros((1, *size, 3)))
    assert options.octaves == octaves
    assert chosen(DreamOptions(octaves=2), NETWORK, np.zeros((1, *size, 3))).octaves == 2


def test_octaves_that_were_chosen_are_a_setting():
    record = quick(octaves=None, octave_scale=1.1, steps=1)
    assert record.settings["octaves"] == 8 and "8 steps in 8 octaves" in record.caption


def test_one_octave_is_the_photo_alone():
    record = quick(octaves=1, steps=2)
    assert len(record.trace) == 3


# ---- where

@pytest.mark.parametrize("network, layer", [
    (models.googlenet(), "inception_4c/output"),  # google/deepdream's
    (models.vgg16(), "relu5_3"), (models.alexnet_caffe(), "relu5"),
    (models.minivgg(), "relu4_2"), (NETWORK, "relu2")], ids=lambda v: getattr(v, "name", ""))
def test_default_layer(network, layer):
    assert default_layer(network) == layer


def test_a_network_without_feature_maps_has_no_default():
    bare = Network("bare", [("fc", Dense(3))], (4, 4, 3))
    with pytest.raises(ValueError, match="bare has no rectified feature maps; name a layer"):
        default_layer(bare)


@pytest.mark.parametrize("layers, expected", [
    ("mix", {"mix": 1.0}), (["mix", "relu2:3"], {"mix": 1.0, "relu2:3": 1.0}),
    ({"conv1": 2, "fc:tree frog": -1}, {"conv1": 2.0, "fc:2": -1.0}), (None, {"relu2": 1.0})])
def test_places(layers, expected):
    assert places(NETWORK, layers) == expected


def test_a_channel_rises_by_its_own_energy():
    index = int(NETWORK.forward(NETWORK.prepare(PHOTO, "keep"), to="mix").output
                .sum(axis=(0, 1, 2)).argmax())
    record = quick(f"mix:{index}", octaves=1, steps=4, jitter=0)
    assert record.trace[-1] > 1.2 * record.trace[0]
    a = NETWORK.forward(record.x, to="mix").output[..., index]
    np.testing.assert_allclose(record.trace[-1], (a * a).sum(), rtol=1e-4)  # float32


def test_several_layers_count_in_what_they_are_for_the_photo():
    """Else conv1, with many more numbers, would rule alone."""
    record = quick({"conv1": 1.0, "relu2": 3.0}, octaves=1, steps=1, jitter=0)
    np.testing.assert_allclose(record.trace[0], 4.0, rtol=1e-5)  # 1 + 3
    assert "conv1, relu2 x 3: " in record.caption
    alone = quick("conv1", octaves=1, steps=1, jitter=0)
    assert not np.allclose(record.x, alone.x)


def test_layers_of_paths_side_by_side():
    """None of them is below another."""
    record = quick(["mix/relu_3x3", "mix/relu_1x1"], octaves=1, steps=2, jitter=0)
    np.testing.assert_allclose(record.trace[0], 2.0, rtol=1e-5)  # 1 + 1
    assert record.trace[-1] > record.trace[0]


def test_a_dense_layer_takes_a_photo_of_any_larger_size():
    record = quick("fc:2", octaves=2, steps=3)
    assert record.image.shape == PHOTO.shape and record.trace[-1] > record.trace[0]


# ---- guide

def test_a_guide_pulls_towards_its_features():
    guide = small.photo(20, 24, seed=5)
    record = quick("relu2", octaves=1, steps=1, jitter=0, guide=guide, colours="rgb")
    features = NETWORK.forward(NETWORK.prepare(guide), to="relu2").output.reshape(-1, 5)
    x = NETWORK.prepare(PHOTO, "keep")
    run = NETWORK.forward(x, to="relu2")
    a = run["relu2"].reshape(-1, 5)
    best = features[(a @ features.T).argmax(axis=1)].reshape(run["relu2"].shape)
    g = run.backward({"relu2": best})
    low, high = images.bounds(NETWORK.preprocessing, (1, 1))
    expected = np.clip(x + 1.5 / 50 * g / np.abs(g).mean(), low, high)
    np.testing.assert_allclose(record.x, expected, atol=1e-5)  # float32
    assert "dream at relu2, with a guide: " in record.caption


def test_a_guide_file_is_a_setting(photo):
    assert quick(guide=photo, octaves=1).settings["guide"] == str(photo)


# ---- tiles

@pytest.mark.parametrize("layers", ["relu2", {"mix": 1.0, "relu1:2": 0.5}])
def test_a_dream_in_tiles_is_the_dream(layers):
    """So there can be no seam."""
    network = small.network(dtype=np.float64)
    picture = small.photo(40, 52)
    whole, tiled = (vis.dream(network, picture, layers, octaves=2, steps=2, jitter=5, tile=tile)
                    for tile in (None, 20))
    np.testing.assert_allclose(tiled.x, whole.x, rtol=0, atol=1e-5)  # the image is float32
    np.testing.assert_allclose(tiled.trace, whole.trace, rtol=1e-5)


def test_memory_is_bounded_by_the_tile(monkeypatch):
    seen, forward = [], Network.forward
    monkeypatch.setattr(Network, "forward", lambda self, x, *a, **k: (
        seen.append(max(x.shape[1:3])), forward(self, x, *a, **k))[1])
    quick("relu1", image=small.photo(120, 130), octaves=1, tile=32)
    assert max(seen) < 40
    assert len(seen) > 2 * 16


# ---- Ctrl-C

def test_interrupted_it_is_the_photo_with_the_detail_so_far(monkeypatch):
    interrupted.at_step(monkeypatch, 3)
    record = quick(octaves=3, steps=4)
    monkeypatch.undo()
    assert record.interrupted and record.image.shape == PHOTO.shape
    base = NETWORK.prepare(PHOTO, "keep")
    x = shrunk(base, 3, 1.4)[0]
    short = quick(image=NETWORK.restore(x)[0], octaves=1, steps=2)
    rough = resize.forward(short.x - x, (34, 40))[0]
    off = np.abs(record.x - base - rough)
    assert np.median(off) < 0.02 < np.abs(rough).mean()  # rounded to 8 bits: half a level is 0.01


# ---- what cannot be

@pytest.mark.parametrize("settings, words", [
    ({"layers": "relu2:5"}, "relu2 has 5 channels, counted from 0; there is no 5"),
    ({"layers": "relu2:fox"}, "the channels of relu2 have no names, only those of fc do"),
    ({"layers": []}, "no layers were given"), ({"octaves": 0}, "octaves must be a whole number"),
    ({"steps": 1.5}, "steps must be a whole number of at least 1, got 1.5"),
    ({"octave_scale": 1.0}, "octave_scale must be a number above 1, got 1.0"),
    ({"rate": float("nan")}, "rate must be a number above 0, got nan"),
    ({"octaves": 9}, "the smallest octave has 2x3 pixels: take fewer octaves"),
    ({"guide": PHOTO, "layers": "relu2:1"}, "name the layer without its channel"),
    ({"jitter": -1}, "jitter must be a whole number of at least 0, got -1"),
    ({"overlap": -1}, "overlap must be a whole number of at least 0"),
    ({"tile": 0}, "tile must be")])
def test_one_clear_line(settings, words):
    with pytest.raises(ValueError, match=words) as caught:
        quick(**settings)
    assert "\n" not in str(caught.value)


def test_a_wrong_layer_name_shows_the_near_ones():
    with pytest.raises(LayerNameError, match="no layer 'rellu2'; near it: relu2"):
        quick("rellu2")


def test_the_network_itself_is_untouched():
    before = {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    quick("fc:1")
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])
    assert isinstance(NETWORK["fc"], Dense) and isinstance(NETWORK["conv1"], Conv)


def test_a_negative_weight_makes_a_layer_see_less():
    """Alone as well as among several."""
    sees = convolutional(NETWORK, "relu2")
    for layers in ({"relu2": -1.0}, {"relu2": -1.0, "relu1": 1e-6}):
        record = quick(layers, octaves=1, steps=8)
        before, after = ((sees.forward(x).output ** 2).sum()
                         for x in (NETWORK.prepare(PHOTO, "keep"), record.x))
        assert after < before

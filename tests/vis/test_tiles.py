"""Tiles: value and gradient are those of the whole image, whatever the layers below do."""

import weakref

import numpy as np
import pytest
import small

from minicnn import models
from minicnn.ascent import loop, objectives
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import AveragePool, Conv, MaxPool, ReLU
from minicnn.vis.coarse_to_fine import Border
from minicnn.vis.tiles import InTiles, reaches

SMALL = small.network(dtype=np.float64)  # overlapping poolings, ceil rounding, paths, LRN


def images(h, w, count=1, seed=0):
    return np.random.default_rng(seed).standard_normal((count, h, w, 3))


def compared(network, objective, x, tile, **more):
    """(value, gradient) whole, and in tiles."""
    whole = loop.look(network, objective, x, redirect=True)
    tiles = InTiles(network, objective.places, tile, **more)
    return whole, loop.look(tiles, objective, x, redirect=True)


def assert_same(whole, tiled, relative=1e-12):
    """Sums in another order: float64 rounds at 1e-16 a term."""
    np.testing.assert_allclose(tiled[0].total, whole[0].total, rtol=1e-10)
    scale = np.abs(whole[1]).max()
    assert scale > 0
    np.testing.assert_allclose(tiled[1], whole[1], rtol=0, atol=relative * scale)


@pytest.mark.parametrize("layer", ["conv1", "relu1", "pool1", "mix/3x3", "mix", "conv2", "relu2"])
@pytest.mark.parametrize("size", [(50, 64), (47, 33), (16, 61)])
def test_the_gradient_is_that_of_the_whole_image_at_its_borders_too(layer, size):
    assert_same(*compared(SMALL, objectives.energy(layer), images(*size), tile=13))


@pytest.mark.parametrize("tile", [1, 4, 7, 16, 30])
def test_tiles_of_any_size(tile):
    assert_same(*compared(SMALL, objectives.energy("relu2"), images(29, 31), tile))


def odd_network(pad):
    """Strides, kernels and paddings of every sort; without padding a tile must not lose units."""
    network = Network("odd", [
        ("conv1", Conv(4, (5, 3), stride=(2, 3), pad=(2, 1) if pad else 0)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2, pad=1 if pad else 0)),
        ("conv2", Conv(5, 3, pad=2 if pad else 0, dilation=2)),
        ("pool2", AveragePool(2, 1, rounding="ceil")),
    ], (40, 60, 3), Preprocessing((40, 60)))
    return network.initialize(1).astype(np.float64)


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2", "pool2"])
def test_strides_paddings_and_dilations(pad, layer):
    network = odd_network(pad)
    for tile in (17, 24):
        assert_same(*compared(network, objectives.energy(layer), images(67, 95, 2), tile))


def test_objectives_that_compare_or_average_all_positions_and_layers():
    """Each tile could not know them on its own."""
    x = images(45, 52, 2)
    features = SMALL.forward(images(16, 20, seed=3), to="mix")["mix"]
    whole = (objectives.channel("relu2", [1, 3]) + 0.1 * objectives.energy("pool1")
             + objectives.diversity("mix") + objectives.guide("mix", features)
             + objectives.gram("conv1", np.eye(6)) - objectives.total_variation())
    assert_same(*compared(SMALL, whole, x, tile=15))


def test_transforms_roll_the_whole_image():
    from minicnn.ascent.transforms import jitter

    x, objective = images(40, 48), objectives.energy("relu2")
    looks = [loop.look(network, objective, x, [jitter(9)], np.random.default_rng(4))[1]
             for network in (SMALL, InTiles(SMALL, ["relu2"], 16))]
    np.testing.assert_allclose(looks[1], looks[0], rtol=0, atol=1e-12 * np.abs(looks[0]).max())


def test_a_silent_image_takes_the_deconvnet_s_direction_in_tiles_too():
    network = odd_network(True)
    network.params["conv1"]["b"] = np.full(4, -100.0)
    assert_same(*compared(network, objectives.channel("relu1", 2), images(60, 80), tile=20))


def test_an_image_no_larger_than_a_tile_is_looked_at_whole():
    tiles, x = InTiles(SMALL, ["relu2"], 32), images(32, 24)
    run = tiles.forward(x, to=["relu2"])
    np.testing.assert_array_equal(run["relu2"], SMALL.forward(x, to="relu2").output)
    assert run.shapes["image"] == (1, 32, 24, 3)


def test_no_pass_sees_more_than_a_tile_and_what_it_needs(monkeypatch):
    seen, forward = [], Network.forward
    monkeypatch.setattr(Network, "forward", lambda self, x, *a, **k: (
        seen.append(x.shape[1:3]), forward(self, x, *a, **k))[1])
    tiles = InTiles(SMALL, ["relu2"], 20)
    loop.look(tiles, objectives.energy("relu2"), images(90, 100))
    rows, columns = tiles.axes
    step = rows.step
    most = 20 + step + rows.before + rows.after
    assert max(h for h, _ in seen) <= most and max(w for _, w in seen) <= most < 60
    assert len(seen) > 2 * 4 * 4


def test_what_tiles_need_of_a_known_network():
    """conv5 of AlexNet: units of 163 pixels, 16 apart, the first begins 64 before the image."""
    rows, columns = reaches(models.alexnet_caffe(), ["conv5", "conv2"])
    assert rows == columns and rows.strides == {"conv5": 16, "conv2": 8}
    assert (rows.before, rows.after, rows.least, rows.step) == (64, 163 - 64 - 16, 163, 16)


# ---- less overlap

def test_less_overlap_is_nearly_the_same_and_more_is_nearer():
    objective, x = objectives.energy("pool2"), images(90, 120)
    network = odd_network(True)
    whole = loop.look(network, objective, x)[1]
    off = [np.linalg.norm(loop.look(InTiles(network, ["pool2"], 40, overlap), objective, x)[1]
                          - whole) / np.linalg.norm(whole) for overlap in (0, 12, 24, 60)]
    assert 1 > off[0] > off[1] > off[2] and off[3] < 1e-12  # float64: 60 is all it takes


def test_the_seed_says_how_tiles_shift_and_they_shift_each_time():
    network, objective, x = odd_network(True), objectives.energy("pool2"), images(90, 120)
    tiles = InTiles(network, ["pool2"], 40, overlap=0)
    first, second = (loop.look(tiles, objective, x)[1] for _ in range(2))
    assert first.tobytes() != second.tobytes()  # no seam stays in one place
    looks = [loop.look(InTiles(network, ["pool2"], 40, 0, seed), objective, x)[1]
             for seed in (1, 1, 2)]
    assert looks[0].tobytes() == looks[1].tobytes() != looks[2].tobytes()


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2", "pool2"])
@pytest.mark.parametrize("overlap", [0, 1, 7])
def test_with_any_overlap_every_unit_is_computed_once(pad, layer, overlap):
    network, x = odd_network(pad), images(97, 101)
    for tile in (24, 50):
        run = InTiles(network, [layer], tile, overlap).forward(x, to=[layer])
        whole = network.forward(x, to=layer).output
        assert run[layer].shape == whole.shape
        if not pad:  # nothing is made up at a seam: all is exact
            np.testing.assert_allclose(run[layer], whole, rtol=1e-10, atol=1e-12)


def test_more_overlap_than_needed_is_exact():
    assert_same(*compared(SMALL, objectives.energy("relu2"), images(50, 50), 15, overlap=500))


# ---- what cannot be

def test_a_layer_that_sees_all():
    tiles = InTiles(SMALL, ["fc"], 32)
    assert tiles.forward(images(16, 20), to=["fc"])["fc"].shape == (1, 4)  # no tiles needed
    with pytest.raises(ValueError, match="fc has no positions and sees the whole image; choose"):
        tiles.forward(images(40, 20), to=["fc"])


@pytest.mark.parametrize("settings, words", [
    ({"tile": 0}, "tile must be a whole number of at least 1 pixels, got 0"),
    ({"tile": 7.5}, "tile must be a whole number of at least 1 pixels, got 7.5"),
    ({"tile": 8, "overlap": -1}, "overlap must be a whole number of at least 0 pixels, got -1")])
def test_sizes_that_are_none(settings, words):
    with pytest.raises(ValueError, match=words):
        InTiles(SMALL, ["relu2"], **settings)

# ---- layers known by their Gram matrices

GRAMS, CONTENT = ["relu1", "pool1", "mix"], "relu2"


def style_loss():
    """Gram matrices of three layers, the first of which also has two of them."""
    return sum(((k + 1) * objectives.gram(name, np.eye(c) + k)
                for k, (name, c) in enumerate([("relu1", 6), ("pool1", 6), ("mix", 9)])),
               objectives.gram("relu1", 2 * np.eye(6)))


@pytest.mark.parametrize("size", [(50, 64), (47, 33), (16, 61)])
@pytest.mark.parametrize("padding", ["zeros", "reflect", "circular"])
def test_gram_matrices_are_sums_over_tiles_and_so_is_the_gradient(size, padding):
    """Loss and gradient are those of the whole image, whose layers are never there."""
    network, x = SMALL.with_average_pooling(), images(*size)
    whole = Border(network, [*GRAMS, CONTENT], padding)
    tiled = Border(network, [*GRAMS, CONTENT], padding, tile=13, grams=GRAMS)
    goal = images(*size, seed=3)
    seen, parts = whole.seen(network, goal), tiled.seen(network, goal)
    for name in GRAMS:
        np.testing.assert_allclose(parts[name].matrix, objectives.gram_matrix(seen[name]),
                                   rtol=1e-10, atol=1e-12)  # sums in another order
    np.testing.assert_allclose(parts[CONTENT], seen[CONTENT], rtol=1e-10, atol=1e-12)
    loss = (style_loss() + objectives.distance(CONTENT, seen[CONTENT])
            + objectives.total_variation())
    assert_same(*(border.look(network, loss, x, [], None, True, True)
                  for border in (whole, tiled)), relative=1e-10)


def test_in_float32_the_tiles_differ_by_rounding_only():
    network, x = SMALL.with_average_pooling().astype(np.float32), images(50, 61).astype(np.float32)
    loss, layers = style_loss() + objectives.energy(CONTENT), [*GRAMS, CONTENT]
    whole, tiled = (border.look(network, loss, x, [], None, True, True) for border in (
        Border(network, layers, "reflect"), Border(network, layers, "reflect", 16, GRAMS)))
    assert whole[1].dtype == tiled[1].dtype == np.float32
    np.testing.assert_allclose(tiled[0].total, whole[0].total, rtol=1e-5)  # sums of 1e3 numbers
    np.testing.assert_allclose(tiled[1], whole[1], rtol=0, atol=1e-5 * abs(whole[1]).max())


def test_a_gram_layer_is_never_whole():
    network, x = SMALL.with_average_pooling(), images(50, 64)
    run = InTiles(network, GRAMS, 13, grams=GRAMS).forward(x, to=GRAMS)
    assert {run[name].matrix.shape for name in GRAMS} == {
        (1, network.shapes[name][2], network.shapes[name][2]) for name in GRAMS}


def test_a_tile_is_gone_before_the_next_one_is_computed(monkeypatch):
    network, runs = SMALL.with_average_pooling(), []
    forward = network.forward

    def watched(*what, **more):
        assert not any(run() for run in runs)
        run = forward(*what, **more)
        runs.append(weakref.ref(run))
        return run
    monkeypatch.setattr(network, "forward", watched)
    loop.look(InTiles(network, GRAMS, 25, grams=GRAMS), style_loss(), images(50, 64))
    assert len(runs) == 2 * 2 * 3  # there and back, two rows of three tiles

"""Hypercolumns: the stack against loops and other libraries; what is had without it, against it."""

import tracemalloc

import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import vis
from minicnn.network import LayerNameError, Network, NotFiniteError
from minicnn.network.layers import Dense
from minicnn.vis.hypercolumn_maps import Hypercolumns, hypercolumn_maps, usual
from minicnn.vis.kmeans import kmeans

NETWORK, PHOTO = small.network(), small.photo()
LAYERS = ["relu1", "mix", "relu2"]
FOUND = hypercolumn_maps(NETWORK, PHOTO, LAYERS)
STACK = FOUND.stack()


# ---- what a hypercolumn is

def between(a, row, column, size):
    """The map's value above the centre of a pixel, from the four around it: the definition."""
    value = np.zeros(a.shape[2])
    places = [(row + 0.5) * a.shape[0] / size[0] - 0.5,
              (column + 0.5) * a.shape[1] / size[1] - 0.5]
    for i, j in np.ndindex(2, 2):
        corner = [int(np.floor(at)) + k for at, k in zip(places, (i, j), strict=True)]
        weight = np.prod([1 - abs(at - c) for at, c in zip(places, corner, strict=True)])
        value += weight * a[tuple(np.clip(corner, 0, [n - 1 for n in a.shape[:2]]))]  # held
    return value


def test_the_stack_is_every_layer_s_map_between_its_four_neighbours():
    run = NETWORK.forward(NETWORK.prepare(PHOTO))
    assert STACK.shape == (16, 20, 6 + 9 + 5) and STACK.dtype == np.float32
    assert FOUND.channels == 20 and FOUND.size == (16, 20) and list(FOUND.maps) == LAYERS
    for row, column in np.ndindex(16, 20):
        expected = np.concatenate([between(run[layer][0], row, column, (16, 20))
                                   for layer in LAYERS])
        np.testing.assert_allclose(STACK[row, column], expected, atol=1e-5)  # float32


def test_it_is_what_pillow_s_bilinear_gives():
    """And so SciPy's old imresize(..., mode="F", interp="bilinear"), which called it."""
    for c in range(5):
        plane = Image.fromarray(FOUND.maps["relu2"][..., c].copy())
        assert plane.mode == "F"
        expected = np.asarray(plane.resize((20, 16), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(STACK[..., 15 + c], expected, rtol=1e-4, atol=1e-5)  # float32


def test_it_is_what_scikit_image_gives():
    transform = pytest.importorskip("skimage.transform")
    expected = transform.resize(FOUND.maps["mix"], (16, 20), order=1, mode="edge",
                                anti_aliasing=False)
    np.testing.assert_allclose(STACK[..., 6:15], expected, rtol=1e-4, atol=1e-5)  # float32


def test_it_is_pytorch_s_without_aligned_corners():
    torch = pytest.importorskip("torch")
    maps = torch.from_numpy(FOUND.maps["mix"].transpose(2, 0, 1)[None].copy())  # H,W,C -> 1,C,H,W
    for aligned in (False, True):
        expected = torch.nn.functional.interpolate(maps, (16, 20), mode="bilinear",
                                                   align_corners=aligned)[0].numpy()
        error = np.abs(STACK[..., 6:15] - expected.transpose(1, 2, 0)).max()
        assert error > 0.01 if aligned else error < 1e-5  # the other convention is told apart


def test_some_rows_and_columns_of_the_stack():
    np.testing.assert_array_equal(FOUND.at([3, 0], [19, 7, 7]), STACK[[3, 0]][:, [19, 7, 7]])


def test_a_layer_without_positions_is_the_same_above_all_pixels():
    found = hypercolumn_maps(NETWORK, PHOTO, ["relu2", "fc", "image"])
    run = NETWORK.forward(NETWORK.prepare(PHOTO))
    stack = found.stack()
    np.testing.assert_allclose(stack[..., 5:9], np.broadcast_to(run["fc"][0], (16, 20, 4)),
                               rtol=1e-6)
    np.testing.assert_allclose(stack[..., 9:], run["image"][0], rtol=1e-6)


def test_layers_by_number_and_the_last_of_each_size():
    assert list(hypercolumn_maps(NETWORK, PHOTO, [2, "6"]).maps) == ["relu1", "mix/relu_1x1"]
    assert usual(NETWORK) == ["norm1", "mix", "relu2"]
    assert list(hypercolumn_maps(NETWORK, PHOTO).maps) == usual(NETWORK)
    assert usual(minicnn.models.vgg19())[:4] == ["relu1_2", "relu2_2", "relu3_4", "relu4_4"]


# ---- what is had without making the stack

def test_the_mean_is_over_every_channel_of_every_layer():
    np.testing.assert_allclose(FOUND.mean(), STACK.mean(axis=2), atol=1e-6)  # float32


def test_times_is_the_stack_times_the_vectors():
    vectors = np.random.default_rng(0).standard_normal((20, 3))
    np.testing.assert_allclose(FOUND.times(vectors), STACK @ vectors, atol=1e-4)  # float32


def test_the_similarity_is_the_cosine():
    v = STACK[5, 11]
    expected = STACK @ v / np.linalg.norm(STACK, axis=2) / np.linalg.norm(v)
    np.testing.assert_allclose(FOUND.similarity((5, 11)), expected, atol=1e-6)  # float32
    assert FOUND.similarity((5, 11))[5, 11] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [1, 20 * 20 * 4 * 3, 2**24])  # one row, three, all at a time
def test_the_lengths_do_not_depend_on_how_many_rows_are_taken_at_a_time(monkeypatch, size):
    monkeypatch.setattr(vis.hypercolumn_maps, "CHUNK", size)
    np.testing.assert_allclose(FOUND.lengths(), np.linalg.norm(STACK, axis=2), rtol=1e-6)


def test_a_silent_pixel_resembles_nothing_and_cannot_be_asked_about():
    a = np.ones((4, 4, 2), np.float32)
    a[1, 2] = 0
    found = Hypercolumns({"relu": a}, (4, 4))
    similarity = found.similarity((0, 0))
    assert similarity[1, 2] == 0 and np.delete(similarity.ravel(), 6) == pytest.approx(1)
    with pytest.raises(ValueError, match="no channel of relu is active at pixel 1,2; choose"):
        found.similarity((1, 2))


def test_each_pixel_is_in_the_segment_of_the_nearest_centre():
    centres = kmeans(FOUND.samples(), 4, 1)
    nearest = ((STACK[:, :, None] - centres) ** 2).sum(axis=3).argmin(axis=2)
    labels = FOUND.segments(4, 1)
    pairs = set(zip(nearest.ravel().tolist(), labels.ravel().tolist(), strict=True))
    assert len(pairs) == 4 == len({label for _, label in pairs})  # the same up to their names
    sizes = np.bincount(labels.ravel())
    assert (sizes == sorted(sizes, reverse=True)).all()


def test_the_samples_of_a_small_photo_are_all_its_pixels_and_of_a_large_one_a_grid(monkeypatch):
    np.testing.assert_array_equal(FOUND.samples(), STACK.reshape(-1, 20))
    monkeypatch.setattr(vis.hypercolumn_maps, "SAMPLES", 9 * 8 * 20)
    np.testing.assert_array_equal(FOUND.samples(),
                                  STACK[[0, 7, 15]][:, [0, 9, 19]].reshape(-1, 20))


def test_the_components_are_the_directions_of_largest_variance():
    pixels = STACK.reshape(-1, 20).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(pixels.T))
    parts = FOUND.components().reshape(-1, 3).astype(np.float64)
    for k in range(3):
        assert parts[:, k].var(ddof=1) == pytest.approx(values[-1 - k], rel=1e-4)  # float32
        assert abs(np.corrcoef(parts[:, k], pixels @ vectors[:, -1 - k])[0, 1]) > 0.9999
    assert Hypercolumns({"a": STACK[..., :2]}, (16, 20)).components().shape == (16, 20, 2)


def test_balanced_layers_have_an_equal_say():
    found = hypercolumn_maps(NETWORK, PHOTO, ["relu1", "relu2"])
    found.maps["relu2"] = 1000 * found.maps["relu2"]
    found.maps["off"] = np.zeros((2, 2, 3), np.float32)
    balanced = found.balanced()
    for layer in ("relu1", "relu2"):
        a = balanced.maps[layer]
        assert (a**2).sum(axis=2).mean() == pytest.approx(1, rel=1e-5)
        np.testing.assert_allclose(a / a.max(), found.maps[layer] / found.maps[layer].max(),
                                   rtol=1e-5)
    assert not balanced.maps["off"].any()


# ---- memory

def large():
    """Two layers of 1,024 channels for 224x224 pixels: 200 MB stretched, 3.6 MB as they are."""
    rng = np.random.default_rng(0)
    maps = {name: rng.random((n, n, 1024), np.float32) for name, n in (("a", 28), ("b", 7))}
    return Hypercolumns(maps, (224, 224))


@pytest.mark.thorough
@pytest.mark.parametrize("view", ["mean", "similarity", "segments", "components"])
def test_no_view_of_a_large_stack_needs_more_than_a_fraction_of_it(view, monkeypatch):
    monkeypatch.setattr(vis.hypercolumn_maps, "SAMPLES", 2**22)  # be quick
    found = large()
    tracemalloc.start()
    {"mean": found.mean, "similarity": lambda: found.similarity((100, 50)),
     "segments": lambda: found.segments(4), "components": found.components}[view]()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < {"mean": 4, "similarity": 48, "segments": 32, "components": 32}[view] * 2**20


def test_the_whole_stack_has_a_limit():
    with pytest.raises(ValueError, match="224x224 pixels of 2048 channels need 392 MiB, more than "
                                         "the limit of 300; use fewer layers"):
        large().stack(limit=300 * 2**20)
    assert FOUND.stack(limit=16 * 20 * 20 * 4).shape == (16, 20, 20)
    with pytest.raises(ValueError, match="more than the limit"):
        FOUND.stack(limit=16 * 20 * 20 * 4 - 1)


def test_a_layer_that_is_not_there_and_numbers_that_are_none():
    with pytest.raises(LayerNameError, match="there is no 99"):
        hypercolumn_maps(NETWORK, PHOTO, [1, 99])
    broken = small.network()
    broken.params["conv1"]["w"][0, 0, 0, 0] = np.nan
    with pytest.raises(NotFiniteError, match="layer conv1 .* its array w has 1 of"):
        hypercolumn_maps(broken, PHOTO, ["relu1"])
    with pytest.raises(ValueError, match="flat has no feature maps"):
        usual(Network("flat", [("fc", Dense(2))], (3, 3, 1)))

"""The views of hypercolumns: what each record holds, shows and says."""

import nets
import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import vis
from minicnn.images import Preprocessing, display
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv, MaxPool, ReLU
from minicnn.vis.hypercolumn_maps import hypercolumn_maps

NETWORK, PHOTO = small.network(), small.photo()
LAYERS = ["relu1", "mix", "relu2"]
FOUND = hypercolumn_maps(NETWORK, PHOTO, LAYERS)


def stem():
    """The first seventeen layers of InceptionV3 as Keras numbers them, narrower."""
    layers = [[Conv(3, 3, stride=2), BatchNorm(), ReLU()], [Conv(4, 3), BatchNorm(), ReLU()],
              [Conv(5, 3, pad=1), BatchNorm(), ReLU()], [MaxPool(3, 2)],
              [Conv(6, 1), BatchNorm(), ReLU()], [Conv(7, 3), BatchNorm(), ReLU()],
              [MaxPool(3, 2)]]
    named = [(f"{type(layer).__name__}_{i}", layer)
             for i, part in enumerate(layers) for layer in part]
    return nets.trained(Network("stem", named, (45, 45, 3), Preprocessing((45, 45))),
                        dtype=np.float32)


@pytest.mark.parametrize("numbers", [[1, 4, 7], [1, 4, 7, 10, 11, 14, 17]])
def test_the_mean_over_the_layers_of_a_well_known_notebook(numbers):
    """Convolutions and poolings, resized one channel at a time as there, and averaged."""
    network, photo = stem(), small.photo(45, 45)
    run = network.forward(network.prepare(photo))
    maps = [run[network.names[number - 1]][0] for number in numbers]  # 0 is the input
    planes = [Image.fromarray(a[..., c].copy()).resize((45, 45), Image.Resampling.BILINEAR)
              for a in maps for c in range(a.shape[2])]
    mean = np.mean([np.asarray(plane) for plane in planes], axis=0)
    record = vis.hypercolumns(network, photo, numbers)
    assert len(planes) == {3: 12, 7: 37}[len(numbers)]
    assert all(("Conv" in name or "MaxPool" in name) for name in record.settings["layers"])
    np.testing.assert_allclose(record.x[0, ..., 0], mean, rtol=0,
                               atol=1e-5 * np.abs(mean).max())  # Pillow rounds to float32 twice


# ---- the record

def test_the_mean_s_record():
    record = vis.hypercolumns(NETWORK, PHOTO, LAYERS)
    mean = FOUND.mean()
    np.testing.assert_array_equal(record.x, mean[None, ..., None])
    np.testing.assert_array_equal(record.image, display.coloured(display.to_uint8(mean)))
    assert record.caption == ("small hypercolumns of relu1, mix, relu2: 20 channels for each "
                              f"pixel; mean activation, {mean.min():.3g} (dark) to "
                              f"{mean.max():.3g} (bright)")
    assert record.settings["layers"] == LAYERS and record.settings["view"] == "mean"


def test_the_similarity_s_record():
    record = vis.hypercolumns(NETWORK, PHOTO, LAYERS, view="similarity", pixel=(5, 11))
    expected = FOUND.balanced().similarity((5, 11))
    np.testing.assert_array_equal(record.x[0, ..., 0], expected)
    assert "cosine with pixel 5,11, " in record.caption
    assert record.image[5, 11].tolist() == display.coloured(np.uint8([255]))[0].tolist()
    middle = vis.hypercolumns(NETWORK, PHOTO, LAYERS, view="similarity")
    assert middle.settings["pixel"] == (8, 10) and "pixel 8,10" in middle.caption


def test_the_segments_record():
    record = vis.hypercolumns(NETWORK, PHOTO, LAYERS, view="segments", clusters=3, seed=1)
    labels = record.x[0, ..., 0]
    np.testing.assert_array_equal(labels, FOUND.balanced().segments(3, 1))
    colours = {tuple(record.image[labels == k][0].tolist()) for k in range(3)}
    assert len(colours) == 3 == len({tuple(c) for c in record.image.reshape(-1, 3).tolist()})
    shares = ", ".join(f"{(labels == k).mean():.0%}" for k in range(3))
    assert f"3 clusters (k-means, seed 1) with {shares} of the pixels" in record.caption


def test_twenty_clusters_have_twenty_colours():
    record = vis.hypercolumns(NETWORK, PHOTO, LAYERS, view="segments", clusters=20)
    assert len({tuple(c) for c in record.image.reshape(-1, 3).tolist()}) == 20


def test_the_components_record():
    record = vis.hypercolumns(NETWORK, PHOTO, LAYERS, view="components")
    assert record.x.shape == (1, 16, 20, 3) and record.image.shape == (16, 20, 3)
    for k in range(3):
        assert np.corrcoef(record.x[0, ..., k].ravel(), record.image[..., k].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("view", ["mean", "segments", "similarity", "components"])
def test_the_settings_of_every_view_make_the_same_picture(view):
    record = vis.hypercolumns(NETWORK, PHOTO, ["relu1", 9], view=view, clusters=3, size=(24, 30))
    again = vis.hypercolumns(NETWORK, PHOTO, **record.settings)
    np.testing.assert_array_equal(again.image, record.image)
    assert again.settings == record.settings and again.caption == record.caption


def test_a_photo_of_one_colour_can_be_seen():
    """Nothing differs but what zero padding does at the border; no view divides by zero."""
    flat = np.full((16, 20, 3), 90, np.uint8)
    for view in ("mean", "segments", "similarity", "components"):
        assert vis.hypercolumns(NETWORK, flat, "image", view=view).image.shape == (16, 20, 3)


def test_the_network_and_the_photo_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    for view in ("mean", "segments", "similarity", "components"):
        vis.hypercolumns(NETWORK, photo, view=view)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


@pytest.mark.parametrize("name", ["squeezenet11", "googlenet_bvlc", "vgg19_norm_to_conv4_1"])
def test_one_eye_of_a_cat_resembles_the_other_more_than_anything_else(shared_data, name):
    network = minicnn.load(shared_data / "weights" / f"{name}.h5")
    record = vis.hypercolumns(network, shared_data / "photos" / "chelsea.png",
                              view="similarity", pixel=(100, 72))
    cosine = record.x[0, ..., 0]
    rest = cosine.copy()
    rest[70:135, 25:110] = rest[85:140, 175:227] = -1  # without both eyes
    assert cosine[95:125, 185:210].max() > 0.2 + rest.max()


# ---- what is refused

@pytest.mark.parametrize("settings, words", [
    ({"view": "median"}, "view must be one of mean, segments, similarity, components, got"),
    ({"pixel": (1, 1)}, "pixel is for the view similarity, got it with view mean; leave it"),
    ({"view": "similarity", "pixel": (16, 0)}, "has 16 rows and 20 columns, .* no pixel 16,0"),
    ({"view": "similarity", "pixel": (0, -1)}, "no pixel 0,-1"),
    ({"view": "similarity", "pixel": (-1, 0)}, "no pixel -1,0"),
    ({"view": "segments", "clusters": 1}, "a whole number of at least 2 and at most 20, got 1"),
    ({"view": "segments", "clusters": 21}, "clusters must be a whole number .* most 20, got 21"),
    ({"view": "segments", "seed": -1}, "seed must be a whole number of at least 0, got -1")])
def test_a_view_that_cannot_be_had(settings, words):
    with pytest.raises(ValueError, match=words):
        vis.hypercolumns(NETWORK, PHOTO, LAYERS, **settings)

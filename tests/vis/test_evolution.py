"""Features followed through snapshots: each number computed again in another way."""

import nets
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.files import hdf5
from minicnn.network import Network
from minicnn.network.receptive import field
from minicnn.train import snapshots
from minicnn.vis.evolution import evolution
from minicnn.vis.strongest_pictures import relu_rule

PHOTOS = [small.photo(seed=k) for k in range(4)]
NETWORKS = {0: small.network(seed=5), 3: small.network(seed=3), 8: small.network(seed=2)}
LAYERS = ["relu1", "mix/relu_3x3", "relu2"]
FOUND = evolution(NETWORKS, PHOTOS, LAYERS, count=2)


def maps(layer):
    """(T, photos, H, W, C)."""
    return np.stack([[network.forward(network.prepare(photo), to=layer).output[0]
                      for photo in PHOTOS] for network in NETWORKS.values()])


@pytest.mark.parametrize("layer", LAYERS)
def test_the_strongest_photo_and_its_projection(layer):
    seen, some = maps(layer), 0
    for channel, features in FOUND.features[layer].items():
        for t, (feature, network) in enumerate(zip(features, NETWORKS.values(), strict=True)):
            best = seen[t, ..., channel].max(axis=(1, 2))
            if best.max() <= 0:
                assert feature is None
                continue
            some += 1
            assert feature.photo == best.argmax() and feature.value == pytest.approx(best.max())
            assert seen[t, feature.photo, *feature.position, channel] == best.max()
            record = vis.deconvnet(network, PHOTOS[feature.photo], layer, channel,
                                   relu=relu_rule(network, layer))
            shape = feature.patch.shape
            assert feature.projection.shape == shape
            size = np.minimum(field(network, layer).size, (16, 20))
            assert shape[:2] == tuple(size)
            whole = images.to_rgb(record.x, network.preprocessing)[0]
            windows = np.lib.stride_tricks.sliding_window_view(whole, shape)
            assert (windows == feature.projection).all(axis=(3, 4, 5)).any()
            assert np.abs(feature.projection).sum() == pytest.approx(np.abs(whole).sum(), rel=1e-5)
    assert some >= 4


@pytest.mark.parametrize("layer", LAYERS)
def test_correlations_by_numpy(layer):
    seen = maps(layer)
    flat = seen.reshape(*seen.shape[:1], -1, seen.shape[-1]).astype(float)  # T,P,C
    expected = []
    for t in range(3):
        r = [np.corrcoef(flat[t, :, c], flat[-1, :, c])[0, 1] if flat[t, :, c].std() else 0
             for c in range(flat.shape[-1]) if flat[-1, :, c].std()]
        expected.append(np.mean(r))
    np.testing.assert_allclose(FOUND.responses[layer], expected, rtol=1e-5, atol=1e-7)
    assert FOUND.responses[layer][-1] == pytest.approx(1) and FOUND.epochs == (0, 3, 8)


@pytest.mark.parametrize("layer", LAYERS)
def test_jumps_and_silent_channels_counted_one_by_one(layer):
    best = maps(layer).max(axis=(2, 3))  # T,photos,C
    photo = np.where(best.max(axis=1) > 0, best.argmax(axis=1), -1)
    for t in (1, 2):
        moved = [photo[t - 1, c] != photo[t, c] for c in range(best.shape[-1])
                 if max(photo[t - 1, c], photo[t, c]) >= 0]
        assert FOUND.jumps[layer][t] == pytest.approx(np.mean(moved))
    assert np.isnan(FOUND.jumps[layer][0])
    np.testing.assert_allclose(FOUND.silent[layer], (photo < 0).mean(axis=1))


def test_the_way_that_is_left():
    """Three quarters, and for a layer that no weights are below, or that does not move, unknown."""
    first, last = NETWORKS[0], NETWORKS[8]
    between = nets.fill(small.network(), nets.parameters(first))
    w = [network.params["conv2"]["w"] for network in (first, last)]
    between.params["conv2"]["w"] = w[0] + np.float32(0.25) * (w[1] - w[0])
    last = nets.fill(small.network(), nets.parameters(last))
    last.params["conv1"] = first.params["conv1"]
    found = evolution({0: first, 1: between, 2: last}, PHOTOS[:1], ["relu1", "relu2", "pool1"])
    np.testing.assert_allclose(found.weights["relu2"], [1, 0.75, 0], atol=1e-6)
    assert np.isnan(found.weights["relu1"]).all() and np.isnan(found.weights["pool1"]).all()


def silenced(network, channel, layer="conv1", bias=-1e4):
    """A copy in which a channel is constant."""
    other = nets.fill(small.network(), nets.parameters(network))
    params = {key: value.copy() for key, value in other.params[layer].items()}
    params["w"][..., channel], params["b"][channel] = 0, bias
    other.params[layer] = params
    return other


def test_constant_channels():
    """Constant before: no likeness. Constant at the last snapshot: nothing to be like."""
    last = NETWORKS[8]
    for bias, silent in ((-1e4, 1 / 6), (7.0, 0)):
        found = evolution({0: silenced(last, 2, bias=bias), 1: last}, PHOTOS, ["relu1"])
        np.testing.assert_allclose(found.responses["relu1"], [5 / 6, 1], rtol=1e-6)
        np.testing.assert_allclose(found.silent["relu1"], [silent, 0])
        found = evolution({0: last, 1: silenced(last, 2, bias=bias)}, PHOTOS, ["relu1"])
        np.testing.assert_allclose(found.responses["relu1"], [1, 1], rtol=1e-6)
    dead = last
    for channel in range(6):
        dead = silenced(dead, channel)
    found = evolution({0: last, 1: dead}, PHOTOS, ["relu1"], count=2)
    assert np.isnan(found.responses["relu1"]).all() and found.silent["relu1"][1] == 1
    assert [features[1] for features in found.features["relu1"].values()] == [None, None]


def test_channels_are_drawn_among_the_active_ones():
    last = silenced(silenced(NETWORKS[8], 0), 3)
    drawn = [list(evolution({0: last}, PHOTOS[:1], ["relu1"], seed=seed, count=3).features["relu1"])
             for seed in range(4)]
    assert all(not {0, 3} & set(one) and one == sorted(set(one)) for one in drawn)
    assert drawn[0] == list(evolution({0: last}, PHOTOS[:1], ["relu1"], count=3).features["relu1"])
    assert len({tuple(one) for one in drawn}) > 1
    given = evolution({0: last}, PHOTOS[:1], {"relu1": [3, 1], "relu2": [0]}).features
    assert {layer: list(channels) for layer, channels in given.items()} == {
        "relu1": [3, 1], "relu2": [0]}
    assert list(given["relu1"].values())[0] == [None]


def test_a_layer_without_positions_sees_the_whole_photo():
    found = evolution(NETWORKS, PHOTOS, ["fc"], [1])
    feature = next(feature for feature in found.features["fc"][1] if feature is not None)
    assert feature.position == () and feature.patch.shape == (16, 20, 3)


def test_a_folder_of_snapshots_and_some_of_its_epochs(tmp_path):
    for epoch, network in NETWORKS.items():
        hdf5.save(network, snapshots.path(tmp_path, epoch))
    found = evolution(tmp_path, PHOTOS, LAYERS, count=2, at=[8, 3])
    assert found.epochs == (3, 8) and found.settings["at"] == [3, 8]
    np.testing.assert_array_equal(found.responses["relu2"], FOUND.responses["relu2"][1:])
    assert found.settings["layers"] == {layer: list(FOUND.features[layer]) for layer in LAYERS}
    assert evolution(tmp_path, PHOTOS, at=[8]).responses.keys() == {
        "relu1", "mix/relu_1x1", "mix/relu_3x3", "mix/relu_project", "relu2"}


def test_photos_that_cannot_be_read(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    images.save(tmp_path / "whole.png", PHOTOS[0])
    found = evolution(NETWORKS, tmp_path, ["relu1"], [0, 1])
    assert found.photos == 1 and len(found.skipped) == 1 and "broken.png" in found.skipped[0]
    assert {feature.name for feature in found.features["relu1"][0]} == {
        str(tmp_path / "whole.png")}
    with pytest.raises(ValueError, match="none of the 1 photos can be used: .*broken.png"):
        evolution(NETWORKS, [tmp_path / "broken.png"], ["relu1"])


def test_ctrl_c_keeps_the_photos_until_then(monkeypatch):
    prepare, calls = Network.prepare, []

    def pressed(network, *arguments):
        calls.append(network)
        if len(calls) == 8:  # in the third photo
            raise KeyboardInterrupt
        return prepare(network, *arguments)

    monkeypatch.setattr(Network, "prepare", pressed)
    found = evolution(NETWORKS, PHOTOS, ["relu1"], [0])
    assert found.interrupted and found.photos == 2
    calls[:] = [None] * 7
    with pytest.raises(KeyboardInterrupt):
        evolution(NETWORKS, PHOTOS, ["relu1"])


@pytest.mark.parametrize("given, words", [
    (({}, PHOTOS), "there are no networks; give {epoch: network}"),
    ((NETWORKS[8], PHOTOS), "networks must be {epoch: Network}, or a folder of snapshots, got a N"),
    ((NETWORKS, PHOTOS, []), "no rectified feature maps, or no layer was named"),
    ((NETWORKS, PHOTOS, ["relu1"], [6]), "relu1 has 6 channels, counted from 0; there is no 6"),
    ((NETWORKS, PHOTOS, ["relu9"]), "relu9"),
    (({0: NETWORKS[0], 1: nets.everything()}, PHOTOS), "after epoch 1 is of another network"),
    ((NETWORKS, []), "the list is empty"),
])
def test_what_cannot_be_done(given, words):
    with pytest.raises(ValueError, match=words):
        evolution(*given)


def test_the_caption_has_the_numbers():
    first, *lines = FOUND.caption.split("\n")
    assert first == "small: 3 snapshots, after epochs 0, 3, 8; 4 photos"
    assert [line.partition(":")[0] for line in lines] == LAYERS
    assert all(" 1.00; way of the weights that is left 1.00 " in line for line in lines)
    assert all(" 0.00; channels with another strongest photo than before - " in line
               for line in lines)


def test_a_missing_epoch_is_told():
    with pytest.raises(ValueError, match="none after epoch 5; there are 0, 3, 8"):
        evolution(NETWORKS, PHOTOS, at=[5])

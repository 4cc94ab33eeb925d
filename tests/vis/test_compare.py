"""Two first layers compared, on networks whose filters are known, and over known photos."""

import nets
import numpy as np
import pytest
import small

from minicnn import images, load, vis
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv, Dense, MaxPool, ReLU
from minicnn.network.receptive import field
from minicnn.vis.aliasing import aliasing, faded, power
from minicnn.vis.compare import _unsampled, compare, first_layer

PREPROCESSING = Preprocessing((48, 56), "BGR", (100, 110, 120), 1 / 50, resize_to=None)
PHOTOS = [small.photo(48, 56, seed) for seed in range(3)]
SLOW, FAST = 0.05, 0.2  # cycles a pixel: below and above the Nyquist frequency of a grid of 4


def gratings(kernel=11, stride=4, name="known"):
    """Four filters: a slow wave, a fast one, one of zeros, and one whose bias silences it."""
    network = Network(name, [("conv1", Conv(4, kernel, stride=stride, pad=2)), ("relu1", ReLU()),
                             ("pool1", MaxPool(3, 2, rounding="ceil")), ("conv2", Conv(2, 3))],
                      (48, 56, 3), PREPROCESSING)
    nets.trained(network, dtype=np.float32)
    across = np.arange(kernel) - kernel // 2
    w = np.zeros((kernel, kernel, 3, 4))
    for o, frequency in enumerate((SLOW, FAST, 0, SLOW)):
        w[..., o] = np.cos(2 * np.pi * frequency * across)[:, None] / kernel**2  # down each column
    w[..., 2] = 0
    network.params["conv1"] = {"w": w.astype(np.float32),
                               "b": np.array([0.5, 0.5, 0.5, -1e4], np.float32)}
    return network


def grating(frequency, height=48, width=56):
    """A photo of stripes."""
    stripes = 128 + 100 * np.cos(2 * np.pi * frequency * np.arange(height))
    return np.broadcast_to(stripes.round()[:, None, None], (height, width, 3)).astype(np.uint8)


# ---- dead filters

def test_faint_and_silent_filters_are_counted():
    found = first_layer(gratings(), PHOTOS)
    assert found.faint == (2,) and found.silent == (3,) and found.dead == (2, 3)
    np.testing.assert_allclose(found.norms, np.sqrt((found.w**2).sum(axis=(0, 1, 2))))
    assert found.norms[2] == 0 and found.strongest[2] == 0.5  # its bias: alive, but for nothing


def test_what_is_faint_depends_on_the_share():
    network = gratings()
    w = network.params["conv1"]["w"]
    w[..., 2] = w[..., 0] / 20
    mean = first_layer(network, PHOTOS[:1]).norms.mean()
    norm = np.sqrt((w[..., 2].astype(float) ** 2).sum())
    for share, faint in ((0.9 * norm / mean, ()), (1.1 * norm / mean, (2,))):
        assert first_layer(network, PHOTOS[:1], faint=share).faint == faint


def test_most_filters_may_be_faint():
    network = gratings()
    network.params["conv1"]["w"][..., [0, 2, 3]] *= 1e-6
    assert first_layer(network, PHOTOS[:1]).faint == (0, 2, 3)
    network.params["conv1"]["w"][:] = 0
    assert first_layer(network, PHOTOS[:1]).faint == (0, 1, 2, 3)


def test_silent_is_what_the_survey_calls_dead():
    found = first_layer(gratings(), PHOTOS)
    (statistics,) = vis.survey(gratings(), PHOTOS, ["relu1"]).statistics
    assert found.silent == statistics.dead == (3,)


def test_a_filter_that_responds_to_one_photo_only_is_not_silent():
    """Also the last photo counts, and the bias."""
    network = gratings()
    sums = [network.forward(network.prepare(p), to="conv1").output[..., 0].max() for p in PHOTOS]
    order = np.argsort(sums)
    network.params["conv1"]["b"] = np.array(
        [0.5 - (sums[order[1]] + sums[order[2]]) / 2, 1, 1, 1], np.float32)
    weaker, strongest = [PHOTOS[k] for k in order[:2]], PHOTOS[order[2]]
    assert first_layer(network, weaker).silent == (0,)
    assert first_layer(network, [*weaker, strongest]).silent == ()
    assert first_layer(network, [strongest, *weaker]).silent == ()


def test_silence_is_looked_for_after_a_batch_normalisation():
    network = nets.trained(Network("normed", [
        ("conv1", Conv(3, 3)), ("bn1", BatchNorm()), ("relu1", ReLU())], (48, 56, 3),
        PREPROCESSING), dtype=np.float32)
    network.params["bn1"]["beta"] = np.array([0, -1e3, 0], np.float32)
    assert first_layer(network, PHOTOS).silent == (1,)
    plain = network.until("conv1")
    assert first_layer(plain, PHOTOS).silent == () and plain.name == "normed"


# ---- aliasing

def test_a_fast_wave_folds_at_stride_4_and_not_at_stride_2():
    at_4, at_2 = (first_layer(gratings(stride=s), PHOTOS).filter_aliasing for s in (4, 2))
    assert at_4[0] < 0.15 and at_4[1] > 0.85  # 11 samples of a wave have some of all frequencies
    assert at_2[0] < 0.1 and at_2[1] < 0.15
    assert np.isnan(at_4[2])
    np.testing.assert_allclose(at_4[:2], aliasing(gratings().params["conv1"]["w"], (4, 4))[:2])


def test_responses_fold_where_the_photo_has_what_folds():
    """Both filters see the same stripes: they respond with these, whatever they would fold."""
    slow, fast = (first_layer(gratings(), [grating(f)]).response_aliasing for f in (SLOW, FAST))
    assert (slow[[0, 1, 3]] < 0.01).all() and (fast[[0, 1, 3]] > 0.99).all()
    assert np.isnan(slow[2]) and np.isnan(fast[2])


def test_the_shares_of_several_photos_weigh_by_their_power():
    network, photos = gratings(), [grating(FAST), grating(SLOW) // 16 + 120]
    powers = [power(faded(_unsampled(network, "conv1", network.prepare(photo))), (4, 4))
              for photo in photos]
    total, folding = np.sum(powers, axis=0)
    found = first_layer(network, photos).response_aliasing
    # float32, and BLAS may add on two threads here
    np.testing.assert_allclose(found[:2], folding[:2] / total[:2], rtol=1e-6)
    single = [first_layer(network, [photo]).response_aliasing[1] for photo in photos]
    assert single[0] > 0.85 and single[1] < 0.01 and found[1] > 0.8  # the brighter one rules


def test_a_bias_changes_nothing():
    network = gratings()
    before = first_layer(network, PHOTOS).response_aliasing
    network.params["conv1"]["b"] = network.params["conv1"]["b"] + np.float32(7)
    np.testing.assert_array_equal(first_layer(network, PHOTOS).response_aliasing, before)


def test_the_responses_are_the_unsampled_ones_of_the_layer():
    """Stride 1, same padding: every 4th of these is what the layer has."""
    network = gratings().astype(np.float64)
    x = network.prepare(PHOTOS[0]).astype(np.float64)
    network.params["conv1"]["b"] = np.zeros(4)
    dense = _unsampled(network, "conv1", x)
    kept = network.forward(x, to="conv1").output[0]
    np.testing.assert_allclose(dense[::4, ::4], kept, rtol=0, atol=1e-13)  # near 1


# ---- the rest of the figures

def test_the_figures_of_a_layer():
    network = gratings()
    found = first_layer(network, PHOTOS)
    assert (found.network, found.layer, found.stride, found.photos) == ("known", "conv1", (4, 4), 3)
    np.testing.assert_array_equal(found.photo, PHOTOS[0])
    np.testing.assert_array_equal(
        found.responses, network.forward(network.prepare(PHOTOS[0]), to="relu1").output[0])
    np.testing.assert_array_equal(found.pictures, vis.kernels(network, scale="layer").pictures)
    assert found.sees["conv1"].size == (11, 11) and found.sees["conv1"].stride == (4, 4)
    assert found.sees["pool1"].size == (19, 19) and found.sees["pool1"].stride == (8, 8)
    assert list(found.sees) == ["conv1", "pool1", "conv2"]


def test_receptive_fields_are_told_up_to_where_paths_part():
    found = first_layer(small.network(), [small.photo()])
    assert list(found.sees) == ["conv1", "pool1"]
    assert found.sees["pool1"].size == field(small.network(), "pool1").size == (5, 5)


def test_the_table_says_it_in_words():
    table = first_layer(gratings(), PHOTOS).table()
    assert table["network"] == "known conv1"
    assert table["filters"] == "4 of 11x11 pixels at stride 4x4"
    assert table["dead filters"] == "2: 1 faint, 1 silent in 3 photos"
    living = first_layer(gratings(), PHOTOS).filter_aliasing[:2]
    assert table["mean aliasing of the filters"] == f"{living.mean():.1%} of the power"
    assert table["a unit sees"] == ("conv1 11x11 pixels every 4x4, pool1 19x19 pixels every 8x8, "
                                    "conv2 35x35 pixels every 8x8")


def test_a_layer_without_a_living_filter_has_no_mean():
    network = gratings()
    network.params["conv1"]["w"][:] = 0
    table = first_layer(network, PHOTOS[:1]).table()
    assert table["mean aliasing of the filters"] == "no filter is alive"
    assert table["dead filters"] == "4: 4 faint, 1 silent in 1 photo"


def test_two_networks_see_the_same_photos_each_in_its_own_way(tmp_path):
    first, second = gratings(), small.network()
    files = [tmp_path / f"{k}.png" for k in range(2)]
    for file, photo in zip(files, PHOTOS, strict=False):
        images.save(file, photo)
    found = compare(first, second, files, faint=0.9)
    for each, network in ((found.first, first), (found.second, second)):
        alone = first_layer(network, files, faint=0.9)
        np.testing.assert_array_equal(each.response_aliasing, alone.response_aliasing)
        assert each.table() == alone.table() and each.photo.shape == network.input_shape
    assert len(found.second.faint) > len(first_layer(second, files).faint) == 0
    assert found.settings == {"size": None, "faint": 0.9} and found.skipped == []
    assert compare(first, second, files, **found.settings).caption == found.caption
    assert found.caption.splitlines()[0].startswith("network known conv1; filters 4 of 11x11 pix")
    assert found.caption.splitlines()[1].startswith("network small conv1; filters 6 of 3x3 pixels")


def test_another_size_is_both_networks():
    found = compare(gratings(), small.network(), PHOTOS[:1], size=(60, 72))
    assert found.first.photo.shape == found.second.photo.shape == (60, 72, 3)


def test_7x7_at_stride_2_folds_less_than_at_stride_4(shared_data):
    """Zeiler & Fergus' change, on filters that were really learnt."""
    fine = load(shared_data / "weights" / "googlenet_bvlc.h5").until("conv1/relu_7x7")
    coarse = Network("coarse", [("conv1", Conv(64, 7, stride=4, pad=3)), ("relu", ReLU())],
                     fine.input_shape, fine.preprocessing)
    coarse.params["conv1"] = fine.params["conv1/7x7_s2"]
    found = compare(fine, coarse, [shared_data / "photos" / "chelsea.png"])
    for kind in ("filter_aliasing", "response_aliasing"):
        less, more = getattr(found.first, kind), getattr(found.second, kind)
        assert (less < more).all() and more.mean() > 1.5 * less.mean()
    assert found.first.dead == found.second.dead == ()


# ---- what is refused, and what is skipped

def test_a_photo_that_cannot_be_read_is_skipped_and_listed(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    found = compare(gratings(), gratings(name="other"), [PHOTOS[0], broken, PHOTOS[1]])
    assert found.first.photos == found.second.photos == 2
    assert len(found.skipped) == 1 and "broken.png" in found.skipped[0]


@pytest.mark.parametrize("photos, words", [
    ([], "list is empty"), (["no.png"], "no.png: no such file"), ("no.png", "no such file")])
def test_no_photos(photos, words):
    with pytest.raises(ValueError, match=words):
        compare(gratings(), gratings(), photos)


def test_not_one_photo_can_be_read(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 1 photos can .*broken.png.*is empty"):
        compare(gratings(), gratings(), tmp_path)


def test_after_ctrl_c_both_have_seen_the_same_photos(monkeypatch):
    """It comes while the second network looks at the third photo."""
    restore, calls = Network.restore, []

    def interrupted(network, x):
        calls.append(network.name)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return restore(network, x)

    monkeypatch.setattr(Network, "restore", interrupted)
    found = compare(gratings(), gratings(name="other"), PHOTOS)
    assert found.interrupted and found.first.photos == found.second.photos == 2
    np.testing.assert_array_equal(found.first.strongest, found.second.strongest)
    assert not compare(gratings(), gratings(), PHOTOS[:1]).interrupted


def test_after_ctrl_c_at_the_first_photo_there_is_nothing(monkeypatch):
    monkeypatch.setattr(Network, "restore", lambda network, x: (_ for _ in ()).throw(
        KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        compare(gratings(), gratings(), PHOTOS)


def test_a_folder_of_photos(tmp_path):
    for k, photo in enumerate(PHOTOS):
        images.save(tmp_path / f"{k}.png", photo)
    found, listed = (compare(gratings(), gratings(), photos) for photos in (tmp_path, PHOTOS))
    assert found.caption == listed.caption and found.first.photos == 3


def test_a_network_that_does_not_begin_with_a_convolution():
    dense = nets.trained(Network("flat", [("fc", Dense(3))], (48, 56, 3), PREPROCESSING))
    with pytest.raises(ValueError, match=r"network flat begins with fc \(Dense\); only a conv"):
        compare(gratings(), dense, PHOTOS[:1])


def test_a_network_that_begins_with_several_paths():
    block = Network("block", nets.joined("mix", "image",
                                         [("mix/1x1", Conv(2, 1)), ("mix/relu", ReLU())],
                                         [("mix/3x3", Conv(3, 3, pad=1))]),
                    (48, 56, 3), PREPROCESSING)
    found = first_layer(nets.trained(block, dtype=np.float32), PHOTOS[:1])
    assert found.layer == "mix/1x1" and found.sees == {}


def test_a_relu_of_another_path_is_not_the_filters_own():
    block = Network("block", nets.joined("mix", "image", [("conv", Conv(2, 1))],
                                         [("relu", ReLU())], [("bn", BatchNorm())]),
                    (48, 56, 3), PREPROCESSING)
    network = nets.trained(block, dtype=np.float32)
    found = first_layer(network, PHOTOS[:1])
    np.testing.assert_array_equal(
        found.responses, network.forward(network.prepare(PHOTOS[0]), to="conv").output[0])


@pytest.mark.parametrize("faint", [-0.1, 1.5, "0.1"])
def test_a_share_that_is_none(faint):
    with pytest.raises(ValueError, match="compare: faint must be a number of at least 0 and"):
        compare(gratings(), gratings(), PHOTOS[:1], faint=faint)


def test_a_network_compared_with_itself_is_run_once(monkeypatch):
    network, restore, calls = gratings(), Network.restore, []
    monkeypatch.setattr(Network, "restore", lambda self, x: (calls.append(1), restore(self, x))[1])
    found = compare(network, network, PHOTOS)
    assert found.first is found.second and len(calls) == len(PHOTOS)
    assert found.caption.splitlines()[0] == found.caption.splitlines()[1]


def test_weights_must_be_there():
    with pytest.raises(ValueError, match="network empty: layer conv1 has no weights"):
        compare(gratings(), Network("empty", [("conv1", Conv(2, 3))], (48, 56, 3), PREPROCESSING),
                PHOTOS[:1])

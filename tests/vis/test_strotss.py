"""STROTSS: the hypercolumns, the energy, the schedule, and that it paints."""

import killed
import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import models, vis
from minicnn.ascent.objectives import transport
from minicnn.vis import regions, strotss
from minicnn.vis.coarse_to_fine import Border
from minicnn.vis.options import OptionsError
from minicnn.vis.strotss import Hypercolumns, count_of_sizes, default_layers, draw, energy, inside

NETWORK, PHOTO, PAINTING = small.network(), small.photo(24, 36), small.photo(40, 30, seed=4)
LAYERS = ["relu1", "mix"]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Distances of all pairs of 1024 pixels would take most of the time."""
    monkeypatch.setattr(strotss, "SAMPLES", 100)


def quick(styles=PAINTING, steps=2, size=36, **more):
    more = {"style_layers": LAYERS, "method": "strotss"} | more
    return vis.style(NETWORK, PHOTO, styles, steps=steps, size=size, **more)


# ---- hypercolumns

def columns(network=NETWORK, mode="reflect", x=None, caches=False):
    border = Border(network, LAYERS, mode)
    x = network.prepare(PHOTO, "keep") if x is None else x
    return Hypercolumns(network, LAYERS, border.around(), x, border.width, caches)


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_a_hypercolumn_is_the_colour_and_the_maps_above_a_pixel(mode):
    here = columns(mode=mode)
    pixels = np.array([[0, 0], [5, 7], [23, 35]])
    x, _ = here.at(pixels, {"relu1": 2.0, "mix": 1.0})
    np.testing.assert_allclose(x[:, :3], PHOTO[tuple(pixels.T)] / 255, atol=1e-6)  # float32
    border = Border(NETWORK, LAYERS, mode)
    seen = border.seen(NETWORK, NETWORK.prepare(PHOTO, "keep"))
    np.testing.assert_allclose(x[:, 3:9], seen["relu1"][0][tuple(pixels.T)] / 2, rtol=1e-5)
    if mode == "reflect":  # of 2 x 2 pixels: pixel 5, 7 lies a quarter from 2, 3 each way
        a = seen["mix"][0]
        rows = 0.75 * a[2] + 0.25 * a[3]
        np.testing.assert_allclose(x[1, 9:], 0.75 * rows[3] + 0.25 * rows[4], rtol=1e-4)


def test_the_way_back_is_the_gradient_through_border_network_and_samples():
    network = small.network(dtype=np.float64)
    x, way = nets.images(1, (12, 16, 3), seed=1), nets.images(1, (12, 16, 3), seed=2)
    pixels, scales = np.array([[0, 0], [3, 15], [11, 8], [3, 15]]), {"relu1": 0.7, "mix": 3.0}
    y, back = columns(network, x=x, caches=True).at(pixels, scales)
    dy = nets.like(y)
    ends = [columns(network, x=x + s * way).at(pixels, scales)[0] for s in (1e-6, -1e-6)]
    slope = ((ends[0] - ends[1]) * dy).sum() / 2e-6
    assert slope == pytest.approx((back(dy) * way).sum(), rel=1e-6)


def test_a_network_of_one_channel_is_refused():
    grey = minicnn.network.Network("grey", [("relu1", minicnn.network.layers.ReLU())], (8, 8, 1),
                                   minicnn.images.Preprocessing((8, 8), "L"))
    with pytest.raises(ValueError, match="grey sees one channel, not the three colours"):
        Hypercolumns(grey, ["relu1"], [], np.zeros((1, 8, 8, 1), np.float32))


# ---- the energy

def test_the_energy_is_the_paper_s_sum():
    x, photo, painting = (abs(nets.images(1, (7, 1, 6), seed=s)[0, :, 0]) for s in (1, 2, 3))
    goal = transport.mean_and_covariance(painting)
    for alpha, colours in ((4.0, 0.25), (0.5, 1.0)):
        value = energy(photo, painting, *goal, alpha).evaluate({"hypercolumns": x})
        parts = [alpha * transport.self_similarity(x, transport.distance_shares(photo))[0],
                 transport.relaxed_emd(x, painting, transport.cosine)[0],
                 transport.moments(x, *goal)[0],
                 colours * transport.palette(x[:, :3], painting[:, :3])[0]]
        whole = 2 + alpha + colours
        assert list(value.by_term) == ["content", "transport", "moments", "palette"]
        np.testing.assert_allclose([v[0] for v in value.by_term.values()],
                                   np.array(parts) / whole, rtol=1e-12)
        step, way = 1e-6, nets.images(1, (7, 1, 6), seed=4)[0, :, 0]
        ends = [energy(photo, painting, *goal, alpha).evaluate({"hypercolumns": x + s * way}).total
                for s in (step, -step)]
        slope = (value.gradients["hypercolumns"] * way).sum()
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-6)


# ---- what is drawn

def test_pixels_of_a_region_each_at_most_once():
    mask = np.zeros((40, 60))
    mask[:, 30:] = 1
    pixels = inside(mask, (20, 30))
    assert len(pixels) == 300 and pixels[:, 1].min() == 15
    drawn = draw(pixels, np.random.default_rng(0))
    assert len(np.unique(drawn, axis=0)) == len(drawn) == 100
    assert len(draw(pixels[:30], np.random.default_rng(0))) == 30
    assert len(inside(None, (40, 60))) == 2400
    speck = np.zeros((40, 60))
    speck[7, 9] = 1
    assert inside(speck, (20, 30)).tolist() == [[3, 4]]  # covers a quarter, more than any other


# ---- the schedule

@pytest.mark.parametrize("network, layers", [
    (models.vgg16(), ["relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3",
                      "relu4_3", "relu5_3"]), (NETWORK, ["relu1", "relu2"])],
    ids=lambda v: getattr(v, "name", ""))
def test_default_layers(network, layers):
    assert default_layers(network) == layers


def test_sizes_begin_at_64_pixels():
    assert [count_of_sizes((side, 10)) for side in (20, 64, 127, 128, 256, 512)] == [
        1, 1, 1, 2, 3, 4]


def test_the_first_start_is_the_photo_s_detail_on_the_painting_s_colour():
    plain = np.full((8, 8, 3), (10, 200, 30), np.uint8)
    scene = regions.Scene(PHOTO, [plain], [regions.Region(None, 0, None)], [1.0])
    x = strotss.start(NETWORK, scene, (24, 36))
    colour = NETWORK.restore(x)[0].mean(axis=(0, 1))
    np.testing.assert_allclose(colour, (10, 200, 30), atol=2)  # detail has hardly a mean
    assert 0 < x.std(axis=(1, 2)).max() < NETWORK.prepare(PHOTO, "keep").std(axis=(1, 2)).max()


def test_alpha_is_halved_and_so_is_the_last_rate(monkeypatch):
    alphas, rates = [], []
    plain = strotss.RMSprop

    def rmsprop(rate, **more):
        rates.append(255 * rate)
        return plain(rate, **more)
    monkeypatch.setattr(strotss, "RMSprop", rmsprop)
    looking = strotss.looking
    monkeypatch.setattr(strotss, "looking", lambda *given: (alphas.append(given[-1]),
                                                            looking(*given))[1])
    monkeypatch.setattr("minicnn.vis.coarse_to_fine.SMALLEST", 8)
    quick(steps=1, size=48, sizes=3, content_weight=0.5, rate=2.0)
    assert alphas == [8, 4, 2] and rates == pytest.approx([2, 2, 1])


# ---- the picture

def test_it_steps_towards_the_style_and_keeps_a_trace_of_its_terms():
    record = quick(steps=12, rate=6.0)
    assert record.image.shape == (24, 36, 3) and record.trace.shape == (13, 1)
    assert list(record.by_term) == ["content", "transport", "moments", "palette"]
    np.testing.assert_allclose(sum(record.by_term.values()), record.trace, rtol=1e-5)
    assert record.trace[-1, 0] > 0.8 * record.trace[0, 0]  # minus E
    assert "style by transport: E " in record.caption


def test_same_seed_same_bytes():
    first, again, other = (quick(seed=seed).x.tobytes() for seed in (0, 0, 1))
    assert first == again != other


def test_regions_and_several_paintings():
    mask = np.zeros(PHOTO.shape[:2], np.uint8)
    mask[:, 18:] = 255
    black, white = (np.full((20, 20, 3), level, np.uint8) for level in (30, 220))
    record = quick([black, white], steps=30, rate=6.0, mask=mask, content_weight=0.0)
    left, right = record.image[:, :14].mean(), record.image[:, 22:].mean()
    assert right > left + 40  # each half has its own painting's brightness


def test_killed_work_goes_on(tmp_path, monkeypatch):
    killed.goes_on(quick, tmp_path, monkeypatch)


def test_what_is_refused():
    with pytest.raises(OptionsError, match="tv_weight, statistic: only method gatys has it"):
        quick(tv_weight=1.0, statistic="wasserstein")
    with pytest.raises(OptionsError, match="style: tile: only method gatys has it; leave it out"):
        quick(tile=16)
    with pytest.raises(OptionsError, match="one set of layers, without weights; name them in"):
        quick(content_layers=["mix"])
    with pytest.raises(OptionsError, match="one set of layers, without weights"):
        quick(style_layers={"relu1": 1, "mix": 2})
    silent = small.network()
    silent.params["conv2"]["b"][:] = -1e3
    with pytest.raises(ValueError, match="relu2 is silent for the paintings; leave it out"):
        vis.style(silent, PHOTO, PAINTING, method="strotss", style_layers=["relu2"], steps=1)

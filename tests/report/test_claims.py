"""The claims: each is measured on something of which the answer is known."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

import minicnn
from minicnn import images
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.report import claims, drawn, recorded, stops
from minicnn.report.claims import NO, NONE, PART, YES

RNG = np.random.default_rng(0)
STRIPES = np.repeat(np.where(np.arange(32) % 4 < 2, 0, 255).astype(np.uint8)[None], 32, axis=0)
STRIPES = np.repeat(STRIPES[..., None], 3, axis=2)
NOISE = RNG.integers(0, 256, (32, 32, 3), np.uint8)


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda one: one.measure.__name__)
def test_it_says_what_is_said_and_takes_what_a_tour_has(claim):
    said = inspect.getdoc(claim.measure)
    assert said.endswith(".") and "seed doc" not in said + claim.source
    known = {"net", "photo", "seed", "outline", *(one.make.__name__ for one in stops.STOPS)}
    assert set(inspect.signature(claim.measure).parameters) <= known


@pytest.mark.parametrize("measure", [
    claims.parameter_totals, claims.separable_convolution, claims.pelican,
    claims.features_change_places, claims.less_aliasing])
def test_figures_that_came_out(measure):
    assert measure().verdict == YES


def test_what_did_not_come_out_is_said():
    assert claims.fewer_dead_filters().verdict == NO
    assert "0 of 48" in claims.fewer_dead_filters().words
    assert claims.first_layers_settle_first().verdict == PART
    assert claims.order_of_the_ways().verdict == PART
    assert claims.order_of_the_ways().words.count("within chance") == 3


@pytest.mark.parametrize(("measure", "name", "changed", "verdict"), [
    (claims.pelican, "CLASSES", {"pelican": {"own": 0.9, "other": 0.9}}, NO),
    (claims.first_layers_settle_first, "SETTLED", {5: (0.96, 0.6, 0.5, 0.4, 0.3)}, YES),
    (claims.first_layers_settle_first, "SETTLED", {5: (0.3, 0.4, 0.5, 0.6, 0.8)}, NO),
    (claims.features_change_places, "JUMPS", {40: 0.0}, NO),
    (claims.fewer_dead_filters, "FIRST_LAYER", {(11, 4): {"filters": 48, "dead": 3}}, YES),
    (claims.less_aliasing, "FIRST_LAYER", {
        (11, 4): {"filter_aliasing": 0.1, "response_aliasing": 0.2}}, PART)])
def test_verdicts_follow_the_record(measure, name, changed, verdict, monkeypatch):
    monkeypatch.setattr(recorded, name, getattr(recorded, name) | changed)
    assert measure().verdict == verdict


@pytest.mark.parametrize("seed", range(3))
def test_the_deconvnet_s_parts(seed):
    assert claims.gradient_is_transposed(seed).verdict == YES
    assert claims.unpooled_to_its_place(seed).verdict == YES


def test_waves():
    """A square wave of period 4 is one wave; a random picture has nearly all of them."""
    assert claims.waves(STRIPES) == 1 and claims.waves(np.full((8, 8, 3), 7, np.uint8)) == 0
    assert 300 < claims.waves(NOISE) < 512


@pytest.mark.parametrize(("layers", "verdict"), [
    ((STRIPES, NOISE), YES), ((STRIPES, NOISE, STRIPES[::2], NOISE), PART), ((NOISE, STRIPES), NO)])
def test_richer_with_depth(layers, verdict):
    rows = [SimpleNamespace(layer=str(k), pictures=[one]) for k, one in enumerate(layers)]
    assert claims.richer_with_depth(SimpleNamespace(layers=rows)).verdict == verdict


def test_two_means_tell_what_is_inside():
    inside = np.zeros((4, 4), bool)
    inside[:, 2:] = True
    columns = np.where(inside, 5.0, 1.0)[..., None]
    assert claims.told_apart(columns, inside).all()
    columns[0, 0] = 4  # nearer to those inside
    assert claims.told_apart(columns, inside).sum() == 15


def test_near_an_edge():
    """A square of 20 in 40 pixels: two on each side of each of its lines."""
    inside = np.zeros((40, 40), bool)
    inside[10:30, 10:30] = True
    near = claims._near_edge(inside)
    assert near[8:12, 20].all() and near[20, 28:32].all() and near.sum() == 4 * 20 * 4 - 4 * 4
    assert not near[7, 20] and not near[12, 20] and not near[20, 20]


def test_the_outline_is_cut_like_the_photo():
    """GoogLeNet and others see the middle of a photo; what is cut off there is in neither."""
    net = minicnn.load("minivgg")
    inside = claims.seen(net, drawn.outline())
    assert inside.shape == net.input_shape[:2] and 0.24 < inside.mean() < 0.27
    wide = np.concatenate([drawn.outline()] * 3, axis=1)
    np.testing.assert_allclose(claims.seen(net, wide), inside, atol=0.1)


def blank_after(share):
    """Two layers; in the second one `share` of four channels cannot be above zero."""
    net = Network("two", [("c1", Conv(4, 1)), ("r1", ReLU()), ("c2", Conv(4, 1)), ("r2", ReLU()),
                          ("pool", MaxPool(2)), ("fc", Dense(2)), ("prob", Softmax())], (8, 8, 3),
                  minicnn.load("minivgg").preprocessing).initialize(0)
    for arrays in net.params.values():
        arrays["w"] = np.abs(arrays["w"])
        arrays["b"] = arrays["b"] + 5
    net.params["c2"]["b"][: round(4 * share)] = -1e9
    return net


@pytest.mark.parametrize(("share", "verdict"), [(0.5, YES), (0, NO)])
def test_blank_with_depth(share, verdict):
    answer = claims.blank_with_depth(blank_after(share), NOISE)
    assert answer.verdict == verdict and f"r2 {share:.1%}" in answer.words


def record(trace, **more):
    return SimpleNamespace(trace=np.array(trace, float), **more)


def proportional():
    """A network whose numbers are proportional to the pixels."""
    net = Network("one", [("c1", Conv(2, 1, bias=False)), ("r1", ReLU())], (32, 32, 3),
                  images.Preprocessing((32, 32))).initialize(0)
    net.params["c1"]["w"] = np.abs(net.params["c1"]["w"])
    return net


@pytest.mark.parametrize(("gain", "verdict"), [(2, YES), (1.1, NO)])
def test_fed_back(gain, verdict):
    """At one size: twice the numbers have four times the energy."""
    net, grey = proportional(), np.full((32, 32, 3), 50, np.uint8)
    dream = np.rint(gain * grey).astype(np.uint8)
    found = SimpleNamespace(settings={"layers": {"r1": 1.0}}, image=dream)
    answer = claims.fed_back(net, grey, found)
    assert answer.verdict == verdict and f"{gain**2:.1f} times" in answer.words


@pytest.mark.parametrize(("same", "verdict"), [(True, NO), (False, PART)])
def test_new_impressions(same, verdict):
    """A zoom into one picture gives none; pictures that have nothing to do with it do."""
    frames = np.stack([NOISE] * 3 if same else RNG.integers(0, 256, (3, 32, 32, 3), np.uint8))
    found = record([5, 6, 6], frames=frames, settings={"scale": 1e-9, "turn": 0.0})
    answer = claims.new_impressions(found)
    assert answer.verdict == verdict and (not same or "1.00 in frame 3" in answer.words)


def test_what_needs_several_layers_or_classes_says_so():
    one = SimpleNamespace(layers=[SimpleNamespace(layer="a", pictures=[np.zeros((4, 4, 3))])])
    with pytest.raises(ValueError, match="at least two layers"):
        claims.richer_with_depth(one)
    single = SimpleNamespace(shapes={"fc": (1,)}, logits="fc")
    with pytest.raises(ValueError, match="one score"):
        claims.sure_of_its_picture(single, [])
    found = SimpleNamespace(settings={"layers": {"r1": 1.0}}, image=STRIPES)
    with pytest.raises(ValueError, match="r1 does not see anything"):
        claims.fed_back(proportional(), np.zeros_like(STRIPES), found)


@pytest.mark.parametrize(("decibels", "verdict"), [((30, 26), YES), ((30, 20), PART), ((9,), NO)])
def test_photographic_layers(decibels, verdict):
    found = [SimpleNamespace(settings={"layers": "a"}, psnr=one) for one in decibels]
    assert claims.photographic_layers(found).verdict == verdict


@pytest.mark.thorough
@pytest.mark.parametrize(("measure", "verdict"), [
    (claims.equal_increments, PART), (claims.arm_of_the_dumbbell, NONE),
    (claims.precise_and_coarse, PART), (claims.blank_with_depth, YES)])
def test_on_the_shipped_networks(measure, verdict):
    given = {"net": minicnn.load("minivgg"), "photo": drawn.ladybird(), "seed": 0,
             "outline": drawn.outline()}
    answer = measure(**{name: given[name] for name in inspect.signature(measure).parameters})
    assert answer.verdict == verdict
    assert all(one.std() > 5 for one in answer.pictures.values())


@pytest.mark.thorough
def test_grad_cam_beside_the_beetle():
    """Of minivgg, whose dense layer reads each place on its own, less than the beetle's share."""
    net = minicnn.load("minivgg")
    _, found = stops.evidence(net, drawn.ladybird(), 0)
    answer = claims.mass_on_the_thing(net, drawn.ladybird(), drawn.outline(), found)
    assert answer.verdict in (PART, NO) and "minivgg: 21%" in answer.words
    assert "dense layer reads each place" in answer.words


@pytest.mark.thorough
def test_ctrl_c_in_a_method_ends_the_claim(monkeypatch):
    monkeypatch.setattr(claims.vis, "deepdream_image", lambda *_, **__: record(
        [], interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        claims.equal_increments(0)

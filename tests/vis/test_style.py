"""Style transfer: content and style are both there, and every option does what it says."""

import killed
import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, models, vis
from minicnn.ascent.objectives import gram_matrix
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Dense
from minicnn.vis.colours import YIQ
from minicnn.vis.style import default_layers

NETWORK, PHOTO = small.network(), small.photo(24, 36)
PAINTING, OTHER = small.photo(40, 30, seed=4), small.photo(20, 20, seed=7)


def quick(styles=PAINTING, steps=2, size=36, **more):
    more = {"content_layers": ["mix"], "style_layers": ["relu1", "pool1"]} | more
    return vis.style(NETWORK, more.pop("image", PHOTO), styles, steps=steps, size=size, **more)


def stripes(height=64, width=64):
    phase = np.add.outer(np.arange(height), 2 * np.arange(width)) / 4
    return np.where((np.sin(phase) > 0)[..., None], (200, 120, 40), (30, 60, 160)).astype(np.uint8)


# ---- what it is for

def test_both_content_and_style_are_nearer_than_the_painting_and_the_photo_have_them():
    network, photo = minicnn.load("minivgg"), small.photo(64, 64)
    record = vis.style(network, photo, stripes(), size=64, steps=15, sizes=1, padding="zeros",
                       style_weight=10.0)
    (content,), styles = default_layers(network)
    averaging = network.with_average_pooling()

    def seen(picture):
        run = averaging.forward(network.prepare(picture, "keep"), to=[content, *styles])
        return run[content], gram_matrix(run[styles[1]])
    (of_photo, plain), (of_painting, striped), (made, texture) = map(
        seen, (photo, stripes(), record.image))
    assert np.linalg.norm(texture - striped) < 0.3 * np.linalg.norm(plain - striped)
    assert np.linalg.norm(made - of_photo) < 0.8 * np.linalg.norm(of_painting - of_photo)


def test_the_terms_are_what_they_are_called_and_add_up_to_the_trace():
    record = quick(steps=3, tv_weight=0.5)
    assert list(record.by_term) == ["mix distance", "relu1 gram", "pool1 gram", "total variation"]
    np.testing.assert_allclose(sum(record.by_term.values()), record.trace, rtol=1e-5)  # float32
    assert record.trace.shape == (4, 1) and (np.diff(record.trace[:, 0]) > 0).all()


def test_the_content_s_loss_starts_at_zero_from_the_photo_and_weights_scale_it():
    assert quick(steps=1).by_term["mix distance"][0] == 0
    ends = [quick(steps=1, start="noise", content_weight=w).by_term["mix distance"][0, 0]
            for w in (1.0, 3.0)]
    assert ends[1] == pytest.approx(3 * ends[0], rel=1e-5)  # float32


def test_the_style_s_loss_of_the_painting_itself_is_zero():
    record = quick(PHOTO, steps=1)
    assert record.trace[0, 0] > -0.2  # only the total variation of the photo
    assert record.by_term["relu1 gram"][0, 0] == pytest.approx(0, abs=1e-8)


def test_weights_of_layers_are_shares():
    halves = quick(steps=1, style_layers={"relu1": 1, "pool1": 3}, start="noise")
    both = quick(steps=1, start="noise")
    for name, factor in (("relu1 gram", 0.5), ("pool1 gram", 1.5)):  # 1/4 and 3/4 for 1/2 and 1/2
        np.testing.assert_allclose(halves.by_term[name][0], factor * both.by_term[name][0],
                                   rtol=1e-5)
    assert halves.settings["style_layers"] == {"relu1": 0.25, "pool1": 0.75}


def test_several_styles_weigh_as_told():
    each = [quick(one, steps=1).by_term["relu1 gram"][0, 0] for one in (PAINTING, OTHER)]
    both = quick([PAINTING, OTHER], steps=1, blend=(1, 4)).by_term["relu1 gram"][0, 0]
    assert both == pytest.approx(0.2 * each[0] + 0.8 * each[1], rel=1e-4)
    alike = quick([PAINTING, OTHER], steps=1).by_term["relu1 gram"][0, 0]
    assert alike == pytest.approx(sum(each) / 2, rel=1e-4)


# ---- the picture

@pytest.mark.parametrize("size, shape", [(36, (24, 36)), ("keep", (24, 36)), (50, (33, 50)),
                                         (None, (13, 20))])
def test_the_longer_side_has_the_size(size, shape):
    assert quick(steps=1, size=size).image.shape == (*shape, 3)


def test_several_sizes_and_the_frames_are_of_the_last():
    shapes = []
    record = quick(size=100, sizes=2, steps=2, watch=lambda step: shapes.append(step.image.shape))
    assert record.image.shape == (67, 100, 3) and len(record.trace) == 5
    assert set(shapes) == {(1, 67, 100, 3)}


@pytest.mark.parametrize("start", ["content", "noise", "style"])
def test_where_it_starts(start):
    first = []
    quick(steps=1, start=start, watch=lambda step: first.append(step.image))
    photo = NETWORK.prepare(PHOTO, "keep")
    assert (np.abs(first[0] - photo).max() < 1e-6) == (start == "content")
    if start == "noise":
        assert np.abs(first[0]).mean() < 0.25  # around the mean colour; a grey level is 1/50


def test_luminance_keeps_the_photo_s_colours():
    free, kept = (quick(steps=4, colours=colours).image.astype(float) @ YIQ.T
                  for colours in ("style", "luminance"))
    photo = PHOTO.astype(float) @ YIQ.T
    away = [np.abs(made - photo)[..., 1:].mean() for made in (free, kept)]
    assert away[1] < 2 < away[0]
    assert np.abs(kept - free)[..., 0].mean() < 4  # the brightness is that of the style


def test_match_gives_the_painting_the_photo_s_colours_first():
    plain, matched = (quick(steps=1, colours=colours).by_term["relu1 gram"][0, 0]
                      for colours in ("style", "match"))
    assert matched > plain  # losses are negative: the photo is nearer to a painting of its colours


def test_style_scale_shrinks_the_painting():
    values = [quick(steps=1, style_scale=scale).by_term["pool1 gram"][0, 0] for scale in (1, 0.5)]
    assert values[0] != values[1]


def test_same_seed_same_bytes():
    first, again, other = (quick(start="noise", seed=s).x.tobytes() for s in (0, 0, 1))
    assert first == again != other


# ---- masks

def halves(photo):
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[:, photo.shape[1] // 2 :] = 255
    return mask


def test_one_region_of_all_is_as_without_masks():
    ones = [np.full(each.shape[:2], 7, np.uint8) for each in (PHOTO, PAINTING)]
    masked = quick(mask=ones[0], style_mask=ones[1])
    np.testing.assert_array_equal(masked.x, quick().x)


def test_a_region_follows_its_own_style_only():
    """What a guided Gram matrix does not see has no style, and so no gradient but the content's,
    which is 0 at the start."""
    mask = 255 - halves(PHOTO)
    record = quick(mask=[mask], style_mask=[halves(PAINTING)[:, ::-1]], steps=1, tv_weight=0.0,
                   style_layers=["relu1"], padding="zeros")  # each grey level is a region
    assert list(record.by_term)[:2] == ["mix distance", "relu1 gram"]
    soft = quick([PAINTING, OTHER], mask=[mask, mask], steps=1, tv_weight=0.0, blend=(1, 0),
                 style_layers=["relu1"], padding="zeros")
    moved = np.abs(soft.x - NETWORK.prepare(PHOTO, "keep")).max(axis=(0, 1, 3))
    assert (moved[:18] > 0).all() and moved[19:].max() < 1e-6  # relu1 sees one pixel beyond


def test_each_region_has_its_guided_gram_matrix():
    record = quick([PAINTING, OTHER], mask=halves(PHOTO), steps=1, start="noise", blend=(1, 3),
                   style_layers=["relu1"], padding="zeros", tv_weight=0.0)
    network, x = NETWORK.with_average_pooling(), []
    quick(steps=1, start="noise", watch=lambda step: x.append(step.image))
    f = network.forward(x[0], to="relu1").output
    total = 0.0
    for share, painting, part in ((0.25, PAINTING, f[:, :, :18]), (0.75, OTHER, f[:, :, 18:])):
        h, w = painting.shape[:2]
        size = (round(h * 36 / max(h, w)), round(w * 36 / max(h, w)))
        goal = gram_matrix(network.forward(network.prepare(
            images.resize(painting, size), "keep"), to="relu1").output)
        total += share * ((gram_matrix(part) - goal) ** 2).sum() / (goal**2).sum()
    assert -record.by_term["relu1 gram"][0, 0] == pytest.approx(40 * total, rel=1e-4)


def test_masks_that_do_not_fit_are_refused_before_any_work():
    with pytest.raises(ValueError, match="mask has 2 regions, but there is 1 painting"):
        quick(mask=halves(PHOTO))
    with pytest.raises(ValueError, match="mask goes with statistic gram.*not with covariance"):
        quick([PAINTING, OTHER], mask=halves(PHOTO), statistic="covariance")


# ---- Ctrl-C, kill, replay

def test_ctrl_c_leaves_the_image_so_far():
    def watch(step):
        if step.index == 2:
            raise KeyboardInterrupt
    record = quick(steps=9, watch=watch)
    assert record.interrupted and len(record.trace) == 3
    np.testing.assert_array_equal(record.image, quick(steps=2).image)


def test_killed_work_goes_on(tmp_path, monkeypatch):
    killed.goes_on(quick, tmp_path, monkeypatch)


def test_other_settings_do_not_go_on_from_there(tmp_path):
    (tmp_path / "minicnn-unfinished-0123456789abcdef").mkdir()
    record = quick(steps=2, folder=tmp_path)
    assert len(record.trace) == 3


# ---- layers

@pytest.mark.parametrize("network, content, styles", [
    (models.vgg19(), "relu4_2", ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]),
    (models.minivgg(), "relu4_2", ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]),
    (models.vgg19().until("relu4_1"), "relu4_1", ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]),
    (NETWORK, "relu2", ["relu1", "relu2"])], ids=lambda v: getattr(v, "name", ""))
def test_default_layers(network, content, styles):
    assert default_layers(network) == ([content], styles)


# ---- what is refused

def test_what_is_refused():
    with pytest.raises(ValueError, match="style: no painting was given"):
        quick(None)
    with pytest.raises(ValueError, match="style: no painting was given"):
        quick([])
    with pytest.raises(ValueError, match="blend must be 2 weights of at least 0, not all 0, got"):
        quick([PAINTING, OTHER], blend=(1, 2, 3))
    for method in ("gatys", "strotss"):  # the function is named, not its option `method`
        with pytest.raises(ValueError, match="^style: rate must be a number above 0, got -1"):
            quick(method=method, rate=-1)
    with pytest.raises(LayerNameError, match="no layer 'rellu1'"):
        quick(style_layers=["rellu1"])
    with pytest.raises(ValueError, match="fc: no feature maps there"):
        quick(content_layers=["fc"])
    flat = nets.trained(Network("flat", [("fc", Dense(3))], (16, 20, 3), NETWORK.preprocessing),
                        dtype=np.float32)
    with pytest.raises(ValueError, match="flat has no rectified feature maps"):
        vis.style(flat, PHOTO, PAINTING)


@pytest.mark.parametrize("styles, options", [
    (PAINTING, {}), (PAINTING, {"padding": "zeros"}),
    ([PAINTING, OTHER], {"mask": halves(PHOTO)})], ids=["reflect", "zeros", "mask"])
def test_in_tiles_it_is_the_same_picture(styles, options):
    """But for rounding, which two steps of the search enlarge."""
    whole, tiled = (quick(styles, size=48, sizes=1, tile=tile, **options) for tile in (None, 20))
    np.testing.assert_allclose(tiled.trace, whole.trace, rtol=1e-3)
    assert abs(tiled.image.astype(int) - whole.image).max() <= 1

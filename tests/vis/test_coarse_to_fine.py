"""Several sizes: the ladder, the border, steps that go on, and what is kept."""

import numpy as np
import pytest
import small

from minicnn.ascent import loop, objectives
from minicnn.files.unfinished import Unfinished
from minicnn.vis.coarse_to_fine import (
    Border,
    SynthesisOptions,
    follow,
    ladder,
    noise,
    search,
    steps,
    told,
)

NETWORK = small.network().with_average_pooling()
SIZES = [(20, 24), (40, 48)]
LAYERS = ["relu1", "pool1"]


def energy(k):
    return objectives.energy("relu1") * 1e-3


def run(options=None, kept=None, sizes=SIZES, objective=energy):
    options = options or SynthesisOptions(steps=3, padding="zeros")
    ascent = search(NETWORK, sizes, objective, Border(NETWORK, LAYERS, options.padding), options)
    return steps(NETWORK, sizes, ascent, noise(NETWORK, (20, 24), 0), options, kept)


def test_ladder_halves_down_to_32_pixels():
    assert ladder((128, 96), 1) == [(128, 96)]
    assert ladder((128, 96), 2) == [(64, 48), (128, 96)]
    assert ladder((128, 96), 5) == [(64, 48), (128, 96)]  # 24 rows would be too few
    assert ladder((20, 10), 3) == [(20, 10)]


def test_noise_is_around_the_mean_colour():
    x = noise(NETWORK, (50, 60), 1)
    assert x.shape == (1, 50, 60, 3) and x.dtype == np.float32
    assert abs(x.std() / (10 / 50) - 1) < 0.05  # a grey level is 1/50 of this network's numbers


def test_each_size_starts_from_the_one_before_and_numbers_go_on():
    taken = list(run())
    assert [step.index for step in taken] == list(range(7))
    assert [step.image.shape[1:3] for step in taken] == [(20, 24)] * 4 + [(40, 48)] * 3
    values = [float(step.value[0]) for step in taken]
    assert (np.diff(values[:4]) > 0).all() and (np.diff(values[4:]) > 0).all()


def test_follow_gives_the_last_image_and_enlarges_what_is_watched():
    shapes = []
    end = follow(run(), 6, (40, 48), False, "", lambda step: shapes.append(step.image.shape))
    assert end.image.shape == (1, 40, 48, 3) and set(shapes) == {(1, 40, 48, 3)}
    assert len(end.trace) == 7


# ---- the border

def test_the_border_is_a_multiple_of_every_layer_s_stride_and_left_out():
    border = Border(NETWORK, LAYERS, "circular")
    assert border.width == 16 and border.margins == {"relu1": 16, "pool1": 8}
    seen = border.seen(NETWORK, noise(NETWORK, (20, 24), 0))
    assert {name: a.shape[1:3] for name, a in seen.items()} == {"relu1": (20, 24),
                                                                "pool1": (10, 12)}


def test_without_a_border_it_is_the_network_s_own_padding():
    border, x = Border(NETWORK, LAYERS, "zeros"), noise(NETWORK, (20, 24), 0)
    assert border.width == 0
    expected = NETWORK.forward(x, to="pool1").output
    np.testing.assert_array_equal(border.seen(NETWORK, x)["pool1"], expected)


def test_a_flat_image_looks_the_same_everywhere_with_a_border_but_not_with_zeros():
    """Of mirrored grey every unit sees grey: no unit is brighter at the border than inside."""
    grey = np.ones((1, 20, 24, 3), np.float32)
    spread = {mode: np.ptp(Border(NETWORK, LAYERS, mode).seen(NETWORK, grey)["relu1"],
                           axis=(1, 2)).max() for mode in ("zeros", "reflect")}
    assert spread["reflect"] < 1e-5 < 0.1 < spread["zeros"]


def test_a_tile_enlarged_and_rolled_is_the_tile_rolled_and_enlarged():
    tile, plain = (Border(NETWORK, LAYERS, mode) for mode in ("circular", "reflect"))
    x = noise(NETWORK, (8, 10), 0)
    rolled = np.roll(x, (2, 3), (1, 2))
    for border, same in ((tile, True), (plain, False)):
        large = [border.resized(each, (16, 20)) for each in (x, rolled)]
        assert np.allclose(np.roll(large[0], (4, 6), (1, 2)), large[1], atol=1e-6) == same
        assert large[0].shape == (1, 16, 20, 3)


@pytest.mark.parametrize("mode", ["reflect", "circular"])
def test_the_gradient_through_a_border_is_that_of_the_value(mode):
    network = small.network(dtype=np.float64).with_average_pooling()
    border, rng = Border(network, LAYERS, mode), np.random.default_rng(0)
    x, way = rng.normal(size=(2, 1, 16, 20, 3))
    goal = objectives.energy("pool1")

    def value(x, backward=False):
        seen, gradient = border.look(network, goal, x, (), None, backward, False)
        return gradient if backward else seen.total[0]
    slope = (value(x + 1e-5 * way) - value(x - 1e-5 * way)) / 2e-5
    assert slope == pytest.approx((value(x, True) * way).sum(), rel=1e-6)


# ---- what is kept

def test_killed_work_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("minicnn.vis.coarse_to_fine.EVERY", 2)
    options = SynthesisOptions(steps=5, padding="zeros", optimizer="adam")
    kept = Unfinished(tmp_path, {})
    for step in run(options, kept):
        if step.index == 8:  # killed: of the second size, two of three steps were kept
            break
    state = Unfinished(tmp_path, {}).state()
    assert (state["size"], state["done"], state["x"].shape) == (1, 2, (1, 40, 48, 3))
    on = list(run(options, Unfinished(tmp_path, {})))
    assert [step.index for step in on] == [7, 8, 9, 10]
    np.testing.assert_array_equal(on[0].image, state["x"])
    assert list(run(options, Unfinished(tmp_path, {})))[0].index == 10  # nothing left to do


@pytest.mark.parametrize("taken, sizes, words", [
    (5, 1, "5 steps"), (10, 2, "5 steps at each of 2 sizes"),
    (7, 2, "7 steps, of 5 at each of 2 sizes"), (3, 1, "3 steps")])
def test_how_many_steps_were_taken(taken, sizes, words):
    end = loop.Ascent(None, np.zeros((taken + 1, 1)), {}, False)
    assert told(end, sizes, SynthesisOptions(steps=5)) == words


def test_a_value_that_is_not_finite_ends_it_with_the_last_good_image():
    calls = []

    def objective(k):
        def function(a):
            calls.append(1)
            return a.sum(axis=(1, 2, 3)) * (np.nan if len(calls) == 3 else 1), np.ones_like(a)
        return objectives.Objective([objectives.Term("sum", "relu1", function)])
    options = SynthesisOptions(steps=5, padding="zeros", optimizer="adam")
    with pytest.warns(UserWarning, match=r"step 2: .* not a finite number.*the image before it"):
        taken = list(run(options, objective=objective))
    assert [step.index for step in taken] == [0, 1]
    calls.extend([1, 1])
    with pytest.raises(loop.DivergedError):
        calls[:] = [1, 1]
        list(run(options, objective=objective))

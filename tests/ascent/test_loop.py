"""The loop over an image: what each step holds, what it depends on, how it ends."""

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn.ascent import objectives, parametrize
from minicnn.ascent.lbfgs import LBFGS
from minicnn.ascent.loop import DivergedError, Step, averaged, follow, look, steps, then
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.ascent.regularizers import diffuse
from minicnn.ascent.transforms import jitter
from minicnn.network import Network, NotFiniteError
from minicnn.network.layers import Conv, ReLU

NETWORK = nets.everything()
START = nets.images(1)
SEVERAL = (objectives.channel("fc", 2) + 0.5 * objectives.channel("mix/norm", 1)
           - 2 * objectives.neuron("pool1", 0, 1, 1) - 0.1 * objectives.total_variation())
MAKE = [lambda rate: SGD(rate, 0.5, normalize="mean_abs"), Adam]  # a fresh one for each ascent
IMAGE_ONLY = -1 * objectives.l2() - objectives.total_variation()


def ascend(objective=SEVERAL, image=START, optimizer=None, count=4, network=NETWORK, **more):
    optimizer = SGD(0.05, 0.5, normalize="mean_abs") if optimizer is None else optimizer
    return list(steps(network, objective, image, optimizer, count, **more))


def value(image, objective=SEVERAL, network=NETWORK):
    return look(network, objective, image, backward=False)[0]


# ---- what is yielded

@pytest.mark.parametrize("count", [0, 1, 4])
def test_count_plus_one_steps_and_the_first_is_the_start(count):
    taken = ascend(count=count)
    assert [step.index for step in taken] == list(range(count + 1))
    np.testing.assert_array_equal(taken[0].image, START)
    assert len({step.image.tobytes() for step in taken}) == count + 1


def test_every_value_is_that_of_the_very_image_beside_it():
    """With a plain forward pass as witness; a value one step late would be another number."""
    for step in ascend(bounds=(-2, 2), regularizers=[diffuse(0.1)]):
        run = NETWORK.forward(step.image)
        expected = (run["fc"][:, 2] + 0.5 * run["mix/norm"][..., 1].mean(axis=(1, 2))
                    - 2 * run["pool1"][:, 1, 1, 0]
                    - 0.1 * objectives.total_variation().evaluate(run).total)
        np.testing.assert_allclose(step.value, expected, rtol=1e-12)  # order of adding
        np.testing.assert_allclose(sum(step.by_term.values()), step.value, rtol=1e-12)
        assert len(step.by_term) == 4


@pytest.mark.parametrize("make", MAKE, ids=["SGD", "Adam"])
@pytest.mark.parametrize("objective", [SEVERAL, IMAGE_ONLY, objectives.channel("mix/1x1", 0)],
                         ids=repr)
def test_a_few_small_steps_raise_the_objective(objective, make):
    taken = ascend(objective, optimizer=make(0.02), count=5)
    assert taken[-1].value > taken[0].value


def test_one_step_of_plain_gradient_ascent_is_start_plus_rate_times_gradient():
    _, gradient = look(NETWORK, SEVERAL, START)
    np.testing.assert_allclose(ascend(optimizer=SGD(0.3), count=1)[1].image,
                               START + 0.3 * gradient, rtol=1e-14)


def test_an_objective_of_image_terms_only_needs_no_network():
    taken = ascend(IMAGE_ONLY, network=None)
    assert taken[-1].value > taken[0].value


def test_gradient_of_several_places_is_the_slope_of_the_value():
    _, gradient = look(NETWORK, SEVERAL, START)
    direction, h = nets.like(START), 1e-6
    slope = (value(START + h * direction).total - value(START - h * direction).total) / (2 * h)
    # float64 central differences: h^2 of curvature, 1e-16 / h of rounding
    np.testing.assert_allclose((gradient * direction).sum(), slope[0], rtol=1e-7)


# ---- what it depends on

def last(seed, **more):
    return ascend(seed=seed, transforms=[jitter(3)], **more)[-1].image.tobytes()


def test_same_seed_same_bytes_other_seed_other_bytes():
    assert last(1) == last(1) != last(2)


def test_without_transforms_the_seed_does_not_matter():
    assert ascend(seed=1)[-1].image.tobytes() == ascend(seed=2)[-1].image.tobytes()


@pytest.mark.parametrize("more", [{}, {"bounds": (-1, 1)}, {"regularizers": [diffuse(1)]},
                                  {"transforms": [jitter(2)]}], ids=lambda more: " ".join(more))
def test_no_image_that_was_handed_out_changes_later(more):
    start = START.copy()
    held = [(step, step.image.copy()) for step in
            steps(NETWORK, SEVERAL, start, SGD(0.1, 0.5), 3, **more)]
    np.testing.assert_array_equal(start, START)
    for step, copy in held:
        np.testing.assert_array_equal(step.image, copy)


def test_image_terms_see_the_image_untouched_by_transforms():
    """A neuron's value moves with the roll, total variation (not cyclic) must not."""
    generator = np.random.default_rng(0)
    values = [look(NETWORK, SEVERAL, START, [jitter(4)], generator)[0] for _ in range(5)]
    assert len({float(v.by_term["total variation"][0]) for v in values}) == 1
    assert len({float(v.by_term["pool1:0@1,1"][0]) for v in values}) > 1


def test_with_jitter_the_gradient_comes_back_to_where_the_pixels_are():
    _, rolled = look(NETWORK, SEVERAL.on_layers, np.roll(START, (1, -2), axis=(1, 2)))
    def shift(x, rng):
        return np.roll(x, (1, -2), axis=(1, 2)), lambda dy: np.roll(dy, (-1, 2), axis=(1, 2))
    _, gradient = look(NETWORK, SEVERAL.on_layers, START, [shift])
    np.testing.assert_array_equal(gradient, np.roll(rolled, (-1, 2), axis=(1, 2)))


def test_bounds_hold_after_every_step_number_or_array():
    low, high = np.full((1, 1, 1, 3), -0.2), np.array([0.1, 0.2, 0.3]).reshape(1, 1, 1, 3)
    taken = ascend(image=np.zeros_like(START), optimizer=SGD(9.0), bounds=(low, high))[1:]
    for step in taken:
        assert (step.image >= low).all() and (step.image <= high).all()
    assert (taken[-1].image == high).any() and (taken[-1].image == low).any()


def test_regularizers_come_after_the_step_in_order_and_before_the_bounds():
    plain = ascend(optimizer=SGD(0.1), count=1)[1].image
    moved = ascend(optimizer=SGD(0.1), count=1, bounds=(-3, 3),
                   regularizers=[lambda x, g, k: x + 1, lambda x, g, k: 2 * x])[1].image
    np.testing.assert_array_equal(moved, (2 * (plain + 1)).clip(-3, 3))


def test_regularizers_are_told_the_gradient_and_which_step_it_is():
    told = []

    def move(image, gradient, index):
        told.append((gradient, index))
        return image
    taken = ascend(count=3, optimizer=SGD(0.1, normalize="l2"), regularizers=[move])
    assert [index for _, index in told] == [0, 1, 2]
    for step, (gradient, _) in zip(taken, told, strict=False):  # as it is, not as it is stepped
        np.testing.assert_array_equal(gradient, look(NETWORK, SEVERAL, step.image)[1])


@pytest.mark.parametrize("make", MAKE, ids=["SGD", "Adam"])
def test_a_batch_of_two_is_two_single_ascents(make):
    pair = nets.images(2, seed=5)
    together = ascend(image=pair, optimizer=make(0.05))
    for n in range(2):
        alone = ascend(image=pair[n : n + 1], optimizer=make(0.05))
        for one, both in zip(alone, together, strict=True):
            # float64; matrix products of other sizes add in another order
            np.testing.assert_allclose(both.image[n], one.image[0], rtol=0, atol=1e-9)
            np.testing.assert_allclose(both.value[n], one.value[0], rtol=1e-9)


def test_an_ascent_goes_on_where_it_stopped():
    """The optimiser's memory is the caller's: 2 + 2 steps are 4."""
    optimizer = Adam(0.05)
    half = ascend(optimizer=optimizer, count=2)[-1].image
    rest = ascend(optimizer=optimizer, count=2, image=half)[-1].image
    np.testing.assert_array_equal(rest, ascend(optimizer=Adam(0.05), count=4)[-1].image)


def test_one_ascent_after_another_is_one_walk():
    first = ascend(count=2, optimizer=SGD(0.1))
    whole = list(then(iter(first), lambda image: ascend(image=image, count=3, optimizer=SGD(0.2))))
    second = list(ascend(image=first[-1].image, count=3, optimizer=SGD(0.2)))
    assert [step.index for step in whole] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(whole[2].image, second[0].image)
    np.testing.assert_array_equal(whole[-1].image, second[-1].image)


def test_a_batch_may_climb_a_channel_each():
    """Every image is where its own ascent ends, whatever the others climb."""
    pair, which = nets.images(2, seed=5), [3, 0]
    together = ascend(objectives.channel("fc", which), pair)
    for n in range(2):
        alone = ascend(objectives.channel("fc", which[n]), pair[n : n + 1])
        # float64; matrix products of other sizes add in another order
        np.testing.assert_allclose(together[-1].image[n], alone[-1].image[0], rtol=0, atol=1e-9)
    swapped = ascend(objectives.channel("fc", which[::-1]), pair)
    assert not np.allclose(swapped[-1].image, together[-1].image, atol=1e-3)


# ---- an image made from other numbers

PREPARED = small.network(dtype=np.float64)
MADE = {"pixels": parametrize.pixels(PREPARED), "fourier": parametrize.fourier(PREPARED),
        "laplacian": parametrize.laplacian(PREPARED, levels=2)}
every_kind = pytest.mark.parametrize("kind", MADE)


def climb(kind, start=None, count=4, optimizer=None, **more):
    start = MADE[kind].start(2).astype(np.float64) if start is None else start
    return list(steps(PREPARED, objectives.channel("fc", [1, 2][: len(start)]), start,
                      optimizer or Adam(0.05), count, parametrization=MADE[kind], **more))


@every_kind
def test_the_parameters_are_stepped_and_the_image_is_made_from_them(kind):
    taken = climb(kind)
    for step in taken:
        np.testing.assert_array_equal(step.image, MADE[kind].forward(step.parameters)[0])
        np.testing.assert_array_equal(step.value, value(step.image, objectives.channel(
            "fc", [1, 2]), PREPARED).total)
    assert taken[0].image.shape == (2, 16, 20, 3) and (taken[-1].value > taken[0].value).all()


@every_kind
def test_one_step_along_the_parameters_gradient(kind):
    start = MADE[kind].start(1).astype(np.float64)
    image, back = MADE[kind].forward(start)
    gradient = back(look(PREPARED, objectives.channel("fc", 1), image)[1])
    np.testing.assert_allclose(climb(kind, start, 1, SGD(0.3))[1].parameters,
                               start + 0.3 * gradient, rtol=1e-14)


def test_without_a_parametrisation_the_parameters_are_the_image():
    for step in ascend():
        assert step.parameters is step.image


@every_kind
def test_a_parametrised_ascent_goes_on_from_its_parameters(kind):
    def part(start, count):
        return iter(climb(kind, start, count, SGD(0.1)))
    start = MADE[kind].start(1).astype(np.float64)
    whole = list(then(part(start, 2), lambda parameters: part(parameters, 2)))
    np.testing.assert_array_equal(whole[-1].image, climb(kind, start, 4, SGD(0.1))[-1].image)


@every_kind
def test_a_parametrised_batch_is_single_ascents(kind):
    start = MADE[kind].start(2).astype(np.float64)
    both = climb(kind, start, optimizer=SGD(0.1, normalize="l2"))
    alone = climb(kind, start[:1], optimizer=SGD(0.1, normalize="l2"))
    # float64; matrix products of other sizes add in another order
    np.testing.assert_allclose(both[-1].image[:1], alone[-1].image, rtol=0, atol=1e-9)


@pytest.mark.parametrize("more", [{"bounds": (-1, 1)}, {"regularizers": [diffuse(0.1)]}],
                         ids=lambda more: " ".join(more))
def test_regularizers_and_bounds_are_for_pixels(more):
    with pytest.raises(ValueError, match="regularizers and bounds act on pixels"):
        climb("fourier", **more)


def test_a_look_of_another_kind():
    """In tiles, say; here one that sees the image upside down."""
    def upside_down(network, objective, image, transforms, rng, backward, redirect):
        value, gradient = look(network, objective, image[:, ::-1], transforms, rng, backward)
        return value, gradient if gradient is None else gradient[:, ::-1]
    taken = ascend(look=upside_down)
    expected = ascend(image=START[:, ::-1].copy())
    # float64; another memory order
    np.testing.assert_allclose(taken[-1].image, expected[-1].image[:, ::-1], rtol=0, atol=1e-9)


def test_several_looks_are_their_mean():
    """Each with its own random numbers, in the order in which they would come alone."""
    rolled, rng = [jitter(2)], np.random.default_rng(5)
    value, gradient = averaged(3)(NETWORK, SEVERAL, START, rolled, np.random.default_rng(5), True,
                                  False)
    alone = [look(NETWORK, SEVERAL, START, rolled, rng) for _ in range(3)]
    np.testing.assert_allclose(gradient, np.mean([g for _, g in alone], axis=0), rtol=1e-12)
    np.testing.assert_allclose(value.total, np.mean([v.total for v, _ in alone], axis=0),
                               rtol=1e-12)
    for name, share in value.by_term.items():
        np.testing.assert_allclose(share, np.mean([v.by_term[name] for v, _ in alone], axis=0),
                                   rtol=1e-12)
    assert averaged(3)(NETWORK, SEVERAL, START, rolled, rng, False, False)[1] is None
    assert averaged(1) is look


# ---- where it cannot go on

def silent_at_zero():
    """A bias far below zero: from a zero image no gradient passes the ReLU."""
    network = nets.trained(Network("silent", [("conv", Conv(2, 3, pad=1)), ("relu", ReLU())],
                                   (5, 6, 3)))
    network.params["conv"]["b"][:] = -1.0
    return network


def test_a_silent_start_takes_the_deconvnet_s_way():
    network, zeros = silent_at_zero(), np.zeros((1, 5, 6, 3))
    objective = objectives.channel("relu", 0)
    assert not look(network, objective, zeros)[1].any()
    run = network.forward(zeros)
    way = run.backward(objective.evaluate(run).gradients, relu="deconvnet")
    taken = ascend(objective, zeros, SGD(0.5), 1, network)
    np.testing.assert_allclose(taken[1].image, 0.5 * way, rtol=1e-14)
    assert way.any()
    end = ascend(objective, zeros, SGD(0.5, normalize="mean_abs"), 20, network)[-1]
    assert end.value > 0


def test_a_silent_image_is_helped_also_beside_one_that_is_not():
    """Each image of the batch is optimised on its own."""
    network, objective = silent_at_zero(), objectives.channel("relu", 0)
    way = look(network, objective, np.zeros((1, 5, 6, 3)), redirect=True)[1]
    awake = nets.images(1, (5, 6, 3), seed=3)
    assert look(network, objective, awake)[1].any()
    pair = np.concatenate([np.zeros_like(awake), awake])
    gradient = look(network, objective, pair, redirect=True)[1]
    np.testing.assert_allclose(gradient[:1], way, rtol=1e-12)


def test_a_gradient_that_is_there_is_never_replaced():
    plain, redirected = (look(NETWORK, SEVERAL, START, redirect=r)[1] for r in (False, True))
    np.testing.assert_array_equal(plain, redirected)


def blow_up(limit):
    """An objective that is infinite once the image's mean passes `limit`."""
    def function(x):
        mean = x.mean(axis=(1, 2, 3))
        return np.where(mean > limit, np.inf, mean), np.ones_like(x)
    return objectives.Objective([objectives.Term("mean", "image", function)])


def test_a_value_that_is_not_finite_ends_the_walk_with_the_last_good_image_in_hand():
    seen = []
    with pytest.raises(DivergedError, match="step 3: .* not a finite number; take smaller steps"):
        for step in steps(None, blow_up(2.5), np.zeros((1, 2, 2, 3)), SGD(1.0), 9):
            seen.append(step)
    assert [step.index for step in seen] == [0, 1, 2] and (seen[-1].image == 2).all()


def test_a_network_s_numbers_that_are_not_finite_name_layer_and_step():
    network = NETWORK.astype(START.dtype.type)  # with arrays of its own
    first = list(network.param_shapes)[0]
    network.params[first]["w"] = network.params[first]["w"].copy()
    walk = steps(network, SEVERAL, START, SGD(1.0), 9)
    next(walk)
    network.params[first]["w"][:] = np.nan
    with pytest.raises(DivergedError, match=f"step 1: network .* layer {first} has .* array w"):
        next(walk)
    with pytest.raises(DivergedError, match="step 0: network .* the image has 1 of"):
        next(steps(NETWORK, SEVERAL, np.where(np.arange(START.size).reshape(START.shape), START,
                                              np.nan), SGD(1.0), 9))


# ---- L-BFGS, which looks several times for each step

def test_lbfgs_hands_out_the_value_of_the_very_image_beside_it_and_never_falls():
    objective = SEVERAL - objectives.l2()
    taken = ascend(objective, optimizer=LBFGS(first=0.05), count=8)
    assert [step.index for step in taken] == list(range(9))
    for step in taken:
        np.testing.assert_array_equal(step.value, value(step.image, objective).total)
        assert len(step.by_term) == 5
    assert taken[-1].value > taken[0].value
    assert all(b.value >= a.value for a, b in zip(taken, taken[1:], strict=False))


def test_lbfgs_climbs_higher_than_as_many_steps_of_gradient_ascent():
    ends = [ascend(IMAGE_ONLY, optimizer=o, count=8, network=None)[-1].value
            for o in (LBFGS(first=0.05), SGD(0.05, 0.5, normalize="mean_abs"), Adam(0.05))]
    assert ends[0] > ends[1] and ends[0] > ends[2]


def test_lbfgs_ends_at_the_top():
    """Minus a square: one pair is all the curvature there is."""
    taken = ascend(-1 * objectives.l2(), optimizer=LBFGS(), count=50, network=None)
    assert len(taken) < 20 and taken[-1].value == pytest.approx(0, abs=1e-12)
    end = follow(iter(taken), 50)
    assert len(end.trace) == len(taken) and not end.interrupted


def test_lbfgs_stays_within_bounds_from_the_first_image_on():
    taken = ascend(optimizer=LBFGS(), bounds=(-0.3, 0.3))
    assert all((abs(step.image) <= 0.3).all() for step in taken)
    assert (abs(taken[-1].image) == 0.3).any() and taken[-1].value > taken[0].value


def test_lbfgs_climbs_in_other_numbers():
    start = MADE["fourier"].start(1).astype(np.float64)
    taken = climb("fourier", start, optimizer=LBFGS(first=0.01))
    for step in taken:
        np.testing.assert_array_equal(step.image, MADE["fourier"].forward(step.parameters)[0])
    assert taken[-1].value > taken[0].value


def test_lbfgs_steps_back_from_a_value_that_is_not_finite():
    start = np.zeros((1, 2, 2, 3))
    taken = list(steps(None, blow_up(2.5), start, LBFGS(first=100.0), 9))
    assert 0 < taken[-1].value <= 2.5 and all(np.isfinite(step.value).all() for step in taken)
    with pytest.raises(DivergedError, match="step 0"):
        next(steps(None, blow_up(2.5), start + 3, LBFGS(), 9))


def test_lbfgs_steps_back_from_an_image_that_a_network_cannot_compute():
    refused = []

    def limited(network, objective, image, *others):
        if abs(image).max() > 9:
            refused.append(image)
            raise NotFiniteError("too large")
        return look(network, objective, image, *others)
    taken = list(steps(NETWORK, SEVERAL, START, LBFGS(first=100.0), 3, look=limited))
    assert refused and len(taken) == 4 and taken[-1].value > taken[0].value
    with pytest.raises(DivergedError, match="step 0: too large"):
        next(steps(NETWORK, SEVERAL, START + 9, LBFGS(), 3, look=limited))


@pytest.mark.parametrize("more, got", [
    ({"transforms": [jitter(2)]}, "some of them"), ({"regularizers": [diffuse(0.1)]}, "some of"),
    ({"image": nets.images(2)}, "2 images")], ids=["transforms", "regularizers", "batch"])
def test_lbfgs_needs_one_image_and_the_same_value_for_it(more, got):
    with pytest.raises(ValueError, match=f"L-BFGS compares the values of images.*got {got}"):
        ascend(optimizer=LBFGS(), **more)


# ---- follow

def walk_of(count, stop=None):
    for k in range(count + 1):
        if k == stop:
            raise KeyboardInterrupt
        yield Step(k, np.full((1, 2, 2, 3), float(k)), np.array([10.0 * k]), {}, None)


def test_follow_gathers_the_trace_and_the_last_image():
    end = follow(walk_of(3), 3)
    np.testing.assert_array_equal(end.trace, [[0], [10], [20], [30]])
    assert (end.image == 3).all() and not end.interrupted


def test_follow_keeps_what_there_is_at_ctrl_c():
    end = follow(walk_of(9, stop=4), 9)
    assert end.interrupted and (end.image == 3).all() and len(end.trace) == 4


def test_follow_shows_every_step_as_it_comes():
    seen = []
    follow(walk_of(3), 3, watch=seen.append)
    assert [step.index for step in seen] == [0, 1, 2, 3] and (seen[2].image == 2).all()


def test_whoever_watches_may_end_it_like_ctrl_c():
    def stop(step):
        if step.value > 15:
            raise KeyboardInterrupt
    end = follow(walk_of(9), 9, watch=stop)
    assert end.interrupted and (end.image == 2).all() and len(end.trace) == 3


def test_follow_has_nothing_to_keep_before_the_first_step():
    with pytest.raises(KeyboardInterrupt):
        follow(walk_of(9, stop=0), 9)


def test_follow_of_a_batch_has_a_column_each():
    image = nets.images(2)
    end = follow(steps(NETWORK, SEVERAL, image, SGD(0.1), 2), 2)
    assert end.trace.shape == (3, 2) and end.image.shape == image.shape


@pytest.mark.parametrize("progress", [False, True])
def test_follow_prints_nothing_where_there_is_no_terminal(progress, capsys):
    follow(walk_of(3), 3, progress, "name")
    assert capsys.readouterr() == ("", "")


# ---- float32 and its faster convolutions

@pytest.mark.thorough
@pytest.mark.parametrize("layer, channel", [("conv3_1", 0), ("conv3_1", 15), ("conv4_1", 15)])
def test_a_hundred_steps_end_where_those_of_float64_end(layer, channel):
    """Within 1 % of the objective, from a photo. The pixels differ: any two float32 programs end
    elsewhere, since rounding decides which side of a ReLU or which pixel of a pooling window
    wins. From an image of zeros, where windows are full of equal numbers, the ends differ more."""
    network = minicnn.load("minivgg")
    start = network.prepare(small.photo(64, 64))
    ends = []
    for dtype in (np.float32, np.float64):
        taken = steps(network.astype(dtype), objectives.channel(layer, channel),
                     start.astype(dtype), SGD(network.grey_level, 0.5, normalize="mean_abs"), 100)
        ends.append([step.value[0] for step in taken])
    (_, *_, single), (first, *_, double) = ends
    assert abs(single / double - 1) < 0.01 and double > 5 * abs(first)

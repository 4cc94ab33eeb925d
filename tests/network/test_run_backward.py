"""The way back through whole networks: proved, linear in its seeds, and arriving anywhere."""

import nets
import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, MaxPool, ReLU
from minicnn.ops import conv, pool

NAMES = nets.everything().names


def normal(name, run, seed=2):
    return {name: nets.like(run[name], seed)}


# ---- the image and all weights

def check_all(build, smooth=False, **options):
    """Every kind of check, at the image and at every parameter that is trained, at once."""
    arrays = nets.parameters(build())
    fixed = {place: a for place, a in arrays.items() if place.endswith(("mean", "variance"))}
    trained = {place: a for place, a in arrays.items() if place not in fixed}

    def forward(x, *values):
        network = nets.fill(build(), dict(zip(trained, values, strict=True)))
        nets.fill(network, {place: a.astype(x.dtype) for place, a in fixed.items()})
        run = network.forward(x, learn=True, **options)
        return run.output, run

    def backward(dy, run):
        seeds = {run.network.names[-1]: dy}
        gradients = nets.parameters_of(run.weight_gradients(seeds))
        return [run.backward(seeds), *(gradients[place] for place in trained)]

    return gradcheck.check(forward, backward, {"x": nets.images(2), **trained}, smooth=smooth,
                           name=build().name)


@pytest.mark.thorough
def test_every_gradient_of_a_network_with_every_layer():
    report = check_all(nets.everything, seed=7)
    report.raise_if_failed()
    assert report["central differences"].status == "passed"


def test_every_gradient_of_a_smooth_network_by_the_complex_step():
    report = check_all(nets.smooth, smooth=True)
    report.raise_if_failed()
    assert report["complex step"].status == "passed"


def test_weight_gradients_have_the_names_and_shapes_of_the_trained_parameters():
    network = nets.everything()
    run = network.forward(nets.images(2), learn=True)
    gradients = nets.parameters_of(run.weight_gradients(normal("fc", run)))
    assert {place: d.shape for place, d in gradients.items()} == {
        place: a.shape for place, a in nets.parameters(network).items()
        if not place.endswith(("mean", "variance"))}


def test_image_gradient_without_learn():
    """Then batch norm uses its running statistics and nothing is dropped."""
    def forward(x):
        run = nets.everything(dtype=x.dtype).forward(x)
        return run.output, run

    gradcheck.check(forward, lambda dy, run: run.backward({"prob": dy}), {"x": nets.images(2)},
                    name="without learn").raise_if_failed()


def test_image_work_computes_no_weight_gradient(monkeypatch):
    network, asked = nets.everything(), []
    conv = network.ops["conv1"]
    backward = conv.backward
    monkeypatch.setattr(conv, "backward", lambda dy, cache, need: (
        asked.append(tuple(need)), backward(dy, cache, need))[1])
    run = network.forward(nets.images(2), learn=True)
    run.backward(normal("prob", run))
    assert asked == [("x",)] * 6
    asked.clear()
    run.weight_gradients(normal("prob", run))
    assert sorted(asked) == [("w", "b")] + [("x", "w", "b")] * 5  # the first layer needs no dx


# ---- arriving at a layer

def at_layer(name):
    """The network as a function of a change to what layer `name` computes."""
    def forward(change):
        network = nets.everything(dtype=change.dtype)
        nets.watch(network, lambda at, y: y + change if at == name else None)
        run = network.forward(nets.images(1, dtype=change.dtype), to="prob")
        return run.output, run
    return forward


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES[:-1])
def test_backward_to_a_layer_is_the_slope_there(name):
    change = np.zeros((1, *nets.everything().shapes[name]))
    gradcheck.check(at_layer(name), lambda dy, run: run.backward({"prob": dy}, to=name),
                    {name: change}, only=("central differences", "same bytes twice"),
                    name=f"backward to {name}").raise_if_failed()


def test_backward_to_the_seeded_layer_is_the_seed():
    run = nets.everything().forward(nets.images(2))
    seed = normal("mix/norm", run)
    np.testing.assert_array_equal(run.backward(seed, to="mix/norm"), seed["mix/norm"])


def test_no_seed_reaches_a_neighbouring_branch_or_a_later_layer():
    run = nets.everything().forward(nets.images(2))
    for name in ("mix/project", "mix/1x1", "conv2", "prob"):
        dx = run.backward(normal("mix/norm", run), to=name)
        assert dx.shape == run[name].shape and not dx.any()


# ---- seeds at several layers

@pytest.mark.parametrize("to", ["image", "conv1", "pool1", "mix/3x1"])
def test_seeds_at_several_layers_add_up(to):
    run = nets.everything().forward(nets.images(2))
    single = [normal(name, run, seed) for seed, name in enumerate(
        ["image", "relu1", "mix/1x1", "mix/relu_3x1", "mix/pool", "mix", "conv2", "fc"])]
    reached = [seed for seed in single if to == "image" or "image" not in seed]
    together = run.backward({name: dy for seed in reached for name, dy in seed.items()}, to=to)
    apart = sum(run.backward(seed, to=to) for seed in reached)
    # float64, a few dozen additions in another order: 1e-15 each
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-13 * abs(apart).max())
    assert together.any()


def test_weight_gradients_of_several_seeds_add_up():
    run = nets.everything().forward(nets.images(2), learn=True)
    one, two = normal("mix/norm", run), normal("fc", run)
    together = nets.parameters_of(run.weight_gradients(one | two))
    apart = [nets.parameters_of(run.weight_gradients(seed)) for seed in (one, two)]
    assert set(together) == set(apart[1]) and "conv2/w" not in apart[0]
    for place, d in together.items():
        # float64, sums in another order; some of them cancel (what batch norm removes)
        np.testing.assert_allclose(d, apart[0].get(place, 0) + apart[1][place], rtol=1e-11,
                                   atol=1e-13)


def test_a_seed_where_forward_stopped_inside_a_branch():
    """Only the layers above the stop are walked back, and the slope is right."""
    def forward(x):
        run = nets.everything(dtype=x.dtype).forward(x, to="mix/relu_3x1")
        return run.output, run

    gradcheck.check(forward, lambda dy, run: run.backward({"mix/relu_3x1": dy}),
                    {"x": nets.images(2)}, name="from a branch").raise_if_failed()


# ---- rules

def of_kind(kind):
    return [name for name, layer, _ in nets.everything().rows if isinstance(layer, kind)]


@pytest.mark.parametrize("op, kind, rule", [
    ("relu", ReLU, "gradient"), ("relu", ReLU, "deconvnet"), ("relu", ReLU, "guided"),
    ("lrn", LRN, "gradient"), ("lrn", LRN, "through"), ("lrn", LRN, "scale")])
def test_a_rule_reaches_every_layer_also_inside_branches(monkeypatch, op, kind, rule):
    network, rules = nets.everything(), []
    module = network.ops[of_kind(kind)[0]]
    backward = module.backward
    monkeypatch.setattr(module, "backward", lambda dy, cache, rule: (
        rules.append(rule), backward(dy, cache, rule))[1])
    run = network.forward(nets.images(2))
    run.backward(normal("fc", run), **{op: rule})
    assert rules == [rule] * len(of_kind(kind)) and len(rules) > 1


def negative_everywhere():
    """Two ReLUs side by side under a third, for an image on which none of them is active."""
    network = Network("n", [("top", ReLU()), *nets.joined("mix", "top", [("left", ReLU())],
                                                         [("right", ReLU())])], (1, 2, 1))
    run = network.forward(-np.ones((1, 1, 2, 1)))
    return run, {"mix": np.array([[[[3.0, 4.0], [-5.0, 1.0]]]])}


@pytest.mark.parametrize("rule, expected", [
    ("gradient", [0, 0]), ("guided", [0, 0]), ("deconvnet", [3 + 4, 0 + 1])])
def test_relu_rules_by_hand(rule, expected):
    run, seeds = negative_everywhere()
    np.testing.assert_array_equal(run.backward(seeds, relu=rule).ravel(), expected)


def test_lrn_through_passes_the_seed_unchanged():
    network = Network("n", nets.joined("mix", "image", [("a", LRN(alpha=1.0))],
                                       [("b", LRN(alpha=1.0))]), (1, 1, 2))
    run = network.forward(np.ones((1, 1, 1, 2)))
    seed = {"mix": np.array([[[[1.0, 2.0, 10.0, 20.0]]]])}
    np.testing.assert_array_equal(run.backward(seed, lrn="through").ravel(), [11, 22])
    assert (run.backward(seed).ravel() != [11, 22]).all()


def test_deconvnet_on_convolutions_is_the_transposed_filter_of_what_is_positive():
    network = nets.trained(Network("n", [("conv", Conv(3, 3, pad=1)), ("relu", ReLU()),
                                         ("pool", MaxPool(2))], (4, 4, 2)))
    run = network.forward(nets.images(1, (4, 4, 2)))
    p = nets.like(run["pool"])
    unpooled = pool.unpool(p, run.switches("pool"), run["relu"].shape, (2, 2), (2, 2),
                                  (0, 0))
    filtered = conv.backward(np.maximum(unpooled, 0), run.caches["conv"], ("x",)).dx
    np.testing.assert_array_equal(run.backward({"pool": p}, relu="deconvnet"), filtered)


@pytest.mark.parametrize("rules", [{"relu": "leaky"}, {"lrn": "skip"}])
def test_unknown_rules_are_named(rules):
    run = nets.everything().forward(nets.images(1))
    with pytest.raises(ValueError, match="must be one of gradient, .* got '(leaky|skip)'"):
        run.backward(normal("fc", run), **rules)

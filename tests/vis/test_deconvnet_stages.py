"""The way down stage by stage: the numbers of run.backward, and what each stage says."""

import nets
import numpy as np
import pytest
import small

from minicnn import load, vis
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import LRN, BatchNorm, Conv, Dense, MaxPool, ReLU, Tanh
from minicnn.ops import lrn, pool, relu
from minicnn.vis.deconvnet import Stage, descend, each_rule, each_stage, lrn_rule

NETWORK, PHOTO = small.network(), small.photo()


def seeded(network, layer, dtype=np.float64):
    run = network.forward(nets.images(1, network.input_shape, dtype=dtype), to=layer)
    return run, nets.like(run[layer])


# ---- the fast walk and the told one

@pytest.mark.parametrize("layer", nets.everything().names)
@pytest.mark.parametrize("rule", relu.RULES)
def test_run_backward_gives_the_very_bytes(layer, rule):
    run, seed = seeded(nets.everything(), layer)
    *_, last = descend(run, layer, seed, rule)
    assert nets.same(last.array, run.backward({layer: seed}, rule, lrn_rule(rule)))


@pytest.mark.parametrize("rule", lrn.RULES)
def test_it_does_so_for_each_rule_at_lrn(rule):
    run, seed = seeded(nets.everything(), "relu2")
    *_, last = descend(run, "relu2", seed, lrn=rule)
    assert nets.same(last.array, run.backward({"relu2": seed}, "deconvnet", rule))


def test_it_does_so_where_a_convolution_takes_the_fast_way():
    network = nets.trained(Network("fast", [
        ("conv1", Conv(16, 3, pad=1)), ("relu1", ReLU()),
        ("pool1", MaxPool(3, 2, rounding="ceil")), ("conv2", Conv(16, 3, pad=1)),
    ], (20, 22, 3)), dtype=np.float32)
    run, seed = seeded(network, "conv2", np.float32)
    *_, last = descend(run, "conv2", seed)
    assert nets.same(last.array, run.backward({"conv2": seed}, "deconvnet"))


def test_it_does_so_in_a_large_network(shared_data):
    network = load(shared_data / "weights" / "googlenet_bvlc.h5")
    photo = shared_data / "photos" / "chelsea.png"
    record, stages = each_stage(network, photo, "inception_3b/output", position="all")
    direct = vis.deconvnet(network, photo, "inception_3b/output", position="all")
    assert nets.same(stages[-1].array, direct.x) and nets.same(record.x, direct.x)
    assert len(stages) == 1 + 2 * (13 + 2) + 10  # the seed, two inception modules, the layers below


# ---- what is told

def told(network, layer):
    run, seed = seeded(network, layer)
    return [(stage.layer, stage.operation) for stage in descend(run, layer, seed)]


def test_the_stages_have_the_paper_s_words():
    assert told(NETWORK, "relu2") == [
        ("relu2", "all others to zero"),
        ("relu2", "rectify: deconvnet"), ("conv2", "filter"),
        ("mix", "split in 3"),
        ("mix/relu_project", "rectify: deconvnet"), ("mix/project", "filter"),
        ("mix/pool", "unpool"),
        ("mix/relu_3x3", "rectify: deconvnet"), ("mix/3x3", "filter"),
        ("mix/relu_1x1", "rectify: deconvnet"), ("mix/1x1", "filter"),
        ("pool1", "add 3"),
        ("pool1", "unpool"), ("norm1", "LRN: through"), ("relu1", "rectify: deconvnet"),
        ("conv1", "filter")]


def test_a_sum_sends_the_same_to_all_and_what_they_bring_is_added_where_they_parted():
    assert told(nets.everything(), "sum")[1:5] == [
        ("sum", "to all 2"), ("sum/relu", "rectify: deconvnet"), ("sum/conv", "filter"),
        ("mix", "add 2")]


def test_from_inside_a_path_only_that_path_is_walked():
    assert told(NETWORK, "mix/3x3") == [
        ("mix/3x3", "all others to zero"), ("mix/3x3", "filter"), ("pool1", "unpool"),
        ("norm1", "LRN: through"), ("relu1", "rectify: deconvnet"), ("conv1", "filter")]


def test_layers_that_the_paper_has_not_are_told_by_name():
    words = dict(told(nets.everything(), "prob"))
    assert words["fc"] == "filter" and words["bn1"] == "BatchNorm: gradient"
    assert words["pool2"] == "AveragePool: gradient" and words["flat"] == "Flatten: gradient"


def test_a_path_that_passes_its_input_adds_to_the_others():
    network = nets.trained(Network("skip", [
        *nets.joined("block", "image", [], [("block/1x1", Conv(2, 1))]), ("relu", ReLU()),
        ], (3, 4, 2)))
    run, seed = seeded(network, "relu")
    stages = list(descend(run, "relu", seed))
    assert [stage.operation for stage in stages] == ["all others to zero", "rectify: deconvnet",
                                                  "split in 2", "filter", "add 2"]
    rectified = np.maximum(seed, 0)
    kernel = network.params["block/1x1"]["w"][0, 0]
    np.testing.assert_allclose(stages[-1].array, rectified[..., :2] + rectified[..., 2:] @ kernel.T,
                               rtol=1e-14)  # one rounding a product
    assert nets.same(stages[-1].array, run.backward({"relu": seed}, "deconvnet"))


def test_every_stage_s_array_is_where_the_next_begins():
    run, seed = seeded(nets.everything(), "fc")
    shapes = [stage.array.shape[1:] for stage in descend(run, "fc", seed)
              if not stage.layer.startswith(("mix/", "sum/"))]
    inputs, outputs = run.network.input_shapes, run.network.shapes
    assert shapes == [
        (5,), *[inputs[name] for name in ("fc", "flat", "drop", "pool2", "relu2", "conv2")],
        outputs["sum"], outputs["mix"], outputs["mix"], outputs["pool1"],  # to all, add, split, add
        *[inputs[name] for name in ("pool1", "norm1", "relu1", "bn1", "conv1")]]


def test_a_stage_is_a_line():
    maps = np.zeros((1, 4, 5, 2))
    maps[0, 1, 2], maps[0, 3, 3, 1] = [3, -2], 1e-7
    assert str(Stage("pool1", "unpool", maps)) == (
        "pool1                        unpool               4x5x2        2 of 40 not zero")


def test_each_stage_gives_the_record_and_the_way_to_it():
    record, stages = each_stage(NETWORK, PHOTO, "relu2", 1, (1, 2), relu="guided", lrn="scale")
    direct = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), relu="guided", lrn="scale")
    assert record.caption == direct.caption and record.settings == direct.settings
    assert nets.same(record.x, direct.x) and nets.same(record.image, direct.image)
    assert np.count_nonzero(stages[0].array) == 1 and stages[-1].array.shape == (1, 16, 20, 3)


# ---- side by side

def test_each_rule_is_that_rule_from_one_pass_up(monkeypatch):
    passes, forward = [], Network.forward
    monkeypatch.setattr(Network, "forward", lambda *args, **more: passes.append(1) or forward(
        *args, **more))
    records = each_rule(NETWORK, PHOTO, "relu2", 1, "all", lrn="through")
    assert list(records) == ["deconvnet", "gradient", "guided"] and len(passes) == 1
    for rule, record in records.items():
        alone = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, "all", relu=rule, lrn="through")
        assert nets.same(record.x, alone.x) and record.caption == alone.caption
    assert len({record.x.tobytes() for record in records.values()}) == 3


def linear():
    """Without ReLU and pooling nothing is left that the rules could differ in."""
    return nets.trained(Network("linear", [
        ("conv1", Conv(4, 3, stride=2, pad=1)), ("bn1", BatchNorm()),
        *nets.joined("mix", "bn1", [("mix/a", Conv(4, (1, 3), pad=(0, 1), groups=2))], []),
        *nets.summed("sum", "mix", [("sum/a", Conv(8, 1))], []),
        ("conv2", Conv(3, 2, dilation=2)), ("fc", Dense(5))], (16, 20, 3),
        NETWORK.preprocessing))


def test_without_relu_and_pooling_the_deconvnet_is_the_gradient_exactly():
    network = linear()
    records = each_rule(network, PHOTO, "fc")
    assert records["deconvnet"].x.any()
    assert nets.same(records["deconvnet"].x, records["gradient"].x)
    assert nets.same(records["guided"].x, records["gradient"].x)
    # and the gradient it is: times the unit, the unit grows by it along any direction
    x, channel = network.prepare(PHOTO).astype(np.float64), records["deconvnet"].settings["channel"]
    step, value = nets.like(x), network.forward(x).output[0, channel]
    grown = network.forward(x + step).output[0, channel] - value
    assert value * grown == pytest.approx(float((records["deconvnet"].x * step).sum()), rel=1e-10)


def test_a_smooth_net_with_lrn_has_one_projection_for_all_relu_rules():
    network = nets.trained(Network("smooth", [
        ("conv1", Conv(4, 3)), ("norm1", LRN(3, alpha=0.9)), ("tanh", Tanh()),
        ("conv2", Conv(2, 3))], (16, 20, 3), NETWORK.preprocessing))
    records = each_rule(network, PHOTO, "conv2", lrn="gradient")
    assert nets.same(records["deconvnet"].x, records["gradient"].x)


def test_lrn_is_passed_through_unless_the_gradient_is_asked_for():
    """Zeiler & Fergus use no contrast normalisation on the way down; a gradient needs it."""
    assert [lrn_rule(rule) for rule in ("deconvnet", "guided", "gradient")] == [
        "through", "through", "gradient"]
    assert lrn_rule("deconvnet", "scale") == "scale"
    for rule, record in each_rule(NETWORK, PHOTO, "relu2", 1).items():
        named = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, relu=rule, lrn=lrn_rule(rule))
        assert nets.same(record.x, named.x)
        assert record.settings["lrn"] == lrn_rule(rule) in record.caption


# ---- unpooling

@pytest.mark.parametrize("settings", [(3, 2, 0, "ceil"), (3, 1, 1, "floor"), (2, 2, 0, "floor"),
                                      ((3, 2), (1, 2), (1, 0), "ceil"), (2, 3, 1, "ceil")])
def test_unpooling_is_the_adjoint_of_pooling_at_fixed_switches(settings):
    """<pooled x, p> = <x, unpooled p> for any x and p, where the switches are those of a third."""
    _, cache = pool.forward(nets.images(2, (7, 8, 3), seed=1), *settings)
    x, p = nets.images(2, (7, 8, 3), seed=2), nets.images(2, cache.switches.shape[1:], seed=3)
    pooled = np.zeros(p.shape)
    for n, r, s, c in np.ndindex(p.shape):
        i, j = divmod(int(cache.switches[n, r, s, c]), cache.window[1])
        pooled[n, r, s, c] = x[n, cache.stride[0] * r + i - cache.pad[0],
                               cache.stride[1] * s + j - cache.pad[1], c]
    up, down = float((pooled * p).sum()), float((x * pool.unpool(p, *cache)).sum())
    assert up == pytest.approx(down, rel=1e-12) and up != 0  # a few hundred sums at 1e-16


# ---- what is refused

def test_a_seed_of_another_shape_is_refused():
    run, seed = seeded(NETWORK, "relu2")
    with pytest.raises(ValueError, match=r"seed at relu2 must have .*\(1, 3, 4, 5\), got \(1, 3,"):
        list(descend(run, "relu2", seed[:, :, :3]))


@pytest.mark.parametrize("layer", ["fc", "nowhere"])
def test_a_layer_the_run_did_not_reach_is_named(layer):
    run, seed = seeded(NETWORK, "relu2")
    with pytest.raises(LayerNameError, match=layer):
        list(descend(run, layer, seed))

"""Whole networks on the device: small ones with every layer and rule, and trained ones against
the golden numbers."""

import nets
import numpy as np
import parity
import pytest
import small
import test_golden as golden_tests

from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.backend import array_module, to_device, to_host
from minicnn.ops import lrn, relu


def seeds(run, names):
    xp = array_module(run.output)
    return {name: xp.asarray(nets.like(to_host(run[name]))) for name in names}


def beside(x, network):
    """The network, where the images are."""
    return network.to("cpu" if isinstance(x, np.ndarray) else "gpu")


@pytest.mark.thorough
@pytest.mark.parametrize("make", [nets.everything, nets.smooth])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_layer_and_the_way_back(xp, make, count):
    def passes(x):
        network = beside(x, make(dtype=x.dtype))
        run = network.forward(x)
        dx = run.backward(seeds(run, ["prob", "conv1"]))
        return [*run.activations.values(), dx]
    parity.check(xp, passes, nets.images(count))


@pytest.mark.parametrize("relu_rule", relu.RULES)
@pytest.mark.parametrize("lrn_rule", lrn.RULES)
def test_every_rule_of_the_way_back(xp, relu_rule, lrn_rule):
    def passes(x):
        network = beside(x, nets.everything(dtype=x.dtype))
        run = network.forward(x, to="relu2")
        return [run.backward(seeds(run, ["relu2"]), relu=relu_rule, lrn=lrn_rule),
                run.backward(seeds(run, ["relu2"]), to="pool1")]
    parity.check(xp, passes, nets.images())


def test_weight_gradients(xp):
    """Dropout drops the same, and the batch's statistics are used."""
    def passes(x):
        network = beside(x, nets.everything(dtype=x.dtype))
        run = network.forward(x, to=network.logits, learn=True, seed=3)
        gradients = run.weight_gradients(seeds(run, [network.logits]))
        return [d for place, d in sorted(nets.parameters_of(gradients).items())
                if place != "conv1/w"] + [gradients["conv1"]["w"]]
    parity.check(xp, passes, nets.images(4))


def test_a_network_moves_there_and_back(xp):
    network = small.network()
    before = {place: a.copy() for place, a in nets.parameters(network).items()}
    there = network.to("gpu")
    assert there.device == "gpu"
    assert all(array_module(a) is xp for a in nets.parameters(there).values())
    back = there.to("cpu")
    for host in (network, back):  # neither was moved
        assert host.device == "cpu"
        assert all(nets.same(a, before[place]) for place, a in nets.parameters(host).items())


def test_random_weights_are_the_host_s(xp):
    here = nets.parameters(small.network().initialize(5))
    there = nets.parameters(small.network().to("gpu").initialize(5))
    assert all(array_module(a) is xp and nets.same(to_host(a), here[place])
               for place, a in there.items())


def test_networks_made_of_one_stay_on_its_device(xp):
    network = small.network().to("gpu")
    made = [network.until("conv2"), network.extended("more", []), network.with_average_pooling()]
    assert {each.device for each in made} == {"gpu"}
    assert array_module(made[0].forward(network.prepare(small.photo())).output) is xp


def test_photos_are_classified_alike(xp):
    here = small.network().classify(small.photo())
    there = small.network().to("gpu").classify(small.photo())
    assert [label for label, _ in there] == [label for label, _ in here]
    assert [p for _, p in there] == pytest.approx([p for _, p in here], rel=1e-5)


def test_what_is_on_the_host_is_brought(xp):
    """Images, seeds and starts may be what a record holds: what a user writes does not change."""
    network, x = small.network().to("gpu"), nets.images(1, (16, 20, 3), dtype=np.float32)
    run, here = network.forward(x), small.network().forward(x)
    dy = nets.like(here["prob"])
    parity.alike(run.backward({"prob": dy}), here.backward({"prob": dy}), 1e-4)  # float32
    assert network.probabilities(x) == pytest.approx(here.output, abs=1e-6)
    optimizer = SGD(1.0, normalize="rms")
    for step in loop.steps(network, objectives.logit("fc", 1), x, optimizer, 1):
        assert array_module(step.image) is xp


def test_a_pass_copies_nothing_back(xp):
    copies = parity.counts(xp)
    network = nets.everything(dtype=np.float32).to("gpu")
    x = to_device(nets.images(dtype=np.float32), "gpu")
    before = len(copies)
    run = network.forward(x, learn=True)
    dy = xp.ones_like(run.output)
    run.backward({"prob": dy}, relu="guided")
    run.weight_gradients({"prob": dy})
    assert copies[before:] == []


# ---- trained networks

@pytest.mark.thorough
@pytest.mark.parametrize("case", golden_tests.CASES)
def test_golden(xp, case, shared_data):
    """The tests of tests/test_golden.py, on the device."""
    name = case.partition("_")[0]
    with np.load(shared_data / "golden" / f"{case}.npz") as file:
        golden = dict(file)
    network = golden_tests.trained(shared_data, name).to("gpu")
    x = np.ascontiguousarray(golden["input_bgr"].transpose(1, 2, 0)[None])  # C,H,W -> 1,H,W,C
    seen = OnHost(network.forward(to_device(x, "gpu")))
    for test in (golden_tests.test_logits, golden_tests.test_every_layer_s_mean_and_deviation,
                 golden_tests.test_every_layer_s_slice,
                 golden_tests.test_the_objective_and_its_gradient_at_the_image):
        test((name, golden, seen))


class OnHost:
    """A run on the device, to be looked at from the host."""

    def __init__(self, run):
        self.run, self.network = run, run.network

    def __getitem__(self, name):
        return to_host(self.run[name])

    def backward(self, seeds, **rules):
        there = {name: to_device(seed, "gpu") for name, seed in seeds.items()}
        return to_host(self.run.backward(there, **rules))

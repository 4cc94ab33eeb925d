"""The loop over an image and the training loop on the device: the same steps as on the host."""

import nets
import numpy as np
import parity
import pytest
import small

from minicnn import images
from minicnn.ascent import loop, objectives, parametrize, regularizers, transforms
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.backend import array_module, to_device, to_host
from minicnn.images import Preprocessing
from minicnn.train import batch_norm
from minicnn.train.loop import accuracy, epochs, one_cycle
from minicnn.vis.tiles import InTiles

TOLERANCE = 1e-3  # float32: what a step rounds otherwise, the next ones carry on
OBJECTIVE = objectives.channel("relu2", [1, 2]) - 0.01 * objectives.total_variation()
VALUES = 1 + len(OBJECTIVE.terms)  # the objective and its terms: what a step reports


def ascended(network, count=3, **options):
    """Steps from two photos, which are on the host."""
    x = np.concatenate([images.prepare(small.photo(seed=k), network.preprocessing)
                        for k in (0, 1)])
    return list(loop.steps(network, OBJECTIVE, x, SGD(2.0, 0.5, normalize="mean_abs"), count,
                             seed=4, **options))


WAYS = {
    "plain": {},
    "bounds": {"bounds": images.bounds(small.network().preprocessing, (16, 20))},
    "transforms": {"transforms": [transforms.jitter(3), transforms.rotate([9.0]),
                                  transforms.scale([1.2]), transforms.fit(16, 20)]},
    "regularizers": {"regularizers": [regularizers.diffuse(0.1), regularizers.small_norm(20)]},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_ascent_takes_the_same_steps(xp, way):
    here = ascended(small.network(), **WAYS[way])
    there, again = (ascended(small.network().to("gpu"), **WAYS[way]) for _ in range(2))
    for a, b, c in zip(here, there, again, strict=True):
        parity.alike(b.image, a.image, TOLERANCE)
        parity.close(b.value, a.value, TOLERANCE)
        parity.same(b.by_term, a.by_term, TOLERANCE)
        assert to_host(b.image).tobytes() == to_host(c.image).tobytes()


def test_an_ascent_in_a_basis(xp):
    def trace(network):
        basis = parametrize.fourier(network)
        steps = loop.steps(network, objectives.logit("fc", 1), basis.start(1, seed=2), Adam(0.05),
                             3, parametrization=basis)
        return loop.follow(steps, 3)
    parity.same(trace(small.network().to("gpu")), trace(small.network()), TOLERANCE)


def test_a_step_copies_back_what_it_reports_and_one_bit(xp):
    """The bit: whether some image's gradient was zero everywhere."""
    copies = parity.counts(xp)
    network = small.network().to("gpu")
    start, counts = network.prepare(small.photo()).repeat(2, axis=0), []
    before = len(copies)
    for step in loop.steps(network, OBJECTIVE, start, SGD(2.0, normalize="mean_abs"), 3,
                             [transforms.jitter(2)], bounds=(-1, 1)):
        assert isinstance(step.value, np.ndarray) and array_module(step.image) is xp
        counts.append(len(copies) - before)
        before = len(copies)
    assert counts == [VALUES + 1] * 3 + [VALUES]  # the last one takes no gradient


def test_tiles(xp):
    def gradient(network):
        x = np.tile(images.prepare(small.photo(), network.preprocessing), (1, 2, 2, 1))
        return loop.look(InTiles(network, ["relu2"], 16), objectives.energy("relu2"),
                           to_device(x, network.device))
    (value, dx), (there, dx_there) = gradient(small.network()), gradient(small.network().to("gpu"))
    parity.alike(there.total, value.total, 1e-5)
    parity.alike(dx_there, dx, 1e-4)  # float32: some sums cancel


def classifier(device, bias=True):
    network = nets.classifier(classes=3, size=8, bias=bias)
    network.preprocessing = Preprocessing((8, 8), "RGB", (120, 120, 120), 1 / 64)
    return network.initialize(3).to(device)


def data():
    rng = np.random.default_rng(7)
    return rng.integers(0, 256, (24, 8, 8, 3)).astype(np.uint8), rng.integers(0, 3, 24)


@pytest.mark.parametrize("make", [lambda: SGD(0.1, 0.9, decay=1e-3), lambda: Adam(0.01)],
                         ids=["sgd", "adam"])
@pytest.mark.parametrize("normed", [False, True])
def test_training_takes_the_same_steps(xp, make, normed):
    """Without biases where batch norm takes them away: their gradient is rounding and no more."""
    def trained(device):
        pixels, labels = data()
        network = classifier(device, bias=not normed)
        network = batch_norm.add(network).initialize(3) if normed else network
        assert network.device == device
        told = list(epochs(network, pixels, labels, make(), 2, one_cycle(0.05), batch=8, seed=1))
        right = accuracy(network, pixels, labels, top=2, batch=9)
        return told, right, {k: to_host(a) for k, a in nets.parameters(network).items()}
    here, there = trained("cpu"), trained("gpu")
    for a, b in zip(here[0], there[0], strict=True):
        assert b.loss == pytest.approx(a.loss, rel=1e-4) and b.accuracy == a.accuracy
    assert there[1] == here[1]
    for place, a in here[2].items():
        parity.close(there[2][place], a, TOLERANCE)


def test_a_training_step_copies_back_its_loss_the_gradient_s_length_and_its_hits(xp):
    copies = parity.counts(xp)
    network, (pixels, labels) = classifier("gpu"), data()
    before = len(copies)
    list(epochs(network, pixels, labels, SGD(0.1), 1, one_cycle(0.05), batch=8))
    assert [what for what, _ in copies[before:]] == ["float", "float", "int"] * 3


def test_folded_batch_norms_compute_the_same(xp):
    normed = nets.trained(batch_norm.add(classifier("cpu")), dtype=np.float32).to("gpu")
    plain = batch_norm.fold(normed, nets.classifier(classes=3, size=8))
    x = xp.asarray(nets.images(2, (8, 8, 3), dtype=np.float32))
    assert plain.device == "gpu"
    parity.close(to_host(plain.forward(x).output), to_host(normed.forward(x).output), 1e-4)

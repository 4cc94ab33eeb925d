"""Objectives, parametrisations, transforms, regularisers and optimisers on the device."""

from itertools import islice

import numpy as np
import parity
import pytest
import small

from minicnn import images
from minicnn.ascent import (
    maco,
    objectives,
    optimizers,
    parametrize,
    pyramid,
    regularizers,
    transforms,
    views,
)
from minicnn.ascent.lbfgs import LBFGS
from minicnn.backend import array_module, to_device, to_host
from minicnn.vis.zoom import nearer

MAPS, SCORES = (3, 5, 6, 4), (3, 4)
OBJECTIVES = {
    "channel": objectives.channel("a", [2, 0, 1]),
    "channel sum": objectives.channel("a", 2, "sum"),
    "channel squares": objectives.channel("a", 2, "squares"),
    "channel positive": objectives.channel("a", [2, 0, 1], "positive"),
    "channel of scores": objectives.channel("s", [1, 2, 3]),
    "neuron": objectives.neuron("a", [2, 0, 1]),
    "logit": objectives.logit("s", [2, 0, 1]),
    "log_probability": objectives.log_probability("s", 1),
    "probability": objectives.probability("s", [2, 0, 1]),
    "energy": objectives.energy("a"),
    "direction": objectives.direction("a", np.arange(4.0)),
    "direction at a place": objectives.direction("a", np.ones((3, 4)), 1, 2),
    "cosine": objectives.cosine("a", np.arange(4.0), 2.0),
    "distance": objectives.distance("a", np.ones((5, 6, 4))),
    "guide": objectives.guide("a", np.random.default_rng(3).standard_normal((2, 3, 4))),
    "gram": objectives.gram("a", np.eye(4)),
    **{statistic.__name__: statistic("a", np.random.default_rng(4).random((1, 2, 3, 4)))
       for statistic in (objectives.covariance, objectives.means, objectives.shifted_gram,
                         objectives.wasserstein)},
    "diversity": objectives.diversity("a"),
    "spectrum": objectives.spectrum(np.random.default_rng(5).random((1, 5, 6, 4))),
    "l2": objectives.l2(),
    "alpha_norm": objectives.alpha_norm(3.0),
    "outside": objectives.outside(-0.5, np.full(4, 0.5)),
    "total_variation": objectives.total_variation(1.5),
    "a sum": objectives.energy("a") - 0.1 * objectives.total_variation(),
}


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives(xp, name):
    """Targets and directions may stay on the host."""
    def evaluated(a, s):
        value = OBJECTIVES[name].evaluate({"a": a, "s": s, "image": a})
        return [value.total, *value.by_term.values(), *value.gradients.values()]
    parity.check(xp, evaluated, normal(*MAPS), normal(*SCORES))


def test_targets_may_be_on_the_device(xp):
    a = xp.asarray(normal(*MAPS))
    for objective in (objectives.distance("a", a), objectives.guide("a", a[0]),
                      objectives.gram("a", objectives.gram_matrix(a)[0]),
                      objectives.direction("a", a[0, 0, 0])):
        assert objective.evaluate({"a": a}).gradients["a"].shape == a.shape


def test_no_objective_is_left_out():
    own = {name for name in objectives.__all__ if name[0].islower()} - {"gram_matrix"}
    assert own <= set(OBJECTIVES)


TRANSFORMS = {
    "jitter": transforms.jitter(3), "pad": transforms.pad(2, 0.5), "crop": transforms.crop(2),
    "scale": transforms.scale([0.7, 1.3]), "rotate": transforms.rotate([-20.0, 35.0]),
    "blur": transforms.blur(0.8), "fit": transforms.fit(9, 4),
    "lucid": lambda x, rng: transforms.apply(transforms.lucid(), x, rng),
    "affine": views.affine((9, 10), (1.2, 2.5)), "crops": views.crops((12, 9)),
    "noise": views.noise(0.3),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(xp, name):
    """The same random numbers, since they are drawn on the host."""
    def there_and_back(x):
        moved, undo = TRANSFORMS[name](x, np.random.default_rng(5))
        return [moved, undo(moved * moved)]
    parity.check(xp, there_and_back, normal(2, 16, 17, 3))


MOVES = {
    "diffuse": regularizers.diffuse(0.2), "decay": regularizers.decay(0.1),
    "blur": regularizers.blur(0.7),
    "small_norm": regularizers.small_norm(30),
    "small_contribution": regularizers.small_contribution(60),
    "every": regularizers.every(2, regularizers.decay(0.5)),
}


@pytest.mark.parametrize("name", MOVES)
def test_regularizers(xp, name):
    parity.check(xp, lambda x, g: [MOVES[name](x, g, 2)], normal(2, 6, 7, 3),
                 normal(2, 6, 7, 3, seed=2))


@pytest.mark.parametrize("setting", regularizers.SETTINGS)
def test_the_regularizers_of_yosinski(xp, setting):
    def moved(x, g):
        for regularize in regularizers.yosinski(setting):
            x = regularize(x, g, 0)
        return [x]
    parity.check(xp, moved, normal(2, 6, 7, 3), normal(2, 6, 7, 3, seed=2))


@pytest.mark.parametrize("basis", ["pixels", "fourier", "laplacian"])
@pytest.mark.parametrize("limit", parametrize.LIMITS)
def test_parametrisations(xp, basis, limit):
    network, options = small.network(), {"limit": limit}
    if basis == "laplacian":
        options["levels"] = 2
    made = getattr(parametrize, basis)(network, (11, 14), **options)

    def there_and_back(t):
        image, back = made.forward(t)
        return [image, back(image * image), made.encode(image)]
    parity.check(xp, there_and_back, made.start(2, seed=4))


@pytest.mark.parametrize("make", [
    lambda net: parametrize.fourier(net, (11, 14), decay=1.35, mask=0.95, chroma=1.4),
    lambda net: maco.standardized(net, (11, 14)), lambda net: maco.phases(net, (11, 14))],
    ids=["mask and chroma", "standardized", "phases"])
def test_parametrisations_of_presets(xp, make):
    made = make(small.network())

    def there_and_back(t):
        image, back = made.forward(t)
        return [image, back(image * image)]
    parity.check(xp, there_and_back, made.start(2, seed=4))


def test_a_parametrisation_starts_on_the_network_s_device(xp):
    network = small.network()
    here = parametrize.fourier(network).start(2, seed=4)
    there = parametrize.fourier(network.to("gpu")).start(2, seed=4)
    assert array_module(there) is xp and np.array_equal(to_host(there), here)


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1, momentum=0.9, decay=0.01),
    "adam": lambda: optimizers.Adam(0.1), "nadam": lambda: optimizers.Nadam(0.1),
    **{name: lambda name=name: optimizers.SGD(0.1, normalize=name)
       for name in optimizers.NORMALIZERS},
    "progress": lambda: optimizers.SGD(1.0, normalize=optimizers.progress(2.0, 10.0)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers(xp, name):
    def three_steps(x, g):
        optimizer, steps = OPTIMIZERS[name](), []
        for k in range(3):
            x = optimizer.step(x, g * (k + 1), "x")
            steps.append(x)
        return steps
    parity.check(xp, three_steps, normal(2, 6, 7, 3), normal(2, 6, 7, 3, seed=2))


@pytest.mark.parametrize("bounds", [None, (-1.0, 0.5)], ids=["free", "within bounds"])
def test_lbfgs(xp, bounds):
    def five_points(x, centre):
        def function(x):
            away = x - centre
            return (away**4 + away**2).sum(), 4 * away**3 + 2 * away
        return [point.x for point in islice(LBFGS(first=0.5).points(function, x, bounds), 5)]
    parity.check(xp, five_points, normal(1, 6, 7, 3), normal(1, 6, 7, 3, seed=2))


def test_the_pyramid(xp):
    def taken_apart(x):
        bands = pyramid.split(x, 3)
        return [*bands, pyramid.merge(bands), *pyramid.merge_backward(x, 3), pyramid.blur(x, 1.2)]
    parity.check(xp, taken_apart, normal(2, 11, 14, 3))


def test_a_zoom_s_step_nearer(xp):
    parity.check(xp, lambda x: [nearer(x, 0.1, 5)], normal(1, 6, 7, 3))


def test_images_go_there_and_come_back(xp):
    network = small.network().to("gpu")
    photo = small.photo()
    x = network.prepare(photo)
    assert array_module(x) is xp and x.dtype == np.float32
    assert np.array_equal(to_host(x), images.prepare(photo, network.preprocessing))
    assert np.abs(network.restore(x)[0].astype(int) - photo).max() <= 1
    assert to_device(x, "gpu") is x and to_host(to_device(x, "cpu")) is not x

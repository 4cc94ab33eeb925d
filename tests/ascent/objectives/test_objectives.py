"""What holds for every objective: its gradient is the slope of its value, each image of a batch is
on its own, types are kept. The values themselves are tested in tests/objectives."""

import nets
import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.ascent import objectives

A = nets.images(2, (3, 4, 5))  # an activation; H != W != C
DENSE = 3 * nets.images(2, (5,))
VECTOR = nets.images(2, (5,), seed=5)
FEATURES = nets.images(1, (2, 3, 5), seed=6)
BETAS = [1, 1.5, 2]


def target(dtype=np.float64):
    """The Gram matrix of another image, of another size."""
    return objectives.gram_matrix(nets.images(1, (6, 2, 5), 7))[0].astype(dtype)


# each makes the objective for an activation; the index or direction may differ from image to image
TERMS = {
    "channel": lambda a: objectives.channel("layer", 3),
    "channel, sum": lambda a: objectives.channel("layer", 3, "sum"),
    "channel, squares": lambda a: objectives.channel("layer", 3, "squares"),
    "channel, positive": lambda a: objectives.channel("layer", 3, "positive"),
    "channels": lambda a: objectives.channel("layer", [3, 1][: len(a)]),
    "channels, squares": lambda a: objectives.channel("layer", [3, 1][: len(a)], "squares"),
    "neuron": lambda a: objectives.neuron("layer", 2, 1, 3),
    "neurons": lambda a: objectives.neuron("layer", [2, 4][: len(a)], 1, 3),
    "energy": lambda a: objectives.energy("layer"),
    "direction": lambda a: objectives.direction("layer", VECTOR[0]),
    "directions": lambda a: objectives.direction("layer", VECTOR[: len(a)], 2, 1),
    "cosine": lambda a: objectives.cosine("layer", VECTOR[0]),
    "cosine, power 0": lambda a: objectives.cosine("layer", VECTOR[0], 0),
    "cosines, power 2.5": lambda a: objectives.cosine("layer", VECTOR[: len(a)], 2.5),
    "cosine at a position": lambda a: objectives.cosine("layer", VECTOR[0], 2, 1, 0),
    "distance": lambda a: objectives.distance("layer", nets.images(1, (3, 4, 5), 8)),
    "distances": lambda a: objectives.distance("layer", nets.images(2, (3, 4, 5), 8)[: len(a)]),
    "guide": lambda a: objectives.guide("layer", FEATURES),
    "gram": lambda a: objectives.gram("layer", target(a.dtype)),
    "covariance": lambda a: objectives.covariance("layer", FEATURES.astype(a.dtype)),
    "means": lambda a: objectives.means("layer", FEATURES.astype(a.dtype)),
    "shifted gram": lambda a: objectives.shifted_gram("layer", FEATURES.astype(a.dtype) + 1),
    "wasserstein": lambda a: objectives.wasserstein("layer", FEATURES.astype(a.dtype)),
    "spectrum": lambda a: objectives.spectrum(nets.images(1, (3, 4, 5), 8).astype(a.dtype)),
    "l2": lambda a: objectives.l2(),
    "alpha norm 1": lambda a: objectives.alpha_norm(1),
    "alpha norm 2.5": lambda a: objectives.alpha_norm(2.5),
    "alpha norm 6": lambda a: objectives.alpha_norm(6),
    "outside": lambda a: objectives.outside(-0.4, np.linspace(0.2, 0.6, 5)),
    **{f"total variation {beta}": lambda a, beta=beta: objectives.total_variation(beta)
       for beta in BETAS},
}
LINEAR = {"channel", "channel, sum", "channels", "neuron", "neurons", "direction", "directions",
          "cosine, power 0"}
AT_DENSE = {
    "channel": lambda a: objectives.channel("fc", 4),
    "logit": lambda a: objectives.logit("fc", 4),
    "logits": lambda a: objectives.logit("fc", [4, 0][: len(a)]),
    "log probability": lambda a: objectives.log_probability("fc", 4),
    "log probabilities": lambda a: objectives.log_probability("fc", [4, 0][: len(a)]),
    "probability": lambda a: objectives.probability("fc", 4),
    "probabilities": lambda a: objectives.probability("fc", [4, 0][: len(a)]),
    "direction": lambda a: objectives.direction("fc", VECTOR[0]),
    "cosine": lambda a: objectives.cosine("fc", VECTOR[0], 2),
    "energy": lambda a: objectives.energy("fc"),
    "distance": lambda a: objectives.distance("fc", VECTOR[0]),
}
EVERY = [(name, make, A) for name, make in TERMS.items()] + [
    (f"{name}, dense", make, DENSE) for name, make in AT_DENSE.items()]
every = pytest.mark.parametrize("name, make, at", EVERY, ids=[name for name, *_ in EVERY])


def function(objective):
    """Of an objective that has one term."""
    (only,) = objective.terms
    return only.function


def spread(dy, a):
    return dy.reshape(-1, *[1] * (a.ndim - 1))  # N -> N,1,1,1


def test_every_objective_is_among_them():
    made = {make(at).terms[0].function.__qualname__.partition(".")[0] for _, make, at in EVERY}
    assert made | {"diversity"} == {name for name in objectives.__all__ if name.islower()} - {
        "gram_matrix"}


@pytest.mark.parametrize("count", [1, 2])
@every
def test_gradient(name, make, at, count):
    """dy differs from image to image, so a value that mixed them would show."""
    gradcheck.check(lambda a: function(make(a))(a), lambda dy, g: spread(dy, g) * g,
                    {"a": at[:count]}, linear=("a",) * (name in LINEAR), name=name
                    ).raise_if_failed()


@every
def test_images_of_a_batch_are_independent(name, make, at):
    values, gradient = function(make(at))(at)
    assert values.shape == (2,) and gradient.shape == at.shape
    if name.startswith(("channels", "neurons", "directions", "cosines", "distances", "logits",
                        "log probabilities", "probabilities")):
        return  # the second image's unit is another; see test_an_index_for_each_image
    for n in range(2):
        value, alone = function(make(at[n : n + 1]))(at[n : n + 1])
        # one sum in another order at most
        np.testing.assert_allclose(values[n], value[0], rtol=1e-13)
        np.testing.assert_allclose(gradient[n], alone[0], rtol=1e-13, atol=1e-16)


CHOSEN = {
    "channel": (A, lambda which: objectives.channel("layer", which)),
    "squares": (A, lambda which: objectives.channel("layer", which, "squares")),
    "positive": (A, lambda which: objectives.channel("layer", which, "positive")),
    "neuron": (A, lambda which: objectives.neuron("layer", which, 2, 0)),
    "logit": (DENSE, lambda which: objectives.logit("fc", which)),
    "log probability": (DENSE, lambda which: objectives.log_probability("fc", which)),
    "probability": (DENSE, lambda which: objectives.probability("fc", which)),
    "direction": (A, lambda which: objectives.direction("layer", np.eye(5)[np.asarray(which)])),
    "cosine": (A, lambda which: objectives.cosine("layer", np.eye(5)[np.asarray(which)])),
}


@pytest.mark.parametrize("kind", CHOSEN)
@pytest.mark.parametrize("which", [[4, 0], (2, 2), np.array([1, 3])], ids=str)
def test_an_index_for_each_image(kind, which):
    """Image k of a batch climbs index k, and its gradient is the one it would have alone."""
    at, make = CHOSEN[kind]
    values, gradient = function(make(which))(at)
    for n in range(2):
        value, alone = function(make(int(which[n])))(at[n : n + 1])
        np.testing.assert_allclose(values[n], value[0], rtol=1e-14)
        np.testing.assert_allclose(gradient[n], alone[0], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every
def test_dtype_is_kept(name, make, at, dtype):
    a = at.astype(dtype)
    values, gradient = function(make(a))(a)
    assert values.dtype == dtype and gradient.dtype == dtype


@every
def test_nothing_is_changed_and_nothing_is_shared(name, make, at):
    a = at.copy()
    _, gradient = function(make(a))(a)
    np.testing.assert_array_equal(a, at)
    assert not np.shares_memory(a, gradient)

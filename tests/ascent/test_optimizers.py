"""Optimisers against steps worked out by hand, and against PyTorch's."""

from functools import partial

import numpy as np
import pytest

from minicnn.ascent import pyramid
from minicnn.ascent.lbfgs import LBFGS
from minicnn.ascent.optimizers import (
    NORMALIZERS,
    SGD,
    Adam,
    AdamW,
    Nadam,
    RMSprop,
    laplacian,
    mean_abs,
    progress,
    rms,
)

SIZES = {  # of one image of a gradient, by definition
    "mean_abs": lambda g: np.mean(np.abs(g)),
    "rms": lambda g: np.sqrt(np.mean(g**2)),
    "std": lambda g: np.sqrt(np.mean((g - np.mean(g)) ** 2)),
    "l2": lambda g: np.sqrt(np.sum(g**2)),
}


def values_of(optimizer, value, gradients, key=None):
    """The values after each step, for given gradients."""
    values = []
    for gradient in gradients:
        value = optimizer.step(value, gradient, key)
        values.append(value)
    return np.array(values)


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_they_print_their_settings():
    assert repr(SGD(0.1, 0.9)) == "SGD(rate=0.1, momentum=0.9, decay=0)"
    assert repr(AdamW(0.001)).startswith("AdamW(rate=0.001, beta1=0.9, beta2=0.999, ")
    assert repr(LBFGS()) == "LBFGS(memory=10, first=1)"


def test_plain_steps_by_hand():
    values = values_of(SGD(0.5), np.array([1.0, -2.0]), np.array([[2.0, 4.0], [-1.0, 0.0]]))
    np.testing.assert_array_equal(values, [[0, -4], [0.5, -4]])


def test_momentum_by_hand():
    values = values_of(SGD(0.5, momentum=0.5), np.array([0.0]), np.array([[2.0], [4.0], [0.0]]))
    np.testing.assert_array_equal(values, [[-1], [-1 - 0.5 - 2], [-3.5 - 1.25]])


def test_decay_by_hand():
    values = values_of(SGD(0.5, decay=0.25), np.array([8.0]), np.array([[2.0], [0.0]]))
    np.testing.assert_array_equal(values, [[8 - 0.5 * (2 + 2)], [6 - 0.5 * 1.5]])


def test_adam_by_hand():
    """A first step is the rate whatever the gradient's size; the second is worked out here."""
    values = values_of(Adam(0.1, beta1=0.5, beta2=0.75, epsilon=0), np.array([1.0, 1.0]),
                  np.array([[4.0, -0.004], [0.0, 0.0]]))
    m_hat, v_hat = 0.5 * 2.0 / 0.75, 0.75 * 4.0 / (1 - 0.75**2)
    second = 0.1 * m_hat / v_hat**0.5
    np.testing.assert_allclose(values, [[0.9, 1.1], [0.9 - second, 1.1 + second]], rtol=1e-14)


def test_adam_s_epsilon_is_outside_the_root():
    np.testing.assert_allclose(Adam(1.0, epsilon=3.0).step(np.array([0.0]), np.array([2.0])),
                               [-2 / (2 + 3)], rtol=1e-14)  # float64


def test_rmsprop_by_hand():
    """v = 0.5 g^2 after the first step; its root is sqrt(0.5) times the gradient's size."""
    values = values_of(RMSprop(0.1, rho=0.5, epsilon=0), np.array([1.0]), np.array([[4.0], [2.0]]))
    second = 0.1 * 2 / np.sqrt(0.5 * 8 + 0.5 * 4)
    first = 0.1 / np.sqrt(0.5)
    np.testing.assert_allclose(values, [[1 - first], [1 - first - second]], rtol=1e-14)
    np.testing.assert_allclose(  # Keras 2: the epsilon is outside the root
        RMSprop(1.0, rho=0.75, epsilon=3.0).step(np.array([0.0]), np.array([2.0])), [-2 / (1 + 3)])


def test_adamw_pulls_towards_zero_by_a_share_of_the_value():
    with_decay, without = AdamW(0.1, decay=0.5), Adam(0.1)
    value, gradient = np.array([8.0, -2.0]), np.array([3.0, 1.0])
    np.testing.assert_allclose(with_decay.step(value, gradient),
                               without.step(value, gradient) - 0.1 * 0.5 * value, rtol=1e-14)


def test_nadam_by_hand():
    """A first step: mu_1 and mu_2 are beta1 times a little more than a half."""
    one, two = (0.5 * (1 - 0.96 ** (0.004 * t) / 2) for t in (1, 2))
    values = values_of(Nadam(0.1, beta1=0.5, beta2=0.75, epsilon=0), np.array([1.0, 1.0]),
                       np.array([[4.0, -0.004]]))
    step = 0.1 * (1 + two / (1 - one * two) * 0.5)  # of a gradient of size 1, whose mean is 0.5
    np.testing.assert_allclose(values, [[1 - step, 1 + step]], rtol=1e-14)


@pytest.mark.parametrize("ours, theirs", [
    (lambda: SGD(0.05), lambda torch, p: torch.optim.SGD(p, 0.05)),
    (lambda: SGD(0.05, 0.9), lambda torch, p: torch.optim.SGD(p, 0.05, momentum=0.9)),
    (lambda: SGD(0.05, 0.9, 0.01),
     lambda torch, p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.01)),
    (lambda: Adam(0.05), lambda torch, p: torch.optim.Adam(p, 0.05)),
    (lambda: Adam(0.05, 0.8, 0.95, 1e-3),
     lambda torch, p: torch.optim.Adam(p, 0.05, betas=(0.8, 0.95), eps=1e-3)),
    (lambda: RMSprop(0.05), lambda torch, p: torch.optim.RMSprop(p, 0.05, alpha=0.9, eps=1e-7)),
    (lambda: RMSprop(0.05, 0.99, 1e-8, 0.01),
     lambda torch, p: torch.optim.RMSprop(p, 0.05, weight_decay=0.01)),
    (lambda: AdamW(0.05, decay=0.1), lambda torch, p: torch.optim.AdamW(p, 0.05, weight_decay=0.1)),
    (lambda: Nadam(0.05), lambda torch, p: torch.optim.NAdam(p, 0.05)),
    (lambda: Nadam(0.05, 0.8, 0.95, 1e-3),
     lambda torch, p: torch.optim.NAdam(p, 0.05, betas=(0.8, 0.95), eps=1e-3)),
], ids=["sgd", "momentum", "decay", "adam", "adam, all settings", "rmsprop",
        "rmsprop, decay", "adamw", "nadam", "nadam, all settings"])
def test_twenty_steps_equal_pytorch_s(ours, theirs):
    torch = pytest.importorskip("torch")
    start, gradients = normal(3, 4), normal(20, 3, 4, seed=1)
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimizer, expected = theirs(torch, [parameter]), []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        expected.append(parameter.detach().numpy().copy())
    # float64: 20 steps of a few roundings each
    np.testing.assert_allclose(values_of(ours(), start, gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: SGD(0.1, 0.9, 0.01), lambda: Adam(0.1),
                                  lambda: Nadam(0.1), lambda: RMSprop(0.1, decay=0.01),
                                  lambda: AdamW(0.1)])
def test_no_argument_is_changed_and_the_type_is_kept(make):
    value, gradient = normal(2, 3, dtype=np.float32), normal(2, 3, seed=1, dtype=np.float32)
    before = value.copy(), gradient.copy()
    optimizer = make()
    for _ in range(2):
        stepped = optimizer.step(value, gradient)
        assert stepped.dtype == np.float32 and not np.shares_memory(stepped, value)
    assert (value == before[0]).all() and (gradient == before[1]).all()


@pytest.mark.parametrize("make", [lambda: SGD(0.1, 0.9), lambda: Adam(0.1), lambda: Nadam(0.1),
                                  lambda: RMSprop(0.1)])
def test_arrays_of_different_keys_do_not_mix(make):
    one, two = normal(5, 2), normal(5, 3, seed=1)
    shared, value_one, value_two = make(), np.zeros(2), np.zeros(3)
    for g_one, g_two in zip(one, two, strict=True):
        value_one = shared.step(value_one, g_one, "one")
        value_two = shared.step(value_two, g_two, "two")
    np.testing.assert_array_equal(value_one, values_of(make(), np.zeros(2), one)[-1])
    np.testing.assert_array_equal(value_two, values_of(make(), np.zeros(3), two)[-1])


def test_the_rate_may_change_between_steps():
    """The velocity keeps what earlier rates put into it (Krizhevsky's form)."""
    optimizer = SGD(1.0, momentum=0.5)
    value = optimizer.step(np.array([0.0]), np.array([1.0]))
    optimizer.rate = 0.1
    np.testing.assert_allclose(optimizer.step(value, np.array([1.0])), [-1 - 0.5 - 0.1], rtol=1e-15)


# ---- normalisers

@pytest.mark.parametrize("name", SIZES)
def test_a_normaliser_divides_each_image_by_its_own_size(name):
    g = normal(2, 4, 5, 3) * np.array([1e-3, 1e3]).reshape(2, 1, 1, 1)  # per image
    normalized = NORMALIZERS[name](g)
    for image, by_definition in zip(normalized, g, strict=True):
        # the epsilon of 1e-8 is 1e-5 of the smaller image's size
        np.testing.assert_allclose(image, by_definition / SIZES[name](by_definition), rtol=2e-5)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_an_image_does_not_depend_on_its_neighbour(name):
    one, two = normal(1, 4, 5, 3), 1e6 * normal(1, 4, 5, 3, seed=1)
    np.testing.assert_array_equal(NORMALIZERS[name](np.concatenate([one, two]))[:1],
                                  NORMALIZERS[name](one))


def test_every_normaliser_is_tested():
    assert {*SIZES, "laplacian"} == set(NORMALIZERS)


@pytest.mark.parametrize("name", NORMALIZERS)
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_gradient_of_zeros_moves_nothing(name, kind):
    value = normal(2, 4, 5, 3)
    np.testing.assert_array_equal(kind(0.1, normalize=name).step(value, np.zeros_like(value)),
                                  value)


def test_the_optimiser_normalises_before_it_steps():
    value, g = normal(2, 3, 3, 1), 1e4 * normal(2, 3, 3, 1, seed=1)
    stepped = SGD(0.5, decay=0.1, normalize="rms").step(value, g)
    np.testing.assert_array_equal(stepped, value - 0.5 * (NORMALIZERS["rms"](g) + 0.1 * value))


def test_a_normaliser_may_be_a_function():
    """Keras' generate_pattern divides by the RMS plus 1e-5."""
    value, g = normal(1, 3, 3, 1), 1e-5 * normal(1, 3, 3, 1, seed=1)
    stepped = SGD(0.5, normalize=partial(rms, epsilon=1e-5)).step(value, g)
    np.testing.assert_allclose(stepped, value - 0.5 * g / (np.sqrt(np.mean(g**2)) + 1e-5),
                               rtol=1e-14)


@pytest.mark.parametrize("name", NORMALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_normaliser_keeps_the_dtype_and_its_argument(name, dtype):
    g = normal(2, 9, 6, 3, dtype=dtype)
    before = g.copy()
    assert NORMALIZERS[name](g).dtype == dtype and (g == before).all()


def test_laplacian_lets_a_weak_broad_pattern_count_like_a_strong_fine_one():
    """Divided by one number, their ratio stays."""
    rows = np.arange(64)
    fine = (-1.0) ** np.add.outer(rows, rows)[None, :, :, None]
    broad = np.cos(np.pi * (rows + 0.5) / 64)[None, :, None, None] * np.ones((1, 64, 64, 1))

    def ratio(g):
        """How much of the fine pattern there is to how much of the broad one."""
        return (g * fine).sum() / (fine**2).sum() / ((g * broad).sum() / (broad**2).sum())
    g = 1e3 * fine + broad
    assert ratio(mean_abs(g)) == pytest.approx(1e3, rel=1e-6)
    assert 0.3 < ratio(laplacian(g)) < 3


def test_laplacian_is_its_definition_each_image_on_its_own():
    g = normal(2, 20, 37, 3) * np.array([1e-2, 1e3]).reshape(2, 1, 1, 1)
    for n, normalized in enumerate(laplacian(g)):
        bands = [band / (np.sqrt(np.mean(band**2)) + 1e-8)
                 for band in pyramid.split(g[n : n + 1], 4)]
        np.testing.assert_allclose(normalized, pyramid.merge(bands)[0], rtol=1e-12)


@pytest.mark.parametrize("size, levels", [((64, 64), 4), ((7, 100), 2), ((2, 3), 1), ((1, 9), 0)])
def test_laplacian_takes_fewer_levels_where_the_image_is_small(size, levels):
    g = normal(1, *size, 3)
    expected = pyramid.merge([rms(band) for band in pyramid.split(g, levels)])
    np.testing.assert_array_equal(laplacian(g), expected)


def test_progress_takes_the_step_that_should_gain_so_much():
    """The gain of a step is rate * g . g, here 2; a weak gradient is held to the largest rate."""
    strong, weak = normal(1, 4, 5, 3), 1e-3 * normal(1, 4, 5, 3, seed=1)
    step = progress(2.0, 100.0)(np.concatenate([strong, weak]))
    assert (step[0] * strong[0]).sum() == pytest.approx(2, rel=1e-12)
    np.testing.assert_allclose(step[1], 100 * weak[0], rtol=1e-12)
    np.testing.assert_array_equal(progress(2.0, 100.0)(np.zeros((1, 2, 2, 3))), 0)


def test_an_unknown_normaliser_is_named():
    with pytest.raises(ValueError, match="one of mean_abs, rms, std, l2, laplacian, a function or "
                                         "None, got 'max'"):
        Adam(0.1, normalize="max")

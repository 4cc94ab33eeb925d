"""L-BFGS: the two loops against BFGS's own formula, known minima, SciPy's L-BFGS-B, bounds."""

from collections import deque
from itertools import islice

import numpy as np
import pytest

from minicnn.ascent.lbfgs import C1, C2, LBFGS, two_loop


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def rosenbrock(x):
    bend, away = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[:-1] -= 400 * x[:-1] * bend + 2 * away
    gradient[1:] += 200 * bend
    return (100 * bend**2 + away**2).sum(), gradient


def beale(x):
    a, b = x
    powers = b ** np.arange(1, 4)
    off = np.array([1.5, 2.25, 2.625]) - a + a * powers
    by_b = a * np.arange(1, 4) * b ** np.arange(3)
    return (off**2).sum(), np.array([(2 * off * (powers - 1)).sum(), (2 * off * by_b).sum()])


def powell(x):
    """Its matrix of second derivatives is singular at the minimum, 0."""
    a, b, c, d = x
    gradient = [2 * (a + 10 * b) + 40 * (a - d) ** 3, 20 * (a + 10 * b) + 4 * (b - 2 * c) ** 3,
                10 * (c - d) - 8 * (b - 2 * c) ** 3, -10 * (c - d) - 40 * (a - d) ** 3]
    return ((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4,
            np.array(gradient))


STIFF = np.logspace(0, 4, 50)


def stiff(x):
    """A long valley: its second derivatives range over four powers of ten."""
    return (STIFF * (x - 1) ** 2).sum() / 2, STIFF * (x - 1)


# name: (function, start, bounds, the lowest value, SciPy 1.17's looks until |gradient| < 1e-6).
# The minima of the first five are known; the others are SciPy's.
CASES = {
    "rosenbrock of 2": (rosenbrock, [-1.2, 1.0], None, 0.0, 45),
    "rosenbrock of 10": (rosenbrock, [-1.0] * 10, None, 0.0, 87),
    "beale": (beale, [1.0, 1.0], None, 0.0, 16),
    "powell": (powell, [3.0, -1.0, 0.0, 1.0], None, 0.0, 52),
    "stiff": (stiff, [0.0] * 50, None, 0.0, 825),
    "rosenbrock, bounded": (rosenbrock, [-1.0] * 10, (-1.5, 0.5), 7.594812948946876, 25),
    "beale, bounded": (beale, [1.0, 0.2], (np.zeros(2), np.array([2.5, 0.4])),
                       0.0727000506535339, 8),
    "stiff, bounded": (stiff, [0.0] * 50, (np.linspace(-1, 1.5, 50), np.full(50, 2.0)),
                       3394.086034119341, 273),
}
cases = pytest.mark.parametrize("name", CASES)


def slope_within(point, bounds):
    """How far a step down the gradient gets within the bounds: 0 at a minimum there."""
    low, high = (-np.inf, np.inf) if bounds is None else bounds
    return np.abs(point.x - (point.x - point.gradient).clip(low, high)).max()


def descent(name, most=2000, tolerance=1e-6, **settings):
    """(the points until the gradient is small, the number of looks)."""
    function, start, bounds, *_ = CASES[name]
    looks, points = [], []

    def counted(x):
        looks.append(x)
        return function(x)
    for point in islice(LBFGS(**{"first": 0.1} | settings).points(counted, np.array(start),
                                                                  bounds), most):
        points.append(point)
        if slope_within(point, bounds) < tolerance:
            break
    return points, len(looks)


# ---- the two loops

def test_the_two_loops_are_bfgs_s_formula():
    """(7.16), with H as a matrix."""
    size, gamma = 7, 0.0
    pairs, h = [], None
    for k in range(4):
        s, y = normal(size, seed=k), normal(size, seed=10 + k)
        y *= np.sign(s @ y)
        pairs.append((s, y, 1 / (s @ y)))
    gamma = (s @ y) / (y @ y)
    h = gamma * np.eye(size)
    for s, y, rho in pairs:
        left = np.eye(size) - rho * np.outer(s, y)
        h = left @ h @ left.T + rho * np.outer(s, s)
    vector = normal(size, seed=20)
    # float64: some dozen operations on numbers of about 1, through matrices of moderate condition
    np.testing.assert_allclose(two_loop(vector, deque(pairs)), h @ vector, rtol=1e-9)


def test_without_pairs_it_is_the_gradient_itself():
    vector = normal(5)
    np.testing.assert_array_equal(two_loop(vector, deque()), vector)


def test_after_a_step_h_maps_the_newest_y_to_s():
    """The secant equation, which is what the estimate is made for."""
    points = [*islice(LBFGS().points(rosenbrock, normal(6)), 4)]
    pairs = deque()
    for a, b in zip(points, points[1:], strict=False):
        s, y = b.x - a.x, b.gradient - a.gradient
        pairs.append((s, y, 1 / (s @ y)))
    np.testing.assert_allclose(two_loop(pairs[-1][1], pairs), pairs[-1][0], rtol=1e-9)  # float64


# ---- minima

@cases
def test_it_finds_the_minimum_in_about_scipy_s_number_of_looks(name):
    *_, lowest, looks_of_scipy = CASES[name]
    points, looks = descent(name, tolerance=1e-5 if name == "stiff, bounded" else 1e-6)
    # a gradient of 1e-6 leaves less than 1e-9 of height in all of them
    assert points[-1].value == pytest.approx(lowest, rel=1e-9, abs=1e-9)
    # other searches and other ways to keep bounds take other ways; three times is another method
    assert looks < 3 * looks_of_scipy


@cases
def test_the_recorded_minima_and_looks_are_scipy_s(name):
    optimize = pytest.importorskip("scipy.optimize")
    function, start, bounds, lowest, looks = CASES[name]
    start = np.array(start)
    pairs = None if bounds is None else list(zip(*np.broadcast_arrays(*bounds, start)[:2],
                                                 strict=True))
    found = optimize.minimize(function, start, jac=True, method="L-BFGS-B", bounds=pairs,
                              options={"gtol": 1e-6, "ftol": 0, "maxiter": 2000})
    assert found.fun == pytest.approx(lowest, rel=1e-9, abs=1e-9)
    assert abs(found.nfev / looks - 1) < 0.3  # versions and BLAS differ


@cases
def test_no_point_is_higher_than_the_one_before(name):
    values = [point.value for point in descent(name)[0]]
    assert all(b <= a for a, b in zip(values, values[1:], strict=False)) and len(values) > 3


@pytest.mark.parametrize("name", [name for name in CASES if "bounded" not in name])
def test_every_step_meets_the_strong_wolfe_conditions(name):
    points, _ = descent(name)
    for a, b in zip(points, points[1:], strict=False):
        slopes = a.gradient @ (b.x - a.x), b.gradient @ (b.x - a.x)  # along the step taken
        # 1e-12: rounding of values that are themselves rounded
        assert b.value <= a.value + C1 * slopes[0] + 1e-12 * abs(a.value)
        assert abs(slopes[1]) <= -C2 * slopes[0] * (1 + 1e-9)


def test_a_longer_memory_needs_fewer_steps_on_a_long_valley():
    short, long = (len(descent("stiff", memory=m)[0]) for m in (1, 30))
    assert long < 0.6 * short


def test_the_memory_is_bounded():
    """A step depends on the last pairs alone: from the third point on, a memory of 1 goes where
    another descent goes that began one point later with that pair."""
    points = [*islice(LBFGS(memory=1).points(rosenbrock, normal(6)), 5)]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        s, y = b.x - a.x, b.gradient - a.gradient
        way = two_loop(-b.gradient, deque([(s, y, 1 / (s @ y))]))
        step = c.x - b.x
        # the same direction; its length is the search's
        assert step @ way / np.sqrt((step @ step) * (way @ way)) == pytest.approx(1, abs=1e-9)


def test_the_first_trial_has_the_length_asked_for():
    tried = []

    def flat(x):
        tried.append(x)
        return 1e-6 * x.sum(), np.full_like(x, 1e-6)
    points = LBFGS(first=3.0).points(flat, np.zeros(16))
    next(points), next(points)
    assert np.sqrt(((tried[1] - tried[0]) ** 2).mean()) == pytest.approx(3.0, rel=1e-12)


# ---- bounds

@pytest.mark.parametrize("name", [name for name in CASES if "bounded" in name])
def test_bounds_hold_at_every_look_and_bind_at_the_end(name):
    function, start, (low, high), *_ = CASES[name]
    looks = []

    def seen(x):
        looks.append(x)
        return function(x)
    *_, point = islice(LBFGS(first=0.1).points(seen, np.array(start), (low, high)), 300)
    assert all((x >= low).all() and (x <= high).all() for x in looks)
    assert ((point.x == low) | (point.x == high)).any()
    assert slope_within(point, (low, high)) < 1e-4


def test_a_start_outside_is_moved_to_the_bounds():
    first = next(LBFGS().points(rosenbrock, np.array([-5.0, 0.3, 9.0]), (-1.0, 1.0)))
    np.testing.assert_array_equal(first.x, [-1, 0.3, 1])
    assert first.value == rosenbrock(first.x)[0]


def test_it_ends_in_the_corner_that_everything_points_to():
    points = [*LBFGS().points(lambda x: (x.sum(), np.ones_like(x)), np.full(4, 0.5), (0.0, 1.0))]
    np.testing.assert_array_equal(points[-1].x, np.zeros(4))


# ---- values that are not finite

@pytest.mark.parametrize("beyond", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of", ["value", "gradient"])
def test_it_steps_back_from_what_is_not_finite(beyond, of):
    """A valley whose bottom is at 3, where nothing beyond 2.5 can be computed."""
    def cliff(x):
        value, gradient = ((x - 3) ** 2).sum(), 2 * (x - 3)
        if (x > 2.5).any():
            return (beyond, gradient) if of == "value" else (value, np.full_like(x, beyond))
        return value, gradient
    points = [*islice(LBFGS(first=10.0).points(cliff, np.zeros(3)), 30)]
    assert all(np.isfinite(p.value) and np.isfinite(p.gradient).all() for p in points)
    assert len(points) > 1 and 2.4 < points[-1].x.max() <= 2.5


def test_where_every_step_fails_the_last_good_point_is_the_last():
    def lost(x):
        return (1.0, np.ones_like(x)) if (x == 0).all() else (np.nan, x)
    points = [*LBFGS().points(lost, np.zeros(3))]
    assert len(points) == 1 and (points[0].x == 0).all()


def test_a_flat_start_is_the_end():
    assert len([*LBFGS().points(lambda x: (1.0, np.zeros_like(x)), np.zeros(3))]) == 1


# ---- arguments

@pytest.mark.parametrize("bounds", [None, (-1.0, 0.9)])
def test_dtype_is_kept_and_nothing_handed_over_is_changed(bounds):
    start = normal(8).astype(np.float32).clip(-1, 0.9)
    before, handed = start.copy(), []

    def function(x):
        value, gradient = rosenbrock(x)
        handed.append((x, x.copy(), gradient, gradient.copy()))
        return value, gradient
    points = [*islice(LBFGS().points(function, start, bounds), 12)]
    assert all(p.x.dtype == p.gradient.dtype == np.float32 for p in points)
    np.testing.assert_array_equal(start, before)
    for x, x_then, gradient, gradient_then in handed:
        assert (x == x_then).all() and (gradient == gradient_then).all()


def test_what_else_the_function_returns_is_handed_on():
    points = LBFGS().points(lambda x: (*rosenbrock(x), x.tobytes()), normal(3))
    for point in islice(points, 5):
        assert point.more == [point.x.tobytes()]


@pytest.mark.parametrize("settings", [{"memory": 0}, {"memory": 1.5}, {"first": 0},
                                      {"first": np.inf}], ids=str)
def test_settings_that_cannot_be(settings):
    with pytest.raises(ValueError, match="LBFGS: memory must be a whole number of at least 1"):
        LBFGS(**settings)

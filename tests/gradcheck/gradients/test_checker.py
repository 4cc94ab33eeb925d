"""The checker itself: it accepts right gradients, rejects slightly wrong ones, and says where."""

from typing import NamedTuple

import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.gradcheck import Finding, Report
from minicnn.ops import conv

KINDS = ("central differences", "complex step", "adjoint identity", "naive twin")
CONDUCT = ("arguments untouched", "dtype kept", "float32 as float64", "any memory layout",
           "no aliasing", "same bytes twice", "backward twice", "another forward between",
           "results kept", "linear in dy")


class Gradients(NamedTuple):
    dx: np.ndarray
    dw: np.ndarray


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


def bend_forward(x, w):
    """tanh(x @ w): smooth, two inputs."""
    y = np.tanh(x @ w)
    return y, (x, w, y)


def bend_backward(dy, cache):
    x, w, y = cache
    dz = dy * (1 - y**2)
    return Gradients(dz @ w.T, x.T @ dz)


BEND = {"x": normal(3, 4), "w": normal(4, 2, seed=2)}


def product_forward(x, w):
    return x @ w, (x, w)


def product_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy


def spoiled(change):
    """bend_backward with its dx changed by a function."""

    def backward(dy, cache):
        dx, dw = bend_backward(dy, cache)
        return Gradients(change(dx), dw)

    return backward


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


# ---- right gradients pass ----------------------------------------------------------------------


def test_right_gradient_passes_every_kind():
    report = gradcheck.check(
        product_forward, product_backward, BEND, linear=("x", "w"), smooth=True, name="product",
        twin=lambda x, w: np.einsum("nd,do->no", x, w),
        twin_gradient=lambda dy, x, w: (np.einsum("no,do->nd", dy, w),
                                        np.einsum("no,nd->do", dy, x)),
    )
    assert report.ok, report
    assert {finding.status for finding in report.findings} == {"passed", "not applicable"}
    assert report["PyTorch"].words == "no torch function given"
    for kind in KINDS:
        assert report[kind].status == "passed"


def test_right_gradient_of_a_smooth_function_is_far_inside_the_tolerance():
    report = gradcheck.check(bend_forward, bend_backward, BEND, smooth=True)
    assert report.ok, report
    assert report["central differences"].error < 1e-8
    assert report["complex step"].error < 1e-12


def test_students_style_without_a_cache():
    assert gradcheck.check(np.sin, lambda dy, x: dy * np.cos(x), normal(5), smooth=True).ok
    assert gradcheck.check(relu, relu_backward, {"x": normal(4, 4)}).ok
    report = gradcheck.check(lambda x, w: x @ w, lambda dy, x, w: [dy @ w.T, x.T @ dy], BEND)
    assert report.ok, report


def test_scalar_output():
    report = gradcheck.check(lambda x: np.sum(x**2), lambda dy, x: dy * 2 * x, normal(5))
    assert report.ok, report


def test_none_is_not_checked():
    report = gradcheck.check(bend_forward, spoiled(lambda dx: None), BEND)
    assert report.ok, report


def test_none_for_a_bias_that_is_not_given_is_no_gradient_too_many():
    """As the page of a convolution returns for one without a bias."""
    report = gradcheck.check(conv.forward, conv.backward, {"x": normal(2, 5, 5, 3),
                                                           "w": normal(3, 3, 3, 2)})
    assert report.ok and report["gradient shapes"].status == "passed", report


def test_pytorch_is_asked():
    torch = pytest.importorskip("torch")
    report = gradcheck.check(bend_forward, bend_backward, BEND,
                             torch=lambda x, w: torch.tanh(x @ w))
    assert report["PyTorch"].status == "passed"
    report = gradcheck.check(bend_forward, bend_backward, BEND,
                             torch=lambda x, w: torch.tanh(x @ w) * 1.01)
    assert report["PyTorch"].status == "failed"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e5])
def test_any_scale_of_input(scale):
    """Steps follow the size of the input."""
    x = scale * normal(3, 4)
    report = gradcheck.check(lambda x: np.tanh(x / scale),
                             lambda dy, x: dy * (1 - np.tanh(x / scale) ** 2) / scale, x)
    assert report.ok, report


def test_small_gradient_beside_large_output_still_reaches_the_tolerance():
    report = gradcheck.check(lambda x: 100 + x**2, lambda dy, x: 2 * x * dy, 0.1 * normal(20))
    assert report.ok, report


# ---- no false alarm ------------------------------------------------------------------------------


def standard(x):
    """Every column with mean 0 and variance 1: (N, D) -> (N, D)."""
    centred = x - x.mean(0)
    return centred / np.sqrt((centred**2).mean(0))


def standard_backward(dy, x):
    centred = x - x.mean(0)
    deviation = np.sqrt((centred**2).mean(0))
    y = centred / deviation
    return (dy - dy.mean(0) - y * (dy * y).mean(0)) / deviation


@pytest.mark.parametrize("offset", [0, 100, 1000, -1000])
def test_large_offset(offset):
    """1000 + noise: three digits are lost, in float32 and in float64."""
    report = gradcheck.check(standard, standard_backward, {"x": offset + normal(6, 3)}, smooth=True,
                             twin=standard, twin_gradient=lambda dy, x: standard_backward(dy, +x))
    assert report.ok, report


@pytest.mark.parametrize("offset", [0, 1000])
def test_gradient_that_is_zero(offset):
    """A bias before a normalisation has no influence: its gradient is nothing but rounding."""
    def backward(dy, x, b):
        dx = standard_backward(dy, x + b)
        return dx, dx.sum(0)

    def twin(dy, x, b):
        dx = standard_backward(dy, x + b)
        return dx, np.zeros(3)

    inputs = {"x": normal(6, 3), "b": offset + normal(3, seed=2)}
    report = gradcheck.check(lambda x, b: standard(x + b), backward, inputs, smooth=True,
                             twin_gradient=twin)
    assert report.ok, report
    wrong = gradcheck.check(lambda x, b: standard(x + b),
                            lambda dy, x, b: (backward(dy, x, b)[0], 1e-6 * dy.sum(0)), inputs)
    assert not wrong.gradient_ok


def test_large_bias_and_small_weights_in_the_adjoint_identity():
    inputs = {"x": normal(3, 4), "w": 1e-3 * normal(4, 2, seed=2), "b": 1e6 + normal(2, seed=3)}
    report = gradcheck.check(
        lambda x, w, b: x @ w + b, lambda dy, x, w, b: (dy @ w.T, x.T @ dy, dy.sum(0)), inputs,
        linear=("x", "w", "b"))
    assert report.ok, report


def test_shape_with_an_axis_more_is_reported_and_looked_through():
    inputs = {"x": normal(3, 4), "b": normal(4, seed=2)}

    def add(factor):
        return gradcheck.check(lambda x, b: x + b, lambda dy, x, b: (
            +dy, factor * dy.sum(0, keepdims=True)), inputs)

    assert add(1).gradient_ok and not add(1).conduct_ok
    assert add(1)["gradient shapes"].status == "shape"
    assert "db has shape (1, 4), b has (4,)" in add(1)["gradient shapes"].words
    assert not add(1.01).gradient_ok


def test_pytorch_may_choose_another_slope_at_a_kink():
    torch = pytest.importorskip("torch")
    x = np.array([-1.0, 0.0, 2.0])
    report = gradcheck.check(relu, relu_with(0.5), x, torch=torch.relu)
    assert report["PyTorch"].status == "passed", report
    report = gradcheck.check(relu, relu_with(2), x, torch=torch.relu)
    assert report["PyTorch"].status == "failed", report


def test_two_verdicts():
    wrong = gradcheck.check(np.sin, lambda dy, x: 2 * dy, normal(3))
    assert not wrong.gradient_ok and wrong.conduct_ok and not wrong.ok
    rude = gradcheck.check(np.sin, lambda dy, x: np.multiply(dy, np.cos(x), out=dy), normal(3))
    assert rude.gradient_ok and not rude.conduct_ok and not rude.ok
    assert str(rude).startswith("this op: gradient right; conduct FAILED: arguments untouched")
    assert {finding.verdict for finding in rude.findings} == {"gradient", "conduct"}


# ---- several outputs, the backward of backward ---------------------------------------------------


def polar(x):
    """Two outputs of one input (N, 2): lengths and sums."""
    length = np.hypot(x[:, 0], x[:, 1])
    return length, x.sum(1, keepdims=True), (x, length)


def polar_backward(dlength, dsum, cache):
    x, length = cache
    return (dlength / length)[:, None] * x + dsum


def test_several_outputs():
    report = gradcheck.check(polar, polar_backward, normal(3, 2), outputs=2)
    assert report.ok, report
    report = gradcheck.check(polar, lambda d, e, cache: polar_backward(d, 2 * e, cache),
                             normal(3, 2), outputs=2)
    assert not report.gradient_ok
    report = gradcheck.check(np.sin, np.cos, normal(3, 2), outputs=2)
    assert "to return 2 outputs" in report["runs"].words


def test_double_backward_of_one_gradient():
    def double_backward(ddx, dy, x):
        return 2 * x * ddx, 2 * dy * ddx

    def check(double):
        return gradcheck.check(lambda x: x**2, lambda dy, x: 2 * x * dy, normal(4),
                               double_backward=double)

    assert check(double_backward).ok, check(double_backward)
    wrong = check(lambda ddx, dy, x: (2 * x * ddx, dy * ddx))
    assert wrong["double backward"].words.startswith("dx[")
    assert [finding.kind for finding in wrong.failed] == ["double backward"]


def test_double_backward_of_two_gradients():
    def double_backward(ddx, ddw, dy, cache):
        x, w = cache
        return ddx @ w + x @ ddw, dy @ ddw.T, ddx.T @ dy

    report = gradcheck.check(product_forward, product_backward, BEND,
                             double_backward=double_backward)
    assert report.ok, report


# ---- wrong gradients are rejected ---------------------------------------------------------------


@pytest.mark.parametrize("amount", [1e-3, 1e-5])
def test_slightly_wrong_gradient_is_rejected(amount):
    report = gradcheck.check(bend_forward, spoiled(lambda dx: dx * (1 + amount)), BEND, smooth=True)
    for kind in ("central differences", "complex step"):
        assert report[kind].status == "failed"
        assert report[kind].error == pytest.approx(amount, rel=0.01)
        assert "too large by" in report[kind].words


def test_slightly_wrong_adjoint_is_rejected():
    def backward(dy, cache):
        dx, dw = product_backward(dy, cache)
        return dx * (1 + 1e-10), dw

    report = gradcheck.check(product_forward, backward, BEND, linear=("x", "w"))
    assert report["adjoint identity"].status == "failed"
    assert "dx" in report["adjoint identity"].words


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 3)])
def test_one_wrong_coordinate_is_found_and_named(place):
    def change(dx):
        dx[place] *= 1.001
        return dx

    report = gradcheck.check(bend_forward, spoiled(change), BEND, smooth=True)
    name = f"dx[{place[0]}, {place[1]}] is"
    assert report["central differences"].words.startswith(name)
    assert report["complex step"].words.startswith(name)


def test_one_wrong_coordinate_of_a_large_input_is_found_and_named():
    """3000 entries are not checked one by one: the wrong direction is halved until it is found."""
    x = normal(30, 100)

    def backward(dy, x):
        dx = dy * np.cos(x)
        dx[17, 42] += 1
        return dx

    report = gradcheck.check(np.sin, backward, x)
    assert report["central differences"].words.startswith("dx[17, 42] is")


def test_words_name_the_kind_of_mistake():
    def words(backward):
        return gradcheck.check(lambda x: x**3, backward, normal(3))["central differences"].words

    assert "too small by a factor 2, and" not in words(lambda dy, x: 3 * dy * x**2)
    assert "too small by a factor 1.5" in words(lambda dy, x: 2 * dy * x**2)
    assert "the sign is wrong" in words(lambda dy, x: -3 * dy * x**2)
    other = words(lambda dy, x: -3 * dy * x**2 - 0.1)
    assert other.endswith("the sign is wrong, and the size")  # by which factor is chance
    assert "it is missing" in words(lambda dy, x: 0 * dy)


def test_words_say_when_one_factor_explains_everything():
    report = gradcheck.check(np.sin, lambda dy, x: dy * np.cos(x), normal(5),
                             twin_gradient=lambda dy, x: 3 * dy * np.cos(x))
    assert "every other entry by the same factor" in report["naive twin"].words
    report = gradcheck.check(np.sin, lambda dy, x: -2 * dy * np.cos(x), normal(5),
                             twin_gradient=lambda dy, x: dy * np.cos(x))
    assert report["naive twin"].words.endswith(
        "the sign is wrong, and the size, and so is every other entry by the same factor -2")


def test_gradient_where_there_is_none():
    report = gradcheck.check(lambda x: x * [1, 1, 0], lambda dy, x: dy, normal(2, 3))
    assert "it should be zero" in report["central differences"].words


def test_twin_that_differs_in_one_place():
    def twin(x, w):
        y = np.tanh(x @ w)
        y[2, 1] += 1e-6
        return y

    report = gradcheck.check(bend_forward, bend_backward, BEND, twin=twin)
    assert report["naive twin"].words.startswith("y[2, 1] is")


def test_forward_that_drops_the_imaginary_part():
    report = gradcheck.check(lambda x: np.sin(x.real), lambda dy, x: dy * np.cos(x), normal(3),
                             smooth=True)
    assert report["complex step"].words == "forward turns complex numbers into real ones"


def test_raise_if_failed():
    right = gradcheck.check(np.sin, lambda dy, x: dy * np.cos(x), normal(3))
    right.raise_if_failed()
    wrong = gradcheck.check(np.sin, lambda dy, x: dy, normal(3), name="sine")
    with pytest.raises(gradcheck.GradientError, match="sine: gradient WRONG: central") as error:
        wrong.raise_if_failed()
    assert isinstance(error.value, AssertionError)
    assert error.value.report is wrong


# ---- kinks are judged by their one-sided slopes -------------------------------------------------


def test_kink_is_reported_and_judged():
    x = normal(3, 3)
    x[0, 1] = 0
    report = gradcheck.check(relu, relu_backward, x)
    finding = report["central differences"]
    assert finding.status == "passed"
    note, = (note for note in finding.notes if "x[0, 1]" in note)
    assert note.startswith("kink at x[0, 1]: left slope 0, right slope")
    assert note.endswith("judged by them")


def test_kink_does_not_hide_a_wrong_gradient_elsewhere():
    x = normal(3, 3)
    x[0, 1] = 0
    report = gradcheck.check(relu, lambda dy, x: 1.001 * dy * (x > 0), x)
    assert report["central differences"].status == "failed"


def relu_with(slope):
    """The backward of relu with this slope at 0."""
    return lambda dy, x: dy * (x > 0) + slope * dy * (x == 0)


@pytest.mark.parametrize("slope", [0, 0.3, 1])
def test_nothing_but_kinks_is_judged(slope):
    report = gradcheck.check(relu, relu_with(slope), np.zeros((2, 3)))
    assert report.ok, report


@pytest.mark.parametrize("slope", [-1, -0.01, 1.001, 5, 1e6])
def test_a_slope_outside_the_one_sided_slopes_is_wrong(slope):
    x = normal(2, 3)
    x[1, 1] = 0
    report = gradcheck.check(relu, relu_with(slope), x)
    assert not report.gradient_ok and report.conduct_ok, report
    words = report["central differences"].words
    assert words.startswith("dx[1, 1] is") and "at this kink, of which the nearest is" in words


def maxima(x):
    """The largest of every two neighbours, which overlap: (N, D) -> (N, D - 1)."""
    return np.maximum(x[:, 1:], x[:, :-1])


def maxima_backward(first, second):
    """Of two equal neighbours, the first gets `first` times dy and the second `second` times."""
    def backward(dy, x):
        dx, tie = np.zeros_like(x), x[:, 1:] == x[:, :-1]
        dx[:, :-1] += dy * np.where(tie, first, x[:, :-1] > x[:, 1:])
        dx[:, 1:] += dy * np.where(tie, second, x[:, 1:] > x[:, :-1])
        return dx

    return backward


@pytest.mark.parametrize("x", [np.ones((2, 5)), np.array([[1.0, 3, 3, 2, 2, 0]])])
def test_tied_entries_are_moved_together(x):
    """dy has both signs, so the one-sided slopes are those of every output by itself."""
    for first, second in [(1, 0), (0, 1), (0.5, 0.5)]:
        report = gradcheck.check(maxima, maxima_backward(first, second), x)
        assert report.ok, report
    for first, second in [(1, 1), (0, 0), (0.4, 0.4)]:
        report = gradcheck.check(maxima, maxima_backward(first, second), x)
        assert "entries tied with x[" in report["central differences"].words


def test_ties_in_a_large_input():
    """Not every entry is tried, but a random direction meets the ties."""
    x = np.round(normal(20, 40))
    assert gradcheck.check(maxima, maxima_backward(0, 1), x).ok
    report = gradcheck.check(maxima, maxima_backward(1, 1), x)
    assert report["central differences"].status == "failed"


def test_two_kinks_close_by_are_stepped_around():
    """hardtanh, symmetric: the one-sided slopes at a distance are equal and both wrong."""
    def forward(x):
        return np.clip(x, -2e-4, 2e-4) * 1e3

    def backward(factor):
        return lambda dy, x: factor * 1e3 * dy * (abs(x) < 2e-4)

    x = np.array([0.0, 1.0, -1.0])
    assert gradcheck.check(forward, backward(1), x).ok
    assert not gradcheck.check(forward, backward(1.00001), x).gradient_ok


@pytest.mark.parametrize("distance", [1e-3, 3e-4, 3.3333e-4, 1e-4, 1e-5, -3e-4])
def test_kink_nearby_is_stepped_around(distance):
    """Closer steps leave it behind: the slope is compared, to the full tolerance."""
    x = np.array([1.0, distance, -1.0])
    report = gradcheck.check(relu, relu_backward, x)
    assert report["central differences"].status == "passed"
    assert not any("kink at" in note for note in report["central differences"].notes)


def test_small_kink_beside_curvature_is_seen():
    x = np.array([0.0, 0.5])
    report = gradcheck.check(lambda x: np.exp(3 * x) + 1e-4 * np.abs(x),
                             lambda dy, x: dy * (3 * np.exp(3 * x) + 1e-4 * np.sign(x)), x)
    assert report.ok, report
    assert any(note.startswith("kink at x[0]") for note in report["central differences"].notes)


def test_tie_of_a_maximum_is_a_kink_for_both():
    def backward(dy, x):
        dx = np.zeros_like(x)
        dx[np.argmax(x)] = dy
        return dx

    report = gradcheck.check(lambda x: np.max(x), backward, np.array([1.0, 2.0, 2.0, 0.0]))
    notes = " ".join(report["central differences"].notes)
    assert report.ok and "x[1]" in notes and "x[2]" in notes, report


def test_many_kinks_are_counted():
    x = normal(10)
    x[:8] = 0
    notes = gradcheck.check(relu, relu_backward, x)["central differences"].notes
    assert "and 5 more kinks in x" in notes


def test_is_gradient_false_leaves_out_the_differences():
    def guided(dy, x):
        return dy * (x > 0) * (dy > 0)

    assert not gradcheck.check(relu, guided, normal(4, 4)).ok
    report = gradcheck.check(relu, guided, normal(4, 4), is_gradient=False, twin_gradient=guided)
    assert report.ok, report


def test_only_some_kinds():
    report = gradcheck.check(relu, relu_backward, normal(4), only=("no aliasing",))
    kinds = [finding.kind for finding in report.findings]
    assert kinds == ["gradient shapes", "finite numbers", "no aliasing"]


# ---- conduct -------------------------------------------------------------------------------------


def overwrite_x(x):
    x *= 2
    return x + 0, (x / 2,)


def overwrite_dy(dy, cache):
    dy *= 2
    return dy.copy()


def overwrite_cache(dy, cache):
    dx = dy * cache[0]
    cache[0][...] = 0
    return dx


def remembering():
    calls = []

    def backward(dy, cache):
        calls.append(1)
        return dy * (2 + 1e-15 * len(calls))

    return backward


def double(x):
    return x * 2, None


def double_backward(dy, cache):
    return dy * 2


def per_memory(x):
    return np.frombuffer(x.tobytes("A")).reshape(x.shape) * 2, None


MISCONDUCT = [
    ("arguments untouched", "forward changed x", overwrite_x, double_backward),
    ("arguments untouched", "backward changed dy", double, overwrite_dy),
    ("arguments untouched", "an array in the cache", lambda x: (x**2 / 2, {"x": [x + 0]}),
     lambda dy, cache: overwrite_cache(dy, cache["x"])),
    ("dtype kept", "y is float64 for float32", lambda x: (x * np.full(3, 2.0), None),
     double_backward),
    ("dtype kept", "dx is float64 for float32", double, lambda dy, cache: dy * np.full(3, 2.0)),
    ("dtype kept", "y is float32 for float64", lambda x: (np.float32(2) * x.astype("f4"), None),
     double_backward),
    ("float32 as float64", "in float64 it is",
     lambda x: (x * (2 if x.dtype == "f8" else np.float32(2.01)), None), double_backward),
    ("any memory layout", "not Fortran order", per_memory, double_backward),
    ("no aliasing", "y shares memory with x", lambda x: (x, None), lambda dy, cache: dy.copy()),
    ("no aliasing", "dx shares memory with dy", lambda x: (x + 1, None), lambda dy, cache: dy),
    ("same bytes twice", "another dx", double, remembering()),
    ("gradient shapes", "dx has shape (3,), x has (2, 3)", double, lambda dy, cache: dy[0]),
    ("gradient shapes", "2 gradients for 1 inputs", double, lambda dy, cache: (dy, dy)),
    ("gradient shapes", "no gradient at all", double, lambda dy, cache: None),
    ("finite numbers", "y holds 6 numbers", lambda x: (x * np.inf, None), double_backward),
    ("finite numbers", "dx holds 6 numbers", double, lambda dy, cache: dy * np.nan),
    ("runs", "forward raised IndexError", lambda x: x[7], double_backward),
    ("runs", "backward raised IndexError", double, lambda dy, cache: dy[7]),
]


@pytest.mark.parametrize(("kind", "words", "forward", "backward"), MISCONDUCT)
def test_misconduct_is_reported(kind, words, forward, backward):
    report = gradcheck.check(forward, backward, {"x": normal(2, 3)})
    assert report[kind].status == "failed", report
    assert words in report[kind].words


def test_gradients_that_are_views_of_each_other():
    def backward(dy, cache):
        dx = dy * 1
        return dx, dx

    report = gradcheck.check(lambda a, b: (a + b, None), backward, {"a": normal(3), "b": normal(3)})
    assert report["no aliasing"].words == "db shares memory with da"


def test_y_kept_in_the_cache_and_spoiled_by_backward():
    """The cache may hold y itself; a backward that writes there has changed the caller's y."""

    def forward(x):
        y = np.exp(x)
        return y, (y,)

    report = gradcheck.check(forward, lambda dy, cache: np.multiply(dy, cache[0], out=cache[0]) + 0,
                             normal(4), twin=np.exp)
    assert report["naive twin"].status == "passed"
    assert "an array in the cache" in report["arguments untouched"].words


def test_edge_of_the_domain_is_not_compared():
    """sqrt ends at 0: one side of the smallest step is not a number."""
    with np.errstate(invalid="ignore"):
        report = gradcheck.check(np.sqrt, lambda dy, x: dy / 2 / np.sqrt(x), np.array([1e-9, 1.0]))
    assert report.ok, report
    assert any(note.startswith("kink at x[0]") for note in report["central differences"].notes)


def test_good_conduct_passes():
    report = gradcheck.check(double, double_backward, {"x": normal(2, 3)})
    for kind in CONDUCT:
        assert report[kind].status == "passed"


def test_the_callers_arrays_are_never_touched():
    x = normal(2, 3)
    before = x.copy()
    gradcheck.check(overwrite_x, double_backward, {"x": x})
    assert np.array_equal(x, before)


# ---- wrong use -----------------------------------------------------------------------------------


def test_wrong_use_says_what_to_do():
    with pytest.raises(ValueError, match="bind labels"):
        gradcheck.check(double, double_backward, {"x": np.arange(3)})
    with pytest.raises(ValueError, match=r"linear names \['z'\]"):
        gradcheck.check(double, double_backward, {"x": normal(3)}, linear=("z",))
    with pytest.raises(ValueError, match="check\\(layer, inputs\\)"):
        gradcheck.check(double, double_backward)
    with pytest.raises(ValueError, match="at least one input"):
        gradcheck.check(double, double_backward, {})
    with pytest.raises(KeyError, match="the checks that were run are: gradient shapes"):
        gradcheck.check(double, double_backward, normal(3))["no such kind"]


def test_a_report_shows_itself_in_a_notebook():
    """What failed stands out; words of somebody else's code are escaped."""
    report = Report("<b>mine</b>", [
        Finding("central differences", "failed", "dx <script> is wrong", 0.5, 1e-7, ("at (0, 1)",)),
        Finding("complex step", "passed", "fine", 1e-12, 1e-10),
        Finding("dtype", "not applicable", "x" * 5000, verdict="conduct")])
    page = report._repr_html_()
    assert page.count("<tr") == 4 and page.count("font-weight:bold") == 1
    assert "&lt;b&gt;mine&lt;/b&gt;: gradient WRONG: central differences" in page
    assert "dx &lt;script&gt; is wrong at (0, 1)" in page and "5.0e-01" in page
    assert "<script" not in page and len(page) < 4000
    assert repr(report) == "<<b>mine</b>: gradient WRONG: central differences; conduct not judged>"
    many = Report("many", [Finding(str(k), "passed", "") for k in range(500)])._repr_html_()
    assert many.count("<tr") == 101 and "and 400 more" in many

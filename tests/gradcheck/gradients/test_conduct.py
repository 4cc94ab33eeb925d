"""How a pass must behave: every check of conduct.py finds a bug that was planted for it."""

import numpy as np
import pytest

from minicnn import gradcheck


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


def square(x):
    return x**2, x


def square_backward(dy, x):
    return 2 * x * dy


def found(kind, forward=square, backward=square_backward, x=None, **about):
    """The finding of one kind; the others must not fail for the same reason as an error does."""
    report = gradcheck.check(forward, backward, normal(2, 3) if x is None else x, **about)
    assert report[kind].verdict == ("gradient" if kind == "linear in dy" else "conduct")
    return report[kind]


def fails(kind, words, *passes, **about):
    finding = found(kind, *passes, **about)
    assert finding.status == "failed" and words in finding.words, finding


# ---- several calls


class Latest:
    """A cache of the latest forward, instead of one for each."""

    def forward(self, x):
        self.x = x
        return x**2, None

    def backward(self, dy, cache):
        return 2 * self.x * dy


def test_backward_of_a_first_forward_after_a_second():
    latest = Latest()
    fails("another forward between", "after a second forward with other inputs: dx[",
          latest.forward, latest.backward)
    assert found("same bytes twice", latest.forward, latest.backward).ok


def one_buffer():
    buffer = np.empty((2, 3))

    def backward(dy, x):
        return np.multiply(2 * x, dy, out=buffer) if dy.dtype == "f8" else 2 * x * dy

    return backward


def test_a_buffer_that_is_used_again_is_called_that():
    report = gradcheck.check(square, one_buffer(), normal(2, 3))
    assert report["results kept"].words == (
        "a later call changed dx of an earlier one: both use the same buffer")
    assert [finding.kind for finding in report.failed] == ["results kept"], report


def test_a_buffer_of_forward_that_is_used_again():
    buffer = np.empty((2, 3))

    def forward(x):
        return (np.square(x, out=buffer) if x.dtype == "f8" else x**2), x

    report = gradcheck.check(forward, square_backward, normal(2, 3))
    assert "changed y of an earlier one" in report["results kept"].words
    assert [finding.kind for finding in report.failed] == ["results kept"], report


def test_second_backward():
    def spent(dy, cache):
        return 2 * cache.pop() * dy

    fails("backward twice", "raised IndexError", lambda x: (x**2, [x]), spent)

    def adding(dy, cache):
        x, total = cache
        total += 2 * x * dy
        return total.copy()

    fails("backward twice", "another dx: it was added to the first",
          lambda x: (x**2, (x, np.zeros_like(x))), adding)


def test_a_second_backward_is_not_called_a_second_run():
    def adding(dy, cache):
        x, total = cache
        total += 2 * x * dy
        return total.copy()

    assert found("same bytes twice", lambda x: (x**2, (x, np.zeros_like(x))), adding).ok


def test_a_random_forward():
    rng = np.random.default_rng(0)
    fails("same bytes twice", "a second forward with the same inputs returns another y",
          lambda x: (x * (rng.random(x.shape) < 0.5), x), square_backward)


def test_linear_in_dy():
    fails("linear in dy", "the two apart give", square, lambda dy, x: 2 * x * dy * abs(dy))
    fails("linear in dy", "of dy = 0 is not 0, but up to", square,
          lambda dy, x: 2 * x * dy + 1e-3)
    fails("linear in dy", "", square, lambda dy, x: 2 * x)
    finding = found("linear in dy", square, lambda dy, x: 2 * x * np.maximum(dy, 0),
                    is_gradient=False)
    assert finding.status == "not applicable"


# ---- memory


def by_memory(array):
    """A wrong reshape: the numbers in the order of memory."""
    return np.frombuffer(array.tobytes("A"), array.dtype).reshape(array.shape)


def flat(array):
    """Wrong for views: the numbers from the first on, whatever the strides."""
    base = array if array.base is None else array.base
    return base.ravel("K")[:array.size].reshape(array.shape)


LAYOUTS = [
    ("Fortran order of the inputs", lambda x: (by_memory(x) ** 2, x), square_backward),
    ("Fortran order of dy", square, lambda dy, x: 2 * x * by_memory(dy)),
    ("every second element of dy", square, lambda dy, x: 2 * x * flat(dy)),
    ("a negative stride of the inputs", lambda x: (flat(x) ** 2, x), square_backward),
    ("read-only memory of dy: ValueError", square, lambda dy, x: np.multiply(dy, 2 * x, out=dy)),
    ("a broadcast dy", square,
     lambda dy, x: 2 * x * np.where(0 in dy.strides, dy * 2, dy)),
]


@pytest.mark.parametrize(("words", "forward", "backward"), LAYOUTS)
def test_memory_layouts(words, forward, backward):
    fails("any memory layout", words, forward, backward)


# ---- float32 against float64


def test_a_lower_precision_inside():
    fails("float32 as float64", "in float64 it is", lambda x: (x**2, x),
          lambda dy, x: 2 * dy * (x if x.dtype == "f8" else x.astype("f2").astype("f4")))


def squares(x):
    """A variance from the mean of the squares, which cancels for a large mean."""
    centred = x - x.mean(0)
    return centred / np.sqrt(((x**2).mean(0) - x.mean(0) ** 2) + x.dtype.type(1e-8))


def centred(x):
    centred = x - x.mean(0)
    return centred / np.sqrt((centred**2).mean(0) + x.dtype.type(1e-8))


def centred_backward(dy, x):
    deviation, y = np.sqrt(x.var(0) + x.dtype.type(1e-8)), centred(x)
    return (dy - dy.mean(0) - y * (dy * y).mean(0)) / deviation


def test_squares_that_cancel():
    with np.errstate(invalid="ignore"):
        fails("float32 as float64", "y[", squares, centred_backward, x=3000 + normal(8, 3))
    finding = found("float32 as float64", centred, centred_backward, x=3000 + normal(8, 3))
    assert finding.ok, finding


# ---- images, NaN, seeds


def test_images_apart():
    def mixed(x):
        return x + 1e-3 * x.mean(0), None

    def mixed_backward(dy, _):
        return dy + 1e-3 * dy.mean(0)

    fails("images apart", "the first image alone: y[0, 0] is", mixed, mixed_backward,
          per_image=True)
    assert found("images apart", mixed, mixed_backward).status == "not applicable"
    assert found("images apart", per_image=True).status == "passed"


def test_nan_that_spreads():
    def masked(x):
        """Picks every image by a product with zeros and ones: 0 * NaN is NaN."""
        return np.eye(len(x), dtype=x.dtype) @ x, None

    fails("images apart", "makes 1 numbers of y of other images NaN", masked,
          lambda dy, _: +dy, per_image=True)


def test_nan_that_is_hidden_is_a_note():
    finding = found("NaN passed on", lambda x: (np.where(x > 0, x, 0), x),
                    lambda dy, x: dy * (x > 0))
    assert finding.status == "passed"
    assert finding.notes == ("a NaN in x leaves no NaN in y: forward hides it",)
    assert found("NaN passed on").notes == ()


def mask(x, seed):
    return x * (np.random.default_rng(seed).random(x.shape) < 0.5)


def test_seeds():
    """A Generator is advanced by what is drawn from it; a seed gives the same numbers again."""
    x, rng = np.ones((4, 5)), np.random.default_rng(1)

    def seeds(random):
        return found("one seed twice", x=x, random=random)

    assert found("one seed twice").status == "not applicable"
    assert seeds(mask).ok
    assert "the second time" in seeds(lambda x, seed: mask(x, rng)).words
    assert "not advanced" in seeds(lambda x, seed: mask(x, 3)).words

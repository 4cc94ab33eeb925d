"""What a reader gives to a step figure: what is taken, and the one clear error if it is not."""

import numpy as np
import pytest

from minicnn.report.stepfigures import arrays


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (1, 3, 4, 1)])
def test_an_image_may_have_its_axes_or_not(shape):
    taken = arrays.image(np.arange(12, dtype=np.float32).reshape(shape), "x")
    assert taken.shape == (3, 4, 1) and taken.dtype == np.float64
    assert arrays.image(np.ones(shape), "x", channels=False).shape == (3, 4)


@pytest.mark.parametrize(("array", "words"), [
    (np.ones((13, 3)), "at most 12 rows, got 13; give a part, as x\\[:12, :12\\]"),
    (np.ones((3, 40)), "at most 12 columns, got 40"),
    (np.ones((3, 3, 9)), "at most 8 channels, got 9; give a part, as x\\[..., :8\\]"),
    (np.ones((2, 3, 3, 1)), "x\\[n\\] is image n of a batch"),
    (np.ones(3), r"expected \(H, W\) or \(H, W, C\) of one image, got \(3,\)"),
    (np.zeros((0, 3)), "expected finite numbers, got none"),
    ([[1.0, np.nan]], "expected finite numbers, got some that are not"),
    ([["a"]], "expected an array of numbers, got list"),
    ([[1], [1, 2]], "expected an array of numbers, got list")])
def test_an_image_that_is_none(array, words):
    with pytest.raises(ValueError, match=f"^step_x, x.*: .*{words}"):
        arrays.image(array, "step_x, x")


def test_kernels():
    assert arrays.kernels(np.ones((3, 2)), 1, "w").shape == (3, 2, 1, 1)
    assert arrays.kernels(np.ones((3, 2, 4)), 4, "w").shape == (3, 2, 4, 1)
    with pytest.raises(ValueError, match="with C = 3, as many channels as x, got .3, 3."):
        arrays.kernels(np.ones((3, 3)), 3, "w")
    with pytest.raises(ValueError, match="at most 7 rows or columns, got 9"):
        arrays.kernels(np.ones((9, 1)), 1, "w")
    with pytest.raises(ValueError, match="at most 8 kernels, got 10"):
        arrays.kernels(np.ones((1, 1, 1, 10)), 1, "w")


def test_a_gradient_has_the_output_s_shape():
    assert arrays.gradient(None, (2, 3, 1), "dy").tolist() == np.ones((2, 3, 1)).tolist()
    assert arrays.gradient(np.ones((1, 2, 3, 1)), (2, 3), "dy").shape == (2, 3)
    for shape in ((2, 3), (2, 3, 1), (1, 2, 3, 1)):
        assert arrays.gradient(np.ones(shape), (2, 3, 1), "dy").shape == (2, 3, 1)
    with pytest.raises(ValueError, match=r"shape of the output, \(2, 3, 1\), got \(3, 2\)"):
        arrays.gradient(np.ones((3, 2)), (2, 3, 1), "dy")


@pytest.mark.parametrize("value", [(1, 2, 3), 1.5, "2", None, (1, 0.5)])
def test_an_integer_for_each_direction(value):
    assert arrays.pair((2, 1), "stride") == (2, 1)
    assert arrays.pair([2, 2], "stride") == arrays.pair(np.int64(2), "stride") == (2, 2)
    assert [arrays.named(both) for both in ((2, 2), (0, 1))] == [2, "0x1"]
    with pytest.raises(ValueError, match="expected an integer, or a pair .*, got"):
        arrays.pair(value, "stride")

"""A student's two ways of im2col compute what the op does: else their times would mean nothing."""

import numpy as np
import pytest
import student
from tasks import FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT, Task, ours

from minicnn.ops import conv

SETTINGS = [((3, 3), 1, 1), ((3, 2), 1, 0), ((5, 5), 2, 2), ((2, 3), 3, 1), ((1, 1), 1, 0)]
CLOSE = {"rtol": 1e-10, "atol": 1e-10}  # float64; sums of up to a hundred numbers near 1


def last(x):
    return x.transpose(0, 2, 3, 1)  # N,C,H,W -> N,H,W,C


@pytest.mark.parametrize(("kernel", "stride", "pad"), SETTINGS)
@pytest.mark.parametrize("way", student.WAYS)
def test_both_ways_equal_the_op(way, kernel, stride, pad):
    rng = np.random.default_rng(0)
    x, b = rng.standard_normal((2, 7, 9, 3)), rng.standard_normal(4)
    w = rng.standard_normal((*kernel, 3, 4))
    expected, cache = conv.forward(x, w, b, stride, pad)
    dy = rng.standard_normal(expected.shape)
    gradients = conv.backward(dy, cache)

    forward, input_gradient, weight_gradient = student.WAYS[way]
    y, kept = forward(student.first(x), w.transpose(3, 2, 0, 1), b, stride, pad)
    dx = input_gradient(student.first(dy), kept)
    dw, db = weight_gradient(student.first(dy), kept)
    np.testing.assert_allclose(last(y), expected, **CLOSE)
    np.testing.assert_allclose(last(dx), gradients.dx, **CLOSE)
    np.testing.assert_allclose(dw.transpose(2, 3, 1, 0), gradients.dw, **CLOSE)
    np.testing.assert_allclose(db, gradients.db, **CLOSE)


@pytest.mark.parametrize("what", [FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT])
@pytest.mark.parametrize("way", student.WAYS)
def test_a_task_means_the_same_to_a_student_and_to_ours(way, what):
    task = Task("minivgg", what, 2, "conv4_1")
    theirs, expected = student.students(task, way)(), ours(task)()
    if what == WEIGHT_GRADIENT:
        got, wanted = theirs[0].transpose(2, 3, 1, 0), expected[1]["w"]
    else:
        got, wanted = last(theirs if what == INPUT_GRADIENT else theirs[0]), expected[0]
    assert abs(got - wanted).max() < 1e-4 * abs(wanted).max()  # float32


def test_what_they_cannot_do_is_refused():
    with pytest.raises(ValueError, match="no groups"):
        student.students(Task("alexnet_caffe", FORWARD, 1, "conv2"), "loops")

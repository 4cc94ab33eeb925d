"""Step figures of small arrays, each of one lesson: functions without arguments that make them."""

import numpy as np

from minicnn.report import stepfigures

X = np.array([[1., 2, 1, 8, 9], [2, 1, 1, 9, 8], [1, 1, 2, 8, 8], [2, 1, 1, 9, 9], [1, 2, 1, 8, 8]])
ACROSS = np.array([[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]])  # Sobel's kernel: right minus left
MAP = np.array([[1., 3, 2, 1], [4, 2, 0, 5], [6, 1, 3, 2], [0, 2, 7, 3]])
DIGITS = np.array([[1., 10], [100, 1000]])  # each digit of a sum tells its sender
MAPS = np.stack([[[1., 0, 2], [0, 2, 0], [1, 0, 1]], [[1., 1, 0], [0, 0.5, 0], [2, 0, 0]],
                 [[0., 0, 1], [1, 1, 0], [0, 3, 0]]], axis=-1)  # H,W,C


def windows():
    """Lesson 2: Sobel's kernel on a dark and a bright half."""
    return stepfigures.step_conv(X, ACROSS)


def columns():
    """Lesson 2: the same convolution as one matrix product."""
    return stepfigures.step_columns(X, ACROSS)


def way_back():
    """Lesson 3: four windows on 4 x 4 pixels; dy is 1, 10, 100, 1000."""
    return stepfigures.step_conv_back(np.arange(16.).reshape(4, 4),
                                      np.arange(1., 10).reshape(3, 3), dy=DIGITS)


def pooling():
    """Lesson 4: its map of 4 x 4, with windows of 2 x 2 that overlap."""
    return stepfigures.step_pool(MAP, 2, stride=1, dy=np.arange(1., 10).reshape(3, 3))


def rules():
    """Lesson 5: all combinations of signs of x and dy, and a zero."""
    return stepfigures.step_relu([2.0, -1, 3, -2, 0, 1], [4.0, 5, -6, -7, 8, 9])


def neighbours():
    """Lesson 6: seven channels; only the middle one has a gradient."""
    return stepfigures.step_lrn([1.0, 3, 0, 2, -2, 1, 4])


def gram():
    """Lesson 17: three maps of 3 x 3 places."""
    return stepfigures.step_gram(MAPS)

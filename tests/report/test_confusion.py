"""The picture of a confusion matrix."""

import numpy as np

from minicnn import images
from minicnn.report import confusion
from minicnn.train import Evaluation


def evaluation(counts):
    names = [f"class {k}" for k in range(len(counts))]
    return Evaluation(int(counts.sum()), 0.5, 0.75, 1.0, counts, names)


def blue(picture):
    """The share of strongly blue pixels."""
    red, _, last = np.moveaxis(picture.astype(int), -1, 0)
    return (last - red > 60).mean()


def test_right_answers_make_a_dark_diagonal(tmp_path):
    perfect = confusion.draw(evaluation(np.diag([5, 5, 5, 5])))
    spread = confusion.draw(evaluation(np.ones((4, 4), int)))
    assert blue(perfect) > 2 * blue(spread)
    confusion.plot(tmp_path / "c.png", evaluation(np.eye(4, dtype=int)), "a title")
    assert images.load(tmp_path / "c.png").dtype == np.uint8


def test_many_classes_and_a_class_without_images():
    counts = np.diag(np.arange(100))  # class 0 has none
    picture = confusion.draw(evaluation(counts))
    assert 600 < picture.shape[0] < 1500 and picture.shape[2] == 3

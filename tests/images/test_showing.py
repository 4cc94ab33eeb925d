"""A look at pictures, without a screen."""

import matplotlib
import numpy as np
import pytest
import small
from checks import refuses

import minicnn
from minicnn import vis
from minicnn.images import show


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt
    plt.close("all")


def test_pictures_and_records_side_by_side():
    record = vis.maximize(small.network(), "relu2", 1, steps=1)
    grey = np.zeros((5, 7), np.uint8)
    figure = show(small.photo(), record, grey)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(shown[1], record.image)
    assert [axes.get_title().replace("\n", " ") for axes in figure.axes] == [
        "", record.caption, ""]
    assert minicnn.show is show


def test_a_list_counts_as_several_and_wide_ones_have_room():
    wide, square = np.zeros((4, 16), np.uint8), np.zeros((4, 4), np.uint8)
    figure = show([wide, square])
    widths = [axes.get_position().width for axes in figure.axes]
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.2)  # and what stands between them
    assert figure.get_size_inches()[0] > 14


def test_titles_of_one_s_own():
    figure = show(small.photo(), titles=["a photo"])
    assert figure.axes[0].get_title() == "a photo"


def test_a_picture_is_as_high_as_asked_for():
    low, high = (show(np.zeros((4, 40), np.uint8), side=side) for side in (1, 2))
    assert high.get_size_inches()[1] - low.get_size_inches()[1] == pytest.approx(1)


def test_what_is_no_picture():
    refuses(["show", "at least one"], show)
    refuses(["show", "uint8", "float64"], show, np.zeros((4, 4, 3)))
    refuses(["show", "(2, 4, 4, 3)"], show, np.zeros((2, 4, 4, 3), np.uint8))

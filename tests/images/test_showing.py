"""A look at pictures, without a screen."""

import matplotlib
import numpy as np
import pytest
import small
from checks import refuses

import minicnn
from minicnn import images, vis
from minicnn.images import display, show


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


def panels(figure):
    return [axes for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]


def test_numbers_in_one_channel_are_a_map_beside_its_colour_bar():
    a = np.linspace(-2, 3, 20).reshape(4, 5)
    for array in (a, a[..., None], a[None, ..., None]):
        figure = show(array)
        (place,) = panels(figure)
        np.testing.assert_array_equal(place.images[0].get_array(), a)
        assert place.images[0].get_clim() == (-2, 3) and len(figure.axes) == 2  # and the bar
        assert place.get_title().endswith("-2 to 3")
    (place,) = panels(show(a, low=-1, high=1))
    assert place.images[0].get_clim() == (-1, 1)


def test_numbers_in_three_channels_are_a_picture_whose_scale_is_stated():
    x = np.linspace(-117, 121, 4 * 5 * 3).reshape(4, 5, 3).astype(np.float32)
    figure = show(x)
    (place,) = figure.axes
    np.testing.assert_array_equal(place.images[0].get_array(), display.to_uint8(x))
    assert place.get_title() == "4x5x3, -117 to 121"
    constant = show(np.full((2, 2, 3), 7.0)).axes[0].images[0].get_array()
    assert (constant == display.MID_GREY).all()


def test_feature_maps_are_tiled_with_one_scale():
    maps = np.arange(2 * 3 * 20.0).reshape(2, 3, 20)
    (place,) = panels(show(maps))
    shown = place.images[0].get_array()
    assert shown.shape == (2 * 3 - 1, 16 * 4 - 1) and place.images[0].get_clim() == (0, 119)
    np.testing.assert_array_equal(shown[3:5, 4:7], maps[..., 17])
    (units,) = panels(show(np.arange(5)))
    np.testing.assert_array_equal(units.images[0].get_array().filled(-1), [[0, 1, 2], [3, 4, -1]])
    assert units.get_title() == "5, 0 to 4"
    assert show(np.zeros((1, 5000), np.uint8)).get_size_inches()[0] < 60


def test_a_batch_is_shown_image_by_image():
    batch = np.zeros((30, 4, 4, 3), np.uint8)
    batch[:, 0, 0, 0] = np.arange(30)
    shown = panels(show(batch))
    assert [place.images[0].get_array()[0, 0, 0] for place in shown] == list(range(24))
    assert shown[23].get_title() == "23 of 30"
    numbers = panels(show(batch[:2] - 7.5))
    assert [place.get_title() for place in numbers] == [
        "0 of 2, 4x4x3, -7.5 to -6.5", "1 of 2, 4x4x3, -7.5 to -6.5"]  # one scale for the array


@pytest.mark.parametrize("method, main", [
    (vis.gradcam, "evidence"), (vis.saliency, "magnitude"), (vis.occlusion, "probability")])
def test_the_record_of_a_map_is_shown_in_its_own_colours_beside_its_bar(method, main):
    record = method(small.network(), small.photo(), 2)
    (view,) = [one for one in record.views() if one.name == main]
    figure = show(small.photo(), record)
    np.testing.assert_array_equal(panels(figure)[1].images[0].get_array(), view.picture)
    bar = figure.axes[-1]
    low, high = bar.get_ylim()
    assert bar.get_label() == "<colorbar>" and bar.get_ylabel() == view.bar.unit
    assert (low, high) == pytest.approx((view.bar.low, view.bar.high))
    assert panels(figure)[1].get_title().replace("\n", " ") == record.caption


def test_a_photo_s_file(photo):
    for path in (photo, str(photo)):
        (place,) = panels(show(path))
        np.testing.assert_array_equal(place.images[0].get_array(), images.load(photo))
        assert place.get_title() == photo.name
    refuses(["nowhere.png"], show, "nowhere.png")


def test_what_is_no_picture():
    refuses(["show", "at least one"], show)
    refuses(["show", "real numbers", "complex128"], show, np.zeros((4, 4), complex))
    refuses(["show", "(2, 2, 4, 4, 3)"], show, np.zeros((2, 2, 4, 4, 3)))
    refuses(["show", "not finite"], show, np.array([[1.0, np.nan]]))
    refuses(["show", "low must be below high"], show, np.ones((2, 2)), low=3, high=1)
    refuses(["show", "a title for each of the 2 pictures, got 1"], show, np.ones((2, 2)),
            np.ones((2, 2)), titles=["one"])
    refuses(["show", "got NoneType"], show, None)
    refuses(["show", "got Network"], show, small.network())


NOTEBOOK = """
import numpy as np, minicnn
x = np.zeros((4, 5))
figure = minicnn.show(x)
""", "minicnn.show(x)", "figure"


@pytest.mark.thorough
def test_a_notebook_shows_a_figure_once():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in NOTEBOOK])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MPLBACKEND", raising=False)
        nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    assert [sum("image/png" in one.get("data", {}) for one in cell.outputs)
            for cell in notebook.cells] == [1, 1, 1]

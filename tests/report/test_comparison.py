"""The figure of a comparison: where what lies, and that both networks have the same layout."""

from dataclasses import replace

import numpy as np
import pytest
import small

from minicnn import load
from minicnn.images import display
from minicnn.report import comparison
from minicnn.report.colour_bar import ColourBar, signed, under
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.compare import compare

TILE = comparison.TILE


def networks():
    """Six filters and six others, of which one is dead."""
    other = small.network(seed=3)
    other.name = "other"
    other.params["conv1"]["w"][..., 4] = 0
    other.params["conv1"]["b"][4] = -1
    return small.network(), other


@pytest.fixture(scope="module")
def compared():
    return compare(*networks(), [small.photo()])


def test_both_networks_have_the_same_layout(compared):
    figure = comparison.figure(compared)
    assert figure.dtype == np.uint8 and figure.shape[1] % 2 == 0
    left, right = np.split(figure, 2, axis=1)
    column = np.flatnonzero((left[:, 8:40] != right[:, 8:40]).any(axis=(1, 2)))
    assert len(column) > 3 * TILE  # other filters, other responses, other numbers
    swapped = comparison.figure(compare(*networks()[::-1], [small.photo()]))
    np.testing.assert_array_equal(swapped, np.concatenate([right, left], axis=1))


def test_filters_are_above_and_say_their_aliasing_or_that_they_are_dead(compared):
    layer = compared.second
    labels = [f"{k}: {share:.0%}" for k, share in enumerate(layer.filter_aliasing)]
    labels[4] = "4 dead"
    assert layer.dead == (4,)
    expected = contact_sheet(layer.pictures, 3, labels, tile=TILE, blocks=True,
                             title="other conv1: filters, aliasing in % of power")
    expected = under(expected, signed(np.abs(layer.w).max(), "weight"), beside=2)
    figure = comparison.figure(compared)
    half = figure.shape[1] // 2
    np.testing.assert_array_equal(figure[: len(expected), half : half + expected.shape[1]],
                                  expected)


def test_responses_lie_below_in_the_same_order_and_a_silent_one_is_dark(compared):
    layer = compared.second
    maps = []
    for k in range(6):
        response = layer.responses[..., k]
        bright = np.quantile(response, 0.99) or response.max() or 1
        maps.append(display.coloured(display.to_uint8(response, 0, bright)))
    assert len(np.unique(maps[4].reshape(-1, 3), axis=0)) == 1 and maps[4].sum(axis=2).max() < 200
    expected = contact_sheet(maps, 3, tile=TILE, title="responses to the photo below", blocks=True)
    expected = under(expected, ColourBar("0", "strongest", "response of each filter"), beside=2)
    figure = comparison.figure(compared)
    half = figure.shape[1] // 2
    parts = figure[:, half : half + expected.shape[1]]
    assert any(np.array_equal(parts[y : y + len(expected)], expected)
               for y in range(len(figure) - len(expected)))


def test_a_response_at_a_few_places_is_bright_there(compared):
    """Fewer than the hundredth that is shown alike."""
    layer = replace(compared.first, responses=np.zeros_like(compared.first.responses))
    layer.responses[3, 4, 0] = 1e-3
    shown = comparison._responses(layer, 3)[:2 * TILE]  # without the colour bar
    brightest = display.coloured(np.array([255], np.uint8))[0]
    spots = (shown == brightest).all(axis=2).any(axis=0)
    assert spots[8 : 8 + TILE].any() and not spots[8 + TILE :].any()


def test_the_figures_are_written_below_the_photo(compared):
    figure = comparison.figure(compared)
    half = figure.shape[1] // 2
    for layer, part in zip((compared.first, compared.second), np.split(figure, 2, axis=1),
                           strict=True):
        lines = "\n".join(f"{what}: {told}" for what, told in layer.table().items())
        assert "dead filters: " in lines and "mean aliasing of the responses: " in lines
        photo = contact_sheet([layer.photo], tile=comparison.PHOTO)
        wide = np.full((len(photo), half, 3), 255, np.uint8)
        wide[:, : photo.shape[1]] = photo
        expected = caption(wide, lines)
        start = next(y for y in range(len(figure) - len(photo) + 1)
                     if np.array_equal(part[y : y + len(photo)], wide))
        np.testing.assert_array_equal(part[start : start + len(expected)], expected)


def test_layers_with_other_numbers_of_filters_are_laid_out_alike():
    """As many columns for both as the larger needs; white where the smaller has nothing."""
    found = compare(small.network(), load("minivgg"), [small.photo()], size=(32, 64))
    left, right = np.split(comparison.figure(found), 2, axis=1)
    labels = ["0: 0%", "1 dead", "2: 0%", "3: 0%", "4: 0%", "5: 0%"]
    assert found.first.dead == (1,)
    filters = contact_sheet(found.first.pictures, 6, labels, tile=TILE, blocks=True,
                            title="small conv1: filters, aliasing in % of power")
    filters = under(filters, signed(np.abs(found.first.w).max(), "weight"), beside=2)
    np.testing.assert_array_equal(left[: len(filters), : filters.shape[1]], filters)
    below = np.s_[len(filters) : len(filters) + 5 * (TILE + 20)]  # rows of the larger one only
    assert (left[below] == 255).all() and not (right[below] == 255).all()

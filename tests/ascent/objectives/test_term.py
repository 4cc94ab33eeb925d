"""Terms add and scale; a unit that is not there is named."""

import re

import nets
import numpy as np
import pytest

from minicnn.ascent import objectives
from minicnn.ascent.objectives.term import each_image, position, words

A = nets.images(2, (3, 4, 5))
ONE, OTHER, IMAGE = (objectives.channel("one", 1), objectives.neuron("other", 0, 2, 2),
                     objectives.l2())
AT = {"one": A, "other": nets.images(2, (3, 3, 2)), "image": nets.images(2, (4, 4, 3))}


def value(objective):
    return objective.evaluate(AT)


@pytest.mark.parametrize("objective, factors", [
    (ONE + IMAGE, (1, 0, 1)), (ONE - IMAGE, (1, 0, -1)), (-ONE, (-1, 0, 0)),
    (2 * ONE - OTHER * 3, (2, -3, 0)), (-(ONE - 0.5 * (OTHER - 4 * IMAGE)), (-1, 0.5, -2)),
    (ONE + ONE, (2, 0, 0)), (sum([OTHER, IMAGE], ONE), (1, 1, 1))], ids=repr)
def test_composition(objective, factors):
    got = value(objective)
    expected = sum(k * value(part).total
                   for k, part in zip(factors, (ONE, OTHER, IMAGE), strict=True))
    np.testing.assert_allclose(got.total, expected, rtol=1e-14)
    for k, part, place in zip(factors, (ONE, OTHER, IMAGE), AT, strict=True):
        if k:
            np.testing.assert_allclose(got.gradients[place],
                                       k * value(part).gradients[place], rtol=1e-14)
        else:
            assert place not in got.gradients


def test_a_difference_of_channels():
    got = (objectives.channel("one", 3) - objectives.channel("one", 1)).evaluate(AT)
    np.testing.assert_allclose(got.total, (A[..., 3] - A[..., 1]).mean(axis=(1, 2)), rtol=1e-12)
    slope = got.gradients["one"] * 12
    # 1/12 and back rounds once
    np.testing.assert_allclose(slope, np.broadcast_to([0, -1, 0, 1, 0], A.shape), rtol=1e-15)


def test_parts_add_up_to_the_total_and_have_the_terms_names():
    got = value(ONE - 3 * OTHER + IMAGE)
    assert list(got.by_term) == ["one:1", "other:0@2,2", "l2"]
    np.testing.assert_allclose(sum(got.by_term.values()), got.total, rtol=1e-14)
    np.testing.assert_allclose(got.by_term["other:0@2,2"], -3 * AT["other"][:, 2, 2, 0], rtol=1e-15)


def test_two_terms_of_one_name_share_a_part_and_a_gradient():
    got = value(ONE + ONE)
    assert list(got.by_term) == ["one:1"]
    np.testing.assert_array_equal(got.by_term["one:1"], 2 * value(ONE).total)


def test_places_name_each_layer_once_and_not_the_image():
    objective = ONE + IMAGE + OTHER + objectives.channel("one", 0)
    assert objective.places == ["one", "other"]
    assert [t.name for t in objective.on_image.terms] == ["l2"]
    assert [t.name for t in objective.on_layers.terms] == ["one:1", "other:0@2,2", "one:0"]


def test_a_term_of_two_layers_adds_to_the_gradients_of_both():
    def function(a, b):
        total = a.sum(axis=(1, 2, 3)) * b.sum(axis=(1, 2, 3))
        return total, (np.zeros_like(a) + b.sum(axis=(1, 2, 3), keepdims=True),
                       np.zeros_like(b) + a.sum(axis=(1, 2, 3), keepdims=True))
    both = objectives.Objective([objectives.Term("both", ("one", "other"), function)])
    got = value(ONE + 2 * both)
    np.testing.assert_allclose(got.gradients["other"], 2 * function(A, AT["other"])[1][1])
    np.testing.assert_allclose(got.gradients["one"] - value(ONE).gradients["one"],
                               2 * function(A, AT["other"])[1][0], rtol=1e-12)
    assert both.places == ["one", "other"] and list(got.by_term) == ["one:1", "both"]


def test_composing_leaves_the_parts_as_they_were():
    before = repr(ONE), repr(IMAGE)
    _ = -(2 * ONE - IMAGE)
    assert (repr(ONE), repr(IMAGE)) == before == ("1 one:1", "1 l2")


def test_evaluating_changes_no_activation():
    copies = {place: a.copy() for place, a in AT.items()}
    value(ONE + OTHER + IMAGE - objectives.total_variation(1))
    for place, a in copies.items():
        np.testing.assert_array_equal(AT[place], a)


# ---- which unit

def test_words():
    assert words(7) == words([7]) == "7" and words((7, 9)) == words(np.array([7, 9])) == "7,9"


def test_each_image():
    at, which = each_image(A, "layer", [4, 0])
    np.testing.assert_array_equal(A[at, ..., which], np.stack([A[0, ..., 4], A[1, ..., 0]]))
    at, which = each_image(A, "layer", 2)
    np.testing.assert_array_equal(A[at, ..., which], A[..., 2])


@pytest.mark.parametrize("index, message", [
    (5, "conv9 has 5 channels, counted from 0; there is no 5$"),
    (-1, "conv9 has 5 channels, counted from 0; there is no -1$"),
    ([0, 7], "conv9 has 5 channels, counted from 0; there is no 7$"),
    ([0, 1, 2], r"conv9: expected a channel's number, or one for each of the 2 images of the "
                r"batch, got \[0, 1, 2\]"),
    ([3], r"one for each of the 2 images .* got \[3\]"),
    ([[3, 3]], r"one for each of the 2 images .* got \[\[3, 3\]\]"),
    ([], r"one for each of the 2 images .* got \[\]"),
    (1.0, r"expected a channel's number, .* got 1.0"),
    ("fox", r"expected a channel's number, .* got 'fox'")])
def test_a_channel_that_is_not_there(index, message):
    with pytest.raises(ValueError, match=message):
        each_image(A, "conv9", index)


@pytest.mark.parametrize("shape, centre", [((2, 3, 4, 5), (1, 2)), ((1, 6, 7, 2), (3, 3))])
def test_the_centre(shape, centre):
    """Of an even number, the one below and to the right of the middle, as in Lucid."""
    a = np.zeros(shape)
    assert position(a, "layer", None, None) == centre
    assert position(a, "layer", 0, None) == (0, centre[1])


@pytest.mark.parametrize("row, column", [(3, 0), (0, 4), (0, -1), (-1, 0)])
def test_a_position_that_is_not_there(row, column):
    with pytest.raises(ValueError, match=rf"conv9 has no position \({row}, {column}\); its output"):
        position(A, "conv9", row, column)


def test_a_dense_layer_has_no_positions():
    with pytest.raises(ValueError, match=r"fc has no position \(None, None\); .* \(2, 6\)"):
        position(np.zeros((2, 6)), "fc", None, None)


def test_an_objective_shows_its_terms_in_a_notebook():
    page = (2 * ONE - 0.5 * OTHER)._repr_html_()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page)
    assert cells == ["2", ONE.terms[0].name, "one", "-0.5", OTHER.terms[0].name, "other"]

"""The pictures on the page of `minicnn check`."""

import re

import numpy as np

from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.files import Judged
from minicnn.gradcheck.judge.judge import WRONG, Row, Verdict
from minicnn.gradcheck.judge.step_sizes import STEPS, StepCurve
from minicnn.report import check_figures

CASE = next(case for case in cases("conv") if case.name == "plain 3x3, padded")


def op(got, expected, name="dx", dtype=np.float64):
    row = Row(CASE, dtype, WRONG, "words", {name: got}, {name: expected}, (name,))
    return Judged("conv", "", "told", Verdict("conv", "told", [row], {}, []))


def fills(figure):
    """{(row, column): colour} of the squares, and {...: what they say}."""
    found = re.findall(r'fill="(#\w+)"><title>row (\d+), column (\d+): ([^<]+)', figure)
    return ({(int(i), int(j)): fill for fill, i, j, _ in found},
            {(int(i), int(j)): said for _, i, j, said in found})


def test_the_map_shows_where_an_image_is_wrong():
    right = np.ones((2, 3, 4, 2))
    got = right.copy()
    got[1, 0, 2, 1] += 2  # any image and channel
    got[0, 2, 3, 0] += 0.5
    got[0, 1, 1, 0] = np.nan
    figure = check_figures.error_map(op(got, right))
    colours, said = fills(figure)
    assert len(colours) == 12 and said[0, 2] == "2" and said[2, 3] == "0.5"
    assert {place for place, colour in colours.items() if colour != check_figures.RIGHT_COLOUR} == {
        (0, 2), (2, 3), (1, 1)}
    assert colours[1, 1] == check_figures.NONE_COLOUR and colours[0, 2] != colours[2, 3]
    assert "3 of 12 places" in figure and "those of the image" in figure


def test_a_kernel_is_shown_over_its_own_rows_and_columns():
    right = np.ones((3, 2, 4, 5))
    got = right.copy()
    got[2, 0] = 7
    figure = check_figures.error_map(op(got, right, "dw"))
    assert [place for place, words in fills(figure)[1].items() if words != "right"] == [(2, 0)]
    assert "those of the kernel" in figure


def test_rows_of_numbers_and_vectors():
    assert len(fills(check_figures.error_map(op(np.zeros((2, 3)), np.ones((2, 3)))))[0]) == 6
    assert len(fills(check_figures.error_map(op(np.zeros(5), np.ones(5), "db")))[0]) == 5
    assert len(fills(check_figures.error_map(op(np.zeros(()), np.ones(()), "y")))[0]) == 1


def test_an_array_of_another_shape_has_no_map():
    assert check_figures.error_map(op(np.ones((2, 3)), np.ones((3, 2)))) == ""
    assert check_figures.error_map(op(np.ones((2, 300)), np.zeros((2, 300)))) == ""  # too wide


def test_rounding_is_right():
    right = np.ones((1, 2, 2, 1))
    got = right.astype(np.float32) * np.float32(1 + 1e-6)
    got[0, 0, 0, 0] = 2
    _, said = fills(check_figures.error_map(op(got, right, dtype=np.float32)))
    assert [words for words in said.values() if words != "right"] == ["1"]


def test_the_curve_is_a_picture():
    steps = StepCurve("plain 3x3", "x", np.full(len(STEPS), 0.01), STEPS**2, STEPS**2,
                      1e-16 / STEPS)
    picture = check_figures.curve(steps)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and np.ptp(picture) > 200
    red = (picture[..., 0] > 150) & (picture[..., 1] < 80)
    rows = np.nonzero(red)[0]
    assert red.sum() > 500 and "truncation falls as h^2" in check_figures.caption(steps)
    assert np.median(rows) < picture.shape[0] * 0.45  # a flat line at 1e-2, high up
    alone = steps._replace(right=None, truncation=None, yours=np.zeros(len(STEPS)))
    assert check_figures.curve(alone).shape == picture.shape
    assert "forward is linear" in check_figures.caption(alone)
    assert "Yours follows it, too" in check_figures.caption(alone)
    assert "such as yours, keeps its error" in check_figures.caption(steps)

"""Numbers as text, and tables without JavaScript."""

import re

import numpy as np
import pytest

from minicnn.report.stepfigures import tables


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0"), (-0.0, "0"), (7, "7"), (-12, "−12"), (9999999, "9999999"), (0.25, "0.25"),
    (2 / 3, "0.667"), (-1 / 18, "−0.056"), (123.456, "123"), (1.5e-5, "1.5e−5"), (2.5e9, "2.5e9"),
    (np.inf, "∞"), (-np.inf, "−∞")])
def test_a_number_is_short(value, shown):
    assert tables.number(value) == shown


def test_a_table_holds_every_number_in_full_and_its_rows_and_columns():
    array = np.array([[1 / 3, -2.0], [0.0, 1e-7]])
    shown = tables.grid("x", "an array", array, [(0, 1)], first=(-1, -1))
    assert [float(v) for v in re.findall('data-v="(.*?)"', shown)] == array.ravel().tolist()
    assert re.findall("<th>(.*?)</th>", shown) == ["", "−1", "0", "−1", "0"]
    assert shown.count("--edges") == 1 and "−2</td>" in shown


def test_a_row_has_signs_between_its_tables():
    one = tables.grid("x", "", np.ones((1, 1)))
    assert tables.row(one, "→", one).count('<span class="sign">→</span>') == 1
    assert tables.size(np.ones((3, 4, 2))) == "3\u00a0×\u00a04"

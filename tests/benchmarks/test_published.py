"""Defects of published packages: how a row is made. The packages themselves are not installed."""

import json

import numpy as np
import published
import pytest
from published import DEFECTS, Defect


def defect(give, right=(1, 2), package="numpy"):
    return Defect(package, "f", "x = 1", right, "words", give)


def test_a_row_tells_what_is_given_and_what_is_right():
    row = defect(lambda: np.array([1.0, 3.0])).row()
    assert (row["gives"], row["right"], row["shown"]) == ("[1.0, 3.0]", "[1.0, 2.0]", True)
    assert row["version"] == np.__version__


def test_what_is_right_today_is_not_shown():
    assert not defect(lambda: np.array([1.0, 2.0])).row()["shown"]


def test_an_error_is_something_given_too():
    def crash():
        raise IndexError("out of bounds\nmore")

    row = defect(crash).row()
    assert (row["gives"], row["shown"]) == ("IndexError: out of bounds", True)


def test_a_package_that_is_not_installed_is_left_out():
    assert defect(None, package="no-such-package").row() is None


def test_a_package_that_cannot_be_imported_is_left_out_and_not_called_wrong():
    def give():
        raise ModuleNotFoundError("No module named 'numpy.old'")

    assert defect(give).row() is None


@pytest.mark.parametrize(("gives", "right", "differs"), [
    (np.ones(2), np.ones(3), True), (np.array([np.nan]), [1], True), ("a", "a", False),
    ("a", "b", True), (np.ones(2), "a sentence", True), ([1.0], [1 + 1e-9], False)])
def test_what_differs(gives, right, differs):
    assert published.differs(gives, right) == differs


def test_every_defect_tells_itself_from_the_others():
    assert len({one.what for one in DEFECTS}) == len(DEFECTS)


def test_the_slopes_of_lrn_are_its_differences():
    def first(a, b):
        return a / (1 + (a * a + b * b) / 3) ** 0.5

    step = 1e-6
    slopes = [(first(1 + step, 2) - first(1 - step, 2)) / (2 * step),
              (first(1, 2 + step) - first(1, 2 - step)) / (2 * step)]
    np.testing.assert_allclose(published.lrn_slopes(), slopes, rtol=1e-8)


def test_all_rows_are_printed_as_json(monkeypatch, capsys):
    monkeypatch.setattr(published, "DEFECTS", (defect(lambda: np.zeros(2)),))
    monkeypatch.setattr(published.sys, "argv", ["published.py", "--json"])
    published.main()
    assert json.loads(capsys.readouterr().out)[0]["gives"] == "[0.0, 0.0]"

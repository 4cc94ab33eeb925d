"""What can be read from the rows of a verdict."""

import numpy as np
import pytest
from wrong_layers import base, form_of

from minicnn.gradcheck.cause.evidence import (
    OF_CONDUCT,
    Evidence,
    off,
    same,
    suspect,
    tried,
)
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.features import conduct_kinds
from minicnn.gradcheck.judge.judge import RIGHT, WRONG, Row, Verdict
from minicnn.gradcheck.mistakes import CAUSES

RELU = [case for case in cases("relu") if case.inputs["x"].size < 100]
BATCH = cases("batch_norm")[0]


def row(case, dtype=np.float64, wrong=(), change=lambda array: array + 1):
    """A Row at a case, with the right arrays but for those that are wrong."""
    y, gradients = case.expected(case.dy())
    expected = {"y": y} | {f"d{name}": value for name, value in gradients.items()}
    got = {name: change(value) if name in wrong else value for name, value in expected.items()}
    return Row(case, dtype, WRONG if wrong else RIGHT, "", got, expected, tuple(wrong))


def evidence(*rows, op="relu", conduct=()):
    return Evidence(form_of(base(op)), Verdict(op, "", list(rows), dict.fromkeys(conduct, ["x"]),
                                               []))


# ---- which rows count

def test_float64_decides_where_something_is_wrong_in_it():
    both = evidence(row(RELU[0], wrong=["dx"]), row(RELU[1], np.float32, ["y"]),
                    row(RELU[2]), row(RELU[2], np.float32))
    assert [one.dtype for one in both.wrong] == [one.dtype for one in both.right] == [np.float64]
    assert both.arrays == {"dx"} and len(both.all_wrong) == len(both.all_right) == 2
    single = evidence(row(RELU[1], np.float32, ["y"]), row(RELU[2]), row(RELU[2], np.float32))
    assert [one.dtype for one in single.wrong + single.right] == [np.float32] * 2
    assert single.arrays == {"y"}


def test_dx_follows_from_a_wrong_dgamma():
    def arrays(*wrong):
        return evidence(row(BATCH, wrong=wrong), op="batch_norm").arrays
    assert arrays("dx", "dgamma") == {"dgamma"} and arrays("dx", "dbeta") == {"dbeta"}
    assert arrays("dx") == {"dx"} and arrays("y", "dx", "dbeta") == {"y", "dx", "dbeta"}


def test_what_must_be_refused_and_what_is_not_claimed_does_not_count():
    refuse = next(case for case in cases("lrn") if case.refuse)
    rows = [Row(refuse, np.float64, WRONG, wrong=("refuses",)),
            Row(RELU[0], np.float64, "not claimed")]
    found = evidence(*rows)
    assert found.wrong == found.right == [] and found.arrays == set() and found.usual == []


def test_usual_rows_are_plain_and_of_the_right_shapes_the_smallest_first():
    plain = [case for case in RELU if case.tags.isdisjoint({"values", "ties"})]
    found = evidence(*(row(case, wrong=["dx"]) for case in RELU[::-1]),
                     row(plain[0], wrong=["dx"], change=lambda array: array[None]))
    assert [one.case.work for one in found.usual] == sorted(case.work for case in plain)
    unusual = [case for case in RELU if "values" in case.tags]
    assert len(evidence(*(row(case, wrong=["dx"]) for case in unusual)).usual) == len(unusual)


def test_the_conduct_is_told_in_causes():
    assert evidence(conduct=["no aliasing", "results kept", "dtype kept"]).conduct == {
        "memory", "dtype"}
    assert set(OF_CONDUCT.values()) <= CAUSES.keys() and OF_CONDUCT.keys() <= {*conduct_kinds()}


# ---- at which settings

def test_every_and_share():
    ties = [case for case in RELU if "ties" in case.tags]
    others = [case for case in RELU if "ties" not in case.tags]
    assert len(ties) == 2 and "values" in others[-1].tags
    found = evidence(row(ties[0], wrong=["dx"]), row(ties[1]), row(others[0]))
    assert found.every("ties") and found.every("values", "ties") and not found.every("values")
    assert found.share("ties") == 0.5 and found.share("values") == 0
    assert not evidence(row(ties[0], wrong=["dx"]), row(ties[1])).every("ties")  # all are ties
    assert not evidence(*(row(case, wrong=["dx"]) for case in (ties[0], others[0])),
                        row(others[1])).every("ties")


# ---- which numbers

def test_an_array_is_explained_if_the_candidate_returns_it_in_all_rows():
    found = evidence(*(row(case, wrong=["dx"]) for case in RELU[:3]))

    def more(by):
        return lambda one: {"dx": one.expected["dx"] + by(one)}
    assert found.explained("dx", more(lambda one: 1))
    assert not found.explained("dx", more(lambda one: 0))
    assert not found.explained("dx", more(lambda one: one.case is not RELU[2]))
    assert not found.explained("y", more(lambda one: 1))  # which is not wrong


def test_each_array_may_have_its_own_explanation_but_a_wrong_y_comes_first():
    def one(name):
        return lambda row: {name: row.expected[name] + 1}
    case = cases("dense")[0]
    found = evidence(row(case, wrong=["dw", "db"]), op="dense")
    assert found.all_explained(one("dw"), one("db")) and not found.all_explained(one("dw"))
    found = evidence(row(case, wrong=["y", "dw"]), op="dense")
    assert found.all_explained(one("y")) and not found.all_explained(one("dw"))
    assert not evidence(row(case), op="dense").all_explained(one("y"))


def test_places():
    def last(array):
        mask = np.zeros(array.shape, bool)
        mask[..., -1] = True
        return mask
    found = evidence(row(RELU[0], wrong=["dx"], change=lambda a: np.where(last(a), a + 1, a)))
    assert found.places(last) and not found.places(lambda array: ~last(array))
    assert not found.places(lambda array: np.ones(array.shape, bool))  # far more than are wrong
    everywhere = evidence(row(RELU[0], wrong=["dx"]))
    assert not everywhere.places(lambda array: np.ones(array.shape, bool))  # it says nothing


# ---- one array

def test_same():
    right = np.array([1.0, 2.0, -3.0])
    assert same(right, right + 1e-12) and not same(right, right + 1e-6)
    assert not same(right, right[:2]) and not same(right, None)
    assert same(right + 1, right + 1 + 1e-12, right)
    assert not same(right * (1 + 1e-10), right, right)  # as near to what is right: no mistake


def test_off():
    one = row(RELU[0], wrong=["dx"], change=lambda a: np.where(a > 0, 1.001 * a, a))
    assert (off(one, "dx") == (one.expected["dx"] > 0)).all() and not off(one, "y").any()


@pytest.mark.parametrize("error", [ValueError, IndexError, KeyError, ZeroDivisionError, TypeError])
def test_a_candidate_that_cannot_be_computed_explains_nothing(error):
    def candidate(one):
        raise error
    assert tried(candidate, row(RELU[0])) == {}


def test_suspect():
    suspicion = suspect("sign", "wrong sign", lambda e: e.arrays == {"dx"})
    assert suspicion(evidence(row(RELU[0]))) is None
    seen = suspicion(evidence(row(RELU[0], wrong=["dx"])))
    assert (seen.name, seen.seen, seen.nearest) == ("sign", "wrong sign", "")

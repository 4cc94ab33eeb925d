"""The judge: right layers are right in both verdicts, wrong ones are caught, and every status."""

import importlib
from itertools import count

import numpy as np
import pytest
from wrong_layers import base, edited, form_of, found, judged, mistake, named, page, sample, written

from minicnn.gradcheck import mistakes
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.judge import judge as judges
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.judge import (
    CANNOT,
    DIED,
    NOT_CLAIMED,
    RIGHT,
    SKIPPED,
    WRONG,
    judge,
)
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.known import OPS
from minicnn.gradcheck.own.sources import Source
from minicnn.ops import pool, relu


def rows_of(verdict, status):
    return [row for row in verdict.rows if row.status == status]


def tagged(verdict, status, tag):
    """Whether exactly the rows whose case has a tag are of a status, and there are some."""
    rows = rows_of(verdict, status)
    return bool(rows) and rows == [row for row in verdict.rows if tag in row.case.tags]


# ---- right layers are right, wrong ones are caught

@pytest.mark.parametrize("op", OPS)
def test_every_page_is_right(op):
    verdict = judge(Form(Source(importlib.import_module(f"minicnn.ops.{op}")), op))
    assert verdict.ok and len(rows_of(verdict, RIGHT)) == 2 * len(cases(op))  # in both dtypes
    assert verdict.cause is None and verdict.smallest is None and verdict.notes == []


@pytest.mark.parametrize("layer", mistakes.bases(), ids=named)
def test_every_right_layer_is_right(layer):
    verdict = judge(form_of(layer))
    assert verdict.ok and rows_of(verdict, WRONG) == [] and verdict.conduct == {}


@pytest.mark.parametrize("layer", sample(1), ids=named)
def test_a_known_mistake_is_caught(layer):
    assert found(layer).caught


def test_the_sample_has_every_op_and_every_cause():
    known = mistakes.known()
    assert {layer.op for layer in sample(1)} == {layer.op for layer in known}
    assert {layer.cause for layer in sample(1)} == {layer.cause for layer in known}


@pytest.mark.slow
def test_every_known_mistake_is_caught():
    assert [named(layer) for layer in mistakes.known() if not found(layer).caught] == []


# ---- what a row may be

def test_right_and_wrong():
    verdict = judge(edited("relu", ("dx = dy * mask", "dx = dy * mask * (1 + (dy.ndim == 2))")))
    assert {row.case.inputs["x"].ndim for row in rows_of(verdict, WRONG)} == {2}
    assert {row.case.name for row in rows_of(verdict, RIGHT) if row.case.inputs["x"].ndim == 2
            } == {"all zeros"}
    assert {row.wrong for row in rows_of(verdict, WRONG)} <= {("dx",)}
    counts = verdict.counts()
    assert counts[WRONG] + counts[RIGHT] == sum(counts.values()) == len(verdict.rows)
    assert not verdict.gradient_ok and verdict.conduct_ok and not verdict.ok


def test_what_a_layer_raises_by_intention_it_cannot_do():
    verdict = judge(edited("conv_places", ("    s, p, d =", "    if groups > 1:\n        raise "
                                           "NotImplementedError('groups')\n    s, p, d =")))
    assert tagged(verdict, CANNOT, "groups") and verdict.ok
    assert {row.words for row in rows_of(verdict, CANNOT)} == {"raises NotImplementedError: groups"}


def test_what_a_file_raises_itself_it_cannot_do(tmp_path):
    text = ("def relu_forward(x):\n    if x.ndim == 2:\n        raise ValueError('images only')\n"
            "    return x * (x > 0), x > 0\ndef relu_backward(dy, mask):\n    return dy * mask\n")
    (tmp_path / "mine.py").write_text(text)
    verdict = judge(Form(Source(tmp_path / "mine.py"), "relu"))
    assert verdict.ok and {row.case.inputs["x"].ndim for row in rows_of(verdict, CANNOT)} == {2}


def test_any_other_error_is_wrong():
    verdict = judge(edited("relu", ("    mask = cache", "    mask = cache\n    1 // (mask.ndim - 2)"
                                    )))
    wrong = rows_of(verdict, WRONG)
    assert {row.wrong for row in wrong} == {("raises",)} and not verdict.gradient_ok
    assert {row.case.inputs["x"].ndim for row in wrong} == {2}
    assert "division" in wrong[0].words


def test_settings_without_a_parameter_are_not_claimed():
    verdict = judge(edited("conv_places", (", groups=1, dilation=1):", "):\n"
                                           "    groups = dilation = 1")))
    there = {row.case.name for row in verdict.rows if row.case.tags & {"groups", "dilation"}}
    assert {row.case.name for row in rows_of(verdict, NOT_CLAIMED)} == there != set()
    assert verdict.ok


def test_a_layer_that_claims_nothing_has_no_verdict():
    verdict = judge(form_of(base("relu")), without=("float32", "float64"))
    assert not verdict.gradient_ok and {*verdict.counts().items()} > {(RIGHT, 0), (WRONG, 0)}
    assert verdict.counts()[NOT_CLAIMED] == len(verdict.rows)


def test_an_answer_that_never_comes_is_no_pass():
    def forward(x):
        if x.size > 1000:
            raise Died("mine.py", "it ended")
        return relu.forward(x)

    verdict = judge(page("relu", forward=forward, backward=relu.backward))
    died = rows_of(verdict, DIED)
    assert {row.case.inputs["x"].size > 1000 for row in died} == {True}
    assert died[0].words == "mine.py: it ended"
    assert not verdict.gradient_ok and rows_of(verdict, WRONG) == []


def test_a_refusal_that_never_comes_has_ended_too():
    def forward(x, window, stride=None, pad=0, rounding="floor"):
        if pad == window:
            raise Died("mine.py", "it ended")
        return pool.forward(x, window, stride, pad, rounding)

    verdict = judge(page("pool", forward=forward, backward=pool.backward))
    assert {row.case.refuse for row in rows_of(verdict, DIED)} == {True}


# ---- what is asked for

def test_without_a_feature_its_settings_are_not_claimed():
    wrong = mistake("conv_columns", "padding cropped from the wrong side")
    verdict = judge(form_of(wrong), without=("padding",))
    assert tagged(verdict, NOT_CLAIMED, "padding") and verdict.ok


def test_without_a_dtype():
    wrong = form_of(mistake("lrn", "float64 buffers"))
    verdict = judge(wrong, without=("float32", "dtype kept"))
    assert {row.dtype for row in rows_of(verdict, NOT_CLAIMED)} == {np.float32}
    assert verdict.ok and not judge(wrong, without=("float32",)).conduct_ok


def test_without_refusals():
    verdict = judge(form_of(mistake("cross_entropy", "labels clipped")), without=("refusals",))
    assert verdict.ok and {row.case.refuse for row in rows_of(verdict, NOT_CLAIMED)} == {True}


def test_quick_leaves_out_large_arrays_and_most_settings():
    wrong = form_of(mistake("layer_norm", "64 channels at most"))
    full, quick = judge(wrong), judge(wrong, quick=True)
    assert quick.ok and tagged(full, WRONG, "large")
    assert {row.case.name for row in quick.rows} < {row.case.name for row in full.rows}


def test_what_would_take_too_long_is_skipped_and_then_the_rest(monkeypatch):
    clock = count()
    monkeypatch.setattr(judges, "perf_counter", lambda: next(clock))  # each look at it is a second
    verdict = judge(form_of(base("relu")), seconds=42)
    double, single = ([row for row in verdict.rows if row.dtype == dtype]
                      for dtype in (np.float64, np.float32))
    (skipped,) = [row for row in double if row.status == SKIPPED]
    assert skipped.case.work == 70000 and skipped.words == "would take about 50 s"  # 1400 took 1
    statuses = [row.status for row in single]
    right = statuses.count(RIGHT)
    assert statuses == [RIGHT] * right + [SKIPPED] * (len(single) - right) and right < 4
    assert verdict.gradient_ok


def test_without_any_time_there_is_no_verdict():
    verdict = judge(form_of(base("relu")), seconds=0)
    assert verdict.counts()[SKIPPED] == len(verdict.rows) and not verdict.ok


# ---- two verdicts

def test_what_must_be_refused_is_conduct_and_not_gradient():
    verdict = judge(form_of(mistake("cross_entropy", "labels out of range unrefused")))
    assert verdict.gradient_ok and [*verdict.conduct] == ["refusals"]
    assert verdict.conduct["refusals"] == ["a label of -1 among 3 classes: it computes on"]
    assert {row.wrong for row in rows_of(verdict, WRONG)} == {("refuses",)}


def test_a_wrong_gradient_is_no_matter_of_conduct():
    verdict = judge(form_of(mistake("tanh", "square forgotten")))
    assert verdict.conduct_ok and not verdict.gradient_ok


def test_a_kind_of_conduct_can_be_left_out():
    wrong = form_of(mistake("concat", "a view of an argument"))
    assert [*judge(wrong).conduct] == ["no aliasing"]
    assert judge(wrong, without=("no aliasing",)).ok


# ---- kinks

def relu_with(slope):
    """A ReLU with this slope at 0."""
    return edited("relu", ("mask = x > 0", f"mask = np.where(x == 0, {slope}, x > 0)"
                           ".astype(x.dtype)"))


def svm_with(slope):
    """A hinge loss with this slope at a margin of 0."""
    return edited("svm_loss", ("(margins, labels.copy())", "(np.where((x - right + 1 == 0) & (np."
                               f"arange(x.shape[1]) != labels[:, None]), {slope}, margins > 0), "
                               "labels.copy())"),
                  ("dx = (margins > 0).astype(margins.dtype)", "dx = margins.astype(dloss.dtype)"),
                  ("np.asarray(dloss).astype(margins.dtype)", "np.asarray(dloss)"))


@pytest.mark.parametrize("made", [relu_with, svm_with])
def test_any_slope_between_the_one_sided_ones_is_right(made):
    for slope in (0.0, 0.5, 1.0):
        verdict = judge(made(slope))
        assert verdict.ok and rows_of(verdict, WRONG) == [], slope
    assert "another of the gradients at a kink" in {row.words for row in verdict.rows}


@pytest.mark.parametrize("made", [relu_with, svm_with])
def test_any_other_slope_is_wrong_at_kinks_only(made):
    for slope in (-0.5, 1.01, 2.0):
        verdict = judged(made(slope))
        assert tagged(verdict, WRONG, "ties") and verdict.conduct_ok, slope


LAST = edited("pool_windows", ("view.argmax(axis=1)", "kh * kw - 1 - view[:, ::-1].argmax(axis=1)")
              ).source.found


@pytest.fixture
def at_ties(monkeypatch):
    """Judge a max pooling where maxima are equal: rule(dx that goes to the first maximum, dx that
    goes to the last)."""
    def verdict(rule):
        def forward(x, window, stride=None, pad=0, rounding="floor"):
            settings = window, stride, pad, rounding
            (y, first), (_, last) = pool.forward(x, *settings), LAST.forward(x, *settings)
            return y, (first, last)

        return judged(page("pool", forward=forward, backward=lambda dy, cache: rule(
            pool.backward(dy, cache[0]), LAST.backward(dy, cache[1]))))

    monkeypatch.setattr(judges, "cases", lambda op: [
        case for case in cases(op) if "ties" in case.tags and case.inputs["x"].size < 50])
    return verdict


@pytest.mark.parametrize("rule", [lambda first, last: last, lambda first, last: (first + last) / 2],
                         ids=["last", "shared"])
def test_ties_may_go_to_any_maximum_or_be_shared(at_ties, rule):
    verdict = at_ties(rule)
    assert verdict.ok and {row.words for row in verdict.rows} == {
        "another of the gradients at a kink"}


@pytest.mark.parametrize("rule", [lambda first, last: first + abs(first - last) / 2,
                                  lambda first, last: np.where(first == last, first, 0),
                                  lambda first, last: 2 * first - last],
                         ids=["too much", "nothing", "beyond"])
def test_equal_maxima_get_dy_once(at_ties, rule):
    verdict = at_ties(rule)
    assert verdict.counts()[WRONG] == len(verdict.rows) == 4


def test_what_is_wrong_in_float32_only_is_wrong_at_kinks_and_elsewhere():
    verdict = judge(edited("relu", ("dx = dy * mask", "dx = dy * mask * dy.dtype.type(1 + "
                                    "(dy.dtype == np.float32))")), quick=True)
    assert {row.dtype for row in rows_of(verdict, WRONG)} == {np.float32}
    single = [row for row in verdict.rows if row.dtype == np.float32]
    assert {row.case.name for row in single if row.status == RIGHT} <= {"all zeros"}


# ---- readings, and warnings

def test_a_setting_without_a_parameter_has_the_meaning_that_fits():
    own = edited("lrn", ('k=1.0, convention="caffe"', 'k=1.0, convention="paper"'))
    own.takes.pop("convention")
    verdict = judge(own)
    assert verdict.ok and verdict.notes == ["it has no convention, and computes convention 'paper'"]
    assert {row.case.options["convention"] for row in rows_of(verdict, NOT_CLAIMED)} == {"caffe"}


def test_a_warning_is_no_error():
    sigmoid = written("sigmoid", "import numpy as np\ndef sigmoid_forward(x):\n    y = 1 / (1 + np."
                      "exp(-x))\n    return y, y\ndef sigmoid_backward(dy, y):\n"
                      "    return dy * y * (1 - y)\n")
    assert judge(sigmoid).gradient_ok  # pytest makes errors of warnings


def test_the_search_for_the_smallest_input_is_short(monkeypatch):
    seen = []
    monkeypatch.setattr(judges, "smallest", lambda form, verdict, run, seconds: seen.append(
        (run, seconds)))
    wrong = form_of(mistake("tanh", "square forgotten"))
    judge(wrong, seconds=4)
    judge(wrong)
    assert seen == [(judges.fairly, 1.0), (judges.fairly, 3.0)]


def test_a_verdict_shows_itself_in_a_notebook():
    verdict = judge(edited("relu", ("dx = dy * mask", "dx = dy * mask * 2")), quick=True)
    page = verdict._repr_html_()
    wrong = verdict.counts(refusals=False)["wrong"]
    assert page.startswith("<p>relu: gradient wrong, conduct ") and f"{wrong} wrong" in page
    assert page.count("<tr") == 1 + len([row for row in verdict.ran if row.status == "wrong"])
    assert len(page) < 100_000
    right = judge(Form(Source(importlib.import_module("minicnn.ops.relu")), "relu"), quick=True)
    assert "gradient right, conduct right" in right._repr_html_()
    assert "<table" not in right._repr_html_()

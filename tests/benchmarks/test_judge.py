"""The comparison of checkers: that it asks, counts, remembers and tells rightly."""

import json
from types import SimpleNamespace

import judge
import judge_tables
import numpy as np
import our_checkers
import pytest
import right_layers
from judge_tables import CAUGHT, LATE, MISSED, RAISED
from other_checkers import CHECKERS

from minicnn.gradcheck.judge import cases
from minicnn.gradcheck.judge.reference import passes

LOOP, DENSE = "CS231n's loop", "base: dense, dense"


def pair_of(op, change=lambda gradients: gradients):
    """(a pair of the page at its plain setting, with changed gradients, the arrays, the case)."""
    case = right_layers.plain(op)
    forward, backward = right_layers.pair(passes(op), case)
    return (forward, lambda dy, cache: change(backward(dy, cache))), right_layers.arrays_of(case)


def halved(gradients):
    return [gradient / 2 for gradient in gradients]


def task_of(op, **changes):
    pair, arrays = pair_of(op, **changes)
    return judge.Task(right_layers.plain(op), pair, arrays, None)


# ---- the settings

@pytest.mark.parametrize("op", cases.CASES)
def test_every_op_has_a_plain_setting_at_which_its_page_works(op):
    (forward, backward), arrays = pair_of(op)
    y, cache = forward(*arrays)
    gradients = backward(np.ones_like(y), cache)
    assert [gradient.shape for gradient in gradients] == [array.shape for array in arrays]


def test_right_settings_are_drawn_evenly_and_the_same_again():
    drawn = right_layers.draw(100, 3)
    counts = [sum(one.case.op == op for one in drawn) for op in cases.CASES]
    assert [one.name for one in drawn] == [one.name for one in right_layers.draw(100, 3)]
    assert max(counts) - min(counts) <= 1
    assert {one.dtype for one in drawn} == {"float32", "float64"}
    assert {one.whose for one in drawn} >= {right_layers.PAGE, right_layers.LOOPS}


def test_right_settings_give_gradients_like_their_arrays():
    for one in right_layers.draw(60, 1):
        if one.whose == right_layers.TORCH:
            continue
        (forward, backward), arrays = one.pair(), one.arrays()
        y, cache = forward(*arrays)
        for gradient, array in zip(backward(np.ones_like(y), cache), arrays, strict=True):
            assert gradient.shape == array.shape and gradient.dtype == array.dtype, one.name


@pytest.mark.parametrize("op", ["conv", "cross_entropy"])
def test_torchs_layers_agree_with_the_page(op):
    pytest.importorskip("torch")
    case = right_layers.plain(op)
    (forward, backward), arrays = right_layers.torch_pair(case), right_layers.arrays_of(case)
    y, cache = forward(*arrays)
    expected, gradients = case.expected(np.ones_like(y))
    np.testing.assert_allclose(y, expected, atol=1e-10)
    for got, says in zip(backward(np.ones_like(y), cache), gradients.values(), strict=True):
        np.testing.assert_allclose(got, says, atol=1e-10)


@pytest.mark.parametrize("name", ["torch, full", "torch, fast"])
def test_torchs_layers_work_within_torchs_own_checker(name):
    pytest.importorskip("torch")
    case = right_layers.plain("tanh")
    right = judge.Task(case, right_layers.torch_pair(case), right_layers.arrays_of(case), None)
    assert judge.answer(name, right)[0] == MISSED


@pytest.mark.parametrize("whose", [right_layers.LOOPS, right_layers.TORCH])
@pytest.mark.parametrize("op", ["conv", "concat"])
def test_a_whole_right_layer_takes_other_arrays_and_settings_than_its_own(whose, op):
    if whose == right_layers.TORCH:
        pytest.importorskip("torch")
    case, *others = cases.cases(op)
    twice = case._replace(inputs={name: 2 * value for name, value in case.inputs.items()})
    other = next((one for one in others if not one.refuse and one.wrt == case.wrt
                  and one.options.keys() == case.options.keys()), twice)
    layer = right_layers.Right(case, whose, "float64").whole()
    given = list(other.inputs.values())
    y, kept = layer.forward(*([given] if op == "concat" else given), **other.options)
    expected, gradients = other.expected(np.ones_like(y))
    np.testing.assert_allclose(y, expected, atol=1e-10)
    for got, says in zip(layer.backward(np.ones_like(y), kept), gradients.values(), strict=True):
        np.testing.assert_allclose(got, says, atol=1e-10)


# ---- the checkers

@pytest.mark.parametrize("name", [name for name, one in CHECKERS.items() if one.version() is not
                                  None and one.package not in ("tensorflow-cpu", "chainer")])
def test_a_checker_leaves_the_right_layer_alone_and_catches_a_wrong_one(name):
    right, wrong = task_of("dense"), task_of("dense", change=halved)
    assert judge.answer(name, right)[0] == MISSED
    assert judge.answer(name, wrong)[0] == CAUGHT


@pytest.mark.parametrize("kind", our_checkers.KINDS)
def test_each_of_our_kinds_leaves_the_page_alone(kind):
    assert judge.answer(kind, task_of("dense"))[0] == MISSED
    assert judge.answer(kind, task_of("pool"))[0] == MISSED


def test_a_kind_catches_what_it_is_for():
    wrong = task_of("dense", change=halved)
    found = {kind for kind in our_checkers.KINDS if judge.answer(kind, wrong)[0] == CAUGHT}
    assert found == {f"{kind} alone" for kind in (
        "naive twin", "central differences", "complex step", "adjoint identity")}


def test_an_error_of_the_layer_is_told_from_a_complaint():
    def crash(_):
        raise IndexError("in the layer")

    assert judge.answer(LOOP, task_of("relu", change=crash))[0] == RAISED
    short = task_of("dense", change=lambda gradients: gradients[:2])  # zip complains
    assert judge.answer(LOOP, short)[0] == CAUGHT


def test_nobody_is_asked_about_torchs_layers_without_torch(monkeypatch):
    layer = f"right 0: conv, plain, {right_layers.TORCH}, float64"
    monkeypatch.setitem(CHECKERS, judge.WITH_TORCH, CHECKERS[LOOP])  # needs no package
    assert judge.asked_of(LOOP, layer)
    monkeypatch.setitem(CHECKERS, judge.WITH_TORCH, CHECKERS[LOOP]._replace(package="no-such"))
    assert not judge.asked_of(LOOP, layer)
    assert judge.asked_of(LOOP, layer.replace(right_layers.TORCH, right_layers.PAGE))


# ---- the processes

def test_a_process_answers_and_is_ended_when_it_takes_too_long():
    process = judge.Process(LOOP, 0, 60)
    try:
        assert process.ask(DENSE)[0] == MISSED
        assert process.ask("wrong: dense, dense, no such layer")[0] == RAISED  # it ends with it
        process.seconds = 0
        assert process.ask(DENSE)[0] == LATE
        assert process.process is None
    finally:
        process.stop()


def test_a_checker_that_cannot_run_says_why(monkeypatch, options):
    monkeypatch.setattr(judge.Process, "start", lambda self: (_ for _ in ()).throw(
        ValueError("no library")))
    result = judge.load(options.path, options)
    judge.ask_all(LOOP, result, options.path, 60)
    assert result["checkers"][LOOP] == {"fails": "no library"}
    assert "no library" in judge_tables.markdown(result)


# ---- the file

@pytest.fixture
def options(tmp_path, monkeypatch):
    """Options for two wrong layers and no right one; they are asked about in a real process."""
    wrong, bases = judge.mistakes()
    some = {name: one for name, one in wrong.items() if one.base == "dense"}
    some = dict([*some.items()][:2])
    monkeypatch.setattr(judge, "mistakes", lambda: (some, {DENSE: bases[DENSE]}))
    out = tmp_path / "judge"
    arguments = ["--checkers", LOOP, "--right", "0", "--no-published", "--out", str(out)]
    made = judge.read(arguments)
    made.path, made.arguments = out, arguments
    return made


def test_the_record_is_written_and_what_it_holds_is_not_asked_again(options, monkeypatch, capsys):
    assert judge.main(options.arguments) == 0
    assert "| **all** | 2 |" in options.path.with_suffix(".md").read_text()
    assert "| **all** | 2 |" in capsys.readouterr().out
    layers = json.loads(options.path.with_suffix(".json").read_text())["layers"]
    assert all(about["answers"][LOOP][0] in (CAUGHT, MISSED) for about in layers.values())
    monkeypatch.setattr(judge.Process, "ask", lambda *_: pytest.fail("asked again"))
    judge.main(options.arguments)


def test_answers_to_a_changed_layer_and_of_another_version_are_dropped(options):
    result = judge.load(options.path, options)
    for about in result["layers"].values():
        about["answers"][LOOP] = [CAUGHT, "", 0.1]
    changed = next(name for name in result["layers"] if name.startswith("wrong"))
    result["layers"][changed]["source"] = 1
    judge.write_json(options.path, result)
    again = judge.load(options.path, options)
    assert [name for name, about in again["layers"].items() if not about["answers"]] == [changed]
    again["checkers"][LOOP] = {"version": "older", "numpy": "1.0"}
    judge.forget_other_version(LOOP, again)
    assert not any(about["answers"] for about in again["layers"].values())


def test_a_changed_defect_of_a_package_that_is_here_replaces_the_old_row():
    old = [{"what": "a", "gives": 1}, {"what": "b", "gives": 2}]
    assert judge.merged(old, [{"what": "a", "gives": 3}]) == [
        {"what": "b", "gives": 2}, {"what": "a", "gives": 3}]


# ---- our judge

def test_the_judge_names_the_cause_of_a_layer_without_its_own_kind(monkeypatch):
    left_out, find = [], our_checkers.cause

    def cause(form, verdict, without):
        left_out.append(without)
        return find(form, verdict, without)

    monkeypatch.setattr(our_checkers, "cause", cause)
    name = next(name for name in judge.mistakes()[0] if name.startswith("wrong: relu, relu"))
    one = judge.task(name, 0)
    assert judge.answer(judge.JUDGE, one) == (CAUGHT, one.layer.cause)
    assert left_out == [(one.layer.kind,)]
    assert judge.answer(judge.JUDGE, judge.task("base: relu, relu", 0)) == (MISSED, "")


def test_the_judge_tries_a_right_layer_at_its_own_setting_only(monkeypatch):
    right = next(one for one in right_layers.draw(60, 1) if one.whose == right_layers.LOOPS)
    name = f"right 0: {right.name}"
    monkeypatch.setattr(judge, "_found", lambda count: {name: right})
    seen, run = [], our_checkers.judge.run
    monkeypatch.setattr(our_checkers.judge, "run", lambda form, case, *rest: (
        seen.append(case), run(form, case, *rest))[1])
    assert judge.answer(judge.JUDGE, judge.task(name, 1)) == (MISSED, "")
    assert seen == [right.case] * 2  # in both dtypes


def test_the_judge_is_heard_when_it_complains_about_a_right_layer():
    case, layer = right_layers.plain("relu"), passes("relu")
    assert not our_checkers.judged_at(case, layer)
    wrong = SimpleNamespace(forward=layer.forward,
                            backward=lambda dy, cache: layer.backward(dy, cache) / 2)
    assert our_checkers.judged_at(case, wrong)

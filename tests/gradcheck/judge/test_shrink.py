"""The smallest input at which a layer is wrong."""

import numpy as np
import pytest
from wrong_layers import base, edited, form_of, judged, mistake, named, page, sample, written

from minicnn.gradcheck.judge import shrink
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.judge import fairly, judge
from minicnn.gradcheck.judge.sizes import LEAST, MOST, OF, drawn
from minicnn.ops import relu


def smallest(form, quick=False):
    """The Smallest of a form, and whether the form is wrong there."""
    found = judge(form, seconds=240, quick=quick).smallest
    shape = np.shape(found.row.case.expected()[0])
    dy = (1.0 + np.arange(np.prod(shape)) % 5).reshape(shape)
    with np.errstate(all="ignore"):
        return found, found.wrong in fairly(form, found.row.case, np.float64, dy).wrong


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However slow the machine is, every search comes to its end."""
    monkeypatch.setattr("minicnn.gradcheck.judge.judge.SEARCH", 60.0)


# ---- what is found

BUILT_IN = [  # a limit that is built in: the sizes at which it shows, and no smaller ones
    (("layer_norm", "64 channels at most"), {"x": (1, 65), "gamma": (65,), "beta": (65,)}),
    (("lrn", "64 channels at most"), {"x": (1, 1, 1, 65)}),
    (("softmax", "64 channels at most"), {"x": (1, 65)}),
    (("tanh", "128 images at most"), {"x": (129, 1)}),
    (("dense", "128 images at most"), {"x": (129, 1), "w": (1, 1)}),
    (("group_norm", "128 images at most"), {"x": (129, 1, 1, 2), "gamma": (2,), "beta": (2,)}),
    (("concat", "three parts at most"), {f"x{k}": (1, 1) for k in range(4)}),
]


@pytest.mark.parametrize("wrong, shapes", BUILT_IN, ids=[": ".join(wrong) for wrong, _ in BUILT_IN])
def test_a_limit_is_found(wrong, shapes):
    found, still = smallest(form_of(mistake(*wrong)))
    assert {name: value.shape for name, value in found.row.case.inputs.items()} == shapes and still


def test_settings_are_made_as_small_as_they_can_be():
    found, still = smallest(form_of(mistake("conv_transpose", "padding ignored on the way back")))
    case = found.row.case
    assert case.options["pad"] in ((0, 1), (1, 0)) and case.options["groups"] == 1
    assert case.inputs["w"].size <= 4 and case.inputs["x"].size <= 4 and still
    found, still = smallest(form_of(mistake("pool_columns", "vertical stride for both")))
    assert np.size(found.row.case.inputs["x"]) <= 4 and still


@pytest.mark.parametrize("layer", [one for one in sample(1) if one.cause in (
    "overlap", "padding", "groups", "factor", "sign", "formula", "mask", "cross term")], ids=named)
def test_it_is_still_wrong_and_small_enough_to_follow_by_hand(layer):
    found, still = smallest(form_of(layer))
    case = found.row.case
    assert still and found.words and found.wrong in ("y", "dx", *(f"d{n}" for n in case.wrt))
    assert sum(np.size(value) for value in case.inputs.values()) < 20


def test_large_numbers_where_only_they_are_wrong():
    found, still = smallest(form_of(mistake("sigmoid", "exp overflows")))
    assert found.row.case.inputs["x"].tolist() == [[1000.0]] and still


def test_the_same_bytes_in_every_run():
    for wrong in (("lrn", "64 channels at most"), ("dense", "db averaged")):
        first, second = (judge(form_of(mistake(*wrong))).smallest for _ in range(2))
        assert (first.code, first.words) == (second.code, second.words)
        assert all(first.row.case.inputs[name].tobytes() == second.row.case.inputs[name].tobytes()
                   for name in first.row.case.inputs)


def test_an_error_that_is_raised():
    found = judge(edited("relu", ("    mask = cache", "    mask = cache\n    1 // (len(mask) - 1)"))
                  ).smallest
    assert found.wrong == "raises" and "by zero" in found.words
    assert len(found.row.case.inputs["x"]) == 1 and "print" not in found.code


# ---- what is not

def test_what_is_right_has_none():
    assert judge(form_of(base("relu")), quick=True).smallest is None
    refuses = judge(form_of(mistake("cross_entropy", "labels clipped")))
    assert not refuses.ok and refuses.smallest is None  # nothing is computed wrongly


LAST = ("view.argmax(axis=1)", "kh * kw - 1 - view[:, ::-1].argmax(axis=1)")


def test_another_right_slope_at_equal_maxima_is_not_taken_for_the_error():
    """Ties go to the last maximum, which is right; more than two channels are wrong."""
    back = "    return dpadded[:, ph"
    form = edited("pool_windows", LAST, (
        back, f"    dpadded *= 1 + (dpadded.shape[3] > 2)\n{back}"))
    found, still = smallest(form, quick=True)
    assert found.row.case.inputs["x"].shape == (1, 1, 1, 3) and still


def test_nor_at_activations_of_exactly_zero():
    """Whole numbers often give one; the slope there is 1, which is right."""
    form = written("affine_relu", """
import numpy as np
def affine_relu_forward(x, w, b):
    z = x @ w + b
    return np.maximum(z, 0), (x, w, z)
def affine_relu_backward(dout, cache):
    x, w, z = cache
    dz = dout * (z >= 0) * (1 + (w.shape[1] > 7))
    return dz @ w.T, x.T @ dz, dz.sum(0)
""")
    found, still = smallest(form)
    assert found.row.case.inputs["w"].shape == (1, 8) and still


def test_without_time_the_first_wrong_case_is_told():
    form = form_of(mistake("dense", "db averaged"))
    verdict = judged(form)
    assert verdict.smallest.row.case is next(row.case for row in verdict.rows if "db" in row.wrong)


def test_a_case_that_cannot_be_built_from_whole_numbers_is_told_by_its_name():
    form = page("relu", forward=lambda x: relu.forward(x) if np.ptp(x) < 1000 or x.ndim != 4 else
                (x, relu.forward(x)[1]), backward=relu.backward)
    found = judge(form).smallest
    assert found.row.case.name in found.code and "cases('relu')" in found.code


# ---- sizes and cases

@pytest.mark.parametrize("op", OF)
def test_a_case_is_made_again_from_its_sizes(op):
    """With other numbers in it, but of the same shapes and settings."""
    make, read = OF[op]
    usual = [case for case in cases(op) if not case.refuse and "large" not in case.tags
             and np.ndim(next(iter(case.inputs.values()))) in (2, 4)]
    for case in usual:
        again = make(op, read(case))
        same_axes = read(again) == read(case)
        assert same_axes and [*again.inputs] == [*case.inputs] and again.wrt == case.wrt, case.name
        if op in ("conv", "conv_transpose", "dense", "average_pool", "layer_norm", "resize"):
            assert again.expected()[0].shape == case.expected()[0].shape, case.name
            for name, value in case.inputs.items():
                assert again.inputs[name].shape == value.shape, case.name


def test_drawn_sizes_are_between_the_least_and_the_most():
    like = OF["conv"][1](cases("conv")[0]) | {"times": 0}
    found = [drawn("conv", np.random.default_rng(seed), like) for seed in range(40)]
    for name in like:
        values = {sizes[name] for sizes in found}
        assert {LEAST.get(name, 1), MOST[name]} <= values  # 40 draws of at most six numbers
        assert min(values) == LEAST.get(name, 1) and max(values) == MOST[name]


def test_every_op_but_most_sandwiches_can_be_made_small():
    assert {case.op for op in shrink.OF for case in cases(op)[:1]} == {*OF}
    assert {"conv", "pool", "dense", "batch_norm", "svm_loss", "affine_relu"} <= {*OF}

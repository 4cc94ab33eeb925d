"""The cases of every op: they run, their tags say what they have, the large ones are large."""

import re

import numpy as np
import pytest

from minicnn.gradcheck.judge.cases import CASES, LARGE, MORE_CONV, VALUES, cases, few
from minicnn.gradcheck.judge.matrix import both
from minicnn.gradcheck.own.known import MORE, OPS

ALL = {op: cases(op) for op in CASES}
EVERY = [case for found in ALL.values() for case in found]


def of_op(op, name):
    (case,) = [case for case in ALL[op] if case.name == name]
    return case


def test_every_known_op_has_cases_with_names_of_their_own():
    assert CASES.keys() == OPS.keys() | MORE.keys()
    for op, found in ALL.items():
        assert len({case.name for case in found}) == len(found) > 2, op
        assert {case.op for case in found} == {op}


@pytest.mark.parametrize("op", CASES)
def test_the_op_can_do_its_cases_or_refuses_them(op):
    for case in ALL[op]:
        if case.refuse:
            with pytest.raises(ValueError):
                case.expected()
            continue
        y, gradients = case.expected(case.dy())
        assert np.shape(case.dy()) == y.shape and np.isfinite(y).all(), case.name
        assert {*gradients} == {*case.wrt} <= {*case.inputs}, case.name
        for name, gradient in gradients.items():
            assert gradient.shape == case.inputs[name].shape and np.isfinite(gradient).all()


def test_the_numbers_are_the_same_in_every_run():
    for first, second in zip(cases("conv"), cases("conv"), strict=True):
        assert all((first.inputs[name] == second.inputs[name]).all() for name in first.inputs)
        assert first.refuse or (first.dy() == second.dy()).all()


def test_the_plainest_come_first():
    for op, found in ALL.items():
        assert found[0].tags.isdisjoint({"values", "ties", "large", "dilation", "pairs"}), op
        assert not found[0].refuse


# ---- tags

HOLDS = {  # tag: whether a case has it
    "padding": lambda case: np.max(case.options.get("pad", 0)) > 0,
    "groups": lambda case: case.options.get("groups", 1) > 1,
    "dilation": lambda case: np.max(case.options.get("dilation", 1)) > 1,
    "ceil": lambda case: case.options.get("rounding") == "ceil",
    "training": lambda case: case.options.get("training") is True,
    "paper": lambda case: case.options.get("convention") == "paper",
    "no bias": lambda case: case.options.get("b", 0) is None,
}


@pytest.mark.parametrize("tag", HOLDS)
def test_a_tag_is_on_the_cases_that_have_it(tag):
    having = [case for case in EVERY if HOLDS[tag](case)]
    assert having == [case for case in EVERY if tag in case.tags] != []


def test_pairs_are_different_numbers_for_height_and_width():
    def pairs(case):
        return any(isinstance(value, tuple) and value[0] != value[1] for key, value
                   in case.options.items() if key != "size") or (
            "w" in case.inputs and case.inputs["w"].ndim == 4
            and case.inputs["w"].shape[0] != case.inputs["w"].shape[1])
    assert [case for case in EVERY if pairs(case)] == [
        case for case in EVERY if "pairs" in case.tags]


def test_the_tags_of_windows():
    overlap, gaps = of_op("pool", "overlap 3/2"), of_op("pool", "gaps 2/3")
    assert "overlap" in overlap.tags and "gaps" in gaps.tags
    assert not {"overlap", "gaps"} & of_op("pool", "tiling 2/2").tags
    assert "not tiling" in of_op("pool", "floor leaves rows over").tags
    assert "oblong window" in of_op("pool", "pairs, tall window").tags
    assert "identity" in of_op("pool", "one pixel").tags
    assert "oblong" not in of_op("pool", "overlap 3/1").tags  # of 5x5


def test_ties_are_where_gradients_jump():
    """At equal maxima, exact zeros or margins of 0; and nowhere else."""
    for case in ALL["pool"]:
        kh, kw = both(case.options.get("window", 1))
        if not case.refuse and "large" not in case.tags and kh * kw > 1:
            x, moved = case.inputs["x"], np.random.default_rng(0).standard_normal(
                case.inputs["x"].shape)
            above, below = (case._replace(inputs={"x": x + sign * 1e-9 * moved}).expected(
                case.dy())[1]["x"] for sign in (1, -1))
            assert ("ties" in case.tags) == (abs(above - below).max() > 1e-6), case.name
    for op in ("relu", "svm_loss"):
        assert any("ties" in case.tags for case in ALL[op])
    assert all((case.inputs["x"] == 0).any() for case in ALL["relu"] if "ties" in case.tags)


def test_the_numbers_are_those_that_the_tag_says():
    for case in EVERY:
        for tag in case.tags & VALUES.keys():
            x = np.abs(case.inputs["x"])
            least, most = {"numbers of 100": (97, 104), "numbers of 1000": (997, 1004),
                           "1000 and noise": (996, 1004), "numbers of 1e-4": (0, 4e-4)}[tag]
            assert least < x.min() and x.max() < most and "values" in case.tags, case.name


def test_a_tag_of_the_page_is_on_what_must_be_refused():
    refused = [case for case in EVERY if case.refuse]
    assert {case.op for case in refused} >= {"conv", "pool", "lrn", "dropout", "svm_loss", "dense"}
    assert all(case.refuse for case in EVERY if "page" in case.tags)


# ---- large ones

def test_large_cases_are_as_large_as_they_say():
    for case in LARGE:
        n, h, w, c = case.image
        sizes = {"images": n, "rows": h, "columns": w, "channels": c, "kernels": case.outputs,
                 "pixels": h * w}
        told = re.findall(r"(more than )?([\d,]+) (images|rows|columns|channels|kernels|pixels)",
                          case.name)
        for more, number, what in told:
            number = int(number.replace(",", ""))
            assert sizes[what] > number if more else sizes[what] == number, case.name
        assert told or both(case.window) == (17, 17)
    most = np.max([case.image for case in LARGE], axis=0)
    assert (most > (128, 256, 256, 64)).all() and max(case.outputs for case in LARGE) > 64


@pytest.mark.parametrize("op", ["relu", "tanh", "dense", "softmax", "batch_norm", "layer_norm",
                                "group_norm", "lrn", "resize", "cross_entropy", "svm_loss"])
def test_every_op_has_large_cases(op):
    large = [case for case in ALL[op] if "large" in case.tags]
    sides = [max(value.shape) for case in large for value in case.inputs.values()]
    assert large and max(sides) > 64
    others = [case for case in ALL[op] if "large" not in case.tags]
    assert max(max(np.shape(value), default=0) for case in others
               for value in case.inputs.values()) <= 64


def test_more_than_a_byte_and_more_than_sixteen_bits():
    """Of images, channels, labels, windows and pixels."""
    def most(op, size):
        return max(size(case) for case in ALL[op])
    assert most("cross_entropy", lambda case: max(case.inputs["labels"], default=0)) > 255
    assert most("global_average_pool", lambda case: np.prod(case.inputs["x"].shape[1:3])) > 65535
    assert most("pool", lambda case: np.prod(both(case.options["window"]))) > 255
    assert most("relu", lambda case: case.inputs["x"].size) > 65536
    assert most("concat", lambda case: len(case.inputs)) > 3 < most(
        "add", lambda case: len(case.inputs))


def test_few_are_about_a_quarter_without_large_ones_but_with_each_feature():
    for op in CASES:
        small, some = [case for case in ALL[op] if "large" not in case.tags], few(ALL[op])
        names = [case.name for case in some]
        assert not any("large" in case.tags for case in some) and len(some) <= len(small)
        assert names[:4] == [case.name for case in small[:4]]
        assert {tag for case in some for tag in case.tags} == {
            tag for case in small for tag in case.tags}
    assert len(few(ALL["conv"])) < len(ALL["conv"]) / 2


def test_some_convolutions_besides_the_matrix():
    assert {both(case.window) for case in MORE_CONV} > {(1, 1)}
    assert of_op("conv", "kernel as large as the padded image").expected()[0].shape[1:3] == (1, 1)

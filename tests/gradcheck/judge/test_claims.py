"""What an op claims, in words; how a case is passed to it; an epsilon without a parameter."""

import numpy as np
import pytest
from wrong_layers import base, edited, form_of, judged, written

from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.claims import OWN_EPSILON, arguments, as_taken, unclaimed

CONV = """
def conv_forward_naive(x, w, b, conv_param): pass
def conv_backward_naive(dout, cache): pass
"""
COURSE = written("conv", CONV)
PAGE = form_of(base("conv_places"))


def case(op, *tags, without=()):
    return next(one for one in cases(op) if {*tags} <= one.tags and not {*without} & one.tags)


def words(form, one, without=(), dtype=np.float64):
    return unclaimed(form, one, frozenset(without), dtype)


# ---- not claimed

def test_a_page_claims_all():
    assert [one.name for one in cases("conv") if words(PAGE, one)] == []


def test_what_was_left_out():
    padded = case("conv", "padding", "groups")
    assert words(PAGE, padded, ["groups", "padding", "stride"]) == "without groups, padding"
    assert words(PAGE, padded, ["float32"]) is None
    assert words(PAGE, padded, ["float32"], np.float32) == "without float32"
    refused = next(one for one in cases("conv") if one.refuse)
    assert words(PAGE, refused, ["refusals"]) == "without refusals"


def test_settings_that_it_has_no_parameter_for():
    assert words(COURSE, case("conv", "groups", without=["dilation", "pairs"])) == "has no groups"
    both = case("conv", "groups", "dilation", "pairs")  # a dict of settings has no pairs
    assert words(COURSE, both) == "has no stride, pad, groups, dilation"
    assert words(COURSE, cases("conv")[0]) is None  # one group is nothing to ask for


def test_pairs_in_a_dict_of_settings():
    pairs = case("conv", "pairs", "padding", "stride", without=["groups", "dilation"])
    assert words(COURSE, pairs) == "takes one number for stride, pad" and words(PAGE, pairs) is None


def test_only_a_page_must_work_without_a_bias_and_refuse_what_pages_refuse():
    no_bias, refused = case("conv", "no bias"), case("conv", "page")
    assert words(COURSE, no_bias) == "always has a bias" and words(PAGE, no_bias) is None
    assert words(COURSE, refused) == "only a page has to refuse it"
    assert words(PAGE, refused) is None


def test_the_number_of_axes():
    norm = written("batch_norm", COURSE_NORM.format(epsilon=1e-5), trying=True)
    images = case("batch_norm", "images")
    assert norm.ranks == (2,) and words(norm, images) == "takes x with 2 axes"


def test_a_pool_with_one_stride():
    pool = written("pool", "def pool_forward(x, window, stride): pass\n"
                   "def pool_backward(dout, cache): pass\n")
    assert words(pool, next(one for one in cases("pool") if one.name == "no stride given")) is None
    course = written("pool", "def max_pool_forward(x, pool_param): pass\n"
                     "def max_pool_backward(dout, cache): pass\n")
    assert words(course, next(one for one in cases("pool") if one.name == "no stride given")
                 ) == "has no stride for each axis"


def test_readings_without_a_parameter_are_tried():
    own = edited("lrn", (', convention="caffe"):', '):\n    convention = "paper"'))
    assert all(words(own, one) is None for one in cases("lrn"))


# ---- arguments

def test_arguments():
    one = case("conv", "groups")
    arrays, settings = arguments(PAGE, one, np.float32)
    assert {name: value.dtype for name, value in arrays.items()} == dict.fromkeys(
        "xwb", np.dtype(np.float32))
    assert settings == one.options and one.inputs["x"].dtype == np.float64
    assert arguments(COURSE, one, np.float64)[1].keys() == {"stride", "pad"}
    arrays, settings = arguments(PAGE, case("conv", "no bias"), np.float64)
    assert arrays["b"] is None and "b" not in settings


def test_labels_stay_whole_and_parts_are_one_list():
    loss = cases("cross_entropy")[0]
    arrays, _ = arguments(form_of(base("cross_entropy")), loss, np.float32)
    assert arrays["labels"].dtype == loss.inputs["labels"].dtype
    arrays, settings = arguments(form_of(base("concat")), cases("concat")[0], np.float32)
    assert [*arrays] == ["parts"] and len(arrays["parts"]) == 3 and settings == {"axis": -1}


# ---- an epsilon without a parameter

COURSE_NORM = """
import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    mean, var = bn_param["running_mean"], bn_param["running_var"]
    if bn_param["mode"] == "train":
        mean, var = x.mean(0), x.var(0)
    root = np.sqrt(var + x.dtype.type({epsilon}))
    z = (x - mean) / root
    return gamma * z + beta, (z, root, gamma, bn_param["mode"])

def batchnorm_backward(dout, cache):
    z, root, gamma, mode = cache
    g = dout * gamma / root
    dx = g - g.mean(0) - z * (g * z).mean(0) if mode == "train" else g
    return dx, (dout * z).sum(0), dout.sum(0)
"""


def with_epsilon(epsilon, op="layer_norm"):
    """A norm into which its epsilon is written."""
    if op == "batch_norm":
        return written(op, COURSE_NORM.format(epsilon=epsilon), trying=True)
    return edited(op, (", epsilon=1e-5):", f"):\n    epsilon = {epsilon}"))


@pytest.mark.parametrize("op", ["layer_norm", "batch_norm"])
@pytest.mark.parametrize("epsilon", [1e-6, 1e-5, 1e-3])
def test_an_epsilon_that_is_written_into_the_op_is_measured(op, epsilon):
    form = with_epsilon(epsilon, op)
    found, notes = as_taken(form, cases(op))
    lacks = {"layer_norm": "has no parameter for", "batch_norm": "does not read"}[op]
    assert notes == [f"it {lacks} epsilon, which is measured as {epsilon:.3g}"]
    assert {one.options["epsilon"] for one in found} == {epsilon}
    assert all(OWN_EPSILON in one.tags for one in found)


@pytest.mark.parametrize("op", ["layer_norm", "batch_norm"])
def test_with_the_measured_one_it_is_right(op):
    verdict = judged(with_epsilon(1e-6, op))
    assert verdict.gradient_ok and verdict.counts()["wrong"] == 0 and len(verdict.notes) == 1


def test_what_is_no_such_norm_is_judged_with_the_usual_one():
    form = edited("layer_norm", (", epsilon=1e-5):", "):\n    epsilon = 1e-3"),
                  ("np.sqrt(", "(lambda value: value)("))
    found, notes = as_taken(form, cases("layer_norm"))
    assert {one.options["epsilon"] for one in found} == {1e-5}
    assert notes == ["it has no parameter for epsilon, which is taken for 1e-05"]
    assert not judged(form).gradient_ok


def test_a_parameter_that_is_read_is_used():
    reading = COURSE_NORM.replace("x.dtype.type({epsilon})", "bn_param.get('eps', 1e-5)")
    for form in (form_of(base("layer_norm")), written("batch_norm", reading, trying=True)):
        found, notes = as_taken(form, cases(form.op))
        assert notes == [] and {one.options["epsilon"] for one in found} == {1e-5, 1e-3}
        assert not any(OWN_EPSILON in one.tags for one in found)


def test_an_epsilon_that_is_forgotten_is_wrong():
    form = written("batch_norm", COURSE_NORM.format(epsilon=0), trying=True)
    assert as_taken(form, cases("batch_norm"))[1] == [
        "it does not read epsilon, which is taken for 1e-05"]
    assert not judged(form).gradient_ok

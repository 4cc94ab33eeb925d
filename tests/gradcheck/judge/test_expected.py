"""What is right at a case, and by how much a result may differ."""

import numpy as np
import pytest
from wrong_layers import base, edited, form_of, judged, written

from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.expected import SMOOTH_ENOUGH, right, typed_inputs


def case(op, name):
    (found,) = [one for one in cases(op) if one.name == name]
    return found


def allowed(op, name, dtype=np.float64):
    one = case(op, name)
    return right(form_of(base({"pool": "pool_columns"}.get(op, op))), one, dtype, one.dy(), {})[1]


# ---- every op but a dropout

@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_right_at_the_inputs_that_the_op_got(dtype):
    one = case("dense", "3x4 to 3")
    expected, _ = right(form_of(base("dense")), one, dtype, one.dy(), {})
    assert [*expected] == ["y", "dx", "dw", "db"]
    x, w, b = (one.inputs[name].astype(dtype).astype(float) for name in "xwb")
    np.testing.assert_allclose(expected["y"], x @ w + b, rtol=1e-14)  # four products
    assert expected["y"].dtype == np.float64


def test_inputs_are_rounded_but_labels_are_not():
    typed = typed_inputs(case("cross_entropy", "4x3 scores"), np.float32)
    assert typed["x"].dtype == np.float64 and typed["labels"].dtype.kind == "i"
    assert 0 < abs(typed["x"] - case("cross_entropy", "4x3 scores").inputs["x"]).max() < 1e-6


def test_plain_results_may_differ_by_the_order_of_sums_only():
    for dtype, (base_, _) in SMOOTH_ENOUGH.items():
        for one in allowed("dense", "3x4 to 3", dtype).values():
            assert base_ <= one < 3 * base_
    assert max(allowed("relu", "large: 70,000 numbers").values()) == pytest.approx(
        5 * SMOOTH_ENOUGH[np.float64][0])


def test_what_hangs_on_the_last_digits_may_differ_by_more():
    """The variance of 1000 and noise loses six digits."""
    plain, noisy = (max(allowed("layer_norm", name, np.float32).values())
                    for name in ("4x5", "1000 and noise"))
    assert noisy > 20 * plain and max(allowed("layer_norm", "1000 and noise").values()) < 1e-7


def test_a_sum_of_dy_that_nearly_cancels_may_differ_by_more():
    """Three digits are gone where db is a thousandth of its terms."""
    one, form = case("dense", "3x4 to 3"), form_of(base("dense"))
    dy = np.tile([[1.0], [0.5], [-1.499]], 3)
    plain, cancelled = (right(form, one, np.float32, values, {})[1]
                        for values in (one.dy(), dy))
    assert cancelled["db"] > 20 * plain["db"] and cancelled["y"] == plain["y"]


@pytest.mark.parametrize("op, name", [("relu", "exact zeros"), ("svm_loss", "margins of exactly 0"),
                                      ("pool", "constant")])
def test_the_jump_at_a_kink_is_no_rounding(op, name):
    for dtype, (base_, _) in SMOOTH_ENOUGH.items():
        assert max(allowed(op, name, dtype).values()) < 3 * base_


# ---- a dropout

def of_dropout(form, rate=0.5):
    """(what the form returns, what is right) of a dropout at numbers above 1, and of a dy."""
    one = case("dropout", f"rate {rate}")
    y, kept = form.forward(one.inputs, one.options | (
        {"training": True} if "training" in form.takes else {}))
    got = {"y": y, "dx": form.backward(one.dy(), kept)["x"]}
    return got, right(form, one, np.float64, one.dy(), got)[0]


IN_USE = ((", rate=0.5, seed=0):", ", rate=0.5, seed=0, training=True):\n    if not training:\n"
           "        return x * x.dtype.type(1 - rate), np.full_like(x, 1 - rate)"),
          ("keep.astype(x.dtype) / x.dtype.type(1 - rate)", "keep.astype(x.dtype)"))
IN_TRAINING = ((IN_USE[0][0], IN_USE[0][1].replace("x * x.dtype.type(1 - rate)", "x.copy()")),)


@pytest.mark.parametrize("form", [form_of(base("dropout")), edited("dropout", *IN_TRAINING)],
                         ids=["no use", "as it is in use"])
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 0.9])
def test_a_dropout_that_scales_in_training(form, rate):
    got, expected = of_dropout(form, rate)
    np.testing.assert_array_equal(expected["y"], got["y"])
    np.testing.assert_allclose(expected["dx"], got["dx"], rtol=1e-15)  # dy / 0.7 or dy times 1/0.7
    assert {*np.round(got["y"] / case("dropout", f"rate {rate}").inputs["x"], 9).flat} <= {
        0, round(1 / (1 - rate), 9)}


def test_a_dropout_that_scales_in_use():
    got, expected = of_dropout(edited("dropout", *IN_USE))
    x = case("dropout", "rate 0.5").inputs["x"]
    assert {*(got["y"] / x).flat} == {0, 1} and (expected["y"] == got["y"]).all()
    assert judged(edited("dropout", *IN_USE)).ok and judged(edited("dropout", *IN_TRAINING)).ok


def test_a_dropout_that_scales_nowhere_or_twice_is_wrong():
    nowhere = edited("dropout", IN_USE[1])
    got, expected = of_dropout(nowhere)
    assert (expected["y"] == 2 * got["y"]).all() and not judged(nowhere).gradient_ok
    both = edited("dropout", IN_USE[0])
    assert not judged(both).ok


def test_the_mask_is_the_op_s_own_but_is_the_same_on_the_way_back():
    anew = written("dropout", """
import numpy as np
def dropout_forward(x, rate=0.5):
    mask = np.random.random(x.shape) >= rate
    return x * mask / (1 - rate), (mask, rate)
def dropout_backward(dout, cache):
    mask, rate = cache
    return dout * MASK / (1 - rate)
""".replace("MASK", "(np.random.random(dout.shape) >= rate)"))
    got, expected = of_dropout(anew)
    np.testing.assert_allclose(expected["y"], got["y"], rtol=1e-15)
    assert ((expected["dx"] != 0) == (got["y"] != 0)).all()
    assert (got["dx"] != 0).sum() > 50 and (expected["dx"] != got["dx"]).any()


def test_a_share_that_is_far_from_the_rate_is_wrong():
    """A dropout that keeps what it should drop."""
    form = edited("dropout", (">= rate", "< rate"))
    _, expected = of_dropout(form, 0.9)
    assert (expected["y"] != 0).all() and not judged(form).gradient_ok

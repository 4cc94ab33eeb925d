"""What a layer of windows returns under a rule: the right one, and changed ones against loops."""

from itertools import product

import numpy as np
import pytest

from minicnn.gradcheck.cause import altered
from minicnn.gradcheck.cause.altered import areas, averaged, changes, returned, right_rule, sizes
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.matrix import both
from minicnn.gradcheck.mistakes import CAUSES

SAME = 1e-12  # sums of under 100 products of numbers around 1, in another order


def small(op, *tags):
    """Cases of an op that have all of some tags, without large ones and ties."""
    found = [case for case in cases(op) if not case.refuse and case.work < 3000
             and case.tags.isdisjoint({"large", "values", "ties", "ceil"}) and case.tags >= {*tags}]
    assert found
    return found


def change(case, words):
    """The first change that is told in these words."""
    return next(one for one in changes(right_rule(case)) if one.words == words).rule


def agree(found, expected):
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=SAME, err_msg=name)


# ---- the right rule

@pytest.mark.parametrize("op", ["conv", "conv_transpose", "pool", "average_pool"])
def test_under_the_right_rule_it_is_the_op(op):
    for case in small(op):
        y, gradients = case.expected(case.dy())
        expected = {"y": y} | {f"d{name}": value for name, value in gradients.items()}
        found = returned(case, right_rule(case), case.dy())
        assert {"y", "dx"} <= found.keys()
        agree(found, expected)


def test_the_rule_of_a_case():
    case = next(case for case in small("conv", "dilation", "pairs", "groups"))
    rule = right_rule(case)
    assert rule.window == case.inputs["w"].shape[:2] and rule.dilation == case.options["dilation"]
    assert (rule.stride, rule.pad) == (case.options["stride"], case.options["pad"])
    (plain,) = [case for case in cases("pool") if case.name == "no stride given"]
    assert right_rule(plain).stride == plain.options["window"]


def test_the_changes():
    case = small("conv", "pairs", "padding", "stride", "overlap")[0]
    found = changes(right_rule(case))
    assert {one.cause for one in found} <= CAUSES.keys() and len({one.rule for one in found}) > 30
    square = right_rule(small("conv")[0])
    assert square in [one.rule for one in changes(square)]  # its strides exchanged


# ---- changed rules, each against its loop

def loop(case, *, pad=None, stride=None, flip=False, forget=False):
    """{"y", "dx", "dw"} of a convolution without groups, dilation and bias, window by window.

    `pad` and `stride` are those at which pixels are looked up, `flip` mirrors the kernel; with
    `forget` a window's dx replaces that of an earlier one.
    """
    x, w, dy = case.inputs["x"], case.inputs["w"], case.dy()
    (ph, pw), (sh, sw) = pad or both(case.options["pad"]), stride or both(case.options["stride"])
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(w.shape)
    y += case.inputs.get("b", 0.0)
    for p, q, i, j in product(*map(range, (*dy.shape[1:3], *w.shape[:2]))):
        k, m = (w.shape[0] - 1 - i, w.shape[1] - 1 - j) if flip else (i, j)
        row, column = sh * p + k - ph, sw * q + m - pw
        if not (0 <= row < x.shape[1] and 0 <= column < x.shape[2]):
            continue
        y[:, p, q] += x[:, row, column] @ w[i, j]
        dw[i, j] += x[:, row, column].T @ dy[:, p, q]
        old = 0 if forget else dx[:, row, column]
        dx[:, row, column] = old + dy[:, p, q] @ w[i, j].T
    return {"y": y, "dx": dx, "dw": dw}


def plain_conv(*tags):
    """Cases of a convolution that `loop` can do."""
    return [case for case in small("conv", *tags) if case.tags.isdisjoint({"groups", "dilation"})]


@pytest.mark.parametrize("words, tags, how", [
    ("the padding is cut off at the wrong side", ["padding"],
     lambda rule: {"pad": (2 * rule.pad[0], 2 * rule.pad[1])}),
    ("the strides of height and width are exchanged", ["pairs", "stride"],
     lambda rule: {"stride": rule.stride[::-1]}),
    ("the window is mirrored", [], lambda rule: {"flip": True}),
    ("where windows overlap, the last one wins", ["overlap"], lambda rule: {"forget": True}),
])
def test_a_change_is_its_loop(words, tags, how):
    for case in plain_conv(*tags):
        rule = change(case, words)
        found = returned(case, rule, case.dy())
        if "last one wins" in words:  # y and dw add up in any order
            found = {"dx": found["dx"]}
        agree(found, loop(case, **how(right_rule(case))))


def test_the_loop_is_the_op():
    for case in plain_conv():
        y, gradients = case.expected(case.dy())
        agree({"y": y, "dx": gradients["x"], "dw": gradients["w"]}, loop(case))


def test_a_max_pool_whose_last_window_wins():
    (case,) = [case for case in cases("pool") if case.name == "overlap 3/1"]
    x, dy = case.inputs["x"], case.dy()
    dx, (n, oh, ow, c) = np.zeros(x.shape), dy.shape
    for image, p, q, channel in product(*map(range, (n, oh, ow, c))):
        window = x[image, p : p + 3, q : q + 3, channel]
        i, j = np.unravel_index(window.argmax(), (3, 3))
        dx[image, p + i, q + j, channel] = dy[image, p, q, channel]
    rule = change(case, "where windows overlap, the last one wins")
    np.testing.assert_array_equal(returned(case, rule, dy)["dx"], dx)


def test_left_out_windows_and_places():
    case = plain_conv("padding", "overlap")[0]
    dy = case.dy().copy()
    dy[:, -1] = 0
    found = returned(case, change(case, "the last row of windows is left out"), case.dy())
    np.testing.assert_allclose(found["dx"], case.expected(dy)[1]["x"], rtol=0, atol=SAME)
    w = np.zeros_like(case.inputs["w"])
    w[0, 0] = case.inputs["w"][0, 0]
    found = returned(case, change(case, "only the first place of the window counts"), case.dy())
    alone = case._replace(inputs=case.inputs | {"w": w})
    np.testing.assert_allclose(found["y"], alone.expected()[0], rtol=0, atol=SAME)


def test_a_negative_index_wraps_around():
    rule = altered.Rule((1, 3), (1, 1), (0, 1), (1, 1), outside="wrapped")
    x = np.arange(4.0).reshape(1, 1, 4, 1)
    seen = altered.gather(x, rule, (1, 4))[0, 0, :, :, 0]
    assert seen.tolist() == [[3, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 0]]


# ---- other numbers of windows, other areas

def test_the_numbers_of_windows():
    (case,) = [case for case in cases("pool") if case.name == "floor leaves rows over"]
    found = sizes(case)  # 6x7, window 2, stride 3: a window at row 6 would be outside
    assert case.expected()[0].shape[1:3] == (2, 2)
    assert found["rounding", "the number of windows is rounded the other way"] == (2, 3)
    assert found["swap", "height and width of y are exchanged"] == (2, 2)
    assert found["stride", "in the size of y the stride is ignored"] == (5, 6)
    assert found["missing", "y has one row too few"] == (1, 2)
    assert {cause for cause, _ in found} <= CAUSES.keys()


def test_the_areas_of_an_average():
    case = next(case for case in small("average_pool", "padding")
                if case.options["border"] == "image")
    ones = case._replace(inputs={"x": np.ones_like(case.inputs["x"])})
    divided_by = {words: area for _, words, area in areas(case, case.dy())}
    rule, dy = right_rule(case), case.dy()
    own = divided_by["only the pixels inside the image are counted"]
    agree(averaged(case, rule, dy, own), {"y": case.expected()[0], "dx": case.expected(dy)[1]["x"]})
    high, wide = rule.window
    whole = divided_by["every window is divided by its whole area"]
    assert whole == high * wide and (averaged(ones, rule, dy, whole)["y"] < 1).any()
    assert divided_by["the height is taken for the width in the area"] == high**2

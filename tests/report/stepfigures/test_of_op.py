"""The figure of an op at an input: its numbers, where it opens, what it says of an answer."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from minicnn.ascent.objectives.gram_matrices import gram_matrix
from minicnn.ops import conv, lrn, pool, relu
from minicnn.report.stepfigures.of_op import Answer, of_op, of_smallest

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(2, 4, 5, 4)), RNG.normal(size=(3, 2, 2, 6)), RNG.normal(size=6)
SETTINGS = {"stride": (2, 1), "pad": (0, 1), "groups": 2}
HERE = {"y": (1, 0, 2, 4), "dx": (1, 3, 2, 3), "dw": (2, 1, 1, 5), "db": (4,)}


def convolution(part, images=2):
    """An Answer that is wrong at HERE, and y with all gradients."""
    y, cache = conv.forward(X[:images], W, B, **SETTINGS)
    dy = RNG.normal(size=y.shape)
    results = {"y": y} | {f"d{name}": one for name, one in zip(
        "xwb", conv.backward(dy, cache), strict=True)}
    got = results[part].copy()
    got[(0, *HERE[part][1:]) if images == 1 and part in ("y", "dx") else HERE[part]] += 7
    return Answer("conv", {"x": X[:images], "w": W, "b": B}, SETTINGS, part, dy, got,
                  results[part]), results


def wrong(array, *place):
    """A copy that is wrong in one place."""
    array = array.copy()
    array[place] += 1
    return array


# ---- the numbers, and where it opens

def test_an_output_of_a_convolution():
    """The image and the group of the largest error; the window of that output."""
    answer, results = convolution("y")
    data = of_op(answer).data
    assert data["x"] == X[1, ..., 2:].tolist() and data["w"] == W[..., 3:].tolist()
    assert data["b"] == B[3:].tolist()
    assert data["library"]["y"] == pytest.approx(results["y"][1, ..., 3:], 1e-12)
    assert data["settings"] == {"size": 3, "c": 0, "o": 1, "stride": "2x1", "pad": "0x1",
                                "dilation": 1}
    assert data["opened"] == {"step": 2}
    assert "image 1 of 2" in of_op(answer).lead and "group 1 of 2" in of_op(answer).lead


@pytest.mark.parametrize("part, images, opened, chosen", [
    ("dx", 2, {"view": "dx", "at": ["x", 3, 2]}, (1, 0)),
    ("dw", 1, {"view": "dw", "at": ["dw", 2, 1]}, (1, 2)),
    ("db", 1, {"view": "db", "step": 6}, (0, 1))])
def test_a_gradient_of_a_convolution(part, images, opened, chosen):
    answer, results = convolution(part, images)
    data, n = of_op(answer).data, images - 1
    assert data["opened"] == opened
    assert (data["settings"]["c"], data["settings"]["o"]) == chosen
    assert data["dy"] == answer.dy[n, ..., 3:].tolist()
    right = {"dx": results["dx"][n, ..., 2:], "dw": results["dw"][..., 3:],
             "db": results["db"][3:]}[part]
    assert np.array(data["library"][part]) == pytest.approx(right, 1e-12)


@pytest.mark.parametrize("part", ["y", "dx"])
def test_a_pooling(part):
    settings = {"window": (1, 2), "stride": (2, 1), "pad": (0, 1)}
    y, cache = pool.forward(X, **settings)
    dy = RNG.normal(size=y.shape)
    right = {"y": y, "dx": pool.backward(dy, cache)}[part]
    figure = of_op(Answer("pool", {"x": X}, settings, part, dy, wrong(right, 1, 1, 2, 3), right))
    assert figure.data["x"] == X[1, ..., 3].tolist()
    assert figure.data["dy"] == dy[1, ..., 3].tolist()
    assert figure.data["library"][part] == right[1, ..., 3].tolist()
    assert figure.data["settings"] == {"window": "1x2", "stride": "2x1", "pad": "0x1",
                                       "rounding": "floor"}
    assert figure.data["opened"] == ({"step": y.shape[2] + 2} if part == "y" else
                                     {"view": "down", "at": ["x", 1, 2]})


def test_switches():
    x = np.array([1.0, 3, 2, 5]).reshape(1, 2, 2, 1)
    figure = of_op(Answer("pool", {"x": x}, {"window": 2}, "switches", None,
                          np.array([[[[0]]]]), np.array([[[[3]]]])))
    assert figure.data["library"]["switches"] == [[3]]
    assert "<i>switches</i> = <code>[[0]]</code>, right is <code>[[3]]</code>" in figure.lead


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 2, 3)])
def test_a_relu(shape):
    x, dy = RNG.normal(size=shape), RNG.normal(size=shape)
    right = relu.backward(dy, relu.forward(x)[1])
    figure = of_op(Answer("relu", {"x": x}, {}, "dx", dy, wrong(right, *[-1] * len(shape)), right))
    assert figure.data["library"]["gradient"] == right.reshape(-1, shape[-1]).tolist()
    assert figure.data["opened"] == {"step": x.size - 1}


@pytest.mark.parametrize("part", ["y", "dx"])
@pytest.mark.parametrize("channels", [1, 4])
def test_a_normalisation(part, channels):
    x, settings = X[..., :channels], {"size": 3, "alpha": 0.5, "k": 2.0, "convention": "paper"}
    y, cache = lrn.forward(x, **settings)
    dy = RNG.normal(size=y.shape)
    right = {"y": y, "dx": lrn.backward(dy, cache)}[part]
    figure = of_op(Answer("lrn", {"x": x}, settings, part, dy, wrong(right, 1, 2, 3, -1), right))
    assert figure.data["x"] == x[1, 2, 3].tolist() and figure.data["dy"] == dy[1, 2, 3].tolist()
    assert figure.data["library"][part] == pytest.approx(right[1, 2, 3], 1e-12)
    assert figure.data["settings"] == {"n": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0,
                                       "convention": "paper"}
    assert figure.data["opened"] == {"step": channels - 1, "at": [part, 0, channels - 1],
                                     "view": "up" if part == "y" else "down"}


def test_settings_that_are_missing_are_the_op_s():
    x = X[:1, :1, :1]
    figure = of_op(Answer("lrn", {"x": x}, {}, "y"))
    assert figure.data["settings"]["alpha"] == 1e-4
    assert figure.data["library"]["y"] == lrn.forward(x)[0].ravel().tolist()


def test_a_gram_matrix():
    right = gram_matrix(X)
    figure = of_op(Answer("gram_matrix", {"a": X}, {}, "G", None, wrong(right, 1, 2, 3), right))
    assert figure.data["a"] == X[1].tolist()
    assert figure.data["library"]["g"] == pytest.approx(right[1], 1e-12)
    assert figure.data["settings"] == {"i": 2, "j": 3}


def test_the_smallest_input_of_the_judge():
    case = SimpleNamespace(op="relu", inputs={"x": np.array([[1.0]])}, options={},
                           dy=lambda: np.array([[5.0]]))
    row = SimpleNamespace(case=case, got={"dx": np.array([[2.0]])},
                          expected={"dx": np.array([[1.0]])})
    made = of_smallest(SimpleNamespace(row=row, wrong="dx", dy=np.array([[3.0]])))
    assert (made.part, made.got, made.dy) == ("dx", 2, 3)
    made = of_smallest(SimpleNamespace(row=row, wrong="raises", dy=None))
    assert (made.part, made.got, made.dy) == ("y", None, 5)
    assert of_smallest(None) is None


# ---- none

def one(x=((1.0, 2.0),), w=((1.0,),), part="y", dy=None, got=None, expected=None, **settings):
    """An Answer for a convolution of a plane."""
    x, w = np.array(x)[None, ..., None], np.array(w)[..., None, None]
    return Answer("conv", {"x": x, "w": w}, settings, part, dy, got, expected)


@pytest.mark.parametrize("answer", [
    None, Answer("dense", {"x": np.ones((1, 2)), "w": np.ones((2, 1))}, {}, "y"),
    one(np.ones((13, 2))), one([[np.nan, 1]]), one([[1e200, 1]], [[1e200]]), one(pad=9),
    one(part="dx", dy=np.ones((1, 5, 5, 1))), one(np.ones((2, 2)), np.ones((3, 3))),
    one(got=np.array([[[[1.0], [2.0]]]]), expected=np.array([[[[1.0], [2.0]]]])),
    convolution("dw")[0], convolution("db")[0],
    Answer("gram_matrix", {"a": X[..., :1]}, {}, "G")], ids=lambda one: one and one.op)
def test_there_is_no_figure(answer):
    """Another op, too large, not finite, a setting that is none, a right answer, several images
    in one gradient."""
    assert of_op(answer) is None


@pytest.mark.parametrize("value, words", [
    (np.nan, "[[nan, 1]]"), (np.inf, "[[inf, 1]]"), (-1e300, "[[-1e+300, 1]]"),
    (1e308, "[[inf, 1]]"), (True, "[[1, 1]]"), (10**18, "[[1e+18, 1]]")])
def test_odd_numbers_of_an_answer_are_told(value, words):
    got, right = np.array([[[[value], [1]]]]), np.array([[[[0.0], [1.0]]]])
    figure = of_op(one(got=got, expected=right))
    assert f"Your code gave <i>y</i> = <code>{words}</code>" in figure.lead
    assert json.loads(json.dumps(figure.data, allow_nan=False))["opened"] == {"step": 0}


@pytest.mark.parametrize("got", [
    np.broadcast_to(1.0, (10**6, 10**6)), np.zeros(0), 3.0, np.zeros((1,) * 30)],
    ids=lambda got: str(np.shape(got)))
def test_another_shape_is_told(got):
    figure = of_op(one(got=got, expected=np.array([[[[0.0], [1.0]]]])))
    assert figure.lead.startswith("Your code gave <i>y</i> in another shape. Each output is")


@pytest.mark.parametrize("got", [
    None, np.array([[[["<script>"], ["</title>"]]]]), np.array([[[[1j], [2]]]]),
    np.array([[[[object()], [2]]]], object)], ids=lambda got: str(np.asarray(got).dtype))
def test_what_cannot_be_compared_is_not_told(got):
    figure = of_op(one(got=got, expected=np.array([[[[0.0], [1.0]]]])))
    assert figure.lead.startswith("Each output is") and "script>" not in figure.lead


def test_a_long_answer_is_left_out():
    x = np.ones((1, 11, 11, 1))
    figure = of_op(Answer("conv", {"x": x, "w": np.ones((1, 1, 1, 1))}, {}, "y", None, 2 * x, x))
    assert "Your code" not in figure.lead

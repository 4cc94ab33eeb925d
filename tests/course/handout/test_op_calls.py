"""Calls of ops as lines."""

import numpy as np

from minicnn.course.assignments import assignment
from minicnn.course.handout import op_calls
from minicnn.ops import conv, pool


def rng():
    return np.random.default_rng(3)


def test_an_output_with_its_shape():
    made = op_calls.lines(assignment("convolution").question(1), rng(), 0, "visible")
    names = {"np": np, "conv_forward": conv.forward}
    exec("\n".join([made.text, *made.properties]), names)
    assert made.shown == "y" and names["y"].ndim == 4 and not made.is_gradient
    assert made.words.startswith("x 1x")


def test_a_stride_of_one_is_said_where_it_is_not_the_default():
    """A pooling's stride is the window's by default."""
    question = assignment("pooling").question(4)
    said = [op_calls.lines(question, rng(), index, "hidden").text for index in range(3)]
    assert "stride=1" in said[1] and "stride=" in said[0]
    exec(said[1], {"np": np, "pool_forward": pool.forward})


def test_a_hidden_gradient_needs_no_forward_of_theirs():
    question = assignment("convolution").question(5)
    hidden = op_calls.lines(question, rng(), 0, "hidden")
    assert hidden.is_gradient and "conv_forward" not in hidden.text and "ConvCache(" in hidden.text
    names = {"np": np, "conv_backward": conv.backward, "ConvCache": conv.ConvCache}
    exec(hidden.text, names)
    assert names["dx"].shape == names["x"].shape
    assert "conv_forward" in op_calls.lines(question, rng(), 0, "visible").text


def test_fields_of_a_cache_are_inputs_where_they_can_be():
    dense = op_calls.lines(assignment("dense").question(6), rng(), 0, "hidden").text
    relu = op_calls.lines(assignment("dense").question(2), rng(), 0, "hidden").text
    assert "DenseCache(x" in dense and ", w, True)" in dense and "array" not in dense
    assert "ReluCache(np.array([[" in relu and ", bool))" in relu

"""What a handout holds, and in which order."""

import pytest

from minicnn.course.assignments import Page, assignment
from minicnn.course.handout.gather import gather


def made(*pages):
    """An assignment of pages alone."""
    return assignment("lrn")._replace(pages=pages, questions=())


def names(things):
    return [thing.name for thing in things]


def test_what_comes_along():
    found = gather(made(Page("minicnn.ops.lrn", "lrn_", ("forward", "backward"))), solved=False)
    assert names(found.pages["minicnn.ops.lrn"]) == [
        "CONVENTIONS", "RULES", "LrnCache", "forward", "backward", "checked", "check_backward"]
    assert {name: names(things) for name, things in found.companions.items()} == {
        "minicnn.ops.window": ["check_image", "check_float"]}
    solved = gather(made(Page("minicnn.ops.lrn", "lrn_", ("forward", "backward"))), solved=True)
    assert "_window_sum" in names(solved.pages["minicnn.ops.lrn"])
    assert names(solved.companions["minicnn.backend"]) == ["array_module"]


def test_what_is_given_comes_along():
    page = Page("minicnn.ops.lrn", "lrn_", ("forward",), ("minicnn.ops.window.overhang",))
    assert "overhang" in names(gather(made(page), solved=False).companions["minicnn.ops.window"])


def test_what_a_definition_needs_early_stands_before_it():
    found = gather(made(Page("minicnn.ops.conv_transpose", "conv_transpose_", ("forward",))), False)
    order = names(found.pages["minicnn.ops.conv_transpose"])
    assert order[:2] == ["ConvCache", "ConvTransposeCache"]  # an annotation names it
    assert "ConvCache" not in names(found.companions["minicnn.ops.conv"])


def test_names():
    found = gather(made(Page("minicnn.ascent.regularizers", "", ("decay",))), solved=False)
    assert found.names["minicnn.ascent.regularizers", "blur"] == "blur"
    assert found.names["minicnn.ascent.pyramid", "blur"] == "pyramid_blur"  # used as pyramid.blur
    assert found.names["minicnn.ascent.pyramid", "_smooth"] == "_smooth"
    pool = gather(made(Page("minicnn.ops.pool", "pool_", ("forward",))), solved=True)
    assert pool.names["minicnn.ops.pool", "forward"] == "pool_forward"
    assert pool.names["minicnn.ops.pool", "PoolCache"] == "PoolCache"
    assert pool.names["minicnn.ops.window", "views"] == "views"


def test_what_a_handout_cannot_hold():
    with pytest.raises(ValueError, match="of minicnn.backend, which a handout cannot hold"):
        gather(made(Page("minicnn.fast.threads", "", ("product",))), solved=True)
    with pytest.raises(ValueError, match="photo uses matplotlib; a handout needs NumPy only"):
        gather(made(Page("minicnn.course.stage", "", ("photo",))), solved=True)

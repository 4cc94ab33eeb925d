"""A module as text: definitions with their comments, and what names mean."""

import pytest

from minicnn.course.handout.source import Import, read


def test_definitions():
    things = read("minicnn.ops.relu").things
    assert list(things) == ["RULES", "ReluCache", "forward", "backward", "check_backward"]
    assert [things[name].kind for name in list(things)[:3]] == ["constant", "class", "function"]
    assert things["forward"].text.startswith("def forward(x):\n")
    assert things["forward"].key == ("minicnn.ops.relu", "forward")


def test_several_names_of_one_definition():
    things = read("minicnn.gradcheck.page").things
    assert things["TOLERANCE"] is things["STEP"] or things["TOLERANCE"] == things["STEP"]
    assert things["TOLERANCE"].name == "STEP"


def test_comments_directly_above_belong_to_a_definition():
    text = read("minicnn.course.handout.source").things["DEFINITIONS"].text
    assert text.startswith("DEFINITIONS = ")
    assert read("minicnn.backend").things["memory_limit"].text.startswith("def memory_limit")


def test_what_names_mean():
    page = read("minicnn.ops.conv_transpose")
    thing, whole = page.meaning("conv", "check")
    assert (thing.module, thing.name, whole) == ("minicnn.ops.conv", "check", True)
    assert page.meaning("pair")[0].module == "minicnn.ops.window"
    assert page.meaning("Any") == (Import("typing", "Any", "Any"), False)
    assert page.meaning("len") == (None, False)
    again, _ = read("minicnn.ascent.objectives.term").meaning("INPUT")  # through the room's door
    assert again.kind == "constant"


def test_what_is_not_there():
    with pytest.raises(ValueError, match="there is no module minicnn.ops.pol"):
        read("minicnn.ops.pol")
    with pytest.raises(ValueError, match="nothing is called sideways"):
        read("minicnn.ops.pool").meaning("sideways")

"""The head of a handout."""

import minicnn
from minicnn.course.assignments import assignment
from minicnn.course.handout import handout
from minicnn.course.handout.heading import cut_from, fingerprint, heading


def test_what_it_tells():
    one = assignment("convolution")
    text = heading(one)
    assert text.startswith(f"Assignment 1: {one.title}\n")
    assert "minicnn course check convolution.py" in text and "NotImplementedError" in text
    assert all(question.title in text for question in one.questions)
    total = text[text.index("  all"):].splitlines()[0].split()
    assert total == ["all", str(one.points), str(one.minutes)]
    assert "lessons 2 and 3, as in `minicnn lesson 2`" in text


def test_what_may_help():
    text = handout(assignment("convolution"))
    assert "\n\nBelow is also what may help: views, pad_image, " in text
    assert "may help" not in handout(assignment("lrn"))


def test_long_paragraphs_are_broken():
    one = assignment("convolution")._replace(intro="word " * 60 + "\n\nshort\nlines", lessons=())
    text = heading(one)
    assert max(map(len, text.splitlines())) <= 100 and "short\nlines" in text
    assert "Before" not in text


def test_the_version_it_was_cut_from():
    one = assignment("convolution")
    assert cut_from(handout(one, seed=5)) == (minicnn.__version__, fingerprint(one), 5)
    assert cut_from(handout(one, version="1.2"))[0] == "1.2"
    assert cut_from("no handout") is None
    assert fingerprint(one) != fingerprint(assignment("pooling"))

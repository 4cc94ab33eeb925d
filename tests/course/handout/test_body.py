"""Bodies are taken out; what tells about them stays."""

import pytest

from minicnn.course.handout.body import without_bodies
from minicnn.course.handout.source import Thing, read

FUNCTION = Thing("m", "f", 'def f(\n    x,\n):\n    """Words."""\n    # a hint\n    return x\n',
                 "function")


def test_a_function():
    told = without_bodies(FUNCTION, ("f",), lambda name: ["# question 1"])
    assert told == ('def f(\n    x,\n):\n    """Words."""\n    # question 1\n'
                    '    raise NotImplementedError')
    assert without_bodies(FUNCTION, ("g",)) == FUNCTION.text.rstrip()


def test_a_method():
    text = without_bodies(read("minicnn.ascent.optimizers").things["SGD"], ("SGD.step",))
    assert "_normalizer(normalize)" in text and "self.velocity.get" not in text
    assert text.endswith('serves."""\n        raise NotImplementedError')


def test_a_method_that_is_not_there():
    with pytest.raises(ValueError, match="minicnn.ascent.optimizers has no SGD.stop"):
        without_bodies(read("minicnn.ascent.optimizers").things["SGD"], ("SGD.stop",))

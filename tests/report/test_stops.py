"""The stops of the tour: each makes its pictures with the shipped network."""

import inspect

import numpy as np
import pytest

import minicnn
from minicnn.course import lessons
from minicnn.report import drawn, stops


@pytest.mark.parametrize("stop", stops.STOPS, ids=lambda stop: stop.make.__name__)
def test_it_says_what_one_sees(stop):
    heading, _, text = inspect.getdoc(stop.make).partition("\n\n")
    assert "\n" not in heading and 1 <= text.count(". ") + text.endswith(".") <= 4
    assert lessons.lesson(stop.lesson).number == stop.lesson


@pytest.mark.thorough
@pytest.mark.parametrize("stop", stops.STOPS, ids=lambda stop: stop.make.__name__)
def test_it_makes_its_pictures(stop, tmp_path):
    more = {"folder": tmp_path} if "folder" in inspect.signature(stop.make).parameters else {}
    pictures, found = stop.make(minicnn.load("minivgg"), drawn.ladybird(), 0, **more)
    assert next(iter(pictures)) == stop.picture
    for name, picture in pictures.items():
        for one in picture if name.endswith(".gif") else [picture]:
            assert one.dtype == np.uint8 and one.shape[2] == 3 and one.std() > 5  # not blank
    records = found if isinstance(found, list) else [found]
    assert all(isinstance(one, str) or one.caption for one in records)


def test_classes_that_a_network_lacks():
    net = minicnn.load("minivgg")
    assert [net.label(k) for k in stops.recognised(net)] == list(stops.SHOWN)
    net.labels = [f"class {k}" for k in range(100)]
    assert stops.recognised(net) == [0, 14, 28, 42, 56, 70, 84, 99]

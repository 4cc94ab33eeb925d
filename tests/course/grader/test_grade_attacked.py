"""Attacks inside a function: the points are those of the same submission without the attack."""

import pytest
from attacked import BASES, BOTH, GRAM, attacks, points, submission
from untouched import untouched

from minicnn.course.grader import grade

LOOKS, LIES = attacks("looks"), attacks("lies")
ENDS, PATCHES = attacks("ends"), attacks("patches")
FULL = [GRAM.question(one).points for one in BOTH]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """What attacks aim at; afterwards it is as before."""
    monkeypatch.setattr(grade, "CALL", 1)  # seconds for what never ends
    with untouched(tmp_path) as aims:
        yield aims


@pytest.fixture(scope="module")
def without():
    """The points of the three submissions without an attack."""
    return {base: points(submission(base), BOTH) for base in BASES}


def some(names, step=4):
    """All attacks; of four three are among the thorough tests."""
    return [name if index % step == 0 else pytest.param(name, marks=pytest.mark.thorough)
            for index, name in enumerate(names)]


def test_the_three_submissions(without):
    assert without["nothing"] == [0, FULL[1]] and without["right"] == FULL
    assert 0 < without["wrong"][0] < FULL[0]


@pytest.mark.parametrize("name", some(LOOKS))
def test_who_looks_around_finds_nothing(name, places, without):
    source = submission("nothing", LOOKS[name], places, tried=True)
    assert points(source, BOTH) == without["nothing"]


@pytest.mark.parametrize("name", some([*LIES, *ENDS, *PATCHES]))
def test_who_gives_no_answer_earns_nothing(name, places):
    code = (LIES | ENDS | PATCHES)[name]
    assert points(submission("nothing", code, places)) == [0]


@pytest.mark.thorough
@pytest.mark.parametrize("base", ["wrong", "right"])
@pytest.mark.parametrize("name", LOOKS)
def test_who_looks_around_loses_nothing(name, base, places, without):
    source = submission(base, LOOKS[name], places, tried=True)
    assert points(source, BOTH) == without[base]


@pytest.mark.parametrize("base", [pytest.param("wrong", marks=pytest.mark.slow),
                                  pytest.param("right", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("name", [*LIES, *ENDS, *PATCHES])
def test_who_gives_no_answer_costs_no_other_question_anything(name, base, places, without):
    code = (LIES | ENDS | PATCHES)[name]
    first, second = points(submission(base, code, places), BOTH)
    assert first == 0 and second == without[base][1]

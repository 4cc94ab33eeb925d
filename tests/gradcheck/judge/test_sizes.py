"""Cases made of whole numbers, and the numbers of a case."""

import numpy as np
import pytest

from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.sizes import LEAST, MOST, OF, drawn

OWN = {"dropout", "concat", "add"}  # their readers do not keep the sizes of x


@pytest.mark.parametrize("op", OF)
def test_a_case_gives_back_the_numbers_that_it_is_made_of(op):
    build, read = OF[op]
    like = read(next(case for case in cases(op) if not case.refuse))
    made = 0
    for seed in range(40):
        sizes = drawn(op, np.random.default_rng(seed), like)
        try:
            case = build(op, sizes)
            case.expected()
        except (ValueError, IndexError, ZeroDivisionError):  # no such setting
            continue
        made += 1
        assert op in OWN or read(case) == sizes
        assert all(np.all(value == np.round(value)) for value in case.inputs.values())
    assert made > 5


def test_every_number_has_bounds():
    names = {name for op, (_, read) in OF.items() for name in read(cases(op)[0])}
    assert names <= {*MOST} and all(LEAST.get(name, 1) < MOST[name] for name in names)

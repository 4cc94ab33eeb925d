"""The figures of small arrays: each is made of the numbers that its lesson has."""

import pytest

from minicnn.report.stepfigures import examples

MAKERS = [examples.windows, examples.columns, examples.way_back, examples.pooling, examples.rules,
          examples.neighbours, examples.gram]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_it_is_a_figure(make):
    figure = make()
    assert figure.title and figure.data["library"] and figure.html() == make().html()

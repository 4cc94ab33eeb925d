"""Schedules: their values at the beginning, at the corners, and at the end."""

import numpy as np
import pytest

from minicnn.train import schedules

DONE = np.linspace(0, 1, 101)


def test_constant_and_steps():
    assert {schedules.constant(0.3)(done) for done in DONE} == {0.3}
    rate = schedules.steps(1.0, 0.1, (0.5, 0.75))
    np.testing.assert_allclose([rate(d) for d in (0, 0.49, 0.5, 0.74, 0.75, 1)],
                               [1, 1, 0.1, 0.1, 0.01, 0.01])


def test_cosine_falls_from_the_rate_to_its_end_with_half_of_the_way_in_the_middle():
    rate = schedules.cosine(2.0, end=0.1)
    values = [rate(done) for done in DONE]
    assert values[0] == 2.0 and values[-1] == pytest.approx(0.2)
    assert values[50] == pytest.approx((2.0 + 0.2) / 2) and (np.diff(values) < 0).all()


def test_warm_up_multiplies_only_the_beginning():
    plain = schedules.cosine(1.0)
    warm = schedules.warm_up(plain, 0.2, start=0.0)
    assert warm(0) == 0 and warm(0.1) == pytest.approx(plain(0.1) / 2)
    assert [warm(d) for d in DONE[20:]] == [plain(d) for d in DONE[20:]]
    assert schedules.warm_up(plain, 0.0)(0) == 1.0


def test_one_cycle_meets_its_peak_where_the_climb_ends():
    rate = schedules.one_cycle(2.0, warm=0.2, end=0.01)
    values = [rate(done) for done in DONE]
    assert values[0] == pytest.approx(0.08) and values[-1] == pytest.approx(0.02)
    assert max(values) == values[20] == pytest.approx(2.0)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_every_schedule_of_the_table_takes_a_rate_and_never_exceeds_it(name):
    values = [schedules.SCHEDULES[name](0.5)(done) for done in DONE]
    assert min(values) > 0 and max(values) == pytest.approx(0.5)

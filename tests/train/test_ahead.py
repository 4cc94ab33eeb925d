"""Batches in another thread: the same, in the same order, and never far ahead."""

import threading
import time

import pytest

from minicnn.train.ahead import ahead


def test_the_results_come_in_order_from_another_thread():
    where = set()

    def square(k):
        where.add(threading.current_thread().name)
        return k * k

    assert list(ahead(square, range(7))) == [k * k for k in range(7)]
    assert threading.main_thread().name not in where and len(where) == 1
    assert list(ahead(square, [])) == []


def test_it_is_no_further_ahead_than_told():
    begun = []
    results = ahead(lambda k: begun.append(k) or k, range(100), depth=2)
    assert next(results) == 0
    time.sleep(0.05)  # time to run on, if it would
    assert len(begun) <= 3  # the one taken and two more
    results.close()


def test_an_error_arrives_where_its_result_would():
    def fail(k):
        if k == 2:
            raise ValueError("two")
        return k

    results = ahead(fail, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)

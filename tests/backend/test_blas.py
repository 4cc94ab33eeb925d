"""BLAS held to one thread: from the first who asks to the last who leaves, whoever they are."""

import threading

import pytest
import twins
from threadpoolctl import threadpool_info, threadpool_limits

from minicnn import backend
from minicnn.backend import blas
from minicnn.fast import threads


def counts():
    """Of the library that NumPy calls; other packages' own ones may be loaded, too."""
    return [pool["num_threads"] for pool in threadpool_info()
            if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]


class Library:
    """Stands for BLAS, which has one thread anyway on a computer of one core; it hears one thread
    of the process alone, until that lets go, as threadpoolctl 3.8 makes it do."""

    threading_layer = "pthreads"

    def __init__(self, count=8):
        self.num_threads, self.controlling = count, None

    def clear_controlling_thread(self, force=False):
        if force or self.controlling is threading.current_thread():
            self.controlling = None

    def set_num_threads(self, count):
        self.controlling = self.controlling or threading.current_thread()
        if self.controlling is threading.current_thread():
            self.num_threads = count


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(10)


def is_held(module=blas):
    """In nested and in crossed order, from several threads, after an error, and while another
    holds the library for itself."""
    libraries = [Library(), Library(3)]

    def now():
        return [library.num_threads for library in libraries]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_libraries", lambda: libraries)
        for leave in (0, 1):
            users = [module.one_blas_thread() for _ in range(2)]
            users[0].__enter__()
            assert now() == [1, 1]
            in_a_thread(users[1].__enter__)
            for user in (users[leave], users[1 - leave]):
                assert now() == [1, 1]
                in_a_thread(lambda user=user: user.__exit__(None, None, None))
            assert now() == [8, 3]
        with pytest.raises(ZeroDivisionError), module.one_blas_thread():
            raise ZeroDivisionError
        assert now() == [8, 3]
        in_a_thread(lambda: libraries[0].set_num_threads(5))  # and that thread does not let go
        with module.one_blas_thread():
            assert now() == [1, 1]
        assert now() == [5, 3]
        module.hold_in_this_thread()
        assert now() == [5, 3]
        libraries[1].threading_layer = "openmp"
        module.hold_in_this_thread()
        assert now() == [5, 1]


def test_it_is_held_from_the_first_to_the_last():
    is_held()


MISTAKES = {
    "BLAS is not held": ("_set(library, 1)\n    try", "pass\n    try"),
    "BLAS is let go by the first of two": ("if _State.holders == 0:", "if _State.holders >= 0:"),
    "BLAS is never let go": (" " * 20 + "_set(library, count)", " " * 20 + "pass"),
    "BLAS is held after an error": ("    finally:\n", "    except IndexError:\n        raise\n"
                                                      "    else:\n"),
    "the first thread alone is heard": ("    hear_anyone(force=True)\n    library.set",
                                        "    library.set"),
    "a library for the whole process is held for good": ('== "openmp"', '!= "none"'),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_held, blas, MISTAKES[name])


def test_numpy_s_own():
    before = counts()
    with blas.one_blas_thread(), blas.one_blas_thread():
        assert set(counts()) == {1}
    assert counts() == before
    with threadpool_limits(2, "blas"):
        held, user = counts(), blas.one_blas_thread()
        in_a_thread(user.__enter__)
        assert set(counts()) == {1}
        user.__exit__(None, None, None)
        assert counts() == held
    assert counts() == before


def test_two_users_of_the_scheduler_at_once(monkeypatch):
    """Two users at once: the one that ends first must not let BLAS go for the other."""
    before, seen = counts(), []
    first_is_in, first_is_out = threading.Event(), threading.Event()

    def long_block(block):
        first_is_in.set()
        assert first_is_out.wait(10)
        seen.append(counts())

    monkeypatch.setitem(backend._COUNT, "threads", 1)
    other = threading.Thread(target=threads.spread, args=(long_block, range(2)))
    other.start()
    assert first_is_in.wait(10)
    threads.spread(lambda block: None, range(2))
    first_is_out.set()
    other.join(10)
    assert all(set(each) == {1} for each in seen) and len(seen) == 2
    assert counts() == before

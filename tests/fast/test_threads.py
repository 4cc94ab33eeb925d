"""The scheduler: every block once, several at a time, BLAS held meanwhile, errors handed on."""

import os
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from minicnn.fast import threads
from minicnn.ops import lrn, pool, relu


@pytest.fixture(autouse=True)
def as_before():
    count = threads.threads()
    yield
    threads.threads(count)


def blas_threads():
    """Of the library that NumPy calls; other packages' own ones may be loaded, too."""
    return [pool["num_threads"] for pool in threadpool_info()
            if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("blocks", [0, 1, 2, 3, 50])
def test_every_block_is_done_once(count, blocks):
    threads.threads(count)
    done = np.zeros(blocks, int)

    def work(block):
        done[block] += 1

    threads.spread(work, range(blocks))
    assert (done == 1).all()


def test_blocks_run_at_the_same_time():
    """Two blocks that wait for each other can only end together."""
    threads.threads(2)
    barrier = threading.Barrier(2, timeout=10)
    threads.spread(lambda block: barrier.wait(), range(2))
    assert not barrier.broken


@pytest.mark.parametrize("count", [1, 2])
def test_blas_is_held_to_one_thread_inside_and_let_go_after(count):
    threads.threads(count)
    before, inside = blas_threads(), []
    threads.spread(lambda block: inside.append(blas_threads()), range(3))
    assert all(set(each) == {1} for each in inside) and len(inside) == 3
    assert blas_threads() == before


def test_blas_is_let_go_only_by_the_last_of_several():
    """Two users at once: the one that ends first must not let BLAS go for the other."""
    before, seen = blas_threads(), []
    first_is_in, first_is_out = threading.Event(), threading.Event()

    def long_block(block):
        first_is_in.set()
        assert first_is_out.wait(10)
        seen.append(blas_threads())

    threads.threads(1)
    other = threading.Thread(target=threads.spread, args=(long_block, range(2)))
    other.start()
    assert first_is_in.wait(10)
    threads.spread(lambda block: None, range(2))
    first_is_out.set()
    other.join(10)
    assert all(set(each) == {1} for each in seen) and len(seen) == 2
    assert blas_threads() == before


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_a_block_reaches_the_caller(count):
    threads.threads(count)
    before = blas_threads()

    def work(block):
        if block == 7:
            raise KeyError("block 7")
        time.sleep(0.001)

    with pytest.raises(KeyError, match="block 7"):
        threads.spread(work, range(20))
    assert blas_threads() == before


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_threads_refuses(count):
    with pytest.raises(ValueError, match="threads: expected a whole number of at least 1"):
        threads.threads(count)


@pytest.mark.parametrize("text, words", [("3", "3"), ("0", "MINICNN_THREADS"), ("x", "at least 1")])
def test_the_environment_sets_the_number(text, words):
    program = ("from minicnn.fast import threads\ntry:\n    print(threads.threads())\n"
               "except ValueError as error:\n    print(error)")
    environment = {"MINICNN_THREADS": text, "PYTHONPATH": ":".join(sys.path)}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True, env=environment)
    assert words in said.stdout


def test_blocks_of_a_gpu_are_done_in_turn_by_the_thread_that_asks():
    """CuPy's current stream and device belong to a thread."""
    threads.threads(4)
    done = []
    threads.spread(lambda block: done.append((block, threading.get_ident())), range(20), object())
    assert done == [(block, threading.get_ident()) for block in range(20)]


def test_arrays_on_a_gpu_are_not_cut_up(monkeypatch):
    calls = []
    other = types.SimpleNamespace(matmul=None)
    monkeypatch.setattr(threads, "array_module", lambda x: other)
    monkeypatch.setattr(threads, "spread", lambda *arguments: calls.append(arguments))
    x = np.ones((64, 1 << 13), np.float32)
    assert threads.row_blocks(x, 1000) == [(...,)]
    np.testing.assert_array_equal(threads.product(x, x.T), x @ x.T)
    assert calls == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_threads_of_its_own():
    """The pool's threads stay with the parent; a child that waited for them would wait for ever."""
    program = ("import os\nfrom minicnn.fast import threads\nthreads.threads(2)\ndone = []\n"
               "threads.spread(done.append, range(4))\npid = os.fork()\n"
               "threads.spread(done.append, range(4))\n"
               "if pid:\n    assert os.waitpid(pid, 0)[1] == 0\n    print(len(done))")
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True,
                          text=True, check=True, timeout=60,
                          env={"PYTHONPATH": ":".join(sys.path)})
    assert said.stdout.split() == ["8"]


@pytest.mark.parametrize("shape", [(2, 7, 5, 3), (1, 40, 3, 2), (3, 4), (5,), (), (0, 3, 3, 1)])
def test_row_blocks_cover_an_array_once(shape, monkeypatch):
    monkeypatch.setattr(threads, "BLOCK", 20)
    monkeypatch.setattr(threads, "SHARED", 400)
    counts = np.zeros(shape, int)
    for block in threads.row_blocks(counts, 1):
        counts[block] += 1
    assert (counts == 1).all()


def test_pointwise_ops_and_poolings_give_the_same_bytes_cut_up_or_whole(monkeypatch):
    x = np.random.default_rng(0).standard_normal((2, 13, 11, 6)).astype(np.float32)
    results = {}
    monkeypatch.setattr(threads, "SHARED", 1)
    for count, block in [(1, 1 << 30), (1, 50), (2, 50), (3, 90)]:
        threads.threads(count)
        monkeypatch.setattr(threads, "BLOCK", block)
        arrays = []
        for op, settings in [(relu, ()), (lrn, (3, 0.9)), (pool, (2,)), (pool, (3, 2, 1, "ceil"))]:
            y, cache = op.forward(x, *settings)
            arrays += [y, op.backward(y + 1, cache)]
        results[count, block] = [a.tobytes() for a in arrays]
    whole, *cut = results.values()
    assert all(each == whole for each in cut)
    y, cache = pool.forward(x, 5, 1, 2)  # windows five blocks tall: sums in another order
    np.testing.assert_allclose(pool.backward(y, cache), unpooled(y, cache), rtol=1e-5)  # float32


def unpooled(y, cache):
    """Every value to its pixel, one by one."""
    dx = np.zeros((cache.x_shape[0], *(s + 2 * p for s, p in zip(cache.x_shape[1:3], cache.pad,
                                                                 strict=True)), y.shape[3]))
    for n, p, q, c in np.ndindex(y.shape):
        i, j = divmod(int(cache.switches[n, p, q, c]), cache.window[1])
        dx[n, p * cache.stride[0] + i, q * cache.stride[1] + j, c] += y[n, p, q, c]
    return dx[:, cache.pad[0] : -cache.pad[0], cache.pad[1] : -cache.pad[1]]

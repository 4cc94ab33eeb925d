"""The scheduler: every block once, several at a time, BLAS held meanwhile, errors handed on."""

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import strict_cupy
import twins
from checks import normal
from threadpoolctl import threadpool_info

from minicnn.backend import to_host
from minicnn.fast import lrn, pool, relu, threads


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
def test_every_block_is_done_once(count, blocks, threads=threads):
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


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_a_block_reaches_the_caller(count, threads=threads):
    threads.threads(count)
    before, errors = blas_threads(), []

    def work(block):
        if block == 7:
            raise KeyError("block 7")
        time.sleep(0.001)

    try:
        threads.spread(work, range(20))
    except KeyError as error:
        errors.append(str(error))
    assert errors == ["'block 7'"]
    assert blas_threads() == before


def test_all_blocks_are_done_when_it_returns(threads=threads):
    """The one that another thread does, too."""
    threads.threads(2)
    barrier, done, here = threading.Barrier(2, timeout=10), [], threading.get_ident()

    def work(block):
        barrier.wait()
        if threading.get_ident() != here:
            time.sleep(0.1)
        done.append(block)

    threads.spread(work, range(2))
    assert sorted(done) == [0, 1]


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


def test_blocks_of_a_gpu_are_done_in_turn_by_the_thread_that_asks(threads=threads):
    """CuPy's current stream and device belong to a thread."""
    threads.threads(4)
    done, called = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "_call_helpers", lambda job, count: called.append(count))
        threads.spread(lambda block: done.append((block, threading.get_ident())), range(20),
                       object())
    assert done == [(block, threading.get_ident()) for block in range(20)] and called == []


def test_arrays_on_a_gpu_are_not_cut_up(threads=threads):
    calls = []
    with pytest.MonkeyPatch.context() as patch, twins.gpu() as xp:
        patch.setattr(threads, "SHARED", 1)
        patch.setattr(threads, "spread", lambda *arguments: calls.append(arguments))
        x = xp.ones((64, 128), xp.float32)
        assert threads.row_blocks(x, 1000) == [(...,)]
        np.testing.assert_array_equal(threads.product(x, x.T).get(), np.full((64, 64), 128))
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


SHAPES = [(2, 7, 5, 3), (1, 40, 3, 2), (5, 2, 5, 7), (3, 4), (5,), (), (0, 3, 3, 1)]


@pytest.mark.parametrize("least", [1, 400])
@pytest.mark.parametrize("shape", SHAPES)
def test_row_blocks_cover_an_array_once(shape, least, threads=threads):
    counts = np.zeros(shape, int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "BLOCK", 20)
        patch.setattr(threads, "SHARED", least)
        for block in threads.row_blocks(counts, 1):
            counts[block] += 1
    assert (counts == 1).all()


PRODUCTS = [((90, 7), (7, 20)), ((20, 7), (7, 90)), ((33, 6), (6, 33)), ((1, 1), (1, 4)),
            ((3, 70, 4), (3, 4, 40)), ((1, 2, 3), (1, 3, 4)), ((1, 2, 3), (5, 3, 4))]


@twins.used_memory()
def test_products_are_numpy_s(threads=threads):
    """Cut into runs or whole, on a GPU too, and of two kinds of numbers."""
    kinds, devices = [(float, np.float32), (np.float32, float)], [np, strict_cupy]
    with pytest.MonkeyPatch.context() as patch, twins.gpu():
        for (left, right), least, xp in itertools.product(PRODUCTS, [1, 1 << 30], devices):
            patch.setattr(threads, "SHARED", least)
            for one, other in kinds:
                a, b = normal(*left).astype(one), normal(*right, seed=2).astype(other)
                given, out = [xp.asarray(a), xp.asarray(b)], xp.empty((a @ b).shape)
                made = [threads.multiply(*given), threads.multiply(*given, out), out]
                if left[:-2] == right[:-2]:
                    made.append(threads.product(*given))
                for y in made:  # sums of few numbers near 1
                    np.testing.assert_allclose(to_host(y), a @ b, rtol=1e-12, atol=1e-12,
                                               strict=True)


def test_a_product_is_cut_alike_for_any_number_of_threads(threads=threads):
    """BLAS may round a row otherwise in a longer product; whether it does depends on the machine,
    so the cuts are compared, not the numbers."""
    cuts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "SHARED", 1)
        patch.setattr(threads, "spread", lambda function, parts: cuts.append(str(parts)))
        for count in (1, 2, 3):
            threads.threads(count)
            threads.product(normal(600, 3), normal(3, 40))
    assert len(cuts) == 3 and len(set(cuts)) == 1


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


MISTAKES = {
    # blocks of rows
    "a GPU's arrays cut up": ("array_module(x) is not np or x.ndim", "x.ndim"),
    "rows of what has none": ("x.ndim < 2 or size", "size"),
    "nothing cut up": ("x.ndim < 2 or size * passes * A_PASS < SHARED", "x.ndim < 2"),
    "no row where one is larger than a block": ("max(1, BLOCK // (size", "(BLOCK // (size"),
    "the last row of an image": ("min(top + rows, shape[1])", "min(top + rows, shape[1] - 1)"),
    "a row in two blocks": ("min(top + rows, shape[1])", "min(top + rows + 1, shape[1])"),
    "the last block where it is shorter": ("range(0, shape[1], rows)",
                                           "range(0, shape[1] - rows + 1, rows)"),
    "the last image": ("for n in range(shape[0])", "for n in range(max(1, shape[0] - 1))"),
    "as many images as rows": ("for n in range(shape[0])", "for n in range(shape[1])"),
    "every image from here on": ("(slice(n, n + 1), ", "(slice(n, None), "),
    # products
    "the last run where it is shorter": ("range(0, longer, run)",
                                         "range(0, longer - run + 1, run)"),
    "as many runs as the shorter side has": ("longer = max(rows", "longer = min(rows"),
    "as many runs as threads": ("-(-longer // 8)", "-(-longer // threads())"),
    "the kind of numbers of the first": ("xp.result_type(a, b)", "a.dtype"),
    "a GPU's products cut up": ("    if xp is not np:\n        return multiply(a, b)\n", ""),
    "the first of a stack for all": ("== 3 and len(a) == len(b) == 1", "== 3 and len(a) == 1"),
    "a row as a stack": ("a.ndim == b.ndim == 3 and ", ""),
    "a stack of one as a matrix": ("out[0])[None]", "out[0])"),
    "not where it is asked for, on a GPU": ("None if out is None else out[0]", "None"),
    "not where it is asked for": ("a @ b if out is None else xp.matmul(a, b, out=out)", "a @ b"),
    # the scheduler
    "the last block of one thread": ("for block in blocks:\n                function",
                                     "for block in blocks[:-1]:\n                function"),
    "the last block of several threads": ("_Job(function, blocks)", "_Job(function, blocks[:-1])"),
    "a GPU's blocks in threads": (" if xp is np else 1", ""),
    "nobody waits for the others": ("        job.wait()\n", ""),
    "an error is lost": ("if self.errors:\n            raise self.errors[0]", "return"),
}


def is_right(module):
    for shape, least in itertools.product(SHAPES, (1, 400)):
        test_row_blocks_cover_an_array_once(shape, least, module)
    test_arrays_on_a_gpu_are_not_cut_up(module)
    test_products_are_numpy_s(module)
    test_a_product_is_cut_alike_for_any_number_of_threads(module)
    for count, blocks in [(1, 3), (2, 0), (2, 3), (2, 50)]:
        test_every_block_is_done_once(count, blocks, module)
    test_all_blocks_are_done_when_it_returns(module)
    test_blocks_of_a_gpu_are_done_in_turn_by_the_thread_that_asks(module)
    for count in (1, 2):
        test_an_error_in_a_block_reaches_the_caller(count, module)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_right, threads, MISTAKES[name])

"""Memory used again: same results, nothing overwritten, nothing kept that is not needed."""

import gc
from threading import Thread

import nets
import numpy as np
import pytest
import small

from minicnn.fast import workspace
from minicnn.fast.threads import spread
from minicnn.fast.workspace import Workspace, empty, zeros

SHAPE = (64, 64, 8)  # 128 KB of float32


def address(a):
    return a.__array_interface__["data"][0]


def test_memory_of_an_array_that_is_gone_is_used_again():
    with Workspace():
        a = empty(np, SHAPE, np.float32)
        first = address(a)
        b = empty(np, SHAPE, np.float32)
        assert address(b) != first
        del a
        c = empty(np, (64, 8, 64), np.float32)  # of the same size
        assert address(c) == first
        assert c.shape == (64, 8, 64) and c.dtype == np.float32 and c.flags.writeable
        assert c.flags.c_contiguous


def test_a_view_keeps_the_memory():
    with Workspace():
        whole = empty(np, SHAPE, np.float64)
        whole[...] = 3
        view = whole[5:7].reshape(-1)[::2]
        del whole
        gc.collect()
        other = empty(np, SHAPE, np.float64)
        other[...] = 4
        assert (view == 3).all() and not np.shares_memory(view, other)


@pytest.mark.parametrize("side, same", [(64, True), (50, True), (17, True), (16, False),
                                        (66, False)])
def test_memory_of_up_to_four_times_the_size_serves(side, same):
    with Workspace():
        a = empty(np, (64, 64, 32), np.float32)
        first = address(a)
        del a
        assert (address(empty(np, (side, 64, 32), np.float32)) == first) is same


@pytest.mark.parametrize("size", [*range(1 << 14, (1 << 14) + 9), 20_000, 33_333, 99_999])
def test_an_array_never_reaches_beyond_its_memory(size):
    with Workspace():
        for _ in range(2):
            a = empty(np, (size,), np.float64)
            lease = a.base if a.base is not None else a
            while isinstance(lease, np.ndarray):
                lease = lease.base
            assert a.nbytes <= lease.memory.nbytes
            a[...] = 1
            del a, lease


def test_small_arrays_and_work_outside_are_plain():
    with Workspace():
        assert empty(np, (4,), np.float32).flags.owndata
    assert empty(np, SHAPE, np.float32).flags.owndata


def test_zeros_are_zero_in_used_memory():
    with Workspace():
        empty(np, SHAPE, np.float32)[...] = 7
        again = zeros(np, SHAPE, np.float32)
        assert not again.any() and not again.flags.owndata
    assert not zeros(np, SHAPE, np.float32).any()


def test_an_array_outlives_its_workspace():
    with Workspace():
        a = empty(np, SHAPE, np.float32)
    a[...] = 5
    gc.collect()
    assert (a == 5).all()


def test_threads_of_spread_see_it_and_other_threads_do_not():
    owned = []

    def inside(block):
        owned.append(empty(np, SHAPE, np.float32).flags.owndata)

    with Workspace():
        spread(inside, range(4))
        assert owned == [False] * 4
        other = Thread(target=inside, args=(0,))
        other.start()
        other.join()
    assert owned[-1] is True


def test_memory_is_not_handed_out_twice():
    with Workspace():
        large = empty(np, (64, 64, 32), np.float32)
        del large
        one, two = (empty(np, (40, 64, 32), np.float32) for _ in range(2))
        assert not np.shares_memory(one, two)


def test_one_inside_another():
    outer, inner = Workspace(), Workspace()
    with outer:
        a = empty(np, SHAPE, np.float32)
        first = address(a)
        with inner:
            del a
            assert address(empty(np, SHAPE, np.float32)) != first
        assert address(empty(np, SHAPE, np.float32)) == first
    assert empty(np, SHAPE, np.float32).flags.owndata


def test_a_network_s_passes_are_the_same_bytes(monkeypatch):
    """Old numbers in the memory must not matter: fill it with NaN."""
    monkeypatch.setattr(workspace, "LEAST", 1)
    network = nets.trained(small.network())
    x = network.prepare(small.photo())
    seed = np.ones((1, 4), np.float32)

    def passes():
        run = network.forward(x, learn=True)
        gradients = run.weight_gradients({"fc": seed})
        return [*run.activations.values(), run.backward({"fc": seed}),
                *(g for layer in gradients.values() for g in layer.values())]

    plain = [a.tobytes() for a in passes()]
    with Workspace() as used:
        for _ in range(3):
            assert [a.tobytes() for a in passes()] == plain
            for free in used._free.values():
                for memory in free:
                    memory[...] = 255  # NaN in every float

"""Memory used again: same results, nothing overwritten, nothing kept that is not needed."""

import gc
from threading import Thread

import nets
import numpy as np
import pytest
import small
import twins

from minicnn.fast import workspace
from minicnn.fast.threads import spread

SHAPE = (64, 64, 8)  # 128 KB of float32


def address(a):
    return a.__array_interface__["data"][0]


def test_memory_of_an_array_that_is_gone_is_used_again(workspace=workspace):
    with workspace.Workspace():
        a = workspace.empty(np, SHAPE, np.float32)
        first = address(a)
        b = workspace.empty(np, SHAPE, np.float32)
        assert address(b) != first
        del a
        c = workspace.empty(np, (64, 8, 64), np.float32)  # of the same size
        assert address(c) == first
        assert c.shape == (64, 8, 64) and c.dtype == np.float32 and c.flags.writeable
        assert c.flags.c_contiguous


@pytest.mark.thorough
def test_a_view_keeps_the_memory(workspace=workspace):
    with workspace.Workspace():
        whole = workspace.empty(np, SHAPE, np.float64)
        whole[...] = 3
        view = whole[5:7].reshape(-1)[::2]
        del whole
        gc.collect()
        other = workspace.empty(np, SHAPE, np.float64)
        other[...] = 4
        assert (view == 3).all() and not np.shares_memory(view, other)


SIDES = [(64, True), (50, True), (17, True), (16, False), (66, False)]


@pytest.mark.parametrize("side, same", SIDES)
def test_memory_of_up_to_four_times_the_size_serves(side, same, workspace=workspace):
    with workspace.Workspace():
        a = workspace.empty(np, (64, 64, 32), np.float32)
        first = address(a)
        del a
        assert (address(workspace.empty(np, (side, 64, 32), np.float32)) == first) is same


@pytest.mark.parametrize("size", [*range(1 << 14, (1 << 14) + 9), 20_000, 33_333, 99_999])
def test_an_array_never_reaches_beyond_its_memory(size, workspace=workspace):
    with workspace.Workspace():
        for _ in range(2):
            a = workspace.empty(np, (size,), np.float64)
            lease = a.base if a.base is not None else a
            while isinstance(lease, np.ndarray):
                lease = lease.base
            assert a.nbytes <= lease.memory.nbytes
            a[...] = 1
            del a, lease


def test_small_arrays_and_work_outside_are_plain(workspace=workspace):
    with workspace.Workspace():
        assert workspace.empty(np, (4,), np.float32).flags.owndata
    assert workspace.empty(np, SHAPE, np.float32).flags.owndata


def test_zeros_are_zero_in_used_memory(workspace=workspace):
    with workspace.Workspace():
        workspace.empty(np, SHAPE, np.float32)[...] = 7
        again = workspace.zeros(np, SHAPE, np.float32)
        assert not again.any() and not again.flags.owndata
    assert not workspace.zeros(np, SHAPE, np.float32).any()


@pytest.mark.thorough
def test_an_array_outlives_its_workspace():
    with workspace.Workspace():
        a = workspace.empty(np, SHAPE, np.float32)
    a[...] = 5
    gc.collect()
    assert (a == 5).all()


def test_threads_of_spread_see_it_and_other_threads_do_not():
    owned = []

    def inside(block):
        owned.append(workspace.empty(np, SHAPE, np.float32).flags.owndata)

    with workspace.Workspace():
        spread(inside, range(4))
        assert owned == [False] * 4
        other = Thread(target=inside, args=(0,))
        other.start()
        other.join()
    assert owned[-1] is True


def test_memory_is_not_handed_out_twice(workspace=workspace):
    with workspace.Workspace():
        large = workspace.empty(np, (64, 64, 32), np.float32)
        del large
        one, two = (workspace.empty(np, (40, 64, 32), np.float32) for _ in range(2))
        assert not np.shares_memory(one, two)


def test_one_inside_another(workspace=workspace):
    outer, inner = workspace.Workspace(), workspace.Workspace()
    with outer:
        a = workspace.empty(np, SHAPE, np.float32)
        first = address(a)
        with inner:
            del a
            assert address(workspace.empty(np, SHAPE, np.float32)) != first
        assert address(workspace.empty(np, SHAPE, np.float32)) == first
    assert workspace.empty(np, SHAPE, np.float32).flags.owndata


def test_one_inside_itself(workspace=workspace):
    again = workspace.Workspace()
    with again:
        with again:
            assert not workspace.empty(np, SHAPE, np.float32).flags.owndata
        assert not workspace.empty(np, SHAPE, np.float32).flags.owndata
    assert workspace.empty(np, SHAPE, np.float32).flags.owndata


def test_arrays_of_a_gpu_are_the_gpu_s(workspace=workspace):
    with twins.gpu() as xp, workspace.Workspace():
        for make in (workspace.empty, workspace.zeros):
            assert isinstance(make(xp, SHAPE, np.float32), xp.ndarray)


MISTAKES = {
    "memory a step too small": ("step = ceil(STEPS *", "step = int(STEPS *"),
    "memory of a smaller array": ("range(step, step + 2 * STEPS)",
                                  "range(step - 1, step + 2 * STEPS)"),
    "memory kept among larger ones": ("self._free[step], shape", "self._free[step + 1], shape"),
    "no larger memory serves": ("range(step, step + 2 * STEPS)", "range(step, step + 1)"),
    "much larger memory serves": ("range(step, step + 2 * STEPS)", "range(step, step + 3 * STEPS)"),
    "handed out twice": ("home.pop()", "home[-1]"),
    "memory of a GPU's array on the host": (" or xp is not np", ""),
    "old numbers for zeros": ("    a.fill(0)\n", ""),
    "the outer one ends with the inner": ("_IN_FORCE.reset(self._entered.pop())",
                                          "_IN_FORCE.set(None)"),
    "in force for ever": ("_IN_FORCE.reset(self._entered.pop())", "pass"),
    "ended in the order of the beginning": ("self._entered.pop()", "self._entered.pop(0)"),
}


def is_right(module):
    test_an_array_never_reaches_beyond_its_memory(20_000, module)  # first: the others write
    for side, same in SIDES:
        test_memory_of_up_to_four_times_the_size_serves(side, same, module)
    for test in (test_memory_of_an_array_that_is_gone_is_used_again, test_a_view_keeps_the_memory,
                 test_small_arrays_and_work_outside_are_plain, test_zeros_are_zero_in_used_memory,
                 test_memory_is_not_handed_out_twice, test_one_inside_another,
                 test_one_inside_itself, test_arrays_of_a_gpu_are_the_gpu_s):
        test(module)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_right, workspace, MISTAKES[name])


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
    with workspace.Workspace() as used:
        for _ in range(3):
            assert [a.tobytes() for a in passes()] == plain
            for free in used._free.values():
                for memory in free:
                    memory[...] = 255  # NaN in every float

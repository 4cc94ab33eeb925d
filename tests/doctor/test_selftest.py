"""The self-test: it is quick, it covers every op, and a planted fault of any op shows."""

import sys
import time

import numpy as np
import pytest
import strict_cupy

from minicnn import backend
from minicnn.doctor import selftest, trials
from minicnn.doctor.findings import BAD, GOOD, NOTE
from minicnn.fast import winograd
from minicnn.ops import conv, dense, lrn, pool, relu
from minicnn.ops.conv import Gradients

OPS = trials.names()
BUILT_ON = {"conv": ["conv_transpose"], "average_pool": ["fast.average_pool"],
            "lrn": ["fast.lrn"], "fast.winograd": ["fast.conv"]}  # what calls it


def wrong(device="cpu"):
    """{what: value} of what is bad."""
    return {f.what: f.value for f in selftest.examine_ops(device) if f.state == BAD}


def test_all_is_well_in_much_less_than_a_second():
    began = time.process_time()  # not by the clock, for other tests may be running
    found, precision = selftest.examine_ops()
    assert time.process_time() - began < 1.5
    assert found.state == precision.state == GOOD and f"{len(OPS)} right" in found.value
    assert all(op in found.value for op in OPS)
    assert "float64 (1e-10 allowed)" in precision.value


@pytest.mark.parametrize("trial", selftest.TRIALS, ids=str)
def test_errors_are_far_below_what_is_allowed(trial):
    """A third at most, so that another BLAS or processor has room."""
    for dtype in trial.dtypes:
        worst = max(one.error for one in selftest.compare(trial, dtype))
        assert worst <= selftest.ALLOWED[dtype][0] / 3


# ---- planted faults

@pytest.fixture
def tiny(monkeypatch):
    """Without the two large layers, which take half the time."""
    monkeypatch.setattr(selftest, "TRIALS", [t for t in selftest.TRIALS if not t.large])


@pytest.mark.thorough
@pytest.mark.parametrize("op", OPS)
def test_a_wrong_gradient_is_named(tiny, monkeypatch, op):
    module = trials.module(op)
    backward = module.backward

    def doubled(dy, cache, *rest, **rule):
        return backward(dy * 1.001, cache, *rest, **rule)

    monkeypatch.setattr(module, "backward", doubled)
    found = wrong()
    assert set(found) - {f"{built} on cpu" for built in BUILT_ON.get(op, ())} == {f"{op} on cpu"}
    assert " it should be " in found[f"{op} on cpu"]


@pytest.mark.thorough
@pytest.mark.parametrize("op", OPS)
def test_a_wrong_output_is_named(tiny, monkeypatch, op):
    module = trials.module(op)
    forward = module.forward

    def shifted(*arguments, **settings):
        y, cache = forward(*arguments, **settings)
        return y + y.dtype.type(1e-3), cache

    monkeypatch.setattr(module, "forward", shifted)
    assert f"{op} on cpu" in wrong()


def test_only_the_weight_gradient_of_a_large_layer(monkeypatch):
    plain = winograd._weight_gradient
    monkeypatch.setattr(winograd, "_weight_gradient", lambda *a: plain(*a) * np.float32(1.01))
    assert "64 channels, float32: dw" in wrong()["fast.conv on cpu"]


def test_a_wrong_op_is_no_measure_for_another(monkeypatch):
    plain = conv.backward
    monkeypatch.setattr(conv, "backward", lambda dy, cache, *need: plain(
        dy, cache, *need)._replace(dx=np.zeros(cache.x_shape, dy.dtype)))
    assert set(wrong()) == {"conv on cpu", "conv_transpose on cpu"}


def test_a_gradient_that_is_missing(tiny, monkeypatch):
    backward = dense.backward
    monkeypatch.setattr(dense, "backward",
                        lambda dy, cache: backward(dy, cache)._replace(db=None))
    assert "db is missing" in wrong()["dense on cpu"]


def test_another_dtype(tiny, monkeypatch):
    forward = lrn.forward
    monkeypatch.setattr(lrn, "forward", lambda x, **settings: (
        forward(x, **settings)[0].astype(np.float64), forward(x, **settings)[1]))
    assert "its dtype is float64" in wrong()["lrn on cpu"]


def test_numbers_that_are_not_finite(tiny, monkeypatch):
    monkeypatch.setattr(conv, "backward", lambda dy, cache, need=(): Gradients(
        np.full(cache.x_shape, np.nan, dy.dtype), None, None))
    assert "not a finite number" in wrong()["conv on cpu"]


def test_an_op_that_raises(tiny, monkeypatch):
    def fail(x, **settings):
        raise OSError("illegal\ninstruction")

    monkeypatch.setattr(pool, "forward", fail)
    assert "OSError: illegal instruction" in wrong()["pool on cpu"]


def test_an_op_without_a_trial_is_told(tiny, monkeypatch):
    monkeypatch.setattr(selftest, "TRIALS", [t for t in selftest.TRIALS if t.op != "tanh"])
    *_, found = selftest.examine_ops()
    assert (found.state, found.value) == (NOTE, "there is no trial for tanh")


def test_threads_that_cannot_be_told_are_told_once(monkeypatch):
    monkeypatch.setattr(backend, "_COUNT", {})
    monkeypatch.setenv("MINICNN_THREADS", "many")
    with pytest.raises(ValueError, match="MINICNN_THREADS"):
        list(selftest.examine_ops())


# ---- on the GPU

@pytest.fixture
def stand_in(monkeypatch):
    """What stands in for CuPy, in the place of which the ops find it."""
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)


def test_on_the_device(stand_in):
    found, _ = selftest.examine_ops("gpu")
    tried = {trial.op for trial in selftest.TRIALS if "gpu" in trial.devices}
    assert found.what == "ops on gpu" and found.state == GOOD
    assert f"{len(tried)} right" in found.value and tried == set(OPS) - {"fast.winograd"}


def test_the_arrays_are_the_device_s(stand_in, monkeypatch):
    seen, forward = [], relu.forward
    monkeypatch.setattr(relu, "forward", lambda x: seen.append(type(x)) or forward(x))
    list(selftest.examine_ops("gpu"))
    assert set(seen) == {strict_cupy.ndarray}


def test_an_op_that_computes_on_the_host_instead(stand_in, monkeypatch):
    forward = relu.forward
    monkeypatch.setattr(relu, "forward", lambda x: forward(backend.to_host(x)))
    assert "relu on gpu" in wrong("gpu")

"""Every op, and every way an op can be asked, has its trial."""

import numpy as np

from minicnn.doctor.trials import TRIALS, module, names
from minicnn.fast import TWINS, winograd
from minicnn.ops import relu


def test_every_op_has_a_trial():
    assert {trial.op for trial in TRIALS} == set(names())
    assert {"conv", "fast.conv", "fast.winograd", "pool", "relu", "batch_norm"} <= set(names())


def test_every_twin_is_asked_what_its_page_is_asked():
    for op in TWINS:
        pages = [t for t in TRIALS if t.op == op]
        assert pages == [t._replace(op=op, twin="") for t in TRIALS if t.op == f"fast.{op}"]


def test_relu_s_rules_and_all_of_winograd_s_algorithms_are_tried():
    ways = {str(trial) for trial in TRIALS}
    assert {f"relu, rule {rule}" for rule in relu.RULES} <= ways
    tried = {trial.own["algorithm"] for trial in TRIALS if trial.own}
    assert tried == set(winograd.ALGORITHMS)


def test_a_trial_of_a_real_layer_takes_winograd_in_a_network_too():
    (trial,) = [t for t in TRIALS if t.op == "fast.conv" and t.large]
    n, h, w, c = trial.arguments["x"]
    x, kernels = (np.zeros(trial.arguments[name], np.float32) for name in "xw")
    assert winograd.choose(x, kernels, **trial.settings) in winograd.ALGORITHMS
    assert min(c, trial.arguments["w"][3]) >= winograd.DW_CHANNELS
    assert n * (h // 4) * (w // 4) >= winograd.DW_TILES  # so its weight gradient is by tiles


def test_all_trials_are_told_apart():
    assert len({str(trial) for trial in TRIALS}) == len(TRIALS)
    assert all(module(trial.op) for trial in TRIALS)

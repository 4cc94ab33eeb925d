"""Every op, and every way an op can be asked, has its trial."""

from minicnn.doctor.trials import TRIALS, module, names
from minicnn.fast import winograd
from minicnn.ops import relu


def test_every_op_has_a_trial():
    assert {trial.op for trial in TRIALS} == set(names())
    assert {"conv", "winograd", "pool", "relu", "dense", "batch_norm"} <= set(names())


def test_cuda_kernels_are_no_op_of_their_own():
    assert not [name for name in names() if name.endswith("_cuda")]


def test_relu_s_rules_and_all_of_winograd_s_algorithms_are_tried():
    ways = {str(trial) for trial in TRIALS}
    assert {f"relu, rule {rule}" for rule in relu.RULES} <= ways
    tried = {trial.own["algorithm"] for trial in TRIALS if trial.own}
    assert tried == set(winograd.ALGORITHMS)


def test_a_trial_of_a_real_layer_takes_winograd_in_a_network_too():
    (trial,) = [t for t in TRIALS if t.op == "winograd" and t.large]
    n, h, w, c = trial.arguments["x"]
    assert min(c, trial.arguments["w"][3]) >= winograd.DW_CHANNELS
    assert n * (h // 4) * (w // 4) >= winograd.DW_TILES  # so its weight gradient is by tiles


def test_all_trials_are_told_apart():
    assert len({str(trial) for trial in TRIALS}) == len(TRIALS)
    assert all(module(trial.op) for trial in TRIALS)

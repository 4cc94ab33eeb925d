"""Somebody's own ops are tried beside their pages, and their gradients are checked."""

import types
from pathlib import Path

import course_style
import nets
import pytest

from minicnn.doctor import own_ops
from minicnn.doctor.findings import BAD, GOOD, NOTE
from minicnn.network import Network
from minicnn.network.layers import LRN, AveragePool, Conv, Dense, Dropout, MaxPool, ReLU, Tanh
from minicnn.ops import average_pool, conv, dropout, tanh

SHAPE = (24, 30, 4)
NETWORK = nets.trained(Network("net", [
    ("conv1", Conv(6, 3, stride=2, pad=1)), ("relu1", ReLU()), ("norm1", LRN(5, alpha=0.9)),
    ("pool1", MaxPool(3, 2)), ("conv2", Conv(4, (1, 3), pad=1, bias=False)), ("fc", Dense(3)),
], SHAPE))


def found(network):
    return [(f.what, f.state, f.value) for f in own_ops.examined(network)]


def test_right_ones():
    network = NETWORK.using(conv=course_style, pool=course_style, lrn=course_style,
                            relu=course_style, dense=course_style, missing="page")
    states = found(network)
    assert [what for what, _, _ in states] == [
        f"{op} by course_style.py" for op in ("conv", "relu", "lrn", "pool", "dense")]
    assert all(state == GOOD and "gradients are right" in value for _, state, value in states)
    assert "as in conv1" in states[0][2]
    assert found(NETWORK) == [] and found(NETWORK.using("plain")) == []


def test_more_kinds_of_layers():
    network = Network("net", [("conv", Conv(4, 3, groups=2, dilation=2, pad=(2, 1))),
                              ("mean", AveragePool(3, 2, pad=1, border="image")),
                              ("tanh", Tanh()), ("drop", Dropout(0.5))], SHAPE)
    states = found(network.using(conv=conv, average_pool=average_pool, tanh=tanh, dropout=dropout))
    assert [state for _, state, _ in states] == [GOOD, GOOD, GOOD, NOTE]


MISTAKES = {  # one in each: what is written, what should be, a word of what is said
    "the bias is left out": ("+ b[f]", "", ["plain implementation (page): y["]),
    "a gradient is set where it should be added": (
        "dw[f] += ", "dw[f] = ", ["dw[", "central differences", "page"]),
    "the gradient at the bias is doubled": ("db[f] += g", "db[f] += 2 * g",
                                            ["db[", "too large by a factor 2"]),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_wrong_ones(what):
    right, wrong, words = MISTAKES[what]
    source = Path(course_style.__file__).read_text(encoding="utf-8")
    assert source.count(right) == 1
    module = types.ModuleType("wrong")
    exec(source.replace(right, wrong), vars(module))
    (name, state, value), = found(NETWORK.using({"conv1": module}))
    assert (name, state) == ("conv by wrong", BAD) and value.startswith("as in conv1, ")
    assert all(word in value for word in words), value
    assert "central differences say" not in value  # the same numbers again


def test_what_fails_is_told():
    module = types.ModuleType("broken")
    exec("def forward(x): return x, None\ndef backward(dy, cache): return dy[0]", vars(module))
    (_, state, value), = found(NETWORK.using(relu=module))
    assert state == BAD and "expected dx of shape" in value


def test_what_tells_more_is_named(tmp_path):
    """For an op in a file: the command that tries it at all settings."""
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\ndef relu_forward(x): return np.maximum(x, 0), x\n"
                    "def relu_backward(dy, x): return 2 * dy * (x > 0)\n")
    (finding,) = own_ops.examined(NETWORK.using(relu=path))
    assert finding.state == BAD and f"minicnn check {path} --op relu" in finding.remedy

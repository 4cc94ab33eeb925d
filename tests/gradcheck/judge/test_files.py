"""Every op of a file, judged: in a process of its own, or here."""

import types

import handed_in
import numpy as np
import pytest

from minicnn.gradcheck.judge import files, words
from minicnn.gradcheck.own.sources import FormError
from minicnn.ops import conv, relu


def all_of(what, op=None, ops=(), **how):
    """{name: Judged} of all ops."""
    how = {"quick": True} | how
    opening = {key: how[key] for key in ("quick", "seconds", "layout", "form") if key in how}
    inputs, curve = how.pop("inputs", None), how.pop("curve", None)
    judge = {key: value for key, value in how.items() if key not in ("layout", "form")}
    with files.opened(what, op, inputs=inputs, **opening) as layers:
        return {one.name: one for one in (
            files.judged(layers, found, curve=curve, **judge)
            for found in files.chosen(layers.found, ops))}


@pytest.fixture
def file(tmp_path):
    """Write a file of layers."""
    def write(*texts, name="mine.py"):
        path = tmp_path / name
        path.write_text("\n".join(texts))
        return path
    return write


def verdicts(done):
    return {name: (one.gradient, one.conduct) for name, one in done.items()}


def test_two_verdicts(file):
    done = all_of(file(handed_in.WRONG_RELU, handed_in.GREEDY_TANH, handed_in.CONV))
    assert verdicts(done) == {"relu": ("wrong", "right"), "tanh (Tanh)": ("right", "wrong"),
                              "conv (naive)": ("right", "right")}
    assert [one.ok for one in done.values()] == [False, False, True]
    assert done["conv (naive)"].points == 1 and done["conv (naive)"].conduct_points == 1
    assert done["relu"].points == 0
    assert 0.5 < done["tanh (Tanh)"].conduct_points < 1


@pytest.mark.thorough
@pytest.mark.parametrize("text", [handed_in.ENDS, handed_in.HANGS], ids=["ends", "hangs"])
def test_what_ends_or_blocks_its_process_costs_its_own_verdict_only(file, text):
    done = all_of(file(handed_in.RELU, text, handed_in.OWN), seconds=3.0)
    assert done["relu"].ok and done["swish"].ok
    sigmoid = done["sigmoid (Sigmoid)"]
    assert sigmoid.gradient == "no answer" and not sigmoid.ok
    assert "os._exit(0)" in str(sigmoid) or "stopped after" in str(sigmoid)


def test_every_op_has_all_its_lives(file):
    twice = handed_in.ENDS + handed_in.ENDS.replace("Sigmoid", "Tanh").replace(
        "1 / (1 + np.exp(-x))", "np.tanh(x)").replace("self.y * (1 - self.y)", "(1 - self.y**2)")
    done = all_of(file(handed_in.RELU, twice))
    assert verdicts(done)["relu"] == ("right", "right")
    for name in ("sigmoid (Sigmoid)", "tanh (Tanh)"):
        assert done[name].gradient == "no answer" and "ended 3 times" in str(done[name])


def test_an_op_of_one_s_own_is_compared_with_its_own_differences(file):
    done = all_of(file(handed_in.OWN))
    assert done["swish"].ok and "minicnn does not know" in done["swish"].verdict.notes[0]
    done = all_of(file(handed_in.WRONG_OWN))
    assert done["swish"].gradient == "wrong" and done["swish"].conduct == "right"
    assert "too large by 1 %" in done["swish"].wrong[0].words


def test_a_known_op_cannot_choose_to_be_compared_with_itself(file):
    done = all_of(file(LIES_ABOUT_ITS_INPUTS))
    assert verdicts(done) == {"relu": ("wrong", "right")}


def test_an_op_that_only_reshapes_may_return_a_view():
    class Flatten:
        def forward(self, x):
            self.shape = x.shape
            return x.reshape(len(x), -1)

        def backward(self, dout):
            return dout.reshape(self.shape)

    class Shared(Flatten):
        def backward(self, dout):
            dout += 0
            return dout.reshape(self.shape)

    assert all_of(Flatten)["flatten (Flatten)"].ok
    assert all_of(Shared)["shared (Shared)"].conduct == "wrong"  # it writes into dout


def test_one_class_of_a_file(file):
    path = file(handed_in.RELU, handed_in.GREEDY_TANH)
    assert verdicts(all_of(f"{path}:Tanh")) == {"tanh (Tanh)": ("right", "wrong")}


def test_a_file_with_forward_and_backward_is_the_op_of_its_name(file):
    text = handed_in.RELU.replace("relu_", "")
    assert verdicts(all_of(file(text, name="relu.py"))) == {"relu": ("right", "right")}
    assert verdicts(all_of(conv)) == {"conv": ("right", "right")}


def test_modules_classes_and_pairs_are_judged_here():
    class Bent:
        def forward(self, x):
            self.x = x
            return np.maximum(x, 0)

        def backward(self, dy):
            return dy * (self.x >= 1)

    done = all_of((relu.forward, relu.backward), "relu")
    assert verdicts(done) == {"relu": ("right", "right")}
    assert verdicts(all_of(relu, "relu")) == {"relu": ("right", "right")}
    assert [one.gradient for one in all_of(Bent, "relu").values()] == ["wrong"]
    cube = all_of((lambda x: (x**3, x), lambda dy, x: 3 * x**2 * dy), "cube",
                  inputs={"x": (2, 3)})
    assert cube["cube"].ok


def test_an_op_that_cannot_be_called_has_no_answer(file):
    done = all_of(file(handed_in.RELU, "def bend_forward(x, a, b):\n    return x, x\n"
                       "def bend_backward(dy, x):\n    return dy\n"))
    assert done["relu"].ok and done["bend"].gradient == "no answer"
    assert done["bend"].verdict is None and 'CHECK = {"bend"' in done["bend"].error
    assert done["bend"].conduct_points is None and done["bend"].points == 0


def test_chosen_by_op_variant_or_both(file):
    path = file(handed_in.CONV, handed_in.RELU)
    for name in ("conv", "naive", "conv (naive)"):
        assert list(all_of(path, ops=(name,))) == ["conv (naive)"]
    with pytest.raises(FormError, match="there is no op 'pool' in it; found: conv, relu"):
        all_of(path, ops=("pool",))


def test_what_cannot_be_judged_is_said():
    for what in (3, relu.forward, (relu.forward, 3)):
        with pytest.raises(FormError, match="expected the path of a file, a module"):
            files.opened(what)
    assert files.opened(types.ModuleType("empty")).found == []


def test_a_fault_of_ours_is_told_as_ours(monkeypatch):
    def broken(form, **how):
        raise NameError("name 'form' is not defined")

    monkeypatch.setattr(files, "judge", broken)
    done = all_of(relu, "relu")
    assert done["relu"].gradient == "no answer"
    assert done["relu"].error.startswith("minicnn itself failed, please report it: NameError")


def test_a_curve_is_drawn_of_what_is_wrong(file):
    seen = []
    done = all_of(file(handed_in.RELU, handed_in.GREEDY_TANH),
                  curve=lambda form, verdict: seen.append(form.op) or "drawn")
    assert seen == ["tanh"] and done["tanh (Tanh)"].curve == "drawn"
    assert done["relu"].curve is None


def test_beside(tmp_path):
    (tmp_path / "mine.py").write_text("")
    assert files.beside(tmp_path, "mine.py") == tmp_path / "mine.py"
    assert files.beside(tmp_path, "mine.py:Conv") == tmp_path / "mine.py:Conv"
    assert files.beside(tmp_path, "other.py") == "other.py"
    assert files.beside(tmp_path, relu) is relu


def test_no_op():
    text = files.no_op("mine.py")
    assert "No op was found in mine.py." in text and "conv_relu_pool" in text
    assert max(map(len, text.splitlines())) < 100 and 'CHECK = {' in text
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_a_process_that_ends_at_what_must_be_refused_has_no_answer(file):
    one = all_of(file(ENDS_AT_EVEN_WINDOWS), quick=False)["lrn"]
    assert one.gradient == "no answer" and not one.ok and one.verdict.cause is None
    assert {row.status for row in one.ran} == {"right"}
    assert words.no_answer(one.verdict).startswith("an even window: mine.py: it ended Python")


ENDS_AT_EVEN_WINDOWS = """
import os
from minicnn.ops import lrn

def lrn_forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    if size % 2 == 0:
        os._exit(0)
    return lrn.forward(x, size, alpha, beta, k, convention)

def lrn_backward(dy, cache):
    return lrn.backward(dy, cache)
"""


def test_a_network_beside_the_layers_is_left_out(file):
    path = file(handed_in.RELU, NETWORK)
    with files.opened(path) as layers:
        assert [one.op for one in files.chosen(layers.found, ())] == ["relu"]
        assert [one.op for one in files.chosen(layers.found, ("sequential",))] == ["sequential"]
    with files.opened(file(NETWORK)) as layers:
        assert [one.op for one in files.chosen(layers.found, ())] == ["sequential"]


LIES_ABOUT_ITS_INPUTS = """
import sys
import numpy as np
describe = sys.modules["__main__"].Worker.describe
sys.modules["__main__"].Worker.describe = lambda *op: describe(*op) | {
    "inputs": {"x": np.ones((3, 4))}}

def relu_forward(x):
    return 0 * x + 7.0, x

def relu_backward(dout, x):
    return 0 * dout
"""
NETWORK = """
class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy
"""

"""Somebody's own op in a row: what it gives is checked, and nothing it does spoils anything."""

import types

import course_style
import nets
import numpy as np
import pytest
from checks import refuses
from numpy.testing import assert_allclose, assert_array_equal

from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    Add,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    MaxPool,
    ReLU,
)
from minicnn.ops import conv, relu


def own(source):
    """A module from a text that begins with NumPy."""
    module = types.ModuleType("own")
    exec("import numpy as np\n" + source, vars(module))
    return module


# ---- what it gives

NETWORK = nets.trained(Network("net", [("conv1", Conv(4, 3, pad=1))], (5, 6, 3)))
IMAGE = nets.images(2, (5, 6, 3))
GOOD = ("def forward(x, w, b, pad=0): return np.zeros((*x.shape[:3], w.shape[3])), (x, w, b)\n"
        "def backward(dy, cache): return tuple(np.zeros_like(a) for a in cache)\n")
MISTAKES = {
    "y of another shape": (["layer conv1, conv by own", "expected y of shape (2, 5, 6, 4)",
                            "got (2, 6, 5, 4)"], "(*x.shape[:3], w.shape[3])",
                           "(2, 6, 5, 4)"),
    "y of another dtype": (["layer conv1", "expected y in float64", "float32", "dtype=x.dtype"],
                           "(*x.shape[:3], w.shape[3])", "(*x.shape[:3], w.shape[3]), np.float32"),
    "no array": (["layer conv1", "its forward failed: forward returns nothing"],
                 "np.zeros((*x.shape[:3], w.shape[3]))", "None"),
    "a failure": (["layer conv1, conv by own: its forward failed", "ZeroDivisionError"],
                  "return np.zeros((*x", "return np.zeros((1 / 0, *x"),
    "the end of the program": (["its forward failed", "SystemExit"],
                               "return np.zeros((*x", "raise SystemExit; return np.zeros((*x"),
    "no cache": (["layer conv1", "expected forward to return two things"], ", (x, w, b)\n", "\n"),
    "a failure on the way back": (["layer conv1", "its backward failed", "IndexError"],
                                  "return tuple(", "return (1,)[3], tuple("),
    "dx of another shape": (["layer conv1", "expected dx of shape (2, 5, 6, 3)", "(1, 5, 6, 3)"],
                            "return tuple(np.zeros_like(a)", "return tuple(np.zeros_like(a)[:1]"),
    "no gradient at w": (["layer conv1", "expected dw as an array of shape (3, 3, 3, 4)",
                          "nothing"], "for a in cache", "for a in cache[:1]"),
    "dw in float32": (["layer conv1", "expected d", "in float64", "float32"],
                      "np.zeros_like(a)", "np.zeros_like(a, np.float32)"),
}


def whole_pass(module):
    run = NETWORK.using(conv=module).forward(IMAGE, learn=True)
    run.backward({"conv1": run.output})
    run.weight_gradients({"conv1": run.output})


@pytest.mark.parametrize("what", MISTAKES)
def test_what_it_gives_is_checked(what):
    words, right, wrong = MISTAKES[what]
    assert GOOD.count(right) == 1
    refuses(words, whole_pass, own(GOOD.replace(right, wrong)))


def test_what_is_right_passes_and_its_line_is_told_where_not(tmp_path):
    whole_pass(own(GOOD))
    text = f"import numpy as np\n{GOOD}".replace("np.zeros_like", "nope")
    (tmp_path / "mine.py").write_text(text)
    refuses(["layer conv1, conv by mine.py", "NameError", "'nope'", "(line 3)"],
            whole_pass, tmp_path / "mine.py")


FIRST = ("def conv_forward(x, w, b, conv_param):\n"
         "    pad = conv_param['pad']\n"
         "    return np.zeros((len(x), len(w), *x.shape[2:])), (x, w, b)\n"
         "def conv_backward(dout, cache): return tuple(np.zeros_like(a) for a in cache)\n")
IN_ITS_OWN_LAYOUT = {
    "y": (["conv by own, stride 1, pad 1: expected y of shape (2, 4, 5, 6) (N,C,H,W), got "
           "(2, 4, 5, 5) (N,C,H,W)"], "*x.shape[2:]", "5, 5"),
    "dw": (["expected dw of shape (4, 3, 3, 3) (O,C,KH,KW), got (1, 3, 3, 3)"],
           "for a in cache", "for a in (cache[0], cache[1][:1], cache[2])"),
    "a setting's name": (["KeyError", "'S'; the dict of settings has 'stride', 'pad'"],
                         "return np.zeros((len", "conv_param['S']; return np.zeros((len"),
    "no way back": (["there is no conv_backward; add conv_backward"],
                    "def conv_backward", "def something_else"),
}


@pytest.mark.parametrize("what", IN_ITS_OWN_LAYOUT)
def test_messages_have_the_course_s_layout(what):
    words, right, wrong = IN_ITS_OWN_LAYOUT[what]
    whole_pass(own(FIRST))
    assert FIRST.count(right) == 1
    refuses(words, whole_pass, own(FIRST.replace(right, wrong)))


def test_a_pass_up_needs_no_backward():
    forward_only = own(FIRST.replace("def conv_backward", "def something_else"))
    network = NETWORK.using(conv=forward_only)
    assert "without conv_backward" in str(network.choice)
    assert network.forward(IMAGE).output.shape == (2, 5, 6, 4)


@pytest.mark.parametrize("number", ["np.nan", "np.inf"])
def test_a_number_that_is_not_finite_is_an_error(number):
    """It is the op's, not the input's: a network takes no input that has one."""
    module = own(GOOD.replace("np.zeros((*x", f"{number} + x.sum() * np.zeros((*x"))
    refuses(["layer conv1", "y has", number[3:], "at (0, 0, 0, 0)", "finite"],
            NETWORK.using(conv=module).forward, IMAGE)
    refuses(["the image has", "the first nan"], NETWORK.using(conv=module).forward,
            np.where(IMAGE > 2, np.nan, IMAGE))
    module = own(GOOD.replace("np.zeros_like(a)", f"np.full_like(a, {number})"))
    refuses(["layer conv1", "dx has", number[3:]], whole_pass, module)


def test_need_is_passed_only_if_taken():
    asked = []
    module = own(GOOD.replace("def backward(dy, cache)", "def backward(dy, cache, need)").replace(
        "return tuple(", "return seen(need) or tuple("))
    module.seen = asked.append
    run = NETWORK.using(conv=module).forward(IMAGE)
    run.backward({"conv1": run.output})
    assert asked == [["x"]]


def test_a_pooling_that_keeps_no_switches():
    network = nets.trained(Network("net", [("pool1", MaxPool(2))], (4, 6, 3)))
    x = nets.images(1, (4, 6, 3))
    run = network.using(pool=course_style).forward(x)
    refuses(["pool1 recorded no switches", "`switches`"], run.switches, "pool1")
    first = own("""
from types import SimpleNamespace
from minicnn.ops import pool
LAYOUT = "NCHW"
def forward(x, window, stride):
    y, cache = pool.forward(x.transpose(0, 2, 3, 1), window, stride)
    return y.transpose(0, 3, 1, 2), SimpleNamespace(switches=cache.switches.transpose(0, 3, 1, 2))
def backward(dy, cache): pass
""")
    assert_array_equal(network.using(pool=first).forward(x).switches("pool1"),
                       network.forward(x).switches("pool1"))
    flat = own("""
from types import SimpleNamespace
def forward(x, window, stride):
    return x[:, ::2, ::2], SimpleNamespace(switches=np.zeros(3))
def backward(dy, cache): pass
""")
    refuses(["pool1 recorded no switches"], network.using(pool=flat).forward(x).switches, "pool1")


def test_an_lrn_without_rules_can_be_skipped_but_not_scaled():
    network = Network("net", [("norm1", LRN(3, alpha=0.9))], (4, 6, 3)).using(lrn=course_style)
    run = network.forward(nets.images(1, (4, 6, 3)))
    seeds = {"norm1": nets.like(run.output)}
    assert_array_equal(run.backward(seeds, lrn="through"), seeds["norm1"])
    refuses(["layer norm1, lrn by course_style.py", "rule", "'scale'"], run.backward, seeds,
            lrn="scale")


# ---- nothing it does spoils anything

def nets_of(layer, shape=(6, 7, 4), *more):
    return nets.trained(Network("net", [("row", layer), *more], shape))


def same_as_the_page(network, module, op, backward=2):
    """Two passes up and several down give what the page gives, at once and afterwards."""
    mine, x = network.using(**{op: module}), nets.images(2, network.input_shape)
    runs = [net.forward(image, learn=True) for image in (x, -x) for net in (mine, network)]
    for run, page in (runs[:2], runs[2:]):
        seeds = {network.names[-1]: nets.like(page.output)}
        for name in network.names:
            assert_allclose(run[name], page[name], rtol=0, atol=1e-12)  # sums of under 100 products
        for _ in range(backward):
            assert_allclose(run.backward(seeds), page.backward(seeds), rtol=0, atol=1e-12)
        weights = [nets.parameters_of(r.weight_gradients(seeds)) for r in (run, page)]
        for key in weights[1]:
            assert_allclose(weights[0][key], weights[1][key], rtol=0, atol=1e-12)
    for run, page in (runs[:2], runs[2:]):  # the first pass's records are still its own
        assert_allclose(run["row"], page["row"], rtol=0, atol=1e-12)


def test_an_op_may_use_its_own_arrays_again():
    same_as_the_page(nets_of(ReLU(), (6, 7, 4), ("sum", Add(), ["row", "image"])), own("""
BUFFER, BACK = np.zeros((2, 6, 7, 4)), np.zeros((2, 6, 7, 4))
def forward(x):
    np.maximum(x, 0, out=BUFFER)
    return BUFFER, x > 0
def backward(dy, cache):
    np.multiply(dy, cache, out=BACK)
    return BACK
"""), "relu")


def test_an_op_may_add_to_its_gradients_and_spoil_its_cache():
    """A class whose dW += ..., and a backward that writes into its cache: each pass begins anew."""
    same_as_the_page(nets_of(Dense(3)), own("""
class Dense:
    def __init__(self, w, b):
        self.w, self.dw, self.db = w, np.zeros_like(w), np.zeros_like(b)
        self.b = b
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, dy):
        self.dw += self.x.T @ dy
        self.db += dy.sum(axis=0)
        self.x *= 0
        return dy @ self.w.T
"""), "dense")


def test_a_masked_array_is_no_array():
    module = own("def forward(x): return np.ma.masked_less(x, 0), None\n"
                 "def backward(dy, cache): pass")
    refuses(["expected y as an array", "MaskedArray"], nets_of(ReLU()).using(relu=module).forward,
            nets.images(1, (6, 7, 4)))


def test_a_seed_in_another_precision_is_no_fault_of_the_op():
    network = nets_of(ReLU()).astype(np.float32).using(relu=relu)
    run = network.forward(nets.images(1, (6, 7, 4), dtype=np.float32))
    assert run.backward({"row": np.ones(run.output.shape)}).dtype == np.float32


def test_what_overflows_on_the_page_may_overflow_here():
    network = nets_of(Conv(3, 3)).astype(np.float32)
    x = np.full((1, 6, 7, 4), 3e38, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        refuses(["the output of layer row has", "its input is finite, so it became too large"],
                network.using(conv=conv).forward, x)


# ---- what it lacks

LACKS = {  # what the row has: an op that would silently do something else
    "gamma and beta": (BatchNorm(), "batch_norm", "x", ["the array gamma", "the array variance"]),
    "the weights": (Conv(4, 3, bias=False), "conv", "x", ["the array w"]),
    "the size of the window": (LRN(5), "lrn", "x, alpha=1e-4, beta=0.75, k=1.0", ["size 5"]),
    "k, of which it has its own": (LRN(5), "lrn", "x, size, alpha, beta, bias=2.0", ["k 1.0"]),
    "the paper's alpha": (LRN(5, convention="paper"), "lrn", "x, size, alpha, beta, k",
                          ["convention paper"]),
    "the border": (AveragePool(3, 2, pad=1), "average_pool", "x, window, stride, pad",
                   ["border padding"]),
    "epsilon": (BatchNorm(), "batch_norm", "x, gamma, beta, mean, variance", ["epsilon 1e-05"]),
}


@pytest.mark.parametrize("what", LACKS)
def test_what_would_be_left_out_silently_is_told(what):
    layer, op, parameters, words = LACKS[what]
    module = own(f"def forward({parameters}): pass\ndef backward(dy, cache): pass")
    refuses(["row (", *words], nets_of(layer).using, **{op: module})


def test_a_training_flag_of_another_name_is_passed_or_refused():
    arrays = "x, gamma, beta, mean, variance, epsilon"
    module = own(f"def forward({arrays}, train=True): return x, train\ndef backward(dy, c): pass")
    run = nets_of(BatchNorm()).using(batch_norm=module).forward(nets.images(1, (6, 7, 4)))
    assert run.caches["row"].kept.own is False
    module = own(f"def forward({arrays}, phase='train'): return x, None\ndef backward(dy, c): pass")
    network = nets_of(BatchNorm()).using(batch_norm=module)
    refuses(["takes no training", "False"], network.forward, nets.images(1, (6, 7, 4)))


def test_a_setting_that_a_dict_holds_and_the_op_never_reads():
    """`lrn_param.get("n", 5)` in place of "size"."""
    module = own("def lrn_forward(x, lrn_param):\n    n = lrn_param.get('n', 5)\n"
                 "    return x * (lrn_param['alpha'] + lrn_param['beta'] + lrn_param['k']), None\n"
                 "def lrn_backward(dout, cache): pass")
    refuses(["layer row, lrn by own", "never reads size", "3"],
            nets_of(LRN(3)).using(lrn=module).forward, nets.images(1, (6, 7, 4)))


def test_a_bias_that_the_row_has_not_is_zeros():
    same_as_the_page(nets_of(Conv(4, 3, bias=False)), course_style, "conv")
    same_as_the_page(nets_of(Dense(4, bias=False)), course_style, "dense")


def test_the_course_s_dense_in_another_shape_is_not_turned_round():
    module = own("def affine_forward(x, w, b): return x @ w + b, w\n"
                 "def affine_backward(dout, w): return w @ dout.T, w, dout.sum(axis=0)")
    run = nets_of(Dense(3)).using(dense=module).forward(nets.images(2, (6, 7, 4)))
    refuses(["expected dx of shape", "(168, 2)"], run.backward, {"row": run.output})


def test_a_page_in_the_other_layout_reads_the_same_numbers():
    module = own("LAYOUT = 'NCHW'\n"
                 "def forward(x, w, b): return x @ w + b, (x, w)\n"
                 "def backward(dy, c): return dy @ c[1].T, c[0].T @ dy, dy.sum(axis=0)")
    same_as_the_page(nets_of(Dense(3)), module, "dense")


def test_arrays_go_by_their_names_where_those_are_known():
    module = own("from minicnn.ops import batch_norm as bn\n"
                 "def forward(x, mean, variance, gamma, beta, epsilon, training):\n"
                 "    return bn.forward(x, gamma, beta, mean, variance, epsilon, training)\n"
                 "def backward(dy, cache):\n    g = bn.backward(dy, cache)\n"
                 "    return g.dx, None, None, g.dgamma, g.dbeta")
    same_as_the_page(nets_of(BatchNorm()), module, "batch_norm")


def test_a_class_for_batch_norm():
    module = own("from minicnn.ops import batch_norm\n"
                 "class BatchNormalization:\n    LAYOUT = 'NHWC'\n"
                 "    def __init__(self, gamma, beta, running_mean, running_var, eps, train_flg):\n"
                 "        self.given = gamma, beta, running_mean, running_var, eps, train_flg\n"
                 "    def forward(self, x):\n"
                 "        y, self.cache = batch_norm.forward(x, *self.given)\n        return y\n"
                 "    def backward(self, dy):\n"
                 "        dx, self.dgamma, self.dbeta = batch_norm.backward(dy, self.cache)\n"
                 "        return dx")
    same_as_the_page(nets_of(BatchNorm()), module, "batch_norm")

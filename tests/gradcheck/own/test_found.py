"""Files as they are handed in: every op is found, and each computes what the page computes."""

import importlib
import pickle
import textwrap
from pathlib import Path

import numpy as np
import pytest
from checks import normal, refuses

from minicnn import gradcheck
from minicnn.gradcheck.gradients.conduct import CHECKS, FIRST, LAYOUTS
from minicnn.gradcheck.judge.judge import NOT_CLAIMED, judge
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.found import found_in
from minicnn.gradcheck.own.known import OPS
from minicnn.gradcheck.own.sources import FormError, Source

FILES = Path(__file__).parent / "handed_in"
BN = {"gamma": normal(4, seed=2), "beta": normal(4, seed=3), "mean": normal(4, seed=4),
      "variance": np.abs(normal(4, seed=5)) + 0.5}
CONV = {"x": normal(2, 7, 6, 3), "w": normal(3, 3, 3, 4, seed=2), "b": normal(4, seed=3)}
DENSE = {"x": normal(3, 7), "w": normal(7, 4, seed=2), "b": normal(4, seed=3)}
SCORES = {"x": normal(3, 5), "labels": np.array([4, 0, 2])}
CASES = {  # op: [(arrays, settings), ...]; an op is called with those settings that it takes
    "conv": [(CONV, {"stride": 1, "pad": 0}), (CONV, {"stride": 2, "pad": 1})],
    "conv_transpose": [({"x": normal(2, 3, 4, 5), "w": normal(3, 3, 6, 5), "b": normal(6)},
                        {"stride": 2, "pad": 1})],
    "dense": [(DENSE, {}), (DENSE | {"x": normal(3, 2, 3, 2), "w": normal(12, 4)}, {})],
    "pool": [({"x": normal(2, 7, 6, 3)}, {"window": 3, "stride": 2}),
             ({"x": normal(2, 7, 6, 3)}, {"window": 2, "stride": 2})],
    "average_pool": [({"x": normal(2, 7, 6, 3)}, {"window": 3, "stride": 2, "pad": 1})],
    "global_average_pool": [({"x": normal(2, 7, 6, 3)}, {})],
    "relu": [({"x": normal(2, 5, 6, 3)}, {}), ({"x": normal(4, 5)}, {})],
    "lrn": [({"x": normal(2, 4, 5, 7)}, {"size": 3, "alpha": 0.9, "beta": 0.75, "k": 2.0})],
    "batch_norm": [(BN | {"x": normal(*shape)}, {"training": training, "epsilon": 1e-3})
                   for shape in ((6, 4), (2, 3, 5, 4)) for training in (True, False)],
    "softmax": [({"x": normal(3, 5)}, {})],
    "sigmoid": [({"x": normal(3, 5)}, {})],
    "tanh": [({"x": normal(3, 5)}, {})],
    "cross_entropy": [(SCORES, {})],
    "resize": [({"x": normal(2, 4, 5, 3)}, {"size": (7, 3)})],
    "concat": [({"parts": [normal(2, 3, 4, 2), normal(2, 3, 4, 5)]}, {"axis": -1})],
    "add": [({"parts": [normal(2, 3, 4, 2), normal(2, 3, 4, 2, seed=5)]}, {})],
}
NORM = {"gamma": normal(6, seed=2), "beta": normal(6, seed=3)}
OTHERS = {  # ops without a page
    "layer_norm": (NORM | {"x": normal(4, 6)}, {"epsilon": 1e-3}),
    "group_norm": (NORM | {"x": normal(2, 3, 4, 6)}, {"groups": 3}),
    "svm_loss": (SCORES, {}),
    "affine_relu": (DENSE, {}),
    "affine_bn_relu": (DENSE | BN, {"training": True}),
    "conv_relu": (CONV, {"stride": 2, "pad": 1}),
    "conv_bn_relu": (CONV | BN, {"stride": 1, "pad": 1, "training": True}),
    "conv_relu_pool": (CONV, {"stride": 1, "pad": 1, "window": 2, "pool_stride": 2}),
}
COURSE = {"dense", "relu", "sigmoid", "tanh", "batch_norm", "layer_norm", "group_norm", "lrn",
          "dropout", "conv", "pool", "cross_entropy", "svm_loss", "affine_relu", "affine_bn_relu",
          "conv_relu", "conv_bn_relu", "conv_relu_pool"}
CLASSES = {"relu", "sigmoid", "tanh", "dense", "conv", "pool", "average_pool", "batch_norm",
           "dropout", "softmax", "cross_entropy"}
PAGES = {"conv", "dense", "pool", "average_pool", "global_average_pool", "relu", "lrn",
         "batch_norm", "dropout", "softmax", "cross_entropy", "concat", "add", "resize"}
TENSORS = {"relu", "conv", "dense", "batch_norm", "dropout", "cross_entropy", "pool",
           "average_pool", "sigmoid", "layer_norm", "group_norm"}
DEEPLEARNING = {"conv", "pool", "average_pool"}
ALL = {"course_layers": COURSE, "class_layers": CLASSES, "page_layers": PAGES,
       "torch_layers": TENSORS, "deeplearning_layers": DEEPLEARNING}


def forms(name):
    """The forms of a file that is handed in."""
    if name == "torch_layers":
        pytest.importorskip("torch")
    return [one.form for one in found_in(FILES / f"{name}.py")]


def taken(form, settings):
    return {name: value for name, value in settings.items() if name in form.takes}


def cases(form):
    """(arrays, settings) of the cases of an op that this form takes."""
    for arrays, settings in CASES.get(form.op, []):
        if form.ranks is None or arrays["x"].ndim in form.ranks:
            yield arrays, taken(form, settings)


@pytest.mark.parametrize("name", ALL)
def test_every_op_of_a_file_is_found_without_glue(name):
    assert {form.op for form in forms(name)} == ALL[name]


def test_what_was_taken_for_what_is_told():
    told = [str(one) for one in found_in(FILES / "course_layers.py")]
    assert ("conv (naive): conv_forward_naive and conv_backward_naive of course_layers.py "
            "(N,C,H,W; settings: stride, pad)") in told
    assert any("batchnorm_forward and batchnorm_backward_alt" in line for line in told)
    assert any("p is the share that is kept" in line for line in told)
    told = [str(one) for one in found_in(FILES / "class_layers.py")]
    assert any("dropout_ratio is the share that is dropped" in line for line in told)
    assert any("class Linear" in line and "w as (out, in)" in line for line in told)


@pytest.mark.parametrize("name", ALL)
def test_each_computes_what_the_page_computes(name):
    for form in forms(name):
        for arrays, settings in cases(form):
            as_the_page(form, arrays, settings)


def as_the_page(form, arrays, settings):
    """y and all gradients are the page's, in both dtypes and in every layout of the memory."""
    module = importlib.import_module(f"minicnn.ops.{form.op}")
    named = {name: arrays.get(name) for name in OPS[form.op].arrays}
    y, cache = module.forward(*named.values(), **settings)
    dy = normal(*y.shape, seed=9) if y.ndim else np.float64(0.7)
    expected = module.backward(dy, cache)
    expected = expected if isinstance(expected, (tuple, list)) else [expected]
    if form.op in ("concat", "add"):
        expected = [expected]
    expected = dict(zip(named, expected, strict=False))
    for memory in ("C", *LAYOUTS):
        ours, kept = form.forward(arrays, settings, memory)
        same(f"{form.told}: y", ours, y, 1e-12)
        gradients = form.backward(dy, kept, memory=memory)
        for array in form.arrays:
            if array in expected:
                same(f"{form.told}: d{array}", gradients[array], expected[array], 1e-12)
    singles = {key: single(value) for key, value in arrays.items()}
    ours, kept = form.forward(singles, settings)
    same(f"{form.told}: y in float32", ours, y, 1e-4, np.float32)
    for array, gradient in form.backward(np.float32(dy), kept).items():
        same(f"{form.told}: d{array} in float32", gradient, expected[array], 1e-4, np.float32)


def single(value):
    if isinstance(value, list):
        return [single(part) for part in value]
    return value.astype(np.float32) if value.dtype == np.float64 else value


def same(what, ours, theirs, tolerance, dtype=np.float64):
    """Arrays, or lists of arrays, of one shape and dtype, close to one another."""
    pairs = (zip(ours, theirs, strict=True) if isinstance(theirs, list) else [(ours, theirs)])
    for one, other in pairs:
        assert np.shape(one) == np.shape(other), what
        assert np.asarray(one).dtype == dtype, what
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * max(
            1, np.abs(other).max()), err_msg=what)


@pytest.mark.parametrize("name", ["course_layers", "torch_layers"])
def test_ops_without_a_page_are_their_own_derivative_and_known_values(name):
    for form in forms(name):
        if form.op in OTHERS:
            arrays, settings = OTHERS[form.op]
            derivative_is_right(form, arrays, taken(form, settings))
            y = form.forward(arrays, taken(form, settings))[0]
            same(form.told, np.asarray(y), VALUES[form.op](arrays, settings), 1e-12)


def derivative_is_right(form, arrays, settings):
    """Central differences through the form agree with its backward."""
    floats = {name: array for name, array in arrays.items() if array.dtype == np.float64
              and name not in ("mean", "variance")}

    def forward(*given):
        return form.forward(arrays | dict(zip(floats, given, strict=True)), settings)

    def backward(dy, kept):
        return tuple(form.backward(dy, kept)[name] for name in floats)

    gradcheck.check(forward, backward, floats, only=["central differences"]).raise_if_failed()


def standard(x, axes, epsilon):
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def grouped(arrays, settings):
    x, G = arrays["x"], settings["groups"]
    split = x.reshape(*x.shape[:3], G, -1)  # N,H,W,C -> N,H,W,G,C/G
    z = standard(split, (1, 2, 4), 1e-5).reshape(x.shape)
    return z * arrays["gamma"] + arrays["beta"]


def convolved(arrays, settings):
    conv = importlib.import_module("minicnn.ops.conv")
    return conv.forward(arrays["x"], arrays["w"], arrays["b"], settings["stride"],
                        settings["pad"])[0]


def hinge(arrays, settings):
    x, labels = arrays["x"], arrays["labels"]
    rows = [sum(max(0, row[k] - row[label] + 1) for k in range(len(row)) if k != label)
            for row, label in zip(x, labels, strict=True)]
    return np.mean(rows)


def scaled(arrays, y):
    axes = tuple(range(y.ndim - 1))
    return np.maximum(standard(y, axes, 1e-5) * arrays["gamma"] + arrays["beta"], 0)


def pooled(arrays, settings):
    y = np.maximum(convolved(arrays, settings), 0)
    pool = importlib.import_module("minicnn.ops.pool")
    return pool.forward(y, settings["window"], settings["pool_stride"])[0]


VALUES = {
    "layer_norm": lambda a, s: standard(a["x"], 1, s["epsilon"]) * a["gamma"] + a["beta"],
    "group_norm": grouped,
    "svm_loss": hinge,
    "affine_relu": lambda a, s: np.maximum(a["x"] @ a["w"] + a["b"], 0),
    "affine_bn_relu": lambda a, s: scaled(a, a["x"] @ a["w"] + a["b"]),
    "conv_relu": lambda a, s: np.maximum(convolved(a, s), 0),
    "conv_bn_relu": lambda a, s: scaled(a, convolved(a, s)),
    "conv_relu_pool": pooled,
}


@pytest.mark.parametrize("name", [name for name in ALL if "dropout" in ALL[name]])
def test_dropout_silences_the_page_s_share(name):
    form = next(form for form in forms(name) if form.op == "dropout")
    x = np.ones((50, 60))
    y, kept = form.forward({"x": x}, {"rate": 0.2})
    assert abs((y == 0).mean() - 0.2) < 0.03 and {*np.unique(y)} <= {0, 1 / 0.8}
    np.testing.assert_array_equal(form.backward(x, kept)["x"], y)
    np.testing.assert_array_equal(form.forward({"x": x}, {"rate": 0.2})[0], y)


@pytest.mark.parametrize("name", ALL)
def test_their_conduct_has_no_fault(name):
    for form in forms(name):
        arrays, settings = next(iter(cases(form)), None) or OTHERS.get(
            form.op, ({"x": normal(4, 5)}, {}))
        settings = taken(form, settings)
        y = form.forward(arrays, settings)[0]
        found = form.conduct(arrays, settings, normal(*np.shape(y), seed=9) + 0.0)
        assert {kind: words for kind, words in found.items() if words} == {}, form.told
        assert found.keys() >= {*FIRST, *CHECKS}


def test_running_statistics_of_a_batch_norm():
    arrays = BN | {"x": normal(6, 4)}
    for name in ("course_layers", "class_layers"):
        form = next(form for form in forms(name) if form.op == "batch_norm")
        _, kept = form.forward(arrays, {"training": True, "momentum": 0.75})
        found = form.statistics(kept)
        same(name, found["mean"], 0.75 * BN["mean"] + 0.25 * arrays["x"].mean(axis=0), 1e-12)
        same(name, found["variance"], 0.75 * BN["variance"] + 0.25 * arrays["x"].var(axis=0), 1e-12)
    form = next(form for form in forms("page_layers") if form.op == "batch_norm")
    kept = form.statistics(form.forward(arrays, {"training": True})[1])
    assert all(np.array_equal(kept[name], BN[name]) for name in ("mean", "variance"))


# ---- glue

def test_a_table_says_what_names_do_not():
    found = {one.op: one for one in found_in(FILES / "glued_layers.py")}
    assert {*found} == {"conv", "relu", "scale", "swish", "bend"}
    as_the_page(found["conv"].form, CONV, {"stride": 2})
    as_the_page(found["relu"].form, {"x": normal(3, 4)}, {})
    for op in ("scale", "swish"):
        form = found[op].form
        assert [*form.inputs] == [*form.arrays] and form.inputs["x"].shape == (4, 5)
        derivative_is_right(form, form.inputs, {})
    assert found["bend"].form is None
    for words in ("bend_forward and bend_backward (x, slope, curve)", "no known op", "CHECK ="):
        assert words in str(found["bend"].error)


def written(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(text))
    return path


PAIR = "def forward(x): return x, 0\ndef backward(dy, c): return dy\n"
REFUSED = {
    "no table": (["CHECK is no table"], "CHECK = [1]"),
    "a number": (["CHECK['conv']", "not understood"], "CHECK = {'conv': 5}"),
    "an op without functions": (["no swish_forward", "give the functions"],
                                "CHECK = {'swish': {'x': (4, 5)}}"),
    "no inputs": (["no op 'swish'", "inputs"], PAIR + "CHECK = {'swish': (forward, backward)}"),
    "inputs of a known op": (["conv is known"], "CHECK = {'conv': {'x': (4, 5)}}"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_table_that_is_not_understood(what, tmp_path):
    words, text = REFUSED[what]
    refuses(["mine.py", *words], found_in, written(tmp_path, text))


# ---- what else is recognised

CONVOLUTION = '''
import numpy as np

class Convolve:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        K = kernel_size
        {keeps}
        self.stride, self.pad = stride, padding

    def forward(self, x):
        from minicnn.ops import conv
        y, self.cache = conv.forward(x, {w}, {b}, self.stride, self.pad)
        return y

    def backward(self, dy):
        from minicnn.ops import conv
        dx, dw, db = conv.backward(dy, self.cache)
        {stores}
        return dx
Conv = Convolve
del Convolve
'''
OWN = "np.zeros((K, K, in_channels, out_channels)), np.zeros(out_channels)"
WAYS = {
    "attributes": (f"self.weight, self.bias = {OWN}", "self.weight", "self.bias",
                   "self.dweight, self.dbias = dw, db"),
    "a dict": (f"self.params = dict(zip('Wb', ({OWN})))", "self.params['W']", "self.params['b']",
               "self.grads = {'W': dw, 'b': db}"),
    "lists": (f"self.params = [{OWN}]", "*self.params", "", "self.grads = [dw, db]"),
}


@pytest.mark.parametrize("what", WAYS)
def test_a_class_that_makes_its_own_weights_gets_others(what, tmp_path):
    keeps, w, b, stores = WAYS[what]
    text = CONVOLUTION.format(keeps=keeps, w=w, b=b, stores=stores).replace(", , ", ", ")
    (found,) = found_in(written(tmp_path, text))
    assert found.form.layout == "NHWC"
    as_the_page(found.form, CONV, {"stride": 2, "pad": 1})


def test_other_beginnings_and_endings_of_names(tmp_path):
    for pair in ("forward_relu backward_relu", "relu_fwd relu_bwd", "relu relu_backward",
                 "relu_forward_v2 relu_backward_v2", "my_relu_forward my_relu_backward"):
        forward, backward = pair.split()
        (found,) = found_in(written(tmp_path, f"""
            import numpy as np
            def {forward}(x): return np.maximum(x, 0), x
            def {backward}(dout, x): return dout * (x > 0)
            """))
        as_the_page(found.form, {"x": normal(3, 4)}, {})


def test_a_loss_of_one_function_is_multiplied_with_dy(tmp_path):
    form = next(f for f in forms("course_layers") if f.op == "svm_loss")
    _, kept = form.forward(SCORES, {})
    once, twice = form.backward(np.float64(1), kept)["x"], form.backward(np.float64(2), kept)["x"]
    np.testing.assert_array_equal(2 * once, twice)
    (found,) = found_in(written(tmp_path, "def softmax_loss(W, X, y, reg): return 0, 0\n"))
    assert found.form is None and "no default" in str(found.error)


def test_gradients_of_a_look_alike_shape_are_told_and_looked_through(tmp_path):
    (found,) = found_in(written(tmp_path, """
        def affine_forward(x, w, b): return x @ w + b, (x, w)
        def affine_backward(dout, cache):
            x, w = cache
            return dout @ w.T, x.T @ dout, dout.sum(axis=0, keepdims=True)
        """))
    _, kept = found.form.forward(DENSE, {})
    gradients = found.form.backward(normal(3, 4), kept)
    assert gradients.notes == ("db has shape (1, 4), b has (4,)",)
    assert gradients["b"].shape == (4,) and found.form.ranks == (2,)


CONVS = '''
import numpy as np
def conv_forward(x, w, b, stride=1, pad=0):
    from minicnn.ops import conv
    y, cache = conv.forward({x}, {w}, b, stride, pad)
    return {y}, cache
def conv_backward(dy, cache): pass
'''


def test_the_layout_is_found_by_trying(tmp_path):
    first = CONVS.format(x="x.transpose(0, 2, 3, 1)", w="w.transpose(2, 3, 1, 0)",
                         y="y.transpose(0, 3, 1, 2)")
    assert found_in(written(tmp_path, first))[0].form.layout == "NCHW"
    assert found_in(written(tmp_path, CONVS.format(x="x", w="w", y="y")))[0].form.layout == "NHWC"


def test_a_layout_that_cannot_be_told_is_asked_for(tmp_path):
    both = ("def lrn_forward(x, size, alpha, beta, k): return x, 0\n"
            "def lrn_backward(dy, c): return dy\n")
    (found,) = found_in(written(tmp_path, both))
    for words in ("lrn_forward", "--layout NCHW|NHWC", "--form page|course|class|torch"):
        assert words in str(found.error)
    (found,) = found_in(written(tmp_path, both), layout="NCHW")
    assert found.form.channels_first
    given = found_in(written(tmp_path, both + CONVS.format(x="x", w="w", y="y")))
    assert {one.form.layout for one in given} == {"NHWC"}  # as the convolution beside it


def test_forms_may_be_asked_for():
    source = Path(__file__).parents[2] / "made" / "course_style.py"
    assert {one.form.kind for one in found_in(source, form="class")} == {"class"}
    assert {one.form.kind for one in found_in(source, form="course")} == {"course"}
    refuses(["page, course, class, torch", "module"], found_in, source, form="module")


def test_another_process_gets_the_same_form():
    for form in forms("course_layers") + forms("glued_layers")[:3]:
        again = pickle.loads(pickle.dumps(form))
        assert again.told == form.told and again.layout == form.layout


HOSTILE = {
    "a layer that ends the program": "import sys\ndef relu_forward(x): sys.exit(0)\n"
                                     "def relu_backward(dy, c): pass",
    "a class whose constructor fails": "class Linear:\n    def __init__(self, n_in, n_out): 1 / 0\n"
                                       "    def forward(self, x): pass\n"
                                       "    def backward(self, dy): pass",
    "a default without a repr": "class D:\n    def __repr__(self): raise KeyError\n"
                                "def relu_forward(x, how=D()): return x, 0\n"
                                "def relu_backward(dy, c): return dy",
    "a class without a signature": "class Relu:\n    __signature__ = 5\n"
                                   "    def forward(self, x): pass\n"
                                   "    def backward(self, dy): pass",
    "attributes that fail": "class M(type):\n    def __getattr__(cls, name): raise OSError\n"
                            "class Relu(metaclass=M):\n    def forward(self, x): return x\n"
                            "    def backward(self, dy): return dy",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_a_file_does_there_is_an_answer(what, tmp_path):
    try:
        (found,) = found_in(written(tmp_path, HOSTILE[what]))
    except FormError as error:
        assert "mine.py" in str(error) and "\n" not in str(error)
    else:
        assert found.form is not None or isinstance(found.error, FormError)


def test_an_object_that_adds_up_its_gradients_is_told(tmp_path):
    (found,) = found_in(written(tmp_path, """
        import numpy as np
        class Affine:
            def __init__(self, W, b):
                self.W, self.b = W, b
                self.dW, self.db = np.zeros_like(W), np.zeros_like(b)
            def forward(self, x):
                self.x = x
                return x @ self.W + self.b
            def backward(self, dout):
                self.dW = self.dW + self.x.T @ dout
                self.db = self.db + dout.sum(axis=0)
                return dout @ self.W.T
        """))
    said = found.form.conduct(DENSE, {}, normal(3, 4))
    assert "another dw" in said["same object twice"][0]


def test_what_the_op_overwrites_is_seen_by_its_conduct(tmp_path):
    (found,) = found_in(written(tmp_path, """
        def relu_forward(x):
            x[x < 0] = 0
            return x, x > 0
        def relu_backward(dout, cache):
            dout *= cache
            return dout
        """))
    said = found.form.conduct({"x": normal(3, 4)}, {}, normal(3, 4))
    assert any("forward changed x" in line for line in said["arguments untouched"])
    assert said["no aliasing"]


def test_torch_is_not_imported_for_files_without_it():
    source = Source(FILES / "class_layers.py")
    assert all(form.kind == "class" for form in forms("class_layers"))
    assert Form(source, "relu", trying=True).kind == "class"


# ---- right layers that are written in other ways: none of them is called wrong

def verdicts(tmp_path, text, **options):
    """{op or op (variant): Verdict} of a text."""
    return {" ".join(filter(None, (one.op, one.variant))): judge(one.form, **options)
            for one in found_in(written(tmp_path, text))}


def reasons(verdict):
    """The words of the cases that are not claimed, by case."""
    return {row.case.name: row.words for row in verdict.rows if row.status == NOT_CLAIMED}


NORM_ONCE = '''
import numpy as np
def batchnorm_forward(x, gamma, beta, bn_param):
    eps, cache = bn_param.get("eps", 1e-5), None
    if bn_param["mode"] == "train":
        mean, spread = x.mean(0), np.sqrt(x.var(0) + eps)
        cache = (x - mean) / spread, spread, gamma
    else:
        mean, spread = bn_param["running_mean"], np.sqrt(bn_param["running_var"] + eps)
    return FACTOR * gamma * (x - mean) / spread + beta, cache
def batchnorm_backward(dout, cache):
    hat, spread, gamma = cache
    d = dout * gamma
    dx = (d - d.mean(0) - hat * (d * hat).mean(0)) / spread
    return dx, (dout * hat).sum(0), dout.sum(0)
'''


def test_a_norm_without_a_backward_after_training(tmp_path):
    right = verdicts(tmp_path, NORM_ONCE.replace("FACTOR *", ""))["batch_norm"]
    assert right.gradient_ok
    assert reasons(right)["8x5, testing"] == "has no backward after training"
    wrong = verdicts(tmp_path, NORM_ONCE.replace("FACTOR", "(1 + (cache is None))"))["batch_norm"]
    assert not wrong.gradient_ok and "8x5, testing" not in reasons(wrong)


NORM_OBJECT = '''
import numpy as np
class BatchNorm:
    def __init__(self, gamma, beta, running_mean, running_var, eps=1e-5):
        self.gamma, self.beta, self.eps, MODE
        self.mean, self.var = running_mean, running_var
    def forward(self, x):
        mean, var = (x.mean(0), x.var(0)) if TRAINED else (self.mean, self.var)
        self.spread = np.sqrt(var + self.eps)
        self.hat = (x - mean) / self.spread
        return self.gamma * self.hat + self.beta
    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.hat).sum(0), dout.sum(0)
        d = dout * self.gamma
        if TRAINED:
            d = d - d.mean(0) - self.hat * (d * self.hat).mean(0)
        return d / self.spread
'''


def test_a_norm_that_is_told_by_its_attribute_that_it_is_trained(tmp_path):
    text = NORM_OBJECT.replace("MODE", "self.training = gamma, beta, eps, True")
    verdict = verdicts(tmp_path, text.replace("TRAINED", "self.training"))["batch_norm BatchNorm"]
    right = {row.case.name for row in verdict.rows if row.status == "right"}
    assert verdict.gradient_ok and {"8x5, training", "8x5, testing"} <= right


@pytest.mark.parametrize("trained, not_claimed", [("True", "testing"), ("False", "training")])
def test_a_norm_that_cannot_be_told_is_judged_at_what_it_does(trained, not_claimed, tmp_path):
    text = NORM_OBJECT.replace("MODE", "_ = gamma, beta, eps, 0").replace("TRAINED", trained)
    verdict = verdicts(tmp_path, text)["batch_norm BatchNorm"]
    assert verdict.gradient_ok
    assert reasons(verdict)[f"8x5, {not_claimed}"] == f"computes training {trained}"


WINDOWS = """
import numpy as np
def conv_forward(x, w, b, stride=1, pad=0):
    from minicnn.ops import conv
    {numbers}
    xp = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    return conv.forward(xp, w, b, stride)[0], (conv.forward(x, w, b, stride, pad)[1])
def conv_backward(dy, cache):
    from minicnn.ops import conv
    return conv.backward(dy, cache)
"""
PAIRED_CONV = """
class Conv:
    def __init__(self, w, b, stride=(1, 1), pad=(0, 0)):
        self.arrays, self.settings = (w, b), {"stride": stride, "pad": pad}
        (self.sh, self.sw), (self.ph, self.pw) = stride, pad
    def forward(self, x):
        from minicnn.ops import conv
        y, self.cache = conv.forward(x, *self.arrays, **self.settings)
        return y
    def backward(self, dy):
        from minicnn.ops import conv
        dx, self.dw, self.db = conv.backward(dy, self.cache)
        return dx
"""


def of_pairs(verdict):
    return {row.status for row in verdict.rows if row.case.name.startswith("pairs")}


def test_a_function_with_one_number_by_default_need_not_take_two(tmp_path):
    """np.pad raises a ValueError for two."""
    text = WINDOWS.format(numbers="")
    (found,) = found_in(written(tmp_path, text))
    assert found.form.single == {"pad"} and not found.form.holds("pad", (0, 1))
    verdict = verdicts(tmp_path, text)["conv"]
    assert verdict.gradient_ok and of_pairs(verdict) == {NOT_CLAIMED}
    assert "takes one number for pad" in reasons(verdict).values()


def test_what_it_refuses_in_its_own_words_it_cannot_do(tmp_path):
    text = WINDOWS.format(numbers="if pad != 0 and not isinstance(pad, int): raise ValueError")
    assert found_in(written(tmp_path, text))[0].form.single == set()


@pytest.mark.thorough
def test_a_pair_by_default_is_always_given_a_pair(tmp_path):
    function = WINDOWS.replace("stride=1, pad=0", "stride=(1, 1), pad=(0, 0)").replace(
        "(pad, pad), (pad, pad)", "(h, h), (v, v)").format(numbers="(h, v), _ = pad, stride[1]")
    for text in (PAIRED_CONV, function):
        (verdict,) = verdicts(tmp_path, text).values()
        assert verdict.gradient_ok and of_pairs(verdict) == {"right"}


WITHOUT_BIAS = {
    "two functions": ("def linear_forward(x, w): return x @ w, (x, w)\n"
                      "def linear_backward(dout, c): return dout @ c[1].T, c[0].T @ dout\n"),
    "a class": """
class Dense:
    def __init__(self, W): self.W = W
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
""",
    "a class that makes its weights": """
import numpy as np
class Dense:
    def __init__(self, n_in, n_out): self.W = np.zeros((n_in, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""}


@pytest.mark.parametrize("what", WITHOUT_BIAS)
def test_a_layer_without_a_bias_is_judged_at_all_settings(what, tmp_path):
    (verdict,) = verdicts(tmp_path, WITHOUT_BIAS[what]).values()
    assert verdict.gradient_ok and "it has no bias" in verdict.notes
    assert verdict.counts()["right"] >= 16
    wrong = WITHOUT_BIAS[what].replace(".T @ dout", ".T @ dout * 2")
    (verdict,) = verdicts(tmp_path, wrong).values()
    assert {name for row in verdict.rows for name in row.wrong} == {"dw"}


ONE_HOT = """
import numpy as np
class SoftmaxWithLoss:
    def forward(self, x, {t}):
        self.t = {t}
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        logarithm = x - x.max(1, keepdims=True) - np.log(e.sum(1, keepdims=True))
        return -np.sum({t} * logarithm) / len(x)
    def backward(self, dout=1):
        return dout * (self.y - self.t) / len(self.t)
"""


@pytest.mark.parametrize("t", ["t", "targets_onehot"])
def test_labels_may_be_rows_with_a_one_each(t, tmp_path):
    text = ONE_HOT.format(t=t)
    assert "labels as one-hot rows" in found_in(written(tmp_path, text))[0].form.told
    (verdict,) = verdicts(tmp_path, text).values()
    assert verdict.gradient_ok and verdict.conduct_ok
    (verdict,) = verdicts(tmp_path, text.replace("self.y - self.t", "self.y")).values()
    assert not verdict.gradient_ok and "np.array([[" in verdict.smallest.code


KEYED = """
class Dense:
    def __init__(self, w, b): self.w, self.b = w, b
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, dy):
        dx, dw, db = dy @ self.w.T, self.x.T @ dy, dy.sum(0)
        return {found}
"""


@pytest.mark.thorough
@pytest.mark.parametrize("found", [
    "{'dx': dx, 'dW': dw, 'db': db}", "{'db': db, 'grad_input': dx, 'grad_weight': dw}",
    "dx, {'W': dw, 'b': db}"])
def test_gradients_in_a_dict_are_read_by_their_names(found, tmp_path):
    pair = ("def dense_forward(x, w, b):\n    layer = Dense(w, b)\n"
            "    return layer.forward(x), layer\n"
            "def dense_backward(dout, layer): return layer.backward(dout)\n")
    for more in ("", pair + "CHECK = {'dense': (dense_forward, dense_backward)}\n"):
        text = KEYED.format(found=found) + more
        one = found_in(written(tmp_path, text))[-1 if more else 0]
        assert judge(one.form).gradient_ok
        wrong = judge(found_in(written(tmp_path, text.replace("dy.sum(0)", "dy.sum(0) * 2")))[
            -1 if more else 0].form)
        assert {name for row in wrong.rows for name in row.wrong} == {"db"}
        assert "form.backward(dy, kept)['b']" in wrong.smallest.code


def test_a_dict_without_a_known_name_is_told(tmp_path):
    (found,) = found_in(written(tmp_path, KEYED.format(found="{'one': dx, 'two': dw}")))
    _, kept = found.form.forward(DENSE, {})
    refuses(["a dict with the keys one, two", "expected dx, dw, db"], found.form.backward,
            normal(3, 4), kept)


# ---- several ops of one name

TWICE = """
def f(x): return x * 2, None
def wrong(dy, c): return dy * 3
def good(dy, c): return dy * 2
class A:
    def forward(self, x): return 2 * x
    def backward(self, dy): return 2 * dy
CHECK = {"mine": (f, wrong, {"x": (4, 5)}), "book": (f, good, {"x": (4, 5)}),
         "one": (A, {"x": (2, 3)}), "two": (A, {"x": (2, 4)})}
"""


def test_every_line_of_the_table_is_an_op_of_its_own(tmp_path):
    found = {one.op: one.form for one in found_in(written(tmp_path, TWICE))}
    assert [*found] == ["mine", "book", "one", "two"]
    for op, factor in (("mine", 3), ("book", 2), ("one", 2), ("two", 2)):
        _, kept = found[op].forward(found[op].inputs, {})
        assert (found[op].backward(np.ones((4, 5)), kept)["x"] == factor).all()
    assert found["two"].inputs["x"].shape == (2, 4)


@pytest.mark.parametrize("backs", [(2, 3), (3, 2)])
def test_ops_of_one_name_are_told_apart_and_each_is_its_own(backs, tmp_path):
    pairs = ["relu_forward relu_backward", "forward_relu backward_relu", "Relu_fwd Relu_bwd",
             "ReLU_forward ReLU_backward"]
    text = "".join(f"def {pair.split()[0]}(x): return {backs[k % 2]} * x, {k}\n"
                   f"def {pair.split()[1]}(dy, c): return dy * 10 + {k}\n"
                   for k, pair in enumerate(pairs))
    found = found_in(written(tmp_path, text))
    names = {(one.op, one.variant) for one in found}
    assert len(names) == len(found)
    for one in found:
        again = Form(one.form.source, one.op, variant=one.variant)
        assert again.told.partition(" of ")[0] == one.form.told.partition(" of ")[0]
        words = one.form.told.split(" of ")[0].split(" and ")
        k = next(k for k, pair in enumerate(pairs) if pair.split()[0] == words[0])
        assert one.form.forward({"x": np.ones((2, 2))}, {})[1].own == k
    assert {one.form.told.split(" and ")[0] for one in found} == {p.split()[0] for p in pairs}


def test_names_that_look_alike_are_refused(tmp_path):
    for one, other in (("double", "double\\x1b"), ("a" * 40, "a" * 41)):
        refuses(["mine.py", "two ops would be shown as", "first 40 letters"], found_in, written(
            tmp_path, PAIR + f"CHECK = {{'{one}': (forward, backward, {{'x': (4, 5)}}),\n"
                             f"         '{other}': (forward, backward, {{'x': (4, 5)}})}}\n"))


# ---- what is said of files that are not quite layers

def test_a_pair_of_no_known_name_is_told_the_line_that_names_it(tmp_path):
    text = "def forward(x, w): return x @ w, (x, w)\ndef backward(dy, c): pass\n"
    (found,) = found_in(written(tmp_path, text))
    assert 'CHECK = {"conv": (forward, backward)}' in str(found.error)
    text = "class Thing:\n    def forward(self, x, y): pass\n    def backward(self, dy): pass\n"
    (found,) = found_in(written(tmp_path, text))
    assert 'CHECK = {"conv": Thing}' in str(found.error)
    (found,) = found_in(written(tmp_path, "def forward(x): return x @ x, 0\n"
                                          "def backward(dy, c): pass\n"))
    assert 'CHECK = {"conv": (forward, backward)}' in str(found.error)


def test_an_object_that_is_called_is_a_layer_if_it_has_a_backward(tmp_path):
    text = KEYED.replace("def forward", "def __call__").format(found="dx")
    text = text.replace("dx, dw, db =", "dx, self.dw, self.db =")
    (verdict,) = verdicts(tmp_path, text).values()
    assert verdict.gradient_ok and verdict.conduct_ok
    assert found_in(written(tmp_path, text.replace("backward", "other"))) == []


NOTEBOOK = {"get_ipython().run_line_magic('matplotlib', 'inline')": "lines 2, 4",
            "%matplotlib inline": "lines 2, 4"}


@pytest.mark.parametrize("command", NOTEBOOK)
def test_commands_of_a_notebook_are_to_be_removed(command, tmp_path):
    text = f"import numpy as np\n{command}\nx = 1\n{command}\n"
    refuses(["mine.py", "remove the notebook's own commands", NOTEBOOK[command]], found_in,
            written(tmp_path, text))


@pytest.mark.thorough
def test_the_form_of_deeplearning_ai():
    found = {one.op: one.form for one in found_in(FILES / "deeplearning_layers.py")}
    assert found["conv"].layout == "NHWC" and "b as (1, 1, 1, C)" in found["conv"].told
    assert found["pool"].takes == {"window": "f", "stride": "stride"}
    assert not found["conv"].holds("kernel", (3, 2)) and found["conv"].holds("kernel", (3, 3))
    assert "mode='average'" in found["average_pool"].told
    for op in ("conv", "average_pool"):
        verdict = judge(found[op])
        assert verdict.gradient_ok and verdict.counts()["right"] >= 30
    assert "takes square kernels only" in reasons(judge(found["conv"])).values()
    assert {row.case.tags >= {"ties"} for row in judge(found["pool"]).rows if row.wrong} == {True}
    x, settings = normal(1, 2, 2, 1), {"window": 2, "stride": 1}
    lines = found["average_pool"].script({"x": x}, settings, "dx", x, np.ones((1, 1, 1, 1)))
    assert "pool_backward(dy, cache, mode='average')" in " ".join(lines)

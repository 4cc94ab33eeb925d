"""Ops by somebody else: what is taken for what, and that it is then called like a page."""

import importlib
import inspect
import os
import pickle
import sys
import types

import course_style
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.names import OPS, named_in
from minicnn.gradcheck.own.sources import FormError, OwnError, Source, told
from minicnn.ops import conv, dense, lrn, pool, relu

X, W, B = normal(2, 5, 6, 3), normal(3, 2, 3, 4, seed=2), normal(4, seed=3)


def form(op, given=course_style, **options):
    return Form(Source(given), op, **options)


def test_the_table_is_that_of_the_pages():
    for op, known in OPS.items():
        names = list(inspect.signature(importlib.import_module(f"minicnn.ops.{op}").forward
                                       ).parameters)
        assert names == [*known.arrays, *known.settings]


CASES = [  # op, arrays, settings as the form takes them, and as the page does
    ("conv", {"x": X, "w": W, "b": B}, {"stride": 2, "pad": 1}),
    ("pool", {"x": X}, {"window": (3, 2), "stride": 2}),
    ("lrn", {"x": X}, {"size": 3, "alpha": 0.9, "beta": 0.75, "k": 2.0}),
    ("relu", {"x": X}, {}),
    ("dense", {"x": X, "w": normal(90, 4, seed=4), "b": B}, {}),
]
PAGES = {"conv": conv, "pool": pool, "lrn": lrn, "relu": relu, "dense": dense}


def both_passes(form, op, arrays, settings):
    """What a form and the page make of the same, as two lists of arrays."""
    y, cache = form.forward(arrays, settings)
    expected, kept = PAGES[op].forward(*arrays.values(), **settings)
    dy = normal(*expected.shape, seed=9)
    gradients, theirs = form.backward(dy, cache, {}), PAGES[op].backward(dy, kept)
    theirs = list(theirs) if isinstance(theirs, tuple) else [theirs]
    return [y, *gradients.values()], [expected, *theirs]


def agree(found, expected):
    for ours, page in zip(found, expected, strict=True):
        assert ours.shape == page.shape
        np.testing.assert_allclose(ours, page, rtol=0, atol=1e-13)  # sums of under 100 products


@pytest.mark.parametrize("op, arrays, settings", CASES)
def test_the_course_s_functions_are_the_page(op, arrays, settings):
    agree(*both_passes(form(op), op, arrays, settings))


@pytest.mark.parametrize("given, op", [(course_style.Convolution, "conv"),
                                       (course_style.Relu, "relu")])
def test_so_are_classes(given, op):
    _, arrays, settings = next(case for case in CASES if case[0] == op)
    agree(*both_passes(form(op, given), op, arrays, settings))
    assert f"class {given.__name__} of course_style.py" in form(op, given).told


def test_a_class_with_two_names_for_a_window():
    agree(*both_passes(form("pool", course_style.Pooling), "pool", {"x": X},
                       {"window": (3, 2), "stride": 2}))


@pytest.mark.parametrize("op, arrays, settings", CASES)
def test_a_page_is_a_form_of_itself(op, arrays, settings):
    own = form(op, PAGES[op])
    agree(*both_passes(own, op, arrays, settings))
    assert own.kind == "page" and not own.channels_first


def own(source):
    """A module from a text."""
    module = types.ModuleType("own")
    exec(source, vars(module))
    return module


def test_other_names_of_settings_are_known():
    module = own("def forward(x, w, b, strides=1, padding=0):\n    return x, (strides, padding)\n"
                 "def backward(dy, cache): pass")
    made = form("conv", module)
    assert made.takes == {"stride": "strides", "pad": "padding"}
    _, cache = made.forward({"x": X, "w": W, "b": B}, {"stride": (2, 2), "pad": (1, 0)})
    assert cache.own == (2, (1, 0))  # a pair of two alike is one number


def test_arrays_are_those_before_the_first_setting():
    module = own("def forward(x, w, stride=1): pass\ndef backward(dy, cache): pass")
    assert form("conv", module).arrays == ("x", "w")
    assert form("conv", own("def forward(*given, **named): pass\ndef backward(*given): pass")
                ).takes.keys() == set(OPS["conv"].settings)


def test_a_layout_of_its_own():
    module = own("LAYOUT = 'NCHW'\ndef forward(x):\n    return x, x.shape\n"
                 "def backward(dy, cache):\n    return dy")
    made = form("relu", module)
    _, seen = made.forward({"x": X}, {})
    assert seen.own == (2, 3, 5, 6) and "N,C,H,W" in made.told
    assert form("relu", module, layout="NHWC").forward({"x": X}, {})[1].own == X.shape
    module.LAYOUT = "CHWN"
    refuses(["NHWC or NCHW", "CHWN"], form, "relu", module)


def test_nothing_it_is_given_is_the_caller_s_own():
    module = own("def forward(x):\n    x[...] = 0\n    return x, None\n"
                 "def backward(dy, cache):\n    dy[...] = 0\n    return dy")
    x, dy, made = X.copy(), X.copy(), form("relu", module)
    _, cache = made.forward({"x": x}, {})
    made.backward(dy, cache, {})
    assert (x == X).all() and (dy == X).all()


def test_gradients_of_a_class_are_found_under_the_usual_names():
    for names in ("dw db", "dW db", "grad_w grad_b"):
        first, second = names.split()
        layer = own(f"class Conv:\n    def __init__(self, w, b): pass\n"
                    f"    def forward(self, x): return x\n"
                    f"    def backward(self, dy):\n        self.{first}, self.{second} = 5, 6\n"
                    f"        return dy").Conv
        made = form("conv", layer)
        _, cache = made.forward({"x": X, "w": W, "b": B}, {})
        assert [*made.backward(X, cache, {}).values()][1:] == [5, 6]
    for kept in ('{"W": 5, "b": 6}', "[5, 6]"):
        module = own(f"class Conv:\n    def __init__(self, w, b): self.grads = {kept}\n"
                     "    def forward(self, x): return x\n"
                     "    def backward(self, dy): return dy")
        made = form("conv", module.Conv)
        _, cache = made.forward({"x": X, "w": W, "b": B}, {})
        assert [*made.backward(X, cache, {}).values()][1:] == [5, 6]


def test_a_setting_that_a_dict_or_a_class_cannot_hold():
    assert form("conv").holds("stride", 2) and form("conv").holds("stride", (2, 2))
    assert not form("conv").holds("stride", (1, 2)) and not form("conv").holds("groups", 2)
    assert form("pool").holds("window", (3, 2)) and form("conv", conv).holds("stride", (1, 2))


def test_what_a_file_has_by_its_names(tmp_path):
    assert named_in(Source(course_style)) == ["conv", "dense", "pool", "relu", "lrn"]
    (tmp_path / "mine.py").write_text("from helper import f as relu_forward\n"
                                      "def relu_backward(dout, cache): return dout\n"
                                      "class ConvSettings: pass\n")
    (tmp_path / "helper.py").write_text("def f(x): return x, None\n")
    source = Source(tmp_path / "mine.py")
    assert named_in(source) == ["relu"] and source.name == "mine.py" and len(source.sha256) == 64


WRONG = {
    "no such op": (["conv3", "there are", "conv"], "conv3", ""),
    "nothing": (["has no relu", "relu_forward"], "relu", "def conv_forward(x): pass"),
    "a function": (["own", "is one function", "module"], "relu", None),
    "one thing only": (["two things", "ndarray"], "relu",
                       "def forward(x): return x\ndef backward(dy, cache): pass"),
    "three things": (["two things", "3 things"], "relu",
                     "def forward(x): return x, x, x\ndef backward(dy, cache): pass"),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_says_what_is_wrong(what):
    words, op, source = WRONG[what]
    module = own("def own(x): pass").own if source is None else own(source)
    refuses(words, lambda: form(op, module).forward({"x": X}, {}))


FILES = {
    "of no such name": (["no such file"], None),
    "with a slip": (["cannot be imported", "SyntaxError", "line 2"], "x = 1\ndef f(:\n"),
    "that fails": (["cannot be imported", "ZeroDivisionError", "line 1"], "1 / 0\n"),
    "that ends the program": (["cannot be imported", "SystemExit", "line 3"],
                              "import sys\n\nsys.exit(0)\n"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file(what, tmp_path):
    words, text = FILES[what]
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    refuses(["mine.py", *words], Source, tmp_path / "mine.py")
    (tmp_path / "mine.txt").write_text("")
    refuses(["mine.txt", ".py"], Source, tmp_path / "mine.txt")


def test_another_process_reads_it_anew_and_refuses_what_has_changed(tmp_path):
    path = tmp_path / "mine.py"
    text = "def relu_forward(x): return x, 1\ndef relu_backward(dout, cache): return dout\n"
    path.write_text(text)
    sent = pickle.dumps(Form(Source(path), "relu"))
    assert pickle.loads(sent).forward({"x": X}, {})[1].own == 1
    path.write_text(text.replace("1", "2"))
    refuses(["mine.py", "was changed while it was in use"], pickle.loads, sent)
    again = pickle.loads(pickle.dumps(form("conv", layout="NHWC")))
    assert again.source.found is course_style and not again.channels_first


def test_the_errors_are_value_errors():
    assert issubclass(FormError, ValueError) and issubclass(OwnError, ValueError)


# ---- which is meant

def test_what_has_the_op_s_name_comes_first():
    module = own("def forward(x): return 1, 1\ndef backward(dy, cache): pass\n"
                 "def relu_forward(x): return 2, 2\ndef relu_backward(dout, cache): pass")
    assert form("relu", module).forward({"x": X}, {})[0] == 2
    assert form("tanh", module).forward({"x": X}, {})[0] == 1


def test_pairs_before_classes_before_a_forward_alone():
    pair = "def relu_forward_{0}(x): pass\ndef relu_backward_{0}(dout, cache): pass\n"
    alone, layer = "def relu_forward_v1(x): pass\n", ("class Relu:\n    def __init__(self): pass\n"
                                                      "    def forward(self, x): pass\n"
                                                      "    def backward(self, dy): pass\n")
    assert "relu_forward_naive and" in form("relu", own(alone + layer + pair.format("naive"))).told
    assert "class Relu" in form("relu", own(alone + layer)).told
    assert "relu_forward_v1, without relu_backward_v1" in form("relu", own(alone)).told
    both = pair.format("a") + pair.format("b")
    refuses(["relu_forward_a, relu_forward_b", "is meant"], form, "relu", own(both))
    assert "relu_forward_naive" in form("relu", own(both + pair.format("naive"))).told


CLASSES = "".join(f"class {name}:\n    def __init__(self, w, b): pass\n"
                  f"    def forward(self, x): pass\n    def backward(self, dy): pass\n"
                  for name in ("ConvBlock", "Convolution"))


def test_one_class_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(CLASSES)
    refuses(["ConvBlock, Convolution", "FILE.py:ConvBlock"], form, "conv", tmp_path / "mine.py")
    assert "class Convolution" in form("conv", f"{tmp_path / 'mine.py'}:Convolution").told
    refuses(["has no Nothing"], form, "conv", f"{tmp_path / 'mine.py'}:Nothing")


def test_a_class_s_own_layout():
    module = own(CLASSES.partition("class Convolution")[0].replace(
        "class ConvBlock:", "class ConvBlock:\n    LAYOUT = 'NHWC'"))
    assert not form("conv", module).channels_first


def test_parameters_that_are_no_settings_are_told_or_refused():
    made = form("lrn", own("def forward(x, size, alpha, beta, bias=2.0): pass\n"
                           "def backward(dy, cache): pass"))
    assert made.others == {"bias": 2.0} and "left at bias=2.0" in made.told
    refuses(["depth_radius", "has no default"], form, "lrn",
            own("def forward(x, depth_radius): pass\ndef backward(dy, cache): pass"))


def test_a_dict_of_settings_is_known_for_some_ops():
    refuses(["dict of settings", "conv, pool", "resize", "size"], form, "resize",
            own("def resize_forward(x, params): pass\n"
                "def resize_backward(dout, cache): pass"))


# ---- files

def test_a_file_that_was_edited_is_read_again_whatever_its_time(tmp_path):
    path, factors = tmp_path / "mine.py", []
    for factor in (1, 3):
        path.write_text(f"def forward(x): return x * {factor}, 0\ndef backward(dy, c): pass\n")
        os.utime(path, (1, 1))
        factors.append(form("relu", path).forward({"x": np.ones((1, 1, 1, 1))}, {})[0].item())
    assert factors == [1, 3] and not (tmp_path / "__pycache__").exists()


def test_helpers_of_two_folders_are_two_and_are_hashed(tmp_path):
    sources = {}
    for factor in (1, 3):
        folder = tmp_path / str(factor)
        folder.mkdir()
        (folder / "helper.py").write_text(f"K = {factor}\n")
        (folder / "mine.py").write_text("from helper import K\n"
                                        "def forward(x): return x * K, 0\n"
                                        "def backward(dy, c): pass\n")
        sources[factor] = Source(folder / "mine.py")
        assert Form(sources[factor], "relu").forward({"x": np.ones(1)}, {})[0] == factor
    assert sources[1].sha256 != sources[3].sha256
    assert "helper" not in sys.modules and str(tmp_path / "1") not in sys.path


def test_a_relative_path_stays_good_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def relu_forward(x): return x.no, 0\n"
                                      "def relu_backward(dout, cache): pass\n")
    monkeypatch.chdir(tmp_path)
    source = Source("mine.py")
    monkeypatch.chdir("/")
    assert pickle.loads(pickle.dumps(source)).sha256 == source.sha256
    try:
        Form(source, "relu").forward({"x": X}, {})
    except AttributeError as error:
        assert "(line 1)" in told(error, source.file)


def test_what_no_file_tells_all_about_has_no_hash_and_is_like_nothing_else():
    def made(factor):
        class Relu:
            def forward(self, x): return factor * x
            def backward(self, dy): return dy
        return Relu

    given = [made(1), made(2), types.SimpleNamespace(forward=len, backward=len)]
    sources = [Source(one) for one in given]
    assert [source.sha256 for source in sources] == [None] * 3
    assert len({source.token for source in sources}) == 3
    assert Source(course_style.Relu).sha256 == Source(course_style).sha256 is not None


HOSTILE = {
    "raise BaseException": ["cannot be imported", "BaseException"],
    "class E(Exception):\n    def __str__(self): raise ValueError\nraise E": [
        "cannot be imported", "E (line 3)"],
    "LAYOUT = ['N']\ndef forward(x): pass\ndef backward(dy, c): pass": [
        "expected LAYOUT", "NHWC or NCHW", "['N']"],
    "def __getattr__(name): raise KeyError(name)": ["cannot be inspected", "KeyError"],
}


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_file_does_it_is_one_error(text, tmp_path):
    (tmp_path / "mine.py").write_text(text + "\n")
    refuses(["mine.py", *HOSTILE[text]], form, "relu", tmp_path / "mine.py")

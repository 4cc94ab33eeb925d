"""The benchmark of gradients: that it finds what is wrong, ours, PyTorch's or a student's."""

import json
from types import SimpleNamespace

import gradients
import numpy as np
import pytest
from gradient_cases import OPS, Case

from minicnn import naive
from minicnn.fast import relu
from minicnn.ops import sigmoid

STUDENT = '''
import numpy as np

def relu_forward(x):                      # with a cache
    return np.maximum(x, 0), x

def relu_backward(dy, x):
    return dy * (x > 0)

def sigmoid_forward(x):                   # without
    return 1 / (1 + np.exp(-x))

def sigmoid_backward(dy, x):
    return 1.5 * dy * sigmoid_forward(x) * (1 - sigmoid_forward(x))

def average_pool_forward(x, window, stride=None):   # a few settings only, tiles only
    k = window
    n, h, w, c = x.shape
    return x.reshape(n, h // k, k, w // k, k, c).mean(axis=(2, 4))

def average_pool_backward(dy, x, window, stride=None):
    return np.repeat(np.repeat(dy, window, 1), window, 2) / window**2
'''


@pytest.fixture
def student(tmp_path, monkeypatch):
    """Its file; and few configurations of averages, and no PyTorch, which is long to import."""
    few = OPS["average_pool"]()[4:16]
    monkeypatch.setitem(OPS, "average_pool", lambda: few)
    monkeypatch.setattr(gradients.importlib.util, "find_spec", lambda name: None)
    path = tmp_path / "mine.py"
    path.write_text(STUDENT)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "gradients"


def spoil(monkeypatch, module, name, change):
    right = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **kwargs: change(right(*args, **kwargs)))


# ---- what is looked at

def test_every_op_has_its_cases():
    """By the loops that specify them, and the fast way of one."""
    specified = {name.removesuffix("_forward") for name in dir(naive) if name.endswith("_forward")}
    assert set(OPS) == {name for name in specified if not name.startswith("_")} | {"winograd"}
    for name, cases in OPS.items():
        assert cases() and all(case.op == name for case in cases())
        assert all(array.dtype == np.float64 for case in cases()
                   for array in case.inputs.values())


@pytest.mark.parametrize("name", OPS)
def test_every_op_is_right_in_its_first_cases(name):
    case = OPS[name]()[0]
    found = gradients.case_errors(case, torch=False)
    columns = {gradients.OURS_32}
    if name != "winograd":
        columns |= {gradients.OURS, gradients.CENTRAL, *[gradients.COMPLEX] * case.smooth}
    assert set(found) == columns
    assert all(error <= gradients.ALLOWED[column] for column, error in found.items())


def test_pytorch_has_the_same_functions():
    pytest.importorskip("torch")
    for case in [cases()[0] for cases in OPS.values() if cases()[0].torch is not None]:
        dy, arrays = case.dy(), case.inputs.values()
        expected = [case.twin(*arrays), *case.twin_gradient(dy, *arrays)]
        assert gradients.worst_error(case.torchs(dy, np.float64), expected) < 1e-13


@pytest.mark.parametrize("name", ["every layer", "smooth layers", "minivgg"])
def test_networks(name):
    row = gradients.network_row(name, torch=False)
    assert row["errors"][gradients.OURS_32] < 1e-4 and not row["wrong"]
    assert (gradients.COMPLEX in row["errors"]) == (name == "smooth layers")
    assert (gradients.CENTRAL in row["errors"]) == (name != "minivgg")


def test_a_network_in_pytorch_has_the_same_weights():
    pytest.importorskip("torch")
    row = gradients.network_row("minivgg", torch=True)
    assert row["errors"][gradients.TORCH] < 1e-12


# ---- what is found

def test_a_wrong_backward_of_ours_is_found_in_every_column(monkeypatch, out, capsys):
    spoil(monkeypatch, sigmoid, "backward", lambda dx: 1.01 * dx)
    assert gradients.main(["--ops", "sigmoid", "--networks", "--out", str(out)]) == 1
    row, = json.loads(out.with_suffix(".json").read_text())["rows"]
    for column in (gradients.OURS, gradients.OURS_32, gradients.CENTRAL, gradients.COMPLEX):
        assert row["errors"][column] == pytest.approx(0.01, rel=0.02)
    assert "- sigmoid: (2, 3, 4, 2): minicnn float64, 9.9e-03" in capsys.readouterr().out


def test_a_wrong_forward_of_ours_is_found_by_the_loops(monkeypatch):
    spoil(monkeypatch, relu, "forward", lambda both: (both[0] * 1.001, both[1]))
    found = gradients.case_errors(OPS["relu"]()[0], torch=False)
    assert found[gradients.OURS] == pytest.approx(1e-3, rel=2e-3)  # of the larger number


def test_a_wrong_network_is_found(monkeypatch):
    spoil(monkeypatch, relu, "backward", lambda dx: 1.001 * dx)
    row = gradients.network_row("every layer", torch=False)
    assert row["wrong"] and row["errors"][gradients.CENTRAL] > 1e-4


# ---- a student's

def test_a_student_is_told_what_is_wrong(student, out, capsys):
    asked = ["--student", str(student), "--ops", "relu", "sigmoid", "average_pool", "--networks",
             "--out", str(out)]
    assert gradients.main(asked) == 1
    said = capsys.readouterr().out
    rows = {row["name"]: row for row in json.loads(out.with_suffix(".json").read_text())["rows"]}
    assert rows["relu"]["student"] == "right in 2 of 2" and not rows["relu"]["wrong"]
    assert rows["relu"]["errors"][gradients.STUDENT] == 0
    assert rows["sigmoid"]["student"] == "right in 0 of 2"
    assert "too large by a factor 1.5" in rows["sigmoid"]["wrong"][0]
    assert "| student |" in said and "right in 2 of 2 |" in said and "- sigmoid: student" in said


def test_settings_that_a_student_has_not_are_counted_and_other_errors_told(student, out):
    """It knows no padding, and reshapes only where windows tile the image."""
    gradients.main(["--student", str(student), "--ops", "average_pool", "--networks",
                    "--out", str(out)])
    row, = json.loads(out.with_suffix(".json").read_text())["rows"]
    wrong = {words.partition(": ")[0].removeprefix("student, "): words for words in row["wrong"]}
    assert "tiling 2/2, border padding" not in wrong and "padded, border padding" not in wrong
    assert "cannot reshape" in wrong["gaps 2/3, border padding"]
    assert row["student"] == "right in 1 of 2, cannot do 10"


@pytest.mark.parametrize(("words", "told"), [
    ([], None), (["", "bad"], "right in 1 of 2"),
    (["", None, None], "right in 1 of 1, cannot do 2")])
def test_counts(words, told):
    assert gradients.counts(words) == told


@pytest.mark.parametrize("cached", [True, False])
def test_both_styles_get_what_they_take(cached):
    """Settings that are the op's defaults are not given; without a cache backward gets the rest."""
    seen = {}

    def forward(x, w, **settings):
        seen["forward"] = settings
        y = naive.conv_forward(x, w, None, **settings)
        return (y, (x, w, settings)) if cached else y

    def with_cache(dy, cache):
        x, w, settings = cache
        return naive.conv_backward(dy, x, w, None, **settings)[:2]

    def without(dy, x, w, **settings):
        seen["backward"] = settings
        return naive.conv_backward(dy, x, w, None, **settings)[:2]

    options = {"stride": 2, "pad": 1, "groups": 1, "dilation": 1}
    rng = np.random.default_rng(0)
    case = Case("conv", "one", {"x": rng.standard_normal((1, 5, 5, 2)),
                                "w": rng.standard_normal((3, 3, 2, 2))}, options | {"b": None},
                True, None)
    mine = SimpleNamespace(conv_forward=forward, conv_backward=with_cache if cached else without)
    error, words = gradients.student_error("conv", case, mine)
    assert words == "" and error < 1e-14 and seen["forward"] == {"stride": 2, "pad": 1}
    assert cached or seen["backward"] == {"stride": 2, "pad": 1}


@pytest.mark.parametrize(("text", "words"), [
    ("def relu_forward(x): return x", "has no relu_backward"),
    ("x = 1", "has no conv_forward"),
    ("import nothing_like_that", "raises ModuleNotFoundError"),
    ("def (", "raises SyntaxError")])
def test_a_file_that_cannot_be_used_is_one_line(tmp_path, text, words, capsys):
    path = tmp_path / "mine.py"
    path.write_text(text)
    assert gradients.main(["--student", str(path)]) == 1
    error = capsys.readouterr().err
    assert words in error and error.startswith("gradients: ") and error.count("\n") == 1


def test_a_student_s_results_are_not_put_beside_ours(student):
    assert gradients.read(["--student", str(student)]).out == "gradients_student"
    assert gradients.read([]).out == str(gradients.OUT)


def test_a_folder_that_is_not_there_is_told_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gradients, "op_row", lambda *_: pytest.fail("compared"))
    assert gradients.main(["--out", str(tmp_path / "none" / "g")]) == 1
    assert "does not exist" in capsys.readouterr().err


# ---- the table

def test_the_table():
    about = {"date": "2026-01-02", "processor": "P", "python": "3.11", "minicnn": "0.1"}
    rows = [{"name": "conv", "cases": 30, "wrong": [], "student": None,
             "errors": {gradients.OURS: 4.4e-16, gradients.OURS_32: 0.0}},
            {"name": "pool", "cases": 1, "wrong": ["no"], "student": "right in 0 of 1",
             "errors": {gradients.OURS: 1.0, gradients.STUDENT: 0.5}}]
    text = gradients.markdown({"about": about, "rows": rows})
    assert "pool: and 2 more" in gradients.wrong_lines(rows[1] | {"wrong": ["no"] * 7})[-1]
    assert text.splitlines()[-8:] == [
        "|  | configurations | minicnn float64 | minicnn float32 | student |",
        "| --- | --- | --- | --- | --- |",
        "| conv | 30 | 4.4e-16 | 0 |  |",
        "| pool | 1 | 1.0e+00 |  | 5.0e-01, right in 0 of 1 |",
        "", "Wrong:", "", "- pool: no"]
    assert gradients.markdown({"about": about, "rows": rows[:1]}).endswith("Nothing is wrong.")

"""The benchmark of gradients: that it finds what is wrong, ours or PyTorch's."""

import json

import gradients
import numpy as np
import pytest
from gradient_cases import OPS

from minicnn import naive
from minicnn.fast import relu
from minicnn.ops import sigmoid

WRONG_SIGMOID = """
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dy, x):
    return dy * (x > 0)

def sigmoid_forward(x):
    y = 1 / (1 + np.exp(-x))
    return y, y

def sigmoid_backward(dy, y):
    return 1.5 * dy * y * (1 - y)
"""


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

def test_a_student_s_ops_are_judged_as_by_minicnn_check(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gradients, "op_row", lambda *_: pytest.fail("compared"))
    path = tmp_path / "mine.py"
    path.write_text(WRONG_SIGMOID)
    assert gradients.main(["--student", str(path)]) == 1
    assert "1 of 2 ops are right. Gradient wrong: sigmoid." in capsys.readouterr().out
    assert gradients.main(["--student", str(path), "--ops", "relu", "--networks"]) == 0
    assert "1 of 1 op is right." in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_told_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gradients, "op_row", lambda *_: pytest.fail("compared"))
    assert gradients.main(["--out", str(tmp_path / "none" / "g")]) == 1
    assert "does not exist" in capsys.readouterr().err


# ---- the table

def test_the_table():
    about = {"date": "2026-01-02", "processor": "P", "python": "3.11", "minicnn": "0.1"}
    rows = [{"name": "conv", "cases": 30, "wrong": [],
             "errors": {gradients.OURS: 4.4e-16, gradients.OURS_32: 0.0}},
            {"name": "pool", "cases": 1, "wrong": ["no"],
             "errors": {gradients.OURS: 1.0}}]
    text = gradients.markdown({"about": about, "rows": rows})
    assert "pool: and 2 more" in gradients.wrong_lines(rows[1] | {"wrong": ["no"] * 7})[-1]
    assert text.splitlines()[-8:] == [
        "|  | configurations | minicnn float64 | minicnn float32 |",
        "| --- | --- | --- | --- |",
        "| conv | 30 | 4.4e-16 | 0 |",
        "| pool | 1 | 1.0e+00 |  |",
        "", "Wrong:", "", "- pool: no"]
    assert gradients.markdown({"about": about, "rows": rows[:1]}).endswith("Nothing is wrong.")

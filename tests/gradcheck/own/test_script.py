"""The pasted lines, run in a Python of their own in the folder of the file."""

import os
import subprocess
import sys
from pathlib import Path

import handed_in
import numpy as np
import pytest
from wrong_layers import mistake

from minicnn.gradcheck.judge.judge import judge
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.script import LONGEST, RAISES, TYPED, numbers, script
from minicnn.gradcheck.own.sources import Source
from minicnn.ops import relu

ROOT = Path(__file__).resolve().parents[3]
AFFINE = '''
import numpy as np

class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = 2 * self.x.T @ dout
        self.db = dout.sum(0)
        return dout @ self.W.T
'''
SVM = '''
import numpy as np

def svm_loss(x, y):
    rows = np.arange(len(x))
    margins = np.maximum(x - x[rows, y][:, None] + 1, 0)
    margins[rows, y] = 0
    dx = (margins > 0).astype(x.dtype)
    dx[rows, y] = -1
    return margins.sum() / len(x), dx / len(x)
'''
MADE = AFFINE.replace("W, b):", "in_features, out_features):").replace(
    "= W, b", "= np.ones((in_features, out_features)), np.zeros(out_features)")


@pytest.fixture
def pasted(tmp_path):
    """What lines print in a Python of their own, or the last line of its error."""
    def run(code):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                              text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        return done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]

    return run


@pytest.fixture
def form_of_file(tmp_path):
    """The Form of an op in the file mine.py, which is written first."""
    def made(op, text, **how):
        (tmp_path / "mine.py").write_text(text)
        return Form(Source(tmp_path / "mine.py"), op, trying=True, **how)

    return made


@pytest.fixture
def lines_of(pasted, form_of_file):
    """(the Smallest of a file's op, what its lines print)."""
    def run(*text, quick=True, **how):
        found = judge(form_of_file(*text, **how), quick=quick).smallest
        return found, pasted(found.code)

    return run


def as_numbers(printed):
    """The numbers of a printed array."""
    return [float(number) for number in printed.replace("[", " ").replace("]", " ").split()]


def expected_of(found):
    """The numbers after "# expected" of the last line."""
    text = found.code.rpartition("# expected ")[2]
    return [float(number) for number in text.strip("[]").replace("[", "").replace("]", "")
            .split(",")]


CASES = {  # name: op, text of the file, how it is opened, factor of what is printed
    "page": ("dense", mistake("dense", "db averaged").source, {"form": "page"}, 0.5),
    "course": ("relu", handed_in.WRONG_RELU, {}, 2),
    "class": ("dense", AFFINE, {}, 2),
    "class that makes its own arrays": ("dense", MADE, {}, 2),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_the_lines_print_the_wrong_numbers(lines_of, name):
    op, text, how, factor = CASES[name]
    found, printed = lines_of(op, text, **how)
    right = expected_of(found)
    assert any(right)
    np.testing.assert_allclose(as_numbers(printed), factor * np.array(right), rtol=1e-3)  # 4 digits


@pytest.mark.thorough
def test_a_convolution_in_the_course_s_layout(lines_of):
    found, printed = lines_of("conv", handed_in.CROPPED_CONV)
    assert "from mine import conv_forward_naive, conv_backward_naive" in found.code
    assert "conv_param={'stride'" in found.code
    x = found.row.case.inputs["x"].transpose(0, 3, 1, 2)  # N,H,W,C -> N,C,H,W
    assert f"x = np.array({x.astype(int).tolist()}, float)" in found.code
    assert as_numbers(printed) != expected_of(found)


def test_a_loss_that_returns_its_gradient(lines_of):
    found, printed = lines_of("svm_loss", SVM)
    assert "y, dx = svm_loss(x, labels)" in found.code and found.wrong == "dx"
    assert as_numbers(printed) != expected_of(found)


def test_an_array_of_many_numbers_is_made_and_not_typed(lines_of):
    text = mistake("layer_norm", "64 channels at most").source
    found, printed = lines_of("layer_norm", text, form="page", quick=False)
    assert "x = numbers(1, 65, seed=0)" in found.code
    assert "gamma = (1.0 + np.arange(65) % 3)" in found.code
    assert max(map(len, found.code.splitlines())) < LONGEST + 50
    assert len(as_numbers(printed)) == 65


def test_a_case_that_is_told_by_its_name(lines_of):
    """A max pooling whose switches are bytes: it needs 256 places, the last one the greatest."""
    text = mistake("pool_windows", "signed bytes").source
    found, printed = lines_of("pool", text, form="page", layout="NHWC", quick=False)
    assert "case.expected" in found.code and "Form(Source('mine.py'), 'pool'" in found.code
    assert printed.startswith("[[[[") and "0." in printed


def test_which_of_two_variants_is_meant(pasted, form_of_file):
    text = handed_in.RELU + handed_in.WRONG_RELU.replace("ward(", "ward_fast(")
    for variant, is_right in (("", True), ("fast", False)):
        form = form_of_file("relu", text, variant=variant)
        code = "\n".join(script(form, {}, {}, "dx", np.zeros(0), case="4x5 numbers"))
        assert (not any(as_numbers(pasted(code)))) == is_right


def test_a_class_that_makes_its_own_arrays_at_an_array_of_many_numbers(lines_of):
    text = MADE.replace("= 2 * self.x.T @ dout", "= self.x.T @ dout * (1 + (len(dout) > 64))")
    found, printed = lines_of("dense", text, quick=False)
    assert "x = numbers(65, 1, seed=0)" in found.code and "Form(Source('mine.py')" in found.code
    assert as_numbers(printed) == [2 * number for number in expected_of(found)]


def test_lines_that_raise(lines_of):
    text = handed_in.RELU.replace("return dout", "return [][len(x)] * dout")
    found, printed = lines_of("relu", text)
    assert found.wrong == RAISES and printed == "IndexError: list index out of range"


# ---- its parts

def test_numbers():
    small, large = numbers(3, 4), numbers(40, 50)
    assert len({*np.abs(small).flat}) == 12 and {*np.abs(large).flat} == {*range(1, 10)}
    for found in (small, large):
        assert (found == np.round(found)).all() and (found < 0).any() and (found > 0).any()
    assert (numbers(3, 4) == small).all() and (numbers(3, 4, seed=1) != small).any()


def of_relu(x, dy, wrong="dx", settings=()):
    form = Form(Source(relu), "relu")
    return script(form, {"x": x}, dict(settings), wrong, np.zeros((1, 2)), dy)


@pytest.mark.parametrize("x, written", [
    (np.array([[1.0, -2.0]]), "np.array([[1, -2]], float)"),
    (np.array([[0.5, -2.0]]), "np.array([[0.5, -2.0]], float)"),
    (np.array([[1.0, -2.0]], np.float32), "np.array([[1, -2]], np.float32)"),
    (numbers(9, 9), "numbers(9, 9, seed=0)"),
    (1000 * numbers(9, 9, seed=2), "numbers(9, 9, seed=2) * 1000"),
    (numbers(9, 9).astype(np.float32), "numbers(9, 9, seed=0).astype(np.float32)"),
    (numbers(2, 5, 6, 3).transpose(0, 3, 1, 2),
     "numbers(2, 5, 6, 3, seed=0).transpose(0, 3, 1, 2)"),
    ((1.0 + np.arange(70) % 5).reshape(7, 10), "(1.0 + np.arange(70) % 5).reshape(7, 10)"),
])
def test_how_an_array_is_written(x, written):
    lines = of_relu(x, np.ones_like(x))
    assert f"x = {written}" in lines
    helps = "from minicnn.gradcheck.own.script import numbers"
    assert (helps in lines) == ("numbers(" in written)
    names = {"np": np, "numbers": numbers}
    again = eval(written, names)
    assert again.dtype == x.dtype and (again == x).all()


def test_few_numbers_are_typed_and_a_wrong_y_needs_no_dy():
    x = numbers(6, TYPED // 6)
    lines = of_relu(x, np.ones_like(x), wrong="y")
    assert any(line.startswith("x = np.array([[") for line in lines)
    assert lines[-1].startswith("print(y)") and not any("backward" in line for line in lines)
    assert not any(line.startswith("dy") for line in lines)

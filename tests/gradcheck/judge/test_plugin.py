"""The fixture check_layer, in a test run of its own."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import handed_in
import pytest

pytest_plugins = ["pytester"]
TESTS = '''
import numpy as np
import pytest
from minicnn.gradcheck.own.sources import FormError
from minicnn.ops import relu


class Clip:
    def forward(self, x):
        self.passed = x > 0
        return np.where(self.passed, x, 0).astype(x.dtype)

    def backward(self, dout):
        return np.where(self.passed, dout, 0).astype(dout.dtype)


def test_right(check_layer):
    (one,) = check_layer("mine.py", op="relu")
    assert one.ok


def test_not_claimed(check_layer):
    check_layer("mine.py", op="conv", without=("padding",))
    check_layer("mine.py", op="conv", without="padding,stride")


def test_wrong(check_layer):
    check_layer("wrong.py")


def test_all_of_it(check_layer):
    check_layer("mine.py")


def test_a_class_a_module_and_a_pair(check_layer):
    check_layer(Clip, op="relu")
    check_layer(relu, op="relu")
    check_layer((relu.forward, relu.backward), op="relu")
    check_layer((lambda x: (x**3, x), lambda dy, x: 3 * x**2 * dy), op="cube",
                inputs={"x": (2, 3)})


def test_nothing_there(check_layer):
    check_layer("empty.py")


def test_usage(check_layer):
    with pytest.raises(ValueError, match="unknown feature 'paddng'"):
        check_layer("mine.py", without="paddng")
    with pytest.raises(FormError, match="no such file"):
        check_layer("none.py")
'''


@pytest.fixture
def outcome(pytester, request):
    """The result of TESTS, in a folder with two files of layers."""
    pytester.makepyfile(mine=handed_in.CROPPED_CONV + handed_in.RELU, empty="x = 1",
                        wrong=handed_in.WRONG_RELU, test_layers=TESTS)
    registered = request.config.pluginmanager.has_plugin("minicnn")  # by its entry point
    load = () if registered else ("-p", "minicnn.gradcheck.judge.plugin")
    return lambda *more: pytester.runpytest_inprocess("-p", "no:xdist", "-q", *load, *more)


@pytest.mark.thorough
def test_right_layers_pass_and_wrong_ones_fail_with_the_words_of_the_table(outcome):
    result = outcome("--check-layer-quick")
    result.assert_outcomes(passed=4, failed=3)
    text = " ".join(result.stdout.str().split())
    for words in ("conv (naive) WRONG right", "settings: all with padding",
                  "too large by a factor 2", "1 of 2 ops are right. Gradient wrong: conv (naive).",
                  "No op was found in", '"conv": (my_forward, my_backward)'):
        assert words in text
    assert "Traceback" not in text and "files.py" not in text


def test_the_options_reach_the_judge(outcome):
    quick = outcome("--check-layer-quick", "-k", "test_wrong").stdout.str()
    full = outcome("-k", "test_wrong").stdout.str()
    short = outcome("--check-layer-seconds", "0.001", "-k", "test_right").stdout.str()
    quick, full = (int(re.search(r"gradient +wrong at \d+ of (\d+) settings", text)[1])
                   for text in (quick, full))
    assert quick < full and "skipped" in short


def test_pytest_does_not_wait_for_it():
    program = ("import sys, minicnn.gradcheck.judge.plugin\n"
               "print(sorted({'numpy', 'minicnn.gradcheck.judge.judge'} & set(sys.modules)))")
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           check=True).stdout
    assert shown == "[]\n"


def test_the_entry_point_is_declared():
    project = Path(__file__).resolve().parents[3] / "pyproject.toml"
    if not project.is_file():
        pytest.skip("not a checkout: there is no pyproject.toml here")
    about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    assert about["entry-points"]["pytest11"] == {"minicnn": "minicnn.gradcheck.judge.plugin"}

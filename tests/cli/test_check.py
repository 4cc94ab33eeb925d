"""The command check."""

import json
import re
from pathlib import Path

import handed_in
import pytest

from minicnn.cli import check, main
from minicnn.course import rendering
from minicnn.gradcheck.judge import features, files
from minicnn.report import formulas

HERE = Path(__file__).resolve().parents[1] / "gradcheck" / "own" / "handed_in"


@pytest.fixture
def file(tmp_path):
    """Write a file of layers."""
    def write(*texts):
        path = tmp_path / "mine.py"
        path.write_text("\n".join(texts))
        return path
    return write


@pytest.fixture
def checked(capsys):
    """Run the command: (exit status, standard output); nothing is on standard error."""
    def run(*arguments, status=1):
        assert main(["check", "--quick", *map(str, arguments)]) == status
        out, err = capsys.readouterr()
        assert err == "" and "Traceback" not in out
        return out
    return run


def table(out):
    """{op: [gradient, conduct]} of the printed table."""
    lines = out.splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("op ") or line[:3] == "op ")
    end = lines.index("", head) if "" in lines[head:] else len(lines)
    at = lines[head].index("gradient")
    return {line[:at].strip(): [line[at:at + 10].strip(), line[at + 10:at + 20].strip()]
            for line in lines[head + 1:end]}


# ---- files as they are handed in

@pytest.mark.thorough
@pytest.mark.parametrize(("name", "ops"), [("course_layers.py", 22), ("class_layers.py", 13)])
def test_a_file_as_it_is_handed_in_needs_no_glue(checked, name, ops):
    out = checked(HERE / name, status=0)
    rows = table(out)
    assert len(rows) == ops and all(row == ["right", "right"] for row in rows.values()), out
    assert out.endswith(f"{ops} of {ops} ops are right.\n")


def test_what_was_taken_for_what_is_said_first(checked, file):
    out = checked(file(handed_in.CONV), status=0)
    assert out.startswith("conv (naive): conv_forward_naive and conv_backward_naive of mine.py "
                          "(N,C,H,W;\n    settings: stride, pad)\n\n")


# ---- the verdicts

def test_a_wrong_gradient(checked, file):
    out = checked(file(handed_in.CROPPED_CONV, handed_in.RELU))
    assert table(out) == {"conv (naive)": ["WRONG", "right"], "relu": ["right", "right"]}
    assert "settings: all with padding" in out and "dx in " in out
    assert out.endswith("1 of 2 ops are right. Gradient wrong: conv (naive).\n")


def test_the_conduct_is_a_verdict_of_its_own(checked, file):
    out = checked(file(handed_in.GREEDY_TANH))
    assert table(out) == {"tanh (Tanh)": ["right", "WRONG"]}
    assert "arguments untouched: backward changed dy" in out


def test_an_op_that_ends_python_costs_its_own_row(checked, file):
    out = checked(file(handed_in.RELU, handed_in.ENDS, handed_in.OWN))
    rows = table(out)
    assert rows["relu"] == rows["swish"] == ["right", "right"]
    assert rows["sigmoid (Sigmoid)"][0] == "no answer" and "os._exit(0)" in out
    assert out.endswith("No answer: sigmoid (Sigmoid).\n")


def test_what_a_file_prints_does_not_appear(checked, file):
    noisy = handed_in.RELU.replace("return np.max", "print('op  right'); return np.max")
    out = checked(file(handed_in.CHATTER, noisy), status=0)
    assert "\x1b" not in out and out.count("right     right") == 1


def test_what_a_layer_does_not_claim(checked, file):
    out = checked(file(handed_in.CROPPED_CONV), "--without", "padding,no aliasing", status=0)
    assert "without padding" in out


def test_one_op_of_several(checked, complaint, file):
    path = file(handed_in.CROPPED_CONV, handed_in.RELU, handed_in.OWN)
    assert list(table(checked(path, "--op", "relu", "--op", "swish", status=0))) == [
        "relu", "swish"]
    assert "no op 'pool' in it; found: conv, relu, swish" in complaint(
        "check", path, "--op", "pool")


def test_one_class_of_a_file(checked, file):
    path = file(handed_in.RELU, handed_in.GREEDY_TANH)
    assert list(table(checked(f"{path}:Tanh"))) == ["tanh (Tanh)"]


# ---- where nothing can be judged

def test_no_op_is_found(checked, file):
    out = checked(file("def mean(x):\n    return x.mean()\n"))
    assert "No op was found in mine.py" in out and '"conv": (my_forward, my_backward)' in out
    assert "conv_relu_pool" in out


@pytest.mark.parametrize(("text", "words"), [
    ("import sys; sys.exit(0)", "SystemExit: 0 (line 1)"), ("def (", "SyntaxError"),
    ("import os; os._exit(0)", "os._exit(0) while it was imported"),
    ("raise ValueError('no\\nlayers')", "no\\nlayers")])
def test_a_file_that_cannot_be_imported_is_one_line(complaint, file, text, words, tmp_path):
    out = tmp_path / "out.json"
    assert words in complaint("check", file(text), "--json", out)
    found = json.loads(out.read_text())
    assert not found["ok"] and found["error"] and found["ops"] == []


def test_no_such_file(complaint, tmp_path):
    assert "no such file" in complaint("check", tmp_path / "none.py")


def test_ctrl_c_keeps_what_is_done(monkeypatch, capsys, file, tmp_path):
    judge = files.judged

    def interrupted(layers, one, **how):
        if one.op == "swish":
            raise KeyboardInterrupt
        return judge(layers, one, **how)

    monkeypatch.setattr(files, "judged", interrupted)
    out = tmp_path / "out.json"
    path = file(handed_in.CROPPED_CONV, handed_in.OWN)
    assert main(["check", "--quick", str(path), "--json", str(out)]) == 130
    shown, err = capsys.readouterr()
    assert err == "minicnn: interrupted\n" and "all with padding" in shown
    assert "Not judged: 1." in shown
    found = json.loads(out.read_text())
    assert not found["finished"] and [op["op"] for op in found["ops"]] == ["conv"]


# ---- files that it writes

def test_json(checked, file, tmp_path):
    path, out = file(handed_in.RELU), tmp_path / "out.json"
    found = json.loads(checked(path, "--json", "-", status=0))
    assert found["ok"] and found["ops"][0]["gradient"] == "right" and found["quick"]
    checked(path, "--json", out, status=0)
    again = json.loads(out.read_text())
    for results in (found, again):
        results["ops"][0].pop("seconds")
    assert again == found


def test_html(checked, file, tmp_path):
    out = tmp_path / "out.html"
    checked(file(handed_in.CROPPED_CONV), "--html", out)
    text = out.read_text()
    assert "all with padding" in text and "<svg" in text and "data:image/png;base64," in text


def test_a_destination_that_cannot_be_written_is_told_first(complaint, file, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "opened", lambda *_, **__: pytest.fail("opened"))
    assert "does not exist" in complaint(
        "check", file(""), "--json", tmp_path / "none" / "out.json")
    assert ".html" in complaint("check", file(""), "--html", tmp_path / "out.txt")


# ---- usage

@pytest.mark.parametrize("arguments", [[], ["a.py", "--without", "paddng"], ["a.py", "--form", "x"],
                                       ["a.py", "--seconds", "0"], ["a.py", "--layout", "HW"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["check", *arguments])
    assert end.value.code == 2 and capsys.readouterr().out == ""


def test_the_help_lists_every_feature(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    out = capsys.readouterr().out
    for name, words in features.FEATURES.items():
        assert f"  {name:<16} {words}" in out
    assert all(kind in " ".join(out.split()) for kind in features.conduct_kinds())
    assert max(map(len, out.splitlines())) <= 100 and check.SCREEN == "-"


@pytest.mark.thorough
def test_on_a_terminal_it_is_wide_and_in_colour(tmp_path, monkeypatch, capsys):
    """The same words as in a pipe; only the lines are longer."""
    path = tmp_path / "mine.py"
    path.write_text("def relu_forward(x):\n    return x * (x > 0), x\n\n\n"
                    "def relu_backward(dout, cache):\n    return 2 * dout * (cache > 0)\n")
    shown = {}
    for width in (None, 70, 120):
        if width:
            monkeypatch.setattr(check, "columns", lambda usual, width=width: width)
            monkeypatch.setattr(formulas, "can_style", lambda stream: True)
        assert main(["check", str(path), "--quick", "--quiet"]) == 1
        shown[width] = capsys.readouterr().out
    for width in (70, 120):
        assert "\033[1;31mWRONG\033[0m" in shown[width] and "\033[1m  cause" in shown[width]
        bare = rendering.STYLE.sub("", shown[width])
        assert max(map(len, bare.splitlines())) <= width
        assert re.sub(r"\d+\.\d\n", "", bare).split() == re.sub(r"\d+\.\d\n", "",
                                                              shown[None]).split()


def test_the_help_begins_with_a_sentence(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert "and if not, why?\n" in capsys.readouterr().out

"""A verdict in words."""

import types

import handed_in
import numpy as np
import pytest

from minicnn.gradcheck.cause.evidence import Cause
from minicnn.gradcheck.judge import files, record, words
from minicnn.gradcheck.judge.cases import cases
from minicnn.gradcheck.judge.files import Judged
from minicnn.gradcheck.judge.judge import (
    CANNOT,
    DIED,
    NOT_CLAIMED,
    RIGHT,
    SKIPPED,
    WRONG,
    Row,
    Verdict,
)

PADDED = "padding"
ALL = [case for case in cases("conv") if not case.refuse]


class Smallest:
    words = "dx[0, 0, 0, 0] is 1, expected 2"
    code = "import numpy as np\nx = np.ones((1, 1, 1, 1))\n"


def judged(status, dtypes=(np.float64, np.float32), words="dx[0] is 1, expected 2", **more):
    """A convolution with a status for each case: status(case, dtype)."""
    rows = []
    for dtype in dtypes:
        for case in ALL:
            found = status(case, dtype)
            rows.append(Row(case, dtype, found, words if found != RIGHT else "",
                            wrong=("dx",) * (found == WRONG)))
    conduct = more.pop("conduct", {})
    return Judged("conv", "naive", "conv_forward_naive of mine.py",
                  Verdict("conv", "told", rows, conduct, more.pop("notes", []), **more),
                  seconds=1.25)


def said(one, label):
    return " ".join(text for name, text in words.entries(one) if name == label)


def tagged(*tags):
    return lambda case, _: WRONG if case.tags & {*tags} else RIGHT


# ---- the table

def test_the_table():
    one = judged(tagged(PADDED), conduct={"no aliasing": ["dx shares memory with dy"]})
    names = ["conv (naive)", "a"]
    head, line = words.headings(names), words.line(names, one)
    assert head[1].split() == ["op", "gradient", "conduct", "right", "wrong", "do", "claimed",
                               "skipped", "seconds"]
    assert line.split()[:4] == ["conv", "(naive)", "WRONG", "WRONG"]
    counts = one.counts
    assert line.split()[4:] == [str(counts[RIGHT]), str(counts[WRONG]), "0", "0", "0", "1.2"]
    assert len(head[1]) == len(line) <= 80
    silent = Judged("tanh", "", "", None, "mine.py: it ended")
    assert words.line(names, silent).split() == ["tanh", "no", "answer", "no", "answer", "0.0"]


def test_the_conclusion():
    good, bad = judged(lambda *_: RIGHT), judged(tagged(PADDED))
    unkind = judged(lambda *_: RIGHT, conduct={"state": ["remembers"]})
    assert words.conclusion([good], 1) == "1 of 1 op is right."
    text = " ".join(words.conclusion([good, bad, unkind, Judged("tanh", "", "", None, "")], 5)
                    .split())
    assert text == ("1 of 5 ops are right. Gradient wrong: conv (naive). Conduct wrong: conv "
                    "(naive). No answer: tanh. Not judged: 1.")


# ---- one op

def test_nothing_is_said_of_what_is_right():
    assert words.details(judged(lambda *_: RIGHT)) == []


def test_where_it_is_wrong_in_one_phrase():
    def where(*tags):
        return said(judged(tagged(*tags)), "gradient")

    bad = sum(PADDED in case.tags for case in ALL)
    assert where(PADDED) == f"wrong at {bad} of {len(ALL)} settings: all with padding"
    assert where("groups", "dilation").endswith(
        ": all with more than one group, and all with a dilation above 1")
    both = said(judged(lambda case, _: WRONG if {"padding", "stride"} <= case.tags else RIGHT),
                "gradient")
    assert both.endswith(": all with padding and with a stride above 1")
    some = [case.name for case in ALL if "groups" in case.tags][:2]
    only = said(judged(lambda case, _: WRONG if case.name in some else RIGHT), "gradient")
    assert ": only with more than one group, 2 of the " in only
    assert said(judged(lambda *_: WRONG), "gradient") == (
        f"wrong at {len(ALL)} of {len(ALL)} settings")


def test_in_one_dtype_only():
    one = judged(lambda case, dtype: WRONG if dtype == np.float32 else RIGHT)
    assert said(one, "gradient").endswith("settings, in float32 only")


def test_all_is_told_of_a_faulty_op():
    one = judged(tagged(PADDED), conduct={"no aliasing": ["dx shares memory with dy"]},
                 notes=["it has no rounding"], smallest=Smallest(),
                 cause=Cause("padding", "dx is shifted by the padding", "cropped at the start"))
    lines = words.details(one)
    text = "\n".join(lines)
    assert lines[0] == "conv (naive)" and max(map(len, lines)) <= 80
    for part in ("  cause        the border is handled wrongly",
                 "  seen         dx is shifted by the padding",
                 "  nearest      known mistake: cropped at the start",
                 "  smallest     dx[0, 0, 0, 0] is 1, expected 2",
                 "\n\n    import numpy as np\n    x = np.ones((1, 1, 1, 1))\n",
                 "  conduct      no aliasing: dx shares memory with dy",
                 "  note         it has no rounding", "  right        at plain 3x3;",
                 f"dx in {2 * sum(PADDED in case.tags for case in ALL)} of {2 * len(ALL)} results",
                 "float64: dx[0] is 1, expected 2"):
        assert part in text, part


def test_what_was_left_out_is_told_in_brief():
    status = {0: SKIPPED, 1: CANNOT, 2: NOT_CLAIMED, 3: DIED}
    order = {case.name: k for k, case in enumerate(ALL)}
    one = judged(lambda case, _: status.get(order[case.name] % 8, RIGHT), words="has no groups")
    assert said(one, "skipped").startswith(f"the time was up: {ALL[0].name}; ")
    assert said(one, "cannot do").startswith("has no groups (")
    assert said(one, "not claimed").startswith("has no groups (")
    assert said(one, "gradient").startswith("no answer at ") and "no answer in" in said(one, "")
    none = judged(lambda *_: SKIPPED)
    assert said(none, "no answer") == "no setting could be judged" and not none.ok


def test_a_text_of_many_lines_cannot_break_the_table():
    one = judged(tagged(PADDED), words="raises\nrelu   right   right\n\x1b")
    lines = words.details(one)
    assert all(line.startswith(("conv", "  ")) and line.isprintable() for line in lines)


def test_the_report_of_several(tmp_path):
    module = types.ModuleType("mine")
    exec(handed_in.RELU + handed_in.GREEDY_TANH, vars(module))
    with files.opened(module) as layers:
        done = [files.judged(layers, one, quick=True) for one in layers.found]
    text = words.report(done, 2)
    assert "tanh (Tanh): class Tanh of mine" in text and "backward changed dy" in text
    assert "relu: relu_forward" not in text and text.endswith("Conduct wrong: tanh (Tanh).")


# ---- what is not written yet, or crashes

NOT_JUDGED = {  # what stands in place of the code: what is said, at which line
    "stub": ("    pass", "    pass", "not written yet: forward returns nothing"),
    "no output": ("    out = None\n    return out, x", "    pass",
                  "not written yet: forward returns nothing"),
    "no backward": ("    return x * (x > 0), x", "    pass",
                    "not written yet: backward returns nothing; y is right at 9 settings"),
    "by its own word": ("    raise NotImplementedError", "    pass",
                        "not written yet: it raises NotImplementedError (line 2)"),
    "a crash": ("    return x * (x > 0), x", "    return dout[len(dout)]",
                "it raises IndexError: index 1 is out of bounds for axis 0 with size 1 (line 5), "
                "and was not judged"),
    "a name": ("    return x * (x > 0), x", "    return dy",
               "it raises NameError: name 'dy' is not defined (line 5), and was not judged"),
}


@pytest.mark.parametrize("what", NOT_JUDGED)
def test_what_is_not_written_or_crashes_has_no_cause(what, tmp_path):
    forward, backward, expected = NOT_JUDGED[what]
    path = tmp_path / "mine.py"
    path.write_text(f"def relu_forward(x):\n{forward}\n\n"
                    f"def relu_backward(dout, cache):\n{backward}\n")
    with files.opened(path, quick=True) as layers:
        (one,) = (files.judged(layers, found, quick=True) for found in layers.found)
    assert (one.gradient, one.conduct, one.ok) == ("no answer", "no answer", False)
    labels = [label for label, _ in words.entries(one)]
    assert labels[0] == "no answer" and not {"cause", "gradient", "conduct"} & {*labels}
    assert dict(words.entries(one))["no answer"] == expected
    assert ("to paste" in labels) == what.startswith("a ") and ("OwnError" not in str(one))
    assert record.as_dict(path, [one], 1)["ops"][0]["error"] == expected


def test_a_y_without_a_backward_is_judged_alone(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def relu_forward(x):\n    return abs(x), x\n\n\n"
                    "def relu_backward(dout, cache):\n    pass\n")
    with files.opened(path, quick=True) as layers:
        (one,) = (files.judged(layers, found, quick=True) for found in layers.found)
    assert one.gradient == "wrong" and {"y"} <= {name for row in one.wrong for name in row.wrong}


def test_an_error_at_some_settings_is_wrong_there_and_no_formula(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def relu_forward(x):\n    return x * (x > 0), x\n\n\n"
                    "def relu_backward(dout, cache):\n"
                    "    return dout * (cache > 0) if cache.ndim == 2 else dout[99]\n")
    with files.opened(path, quick=True) as layers:
        (one,) = (files.judged(layers, found, quick=True) for found in layers.found)
    assert one.gradient == "wrong" and "IndexError" in said(one, "first")
    assert "is another one" not in said(one, "cause")

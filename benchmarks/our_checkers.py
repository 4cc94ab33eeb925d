"""minicnn's own entries in the comparison of checkers: the judge, and its kinds one by one.

The judge tries a layer at all settings of its op, so it takes the layer, not a pair at one setting;
a right setting it tries at that setting alone. A kind alone (minicnn.gradcheck.check with `only`)
runs at the same plain setting as every other checker, so that the table tells what the settings
bring and what the kind does.
"""

from types import ModuleType
from unittest.mock import patch

from minicnn import gradcheck
from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.gradients import conduct
from minicnn.gradcheck.judge import judge
from minicnn.gradcheck.judge.reference import results
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.known import PARTS
from minicnn.gradcheck.own.sources import Source

JUDGE, ALONE = "minicnn's judge", " alone"
TWIN = f"naive twin{ALONE}"  # finds every number that is wrong at the plain setting
SMOOTH = {"conv", "conv_transpose", "dense", "average_pool", "global_average_pool", "sigmoid",
          "tanh", "lrn", "batch_norm", "layer_norm", "group_norm", "resize", "softmax",
          "cross_entropy", "softmax_loss", "concat", "add"}
ALL = ("conv", "conv_transpose", "dense")  # linear, or affine, in each of their arrays
FIRST = ("average_pool", "global_average_pool", "resize", "dropout")  # in x


# ---- the judge

def judged(known):
    """(caught, cause) of the judge on a known layer, a Mistake; the cause is found without those
    known mistakes that are of the layer's own kind."""
    form = form_of(known.op, known.fresh())
    verdict = judge.judge(form)
    found = cause(form, verdict, without=(known.kind,))
    return not verdict.ok, found.name if found else ""


def judged_at(case, layer):
    """Whether the judge complains about a layer at one setting, in float64 or in float32."""
    with patch.object(judge, "cases", lambda op: [case]):
        return not judge.judge(form_of(case.op, layer)).ok


def form_of(op, layer):
    """The Form of an object whose forward and backward have the page's signatures."""
    mine = ModuleType("mine")
    mine.forward, mine.backward = layer.forward, layer.backward
    return Form(Source(mine), op, "NHWC", "page")


# ---- its kinds

def linear(case):
    """The arrays in which an op is linear or affine."""
    return case.wrt if case.op in (*ALL, *PARTS) else ("x",) if case.op in FIRST else ()


def kind_alone(kind):
    """caught(forward, backward, inputs, case) of one kind of check."""
    def caught(forward, backward, inputs, case):
        def gradient(dy, *arrays):
            found = results(case.op, _given(case, arrays), case.options, dy)[1]
            return [found[name] for name in case.wrt]

        report = gradcheck.check(
            forward, backward, dict(zip(case.wrt, inputs, strict=True)), only=(kind,),
            twin=lambda *arrays: results(case.op, _given(case, arrays), case.options, None)[0],
            twin_gradient=gradient, linear=linear(case), smooth=case.op in SMOOTH)
        return not report.ok

    return caught


def _given(case, arrays):
    return case.inputs | dict(zip(case.wrt, arrays, strict=True))


KINDS = {f"{kind}{ALONE}": kind_alone(kind) for kind in (
    "naive twin", "central differences", "complex step", "adjoint identity", *conduct.CHECKS)}

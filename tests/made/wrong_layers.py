"""Known layers as ops of one's own, and what the judge says of the wrong ones."""

import types
from functools import cache
from typing import Any, NamedTuple
from unittest.mock import patch

from minicnn.gradcheck import mistakes
from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.judge import judge
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.sources import Source

SAMPLE = {  # cause: some of its known mistakes, (base, kind); the first ones are of all ops
    "overlap": [("svm_loss", "label's own gradient once"), ("conv_transpose", "overlap assigned")],
    "padding": [("lrn", "channels wrap around")],
    "stride": [("pool_columns", "vertical stride for both")],
    "dilation": [("conv_transpose", "dilation ignored on the way back")],
    "flip": [("resize", "neighbours exchanged on the way back"),
             ("conv_transpose", "kernel mirrored")],
    "swap": [("conv_columns", "output size swapped"), ("conv_transpose", "stride swapped")],
    "groups": [("group_norm", "one group only"), ("conv_transpose", "groups in reverse")],
    "channels": [("concat", "pieces in reverse order"), ("dense", "weights transposed")],
    "factor": [("global_average_pool", "divided by the height only"),
               ("add", "gradient shared out")],
    "batch": [("dense", "one image only"), ("group_norm", "images together")],
    "sign": [("tanh", "gradient negated"), ("lrn", "cross term added")],
    "upstream": [("sigmoid", "upstream ignored"), ("dropout", "upstream ignored")],
    "missing": [("concat", "last part left out"), ("dense", "dw not computed")],
    "cross term": [("batch_norm", "way through the mean left out"), ("softmax", "sum left out")],
    "formula": [("batch_norm", "epsilon outside the root"), ("tanh", "square forgotten")],
    "mask": [("relu", "mask inverted"), ("cross_entropy", "best class instead of the label")],
    "ties": [("dropout", "mask of x")],
    "rounding": [("average_pool", "ceil taken for floor"), ("conv_transpose", "size ignored")],
    "bias": [("layer_norm", "db of the last one"), ("dense", "db averaged")],
    "arguments": [("softmax", "dy overwritten"), ("add", "added into the first part")],
    "memory": [("add", "a view of an argument"), ("tanh", "output buffer reused")],
    "state": [("relu", "kept for the latest call only"), ("dense", "accumulator never cleared")],
    "layout": [("global_average_pool", "memory read in its own order"),
               ("batch_norm", "memory read in its own order")],
    "dtype": [("lrn", "half precision inside"), ("svm_loss", "float64 buffers")],
    "overflow": [("softmax", "maximum not subtracted"), ("sigmoid", "exp overflows")],
    "range": [("add", "gradients for three parts at most"), ("layer_norm", "64 channels at most")],
    "refuse": [("cross_entropy", "labels clipped"), ("lrn", "even size accepted")],
    "random": [("dropout", "mask drawn anew"), ("dropout", "scaled by the rate")],
    "statistics": [("batch_norm_short", "the batch's variance after training"),
                   ("batch_norm", "momentum exchanged")],
    "shape": [("dense", "dx left flat"), ("global_average_pool", "dx not spread")],
}


def named(mistake):
    """"relu: mask of dy", or the name of a base."""
    return f"{mistake.base}: {mistake.kind}" if mistake.kind else mistake.base


def base(name):
    """The right layer of this name."""
    (found,) = [one for one in mistakes.bases() if one.base == name]
    return found


def mistake(name, kind):
    """A known mistake of a base."""
    (found,) = [one for one in mistakes.known() if (one.base, one.kind) == (name, kind)]
    return found


def sample(many=2):
    """The known mistakes of SAMPLE, or the first of each cause."""
    return [mistake(*one) for several in SAMPLE.values() for one in several[:many]]


def page(op, **members):
    """The Form of an op in the page's form, of a module with these members."""
    module = types.ModuleType("mine")
    vars(module).update(members)
    return Form(Source(module), op, "NHWC", "page")


def form_of(layer):
    """The Form of a base or a known mistake, in a module that has seen no call yet."""
    fresh = layer.fresh()
    return page(layer.op, forward=fresh.forward, backward=fresh.backward)


def edited(name, *edits):
    """The Form of a base whose text is changed: edits are pairs (old, new), each found once."""
    text = base(name).source
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return form_of(base(name)._replace(source=text))


def written(op, text, form="course", **options):
    """The Form of an op in a text."""
    module = types.ModuleType("mine")
    exec(text, vars(module))
    return Form(Source(module), op, form=form, **options)


def judged(form, **how):
    """The verdict on a form, without the search for the smallest input."""
    with patch.object(judge, "SEARCH", 0.0):
        return judge.judge(form, **how)


class Found(NamedTuple):
    """What the judge says of a known mistake: whether it is caught, and its Cause with and without
    its own kind among the known ones."""

    caught: bool
    cause: Any
    without_its_kind: Any


@cache
def found(wrong):
    """The Found of a known mistake."""
    form = form_of(wrong)
    verdict = judged(form)
    return Found(not verdict.ok, verdict.cause, cause(form, verdict, without=(wrong.kind,)))

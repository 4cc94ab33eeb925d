"""The cause of a wrong layer, named from its wrong numbers."""

import importlib

import numpy as np
import pytest
from wrong_layers import SAMPLE, base, form_of, found, judged, mistake, named, page, sample

from minicnn.gradcheck import mistakes
from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.cause.evidence import Evidence
from minicnn.gradcheck.cause.windows import geometry, sized
from minicnn.gradcheck.judge import files
from minicnn.gradcheck.own.known import OPS

KINDS = {layer.kind for layer in mistakes.known()}


# ---- known mistakes

def rightly(layer):
    """Whether the cause is named rightly while the layer's own kind is not known."""
    seen = found(layer).without_its_kind
    assert seen.nearest != layer.kind and seen.seen
    return seen.name in (layer.cause, layer.also)


@pytest.mark.thorough
@pytest.mark.parametrize("layer", sample(), ids=named)
def test_the_cause_of_a_mistake_that_is_not_known(layer):
    assert rightly(layer)


def test_the_sample_has_every_cause():
    assert SAMPLE.keys() == mistakes.CAUSES.keys()
    assert all(layer.cause == name for name, several in SAMPLE.items()
               for layer in (mistake(*one) for one in several))


@pytest.mark.parametrize("layer", [mistake(*one) for one in (
    ("lrn", "channels wrap around"), ("concat", "pieces in reverse order"),
    ("dense", "weights transposed"), ("group_norm", "images together"),
    ("cross_entropy", "best class instead of the label"), ("softmax", "sum left out"))], ids=named)
def test_a_mistake_that_is_known_is_named_itself(layer):
    seen = found(layer).cause
    assert (seen.name, seen.seen, seen.nearest) == (layer.cause, layer.words, layer.kind)


@pytest.mark.slow
def test_of_all_mistakes_nine_in_ten_are_named_rightly():
    known = mistakes.known()
    assert sum(map(rightly, known)) >= 0.9 * len(known)


# ---- wrong layers that are not among the known ones

def after(op, name, change):
    """The page of an op, of which one array is changed at the end of its pass."""
    own = importlib.import_module(f"minicnn.ops.{op}")
    index = ["y", *(f"d{one}" for one in OPS[op].arrays)].index(name) - 1

    def forward(*arrays, **settings):
        y, cache = own.forward(*arrays, **settings)
        return change(y), cache

    def backward(dy, cache):
        found = own.backward(dy, cache)
        gradients = list(found) if isinstance(found, tuple) else [found]
        if gradients[index] is not None:  # the db of no b
            gradients[index] = change(gradients[index])
        return tuple(gradients) if isinstance(found, tuple) else gradients[0]

    return page(op, forward=forward if name == "y" else own.forward,
                backward=own.backward if name == "y" else backward)


def edge(a):
    """The first and last rows and columns of images are lost."""
    inner = a[:, 1:-1, 1:-1]
    return np.pad(inner, ((0, 0), (1, 1), (1, 1), (0, 0))) if inner.size else a


def first_lost(a):
    """The first column, or channel, is lost."""
    return np.where(np.arange(a.shape[-1]) > 0, a, 0)


CHANGED = [  # op, array, what becomes of it, the cause, and words of what is seen
    ("dense", "dw", lambda a: 3 * a, "factor", "every entry is wrong by one factor"),
    ("dense", "dx", lambda a: a / len(a), "batch", "wrong by the number of images"),
    ("dense", "y", lambda a: np.maximum(a, 0), "formula", "rectified"),
    ("dense", "db", lambda a: a + 1, "bias", "only the bias"),
    ("dense", "dw", lambda a: a.T if a.shape[0] == a.shape[1] else a, "channels",
     "only where there are as many channels in as out"),
    ("conv_transpose", "dx", np.zeros_like, "missing", "what is wrong is zero"),
    ("resize", "dx", edge, "padding", "only the border is wrong"),
    ("sigmoid", "dx", np.flip, "channels", "the right numbers stand at the wrong places"),
    ("sigmoid", "dx", first_lost, "missing", "the last, or first, row, column or channel"),
    ("sigmoid", "dx", lambda a: a.astype(np.float16).astype(a.dtype), "dtype", "lower precision"),
    ("sigmoid", "dx", lambda a: np.where(a.dtype == np.float64, a, 1.01 * a).astype(a.dtype),
     "dtype", "right in float64"),
    ("sigmoid", "dx", lambda a: a.astype(float), "dtype", "the dtype of the arguments is not kept"),
    ("sigmoid", "dx", lambda a: a[None], "shape", "another shape"),
    ("softmax", "dx", lambda a: a + 0.1 * a**2, "cross term", "share a sum"),
    ("tanh", "dx", np.negative, "sign", "every entry has the wrong sign"),
    ("tanh", "y", lambda a: np.where(a == a[:1], a, 0), "batch", "only one image counts"),
    ("tanh", "dx", lambda a: a * (len(a) < 65), "range", "only for large sizes"),
    ("tanh", "y", lambda a: np.where(abs(a) > 0.999, np.inf, a).astype(a.dtype), "overflow",
     "not finite"),
    ("sigmoid", "dx", lambda a: np.sin(17 * a), "formula", "no usual mistake"),
]


@pytest.mark.parametrize("op, name, change, cause_, words", CHANGED,
                         ids=[f"{op}, {words}" for op, *_, words in CHANGED])
def test_a_change_is_seen(op, name, change, cause_, words):
    form = after(op, name, change)
    verdict = judged(form)
    seen = cause(form, verdict, without=KINDS)
    assert seen.name == cause_ and words in seen.seen and seen.nearest == ""


def test_what_is_right_has_no_cause():
    form = form_of(base("relu"))
    assert cause(form, judged(form, quick=True)) is None


def test_without_an_answer_there_is_no_cause():
    form = form_of(base("relu"))
    verdict = judged(form, seconds=0)
    assert not verdict.ok and cause(form, verdict) is None


# ---- windows

def evidence(*wrong):
    """The Evidence of a known mistake."""
    form = form_of(mistake(*wrong))
    return Evidence(form, judged(form, without=("large", "float32")))


@pytest.mark.parametrize("wrong, words", [
    (("conv_transpose", "kernel mirrored"), "the window is mirrored"),
    (("conv_transpose", "dilation ignored on the way back"), "the dilation is ignored"),
    (("pool_columns", "padding cropped from the wrong side"), "cut off at the wrong side"),
])
def test_geometry(wrong, words):
    assert words in geometry(evidence(*wrong)).seen


def test_the_shape_of_y_tells_how_windows_are_counted():
    seen = sized(evidence("average_pool", "ceil taken for floor"))
    assert seen.name == "rounding" and "rounded the other way" in seen.seen
    assert sized(evidence("dense", "db averaged")) is None



# ---- the slice [0:-0]

COURSE = """import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    (n, _, h, wide), (f, _, hh, ww) = x.shape, w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    y = np.zeros((n, f, 1 + (h + 2 * p - hh) // s, 1 + (wide + 2 * p - ww) // s), x.dtype)
    for i, j in np.ndindex(*y.shape[2:]):
        patch = xp[:, :, i * s:i * s + hh, j * s:j * s + ww]
        y[:, :, i, j] = np.tensordot(patch, w, ([1, 2, 3], [1, 2, 3])) + b
    return y, (xp, w, s, p)


def conv_backward_naive(dout, cache):
    xp, w, s, p = cache
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i, j in np.ndindex(*dout.shape[2:]):
        at = (slice(None), slice(None), slice(i * s, i * s + w.shape[2]),
              slice(j * s, j * s + w.shape[3]))
        dxp[at] += np.tensordot(dout[:, :, i, j], w, (1, 0))
        dw += np.tensordot(dout[:, :, i, j], xp[at], (0, 0))
    return dxp[:, :, p:-p, p:-p], dw, dout.sum((0, 2, 3))
"""
EMPTY = "dx is empty without padding: the slice [0:-0] takes nothing"


@pytest.mark.parametrize("right, wrong, seen", [
    ("", "", EMPTY),
    ("dxp[at] +=", "dxp[at] =", f"{EMPTY}; and besides, dx is assigned, not added, where windows "
                                "overlap")])
def test_an_empty_slice_is_named_and_what_is_wrong_besides(right, wrong, seen, tmp_path):
    (tmp_path / "mine.py").write_text(COURSE.replace(right, wrong))
    with files.opened(tmp_path / "mine.py", quick=True) as layers:
        (one,) = (files.judged(layers, found, quick=True) for found in layers.found)
    assert (one.verdict.cause.name, one.verdict.cause.seen) == ("padding", seen)

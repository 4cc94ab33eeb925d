"""Why is a layer wrong?  The cause of its errors, found from the errors alone.

Two things are tried, in this order:

1. `nearest`: a known wrong layer (`minicnn.gradcheck.mistakes`) returns the very same wrong
   numbers. Its cause is then the cause.
2. `SUSPICIONS`, each a test that the wrong numbers pass or fail: an array equals what a layer with
   that mistake would return (dy taken as ones, a mirrored kernel, a window that wins over another),
   or is wrong exactly at certain places (the last row, one image), or only at certain settings
   (with padding, with groups). The first that explains every wrong result is named; more particular
   ones stand before more general ones.
"""

import re
import warnings

import numpy as np

from minicnn.gradcheck import mistakes
from minicnn.gradcheck.cause import candidates, general, norms, own_formulas, windows
from minicnn.gradcheck.cause.evidence import Cause, Evidence, same, suspect
from minicnn.gradcheck.cause.general import conducts, mostly, needs
from minicnn.gradcheck.own.known import PARTS

COMPARED = 3  # wrong rows on which a known mistake has to return the same numbers


def cause(form, verdict, without=()):
    """The cause of what a verdict found wrong.

    Parameters
    ----------
    form : Form or Remote
    verdict : Verdict
    without : sequence of str
        Kinds of known mistakes that are not compared with.

    Returns
    -------
    Cause or None
        None if nothing is wrong, or it only raises errors.
    """
    if not (verdict.conduct.keys() - {"runs"}
            or any(row.status == "wrong" for row in verdict.rows)):
        return None
    empty = windows.emptied(verdict.rows)
    if empty:
        return _besides(empty, form, verdict, without)
    evidence = Evidence(form, verdict)
    found = nearest(evidence, without)
    if found:
        return found
    for suspicion in SUSPICIONS:
        found = suspicion(evidence)
        if found:
            return found
    if evidence.arrays <= {"raises"}:
        return None  # there are no numbers
    return Cause("formula", "no usual mistake explains the numbers")


def _besides(empty, form, verdict, without):
    """The Cause of an array that is empty without padding, and of what else is wrong."""
    rest = [row for number, row in enumerate(verdict.rows) if number not in empty]
    other = cause(form, verdict._replace(rows=rest, conduct={}), without)
    seen = f"{next(iter(empty.values()))} is empty without padding: the slice [0:-0] takes nothing"
    return Cause("padding", seen if other is None else f"{seen}; and besides, {other.seen}",
                 "" if other is None else other.nearest)


def nearest(e, without=()):
    """The Cause of the known wrong layer that returns the same wrong numbers; None without one."""
    rows, part = e.usual[:COMPARED], getattr(e.form, "part", "all")
    if not rows or e.op == "dropout":
        return None
    for mistake in mistakes.known(e.op):
        if mistake.kind not in without and _speaks_of(mistake, part) and all(
                _returns(mistake, row, part) for row in rows):
            return Cause(mistake.cause, mistake.words, mistake.kind)
    return None


def _speaks_of(mistake, part):
    """Whether a mistake's words fit where one array alone is somebody's own."""
    named = {*re.findall(r"\b(?:y|d[xwb])\b", mistake.words)}
    return part == "all" or not named or named == {part}


def _returns(mistake, row, part="all"):
    """Whether a known wrong layer returns the same wrong arrays as a row has, or one of them."""
    case = row.case
    arrays = [value.copy() for value in case.inputs.values()]  # a known mistake may write there
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y, cache = mistake.forward(*([arrays] if case.op in PARTS else arrays), **case.options)
            y = np.array(y)
            found = mistake.backward(case.dy(), cache)
    except Exception:  # another mistake: it fails at this setting
        return False
    found = found if isinstance(found, (tuple, list)) else [found]
    named = {"y": y} | {f"d{name}": gradient
                        for name, gradient in zip(case.inputs, found, strict=False)}
    return all(same(row.got[name], named.get(name), right if name in row.wrong else None)
               if name in row.got else named.get(name) is None
               for name, right in row.expected.items() if part in ("all", name))


SUSPICIONS = [
    # conduct alone
    suspect("arguments", "it writes into its arguments or its cache", conducts("arguments")),
    suspect("memory", "its results share memory", conducts("memory")),
    suspect("random", "the mask does not follow its seed", conducts("random")),
    suspect("random", "the mask is not the same in both passes", lambda e: (
        e.op == "dropout" and "state" in e.conduct)),
    suspect("state", "the result depends on earlier calls", conducts("state")),
    suspect("shape", "a gradient has another shape than its argument", conducts("shape")),
    suspect("statistics", "the running statistics move wrongly", conducts("statistics")),
    suspect("layout", "it is wrong only for arrays that are not contiguous", conducts("layout")),
    suspect("dtype", "the dtype of the arguments is not kept", conducts("dtype")),
    suspect("overflow", "numbers that are not finite", conducts("overflow")),
    suspect("upstream", "the gradient is not proportional to dy", conducts("upstream")),
    suspect("batch", "the images are not independent of each other", conducts("batch")),
    suspect("missing", "gradients are missing if x needs none", conducts("missing")),
    suspect("refuse", "it computes what it must refuse", conducts("refuse")),
    # wrong only at certain settings or numbers
    suspect("state", "the result depends on earlier calls", lambda e: "state" in e.conduct),
    suspect("ties", "it is wrong only at equal maxima or exact zeros", needs("ties", least=0)),
    suspect("ties", "it is wrong only where maxima are equal", own_formulas.among_equals),
    suspect("range", "it is wrong only for large sizes", needs("large", least=0)),
    suspect("formula", "it is wrong only for numbers far from 1", lambda e: (
        e.op == "relu" and e.every("values"))),
    suspect("overflow", "it is wrong only for numbers far from 1", needs("values", least=0)),
    suspect("dtype", "right in float64, less accurate than it could be in float32",
            general.single_only),
    own_formulas.of_parts,
    suspect("sign", "every entry has the wrong sign",
            lambda e: e.all_explained(candidates.of_right(np.negative))),
    suspect("missing", "what is wrong is zero, or is not returned",
            lambda e: e.op in PARTS and general.absent(e)),
    suspect("factor", "every entry is wrong by one factor",
            lambda e: e.op in PARTS and general.one_factor(e)),
    suspect("channels", "dy is cut at the wrong places, or its pieces are exchanged",
            own_formulas.cut_wrongly),
    suspect("padding", "it is right only with padding on all sides", windows.lost_without_padding),
    suspect("shape", "a gradient has another shape than its argument", general.other_shape),
    windows.sized,
    # the right numbers of another dy, or times a factor
    suspect("upstream", "the gradients are those of another dy: of ones, of dy squared or the like",
            lambda e: e.all_explained(*candidates.UPSTREAM)),
    suspect("random", "the mask is not the same in both passes, or is scaled wrongly",
            own_formulas.of_random),
    own_formulas.of_loss,
    suspect("batch", "wrong by the number of images", general.by_images),
    suspect("batch", "only one image counts", lambda e: e.all_explained(*candidates.ONE_IMAGE)),
    suspect("batch", "one image is left out",
            lambda e: e.all_explained(*candidates.NOT_ALL_IMAGES)),
    suspect("batch", "only one image is right", general.all_but_one_image),
    suspect("batch", "a sum or mean over the images",
            lambda e: e.all_explained(*candidates.OVER_IMAGES)),
    suspect("channels", "a sum or mean over the channels",
            lambda e: e.all_explained(*candidates.OVER_CHANNELS)),
    suspect("missing", "what is wrong is zero, or is not returned", general.absent),
    suspect("statistics", "it is wrong only outside training", norms.testing_only),
    suspect("bias", "only the bias, or its gradient, is wrong", general.only_bias),
    suspect("factor", "every entry is wrong by one factor", general.one_factor),
    norms.normalised_otherwise,
    suspect("formula", "dx is scaled by other numbers than gamma over the deviation",
            norms.scaled_otherwise),
    suspect("dtype", "every entry is nearly right, as if computed in a lower precision",
            general.slightly),
    suspect("overflow", "numbers that are not finite", general.not_finite),
    # the numbers of a layer with another geometry, mask or order
    suspect("mask", "what passes is decided by another array or the wrong way round",
            own_formulas.other_mask),
    suspect("formula", "y is rectified", own_formulas.rectifies),
    suspect("swap", "it is wrong only where height and width differ",
            needs("pairs", "oblong window", least=0.5)),
    windows.divided,
    suspect("padding", "the padding holds zeros", windows.padded_with_zeros),
    suspect("formula", "dy is spread over the window", windows.as_average),
    windows.geometry,
    own_formulas.lrn_otherwise,
    suspect("channels", "all channels have the same winner", windows.shared_winner(-1)),
    suspect("batch", "all images have the same winner", windows.shared_winner(0)),
    suspect("channels", "it works along the wrong axis", own_formulas.turned_over),
    suspect("channels", "images are read channel by channel",
            lambda e: e.op in ("dense", "global_average_pool") and e.all_explained(
                own_formulas.channels_first)),
    suspect("flip", "a kernel is mirrored", lambda e: e.all_explained(*candidates.FLIPS)),
    suspect("groups", "channels are dealt out to the groups in turn",
            lambda e: e.all_explained(candidates.in_turn)),
    suspect("groups", "it is wrong only with several groups", needs("groups")),
    suspect("overlap", "only the last window counts", lambda e: (
        e.arrays <= {"dw", "db"} and e.all_explained(*candidates.LAST_ONLY))),
    suspect("missing", "the last, or first, row, column or channel of dy is left out",
            lambda e: e.all_explained(*candidates.LEFT_OUT)),
    suspect("missing", "only the first row, column, window or channel of dy counts",
            lambda e: e.all_explained(*candidates.FIRST_ONLY)),
    suspect("channels", "the gradient of all channels goes to the first",
            general.gathered_at_first(-1)),
    suspect("batch", "the gradient of all images goes to the first", general.gathered_at_first(0)),
    suspect("channels", "y is the same in all channels", general.levelled(-1)),
    suspect("batch", "y is the same for all images", general.levelled(0)),
    suspect("arguments", "it writes into its arguments", lambda e: "arguments" in e.conduct),
    suspect("dilation", "it is wrong only with a dilation", needs("dilation")),
    suspect("rounding", "it is wrong only where the number of windows is rounded",
            needs("ceil", "not tiling", least=0.3)),
    suspect("padding", "it is wrong only with padding", needs("padding")),
    suspect("overlap", "it is wrong only where windows overlap", needs("overlap")),
    suspect("stride", "it is wrong only with a stride", needs("stride")),
    suspect("stride", "it is wrong only where the stride is not the window",
            needs("gaps", "overlap")),
    suspect("channels", "it is wrong only where there are as many channels in as out",
            needs("square")),
    suspect("swap", "it is wrong only where height and width differ",
            needs("oblong", "oblong window", "pairs")),
    # where in the arrays
    suspect("missing", "the last, or first, entries along an axis are wrong", lambda e: any(
        e.places(general.last(axis, at)) for axis in (1, 2, -1, 0) for at in (-1, 0))),
    suspect("padding", "only the border is wrong", lambda e: (
        e.op in (*windows.WINDOWED, "resize") and e.arrays <= {"y", "dx"}
        and e.places(general.border))),
    suspect("channels", "the right numbers stand at the wrong places", general.permuted),
    suspect("cross term", "dx is wrong where the numbers share a sum", own_formulas.crossed),
    suspect("missing", "what is wrong is zero", general.partly_absent),
    suspect("swap", "rows and columns are exchanged", lambda e: (
        e.op in windows.WINDOWED and e.all_explained(
            candidates.of_input("w", lambda w: w.swapaxes(0, 1)),
            candidates.of_right(lambda a: a.swapaxes(1, 2))))),
    suspect("channels", "channels are exchanged", lambda e: e.all_explained(*candidates.EXCHANGED)),
    suspect("padding", "it is wrong mostly with padding", mostly("padding")),
    suspect("overlap", "it is wrong mostly where windows overlap", mostly("overlap")),
    suspect("stride", "it is wrong mostly with a stride", mostly("stride")),
    suspect("swap", "it is wrong mostly where height and width differ", mostly("oblong")),
    suspect("mask", "what passes is decided wrongly",
            lambda e: e.op in ("pool", "svm_loss") and "y" not in e.arrays),
]

"""The conduct of an op at several of its cases: `minicnn.gradcheck.gradients.conduct`, and besides

- the running statistics of a batch norm, which have to move by their momentum in training only;
- the mask of a dropout, which has to be drawn for each number;
- what has to be refused, and is not.
"""

import numpy as np

from minicnn.gradcheck.judge.claims import arguments
from minicnn.gradcheck.judge.reference import results
from minicnn.gradcheck.own.forms import STATISTICS, WITH_STATISTICS

KINDS = ("one mask for all", "training and use", "refusals", "running statistics")
ADDED = ("batch", "padding", "groups", "images", "training", "identity")
SAME_SHARE = 1e-6  # two shares fitted to numbers of 16 digits


def conduct(form, rows):
    """Complaints about conduct, by kind: at some plain cases, and what was not refused."""
    found = {}
    for row in _plain(form, rows):
        arrays, settings = arguments(form, row.case, np.float64)
        try:
            of_case = form.conduct(arrays, settings, row.case.dy())
        except ValueError as error:  # the child that ran it has died
            return {"runs": [str(error)]}
        for kind, complaints in of_case.items():
            if complaints:
                found.setdefault(kind, complaints)
    if form.op == "dropout" and (alike := one_mask(form)):
        found["one mask for all"] = [alike]
    if form.op == "dropout" and (confused := in_use(form)):
        found["training and use"] = [confused]
    refused = [row.words for row in rows if "refuses" in row.wrong]
    found |= {"refusals": list(dict.fromkeys(refused))} if refused else {}
    if form.op in WITH_STATISTICS:
        moved = running_statistics(form, rows)
        found |= {"running statistics": moved} if moved else {}
    return found


def _plain(form, rows):
    """The first case that ran, those that add a feature, and those that change nothing, where a
    result may be its argument."""
    found, seen = [], set()
    for row in rows:
        tags = row.case.tags & {*ADDED}
        if (not row.case.refuse and row.dtype == np.float64
                and row.case.tags.isdisjoint({"large", "values", "ties"})
                and (not found or tags - seen or "identity" in tags)
                and not (form.kind == "torch" and "identity" in tags)):  # it may return x itself
            found, seen = [*found, row], seen | tags
    return found


def one_mask(form):
    """Words if a dropout of ones drops the same numbers in all rows, in all columns, or for another
    seed."""
    settings = [{name: value for name, value in (("rate", 0.5), ("seed", seed))
                 if name in form.takes} for seed in (3, 4)]
    try:
        y, other = (np.asarray(form.forward({"x": np.ones((6, 50))}, one)[0]) for one in settings)
    except Exception:
        return ""
    if 0 < np.mean(y == 0) < 1 and np.array_equal(y, other):
        return "the mask is the same for every seed, or drawn from a seed that is set inside"
    for axis, words in enumerate(("images", "numbers of an image")):
        if y.shape == (6, 50) and 0 < np.mean(y == 0) < 1 and not np.ptp(y, axis).any():
            return f"all {words} have the same mask"
    return ""


def in_use(form):
    """Words if a dropout is not the mean of what it does in training, once training is over."""
    if not {"training", "rate"} <= {*form.takes}:
        return ""
    x = np.ones((6, 50))
    try:
        y, trained = (np.asarray(form.forward({"x": x}, {"rate": 0.2, "training": training})[0])
                      for training in (False, True))
    except Exception:
        return ""
    scaled = np.allclose(trained[trained != 0], 1.25)
    if y.shape == x.shape and not np.allclose(y, x if scaled else 0.8 * x):
        return (f"in use, ones become {y.flat[0]:.3g}; in training they become "
                f"{trained.max():.3g} or 0")
    return ""


def running_statistics(form, rows):
    """Complaints about a batch norm's running mean and variance.

    In training each has to become a old + (1 - a) new, with the same a of at least 1/2 for both
    (the old share; libraries that call 1 - a the momentum do the same), where new is the batch's,
    the variance over n or n - 1; or neither moves. Otherwise neither may move.
    """
    for row in rows:
        if row.dtype != np.float64 or row.case.tags & {"large", "values", "images"}:
            continue
        arrays, settings = arguments(form, row.case, np.float64)
        try:
            _, kept = form.forward(arrays, settings)
            now = form.statistics(kept)
        except Exception:
            return []
        complaints = moved_wrongly(form, row.case, now) if now else []
        if complaints:
            return complaints
    return []


def moved_wrongly(form, case, now):
    """Complaints about the running statistics after a forward, {"mean": ..., "variance": ...}."""
    if now["mean"].shape != case.inputs["mean"].shape:
        return []
    given = "mean" in form.arrays
    old = {name: case.inputs[name] if given else np.zeros_like(case.inputs[name])
           for name in STATISTICS}
    if not case.options["training"]:
        return [f"a pass that is not training moves the running {name}" for name in STATISTICS
                if given and not np.allclose(now[name], old[name], 1e-12, 0)]
    shares = {}
    for name, news in batch_statistics(case).items():
        olds = [old[name]] if given else [old[name], old[name] + 1]
        fitting = [share for one in olds for new in news for share in [_share(now[name], one, new)]
                   if share is not None]
        if not fitting:
            return [f"the running {name} is no mixture of its old value and the batch's"]
        shares[name] = fitting
    share = max(shares["mean"])
    if share < 0.5:
        return [f"the running mean becomes {share:.3g} old + {1 - share:.3g} new: the greater "
                "share belongs to the old value"]
    if not any(abs(one - share) < SAME_SHARE for one in shares["variance"]):
        return [f"the running mean becomes {share:.3g} old + {1 - share:.3g} new, the variance "
                f"{shares['variance'][0]:.3g} old"]
    return []


def batch_statistics(case):
    """{"mean": [of the batch], "variance": [over n, over n - 1]} before the normalisation."""
    names = {"batch_norm": None, "affine_bn_relu": "dense", "conv_bn_relu": "conv"}
    inner, x = names[case.op], case.inputs["x"]
    if inner:
        settings = {key: case.options[key] for key in ("stride", "pad") if key in case.options}
        x = results(inner, {key: case.inputs[key] for key in "xwb"}, settings, None)[0]
    values = x.reshape(-1, x.shape[-1])  # N,...,C -> M,C
    return {"mean": [values.mean(0)], "variance": [values.var(0), values.var(0, ddof=1)]}


def _share(now, old, new):
    """The a of  now = a old + (1 - a) new; None if there is none for all channels."""
    apart = old - new
    share = float((now - new) @ apart / (apart @ apart))
    return share if np.allclose(now, share * old + (1 - share) * new, 1e-9, 1e-9) else None

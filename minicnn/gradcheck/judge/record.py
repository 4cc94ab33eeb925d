"""The results of `minicnn check` as plain values, for its --json.

    {"format": "minicnn check", "version": 1, "file": "layers.py", "ok": false,
     "finished": true,                 false after Ctrl-C: `ops` holds what was done until then
     "error": "",                      why the file could not be opened
     "quick": false, "without": ["groups"], "found": 2, "ops": [...]}

Each op:

    {"op": "conv", "variant": "naive", "told": "what was taken for it", "ok": false,
     "gradient": "wrong", "conduct": "right",     each "right", "wrong" or "no answer"
     "points": 0.8,                share of the claimed settings that are right, 0..1
     "conduct points": 1.0,        share of the kinds of conduct without a complaint, or null
     "counts": {"right": 28, "wrong": 7, "cannot do": 0, "not claimed": 12, "skipped": 0,
                "ended": 0},       results; "ended" are those whose process ended without one
     "seconds": 1.4, "error": "",                 why there is no answer
     "wrong": [{"setting": "3x3, padded", "dtype": "float64", "arrays": ["dx"], "words": "..."}],
     "complaints": {"arguments untouched": ["backward changed dy"]},
     "cause": {"name": "padding", "seen": "...", "nearest": "..."},    or null
     "smallest": {"words": "...", "code": "..."},                      or null
     "notes": []}

`version` grows when a name is taken away or changes its meaning. New names may come at any time.
"""

from pathlib import Path

import numpy as np

from minicnn.gradcheck.judge.judge import NO_ANSWER
from minicnn.gradcheck.judge.words import no_answer

VERSION = 1


def as_dict(path, done, found, *, finished=True, quick=False, without=(), error=""):
    """The results as plain values.

    Parameters
    ----------
    path : str
    done : list of Judged
    found : int
        How many ops were to be judged.
    finished, quick : bool
    without : sequence of str
    error : str
        Why the file could not be opened.
    """
    ok = finished and len(done) == found > 0 and all(one.ok for one in done)
    return {"format": "minicnn check", "version": VERSION, "file": Path(path).name, "ok": ok,
            "finished": finished, "error": error, "quick": quick, "without": list(without),
            "found": found, "ops": [_op(one) for one in done]}


def _op(one):
    verdict = one.verdict
    cause, smallest = verdict and verdict.cause, verdict and verdict.smallest
    return {
        "op": one.op, "variant": one.variant, "told": one.told, "ok": one.ok,
        "gradient": one.gradient, "conduct": one.conduct, "points": round(one.points, 4),
        "conduct points": one.conduct_points,
        "counts": one.counts, "seconds": round(one.seconds, 2),
        "error": one.error or (
            no_answer(verdict) if verdict and one.gradient == NO_ANSWER else ""),
        "wrong": [{"setting": row.case.name, "dtype": np.dtype(row.dtype).name,
                   "arrays": list(row.wrong), "words": row.words} for row in one.wrong],
        "complaints": verdict.conduct if verdict else {},
        "cause": cause and {"name": cause.name, "seen": cause.seen,
                            "nearest": cause.nearest},
        "smallest": smallest and {"words": smallest.words, "code": smallest.code},
        "notes": list(verdict.notes) if verdict else []}

"""What a question is judged at: settings and numbers drawn from seeds.

Two seeds draw a trial. The settings (sizes, strides, ...) come from the seed of the course and the
question: they are the same for a whole class. The numbers come from these and from the submission:
whoever has seen the numbers of one attempt knows nothing of those of the next.
"""

import zlib
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.judge.cases import TAGS, Case
from minicnn.gradcheck.judge.sizes import LEAST, OF

COUNT, TRIES = 8, 1000  # trials of a question; draws until one is a possible setting
SINGLE = 2  # of them in float32
TAGGED = {"ties": {"ties"}, "zeros": {"ties"}, "far": {"values"}}
NEUTRAL = {"stride": 1, "pad": 0, "groups": 1, "dilation": 1, "rounding": "floor", "b": None}
VALUES = {  # how the numbers of a trial are made from normal ones
    "normal": lambda x: x,
    "ties": np.round,  # whole numbers, many of them equal
    "negative": lambda x: -1 - np.abs(x),
    "far": lambda x: _apart(1000 * np.sign(x) + x),
    "signs": lambda x: _signed(x),
    "zeros": lambda x: _signed(np.where(np.abs(x) < 0.7, 0.0, x)),
}


class Trial(NamedTuple):
    """One setting of an op: a Case with its own dy, and the dtype."""

    case: Case
    dtype: Any

    def __str__(self):
        return f"{self.case.name}, {np.dtype(self.dtype).name}"


def generator(seed, *more):
    """A NumPy Generator from a seed and words."""
    return np.random.default_rng([seed, *(zlib.crc32(str(word).encode()) for word in more)])


def trials(question, seed, submission=""):
    """The trials of a question of the kind "op".

    Parameters
    ----------
    question : Question
        Its contract has `op`; `sizes`, {name: number or [least, most]} in the names of
        `minicnn.gradcheck.judge.sizes`; and, as it needs them, `options` and `values`, lists to
        choose from; `left_out`, settings that are not given in every fourth trial; and `some`,
        conditions of which each trial fulfils one in turn.
    seed : int
        Of the course.
    submission : str
        What the numbers depend on besides.

    Returns
    -------
    list of Trial
        The last `SINGLE` in float32.
    """
    contract = question.contract
    rng, numbers = generator(seed, question.id), generator(seed, question.id, submission)
    values, some = contract.get("values", ["normal"]), contract.get("some", [{}])
    found = [_trial(contract, some[index % len(some)], values[index % len(values)], rng, numbers,
                    np.float32 if index >= COUNT - SINGLE else np.float64)
             for index in range(COUNT)]
    return [_without(trial, contract.get("left_out", ())) if index % 4 == 3 else trial
            for index, trial in enumerate(found)]


def _without(trial, names):
    """The trial without some settings, for which the op has a default that says the same."""
    case = trial.case
    options = {name: value for name, value in case.options.items() if name not in names}
    left_out = "".join(f", no {name} given" for name in names)
    return trial._replace(case=case._replace(options=options, name=case.name + left_out))


def _trial(contract, some, values, rng, numbers, dtype):
    for _ in range(TRIES):
        case = drawn(contract, contract["sizes"] | some, rng)
        if case is not None:
            break
    else:
        raise ValueError(f"no setting fulfils {contract['sizes'] | some}")
    inputs = {name: _numbers(name, array, values, case, numbers)
              for name, array in case.inputs.items()}
    case = case._replace(inputs=inputs, name=_name(case) + f", {values}" * (values != "normal"),
                         tags=_tags(case, values))
    y, _ = case.expected()
    return Trial(case._replace(upstream=numbers.standard_normal(np.shape(y))), dtype)


def _signed(x):
    """The first number is positive, the second negative."""
    x.ravel()[:2] = [1, -1] * (1 + np.abs(x.ravel()[:2]))
    return x


def _apart(x):
    """exp overflows, and every second row lies far below the others."""
    return x - 4000 * (np.arange(len(x)) % 2).reshape(-1, *[1] * (x.ndim - 1))


def _tags(case, values):
    """The features of a trial that are not there by chance, in the judge's words."""
    found = {tag for tag in ("groups", "dilation", "ceil") if TAGS[tag](case.inputs, case.options)}
    return frozenset(found | TAGGED.get(values, set()))


def drawn(contract, sizes, rng):
    """A Case with sizes drawn from ranges; None if the op cannot have it."""
    chosen = {name: int(rng.integers(value[0], value[1] + 1)) if isinstance(value, list) else value
              for name, value in sizes.items()}
    op = contract["op"]
    options = {name: these[int(rng.integers(len(these)))]
               for name, these in contract.get("options", {}).items()}
    try:
        case = OF[op][0](op, {**_unspoken(op), **chosen})
        case = case._replace(options=case.options | options)
        return case if np.size(case.expected()[0]) else None
    except (ValueError, IndexError, ZeroDivisionError):
        return None


def _unspoken(op):
    """The sizes that a contract need not tell: the least of each."""
    conv = "n c o groups bias h w kh kw sh sw ph pw dh dw"
    names = {"conv": conv, "conv_transpose": conv,
             "pool": "n c h w kh kw sh sw ph pw ceil"}.get(op, "").split()
    return {name: LEAST.get(name, 1) for name in names}


def _numbers(name, array, values, case, rng):
    """Numbers in the shape of one input."""
    if array.dtype.kind != "f":  # labels
        return rng.integers(0, case.inputs["x"].shape[-1], array.shape)
    normal = rng.standard_normal(array.shape)
    return VALUES[values](normal) if name == "x" else normal


def beyond(contract, case):
    """Words if a case is beyond a contract: it has larger sizes or settings than the question."""
    most = {}
    for some in contract.get("some", [{}]):
        for name, value in (contract["sizes"] | some).items():
            most[name] = max(most.get(name, 0), value[1] if isinstance(value, list) else value)
    for name, value in OF[contract["op"]][1](case).items():
        if value > most.get(name, _unspoken(contract["op"]).get(name, value)):
            return f"not in this question: {name} {value}"
    return ""


def _name(case):
    """A setting in words."""
    shapes = [f"{name} {'x'.join(map(str, np.shape(value)))}"
              for name, value in case.inputs.items()]
    return ", ".join(shapes + [f"{name} {value}" for name, value in case.options.items()
                               if NEUTRAL.get(name, "") != value])

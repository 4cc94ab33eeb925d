"""Questions of the kind "checker": a student's gradient checker meets right and wrong layers.

The layers stay in this process. The checker gets functions that ask for their results, so it sees
numbers alone. Every wrong layer of which it names the wrong inputs, and no other, earns a share;
every right layer that it reports costs those of `ALARM` wrong ones. Who reports all, none, or
at random earns nothing.

Which layer comes when, chance decides, not the seed: a file sees numbers that are drawn from the
seed, and can try all small ones. Right and wrong layers of an op meet the same numbers.
"""

import random
from time import perf_counter

import numpy as np

from minicnn.course.assignments.trials import generator
from minicnn.course.grader.local import Local
from minicnn.course.grader.outcome import Check
from minicnn.gradcheck import mistakes
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.judge.reference import passes
from minicnn.gradcheck.own.sources import OwnError

ALARM = 3  # shares that a false alarm costs
DRAWS = 50  # of numbers, until the mistake shows
DEATHS = 3  # of its process, after which it meets no other layer
SETTINGS = {  # op: (shapes of the inputs, settings); small, for a checker calls forward often
    "dense": ({"x": (3, 4), "w": (4, 2), "b": (2,)}, {}),
    "conv": ({"x": (1, 4, 5, 2), "w": (2, 3, 2, 2), "b": (2,)}, {"stride": 1, "pad": 1}),
    "relu": ({"x": (3, 4)}, {}), "sigmoid": ({"x": (2, 5)}, {}), "tanh": ({"x": (2, 5)}, {}),
    "softmax": ({"x": (2, 4)}, {}),
    "lrn": ({"x": (1, 1, 2, 4)}, {"size": 3, "alpha": 1.0, "beta": 0.75, "k": 1.0}),
    "pool": ({"x": (1, 4, 4, 2)}, {"window": 2, "stride": 1}),
}


def checks(question, walled, asked):
    """The Checks of a question, and why.

    The contract lists `right`, names of ops, and `wrong`, [op, kind] of known wrong layers;
    `values` are how the numbers of x are made. As `minicnn.course.grader.by_op.checks`.
    """
    cases = [(op, passes(op), False) for op in question.contract["right"]]
    cases += [(op, _known(op, kind), True) for op, kind in question.contract["wrong"]]
    shown, said = _shown(cases, question, asked), {}
    for index in random.SystemRandom().sample(range(len(cases)), len(cases)):
        if sum(one is None for one, _ in said.values()) < DEATHS:
            said[index] = _said(walled, *cases[index], *shown[index], question, asked)
        else:
            said[index] = None, f"was not tried after the process had ended {DEATHS} times"
    found = [(is_wrong, *said[index]) for index, (*_, is_wrong) in enumerate(cases)]
    caught = sum(said is True for is_wrong, said, _ in found if is_wrong)
    alarms = sum(said is not False for is_wrong, said, _ in found if not is_wrong)
    share = max(0, caught - ALARM * alarms) / sum(is_wrong for is_wrong, *_ in found)
    listed = [Check(f"a {'wrong' if is_wrong else 'right'} layer", said is is_wrong, words)
              for is_wrong, said, words in found]
    why = {"share": share, "words": _words(found, caught, alarms)}
    known = asked.explain and share < 1 and known_mistake(question, cases, shown, said, asked)
    return listed, why | ({"cause": known.words, "key": known.cause} if known else {})


def known_mistake(question, cases, shown, said, asked):
    """The planted mistake whose checker says the same of every layer; None without one."""
    for mistake in asked.mistakes(question):
        process = Local(mistake.source)
        if all(_said(process, *cases[index], *shown[index], question, asked)[0] == answer
               for index, (answer, _) in said.items()):
            return mistake
    return None


def _known(op, kind):
    """A known wrong layer, in a module of its own."""
    return next(one for one in mistakes.known(op) if one.kind == kind).fresh()


def _said(walled, op, layer, is_wrong, inputs, right, question, asked):
    """(True if the checker reported what is wrong, None without an answer; words)."""
    forward, backward = _passes(layer, *SETTINGS[op])
    if perf_counter() > asked.end:
        return None, "the time for this question was over"
    try:
        said = walled.call(question.function, walled.function(forward), walled.function(backward),
                           inputs)
    except (OwnError, Died) as error:
        if isinstance(error, Died):
            return None, str(error)
        return "raised", f"raises {error}"
    if not isinstance(said, (list, tuple)) or not all(
            isinstance(name, str) and name in inputs for name in said):
        return "no list", f"expected a list of names out of {', '.join(inputs)}, got {said!r:.80}"
    if said and is_wrong and {*said} != {*right}:
        return "others", (f"of a wrong layer it reports {', '.join(said)}; wrong are the "
                          f"gradients of {', '.join(right)}")
    return bool(said), ""


def _passes(layer, shapes, settings):
    """A layer's forward and backward as a checker calls them; caches stay here."""
    kept = []

    def forward(*given):
        y, cache = layer.forward(*_of_shapes("forward", given, shapes.values()), **settings)
        kept.append((cache, y.shape))
        return y, len(kept) - 1

    def backward(dy, number):
        cache, shape = kept[number]
        gradients = layer.backward(*_of_shapes("backward", [dy], [shape]), cache)
        return tuple(gradients) if isinstance(gradients, (tuple, list)) else (gradients,)

    return forward, backward


def _shown(cases, question, asked):
    """[(inputs, the names that the page's checker reports at them)] of the cases.

    All layers of an op get the same inputs, or a file could tell them apart. A mistake need not
    show at all numbers: they are drawn again until the page's checker is right of every layer.
    """
    found = [None] * len(cases)
    for op in dict.fromkeys(op for op, *_ in cases):
        rng, of_op = generator(asked.seed, question.id, op, asked.submission), [
            index for index, case in enumerate(cases) if case[0] == op]
        for _ in range(DRAWS):
            inputs = {name: rng.standard_normal(shape) for name, shape in SETTINGS[op][0].items()}
            if question.contract.get("zeros"):
                inputs["x"] = np.round(inputs["x"])
            for index in of_op:
                passed = _passes(cases[index][1], *SETTINGS[op])
                found[index] = inputs, asked.right.call(question.function, *passed, inputs)
            if all(bool(found[index][1]) is cases[index][2] for index in of_op):
                break
    return found


def _of_shapes(function, given, shapes):
    """Arrays of numbers of these shapes, on which alone a layer computes here; ValueError for
    anything else."""
    given, shapes = [np.asarray(one) for one in given], [*shapes]
    got = [one.shape for one in given]
    if got != shapes or any(one.dtype.kind not in "biuf" for one in given):
        raise ValueError(f"{function} takes arrays of the shapes {', '.join(map(str, shapes))}, "
                         f"got {', '.join(map(str, got))}")
    return given


def _words(found, caught, alarms):
    """What the checker did, in words; the first error if it raised one."""
    wrong = sum(is_wrong for is_wrong, *_ in found)
    words = next((words for *_, words in found if words), "")
    return words or (f"{caught} of {wrong} wrong layers caught, {alarms} of {len(found) - wrong} "
                     "right layers reported as wrong")

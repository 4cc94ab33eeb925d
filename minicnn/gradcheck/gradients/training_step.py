"""Is this training step what it claims to be?  The loss, the optimiser, the running statistics.

    def step(params, x, labels):          # your own: changes the arrays in params
        ...
        return loss

    report = check_training_step(step, params, x, labels, loss, optimizer="momentum", lr=0.1)

`loss` is the forward pass alone.  Its gradient is taken numerically; the step never is asked for
one.  What the optimiser's formula makes of it must be how every parameter moves, over three steps
in float64.  If it is not, the formulas with the usual mistakes are tried, and one that fits is
named.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.gradients import compare, slopes
from minicnn.gradcheck.gradients.directions import CENTRAL, chosen_places, one_hot
from minicnn.gradcheck.gradients.report import CONDUCT, FAILED, GRADIENT, PASSED, Finding, Report
from minicnn.gradcheck.gradients.subject import Subject
from minicnn.gradcheck.gradients.update_rules import OPTIMIZERS, Rule, mistakes, moves

MOVES = 1e-5  # tolerance of a parameter's move; the numerical gradient has 1e-7 or better
SURE = 1e-6  # Adam divides by the gradient's own size: it must be known to this share of itself


class Running(NamedTuple):
    """Running statistics of a normalisation, kept in params.

    Attributes
    ----------
    mean, variance : str
        Their names in params.
    values : callable
        values(params, x) -> what is normalised, an array (N, ..., C) or, with axis=1, (N, C, ...).
    momentum : float
        In a step they become momentum * old + (1 - momentum) * the batch's own.
    unbiased : bool
        Whether the batch's variance is divided by n - 1 (PyTorch) instead of n.
    axis : int
        The axis of the channels.
    """

    mean: str
    variance: str
    values: Callable
    momentum: float = 0.9
    unbiased: bool = False
    axis: int = -1


class Taken(NamedTuple):
    """One step that was taken: params before and after, the loss it returned and the one before."""

    before: dict
    after: dict
    returned: object
    loss: float
    touched: list


def check_training_step(step: Callable, params: dict[str, np.ndarray], x: np.ndarray,
                        labels: np.ndarray, loss: Callable, *, optimizer: str = "sgd",
                        lr: float = 0.01, momentum: float = 0.9, nesterov: bool = False,
                        rho: float = 0.99, beta1: float = 0.9, beta2: float = 0.999,
                        epsilon: float = 1e-8, weight_decay: float = 0.0, decoupled: bool = False,
                        decayed: Sequence[str] | None = None, frozen: Sequence[str] = (),
                        running: Sequence[Running] = (), test: Callable | None = None,
                        steps: int = 3, seed: int = 0,
                        name: str = "this training step") -> Report:
    """Check a whole training step: that it minimises the loss it claims, as it claims.

    Parameters
    ----------
    step : callable
        step(params, x, labels) -> loss.  It changes the arrays in params, or puts others there, or
        returns (loss, new params).  It must not have been used before: the optimiser's state
        starts at zero.
    params : dict of str to array
        Where to start.  The step gets copies, in float64.
    x, labels : arrays
        A batch, the first axis of x being the images.
    loss : callable
        loss(params, x, labels) -> number, the forward pass in training mode without weight decay.
    optimizer : str
        "sgd", "momentum", "rmsprop" or "adam", with the settings below; the formulas are in
        `minicnn.gradcheck.gradients.update_rules`.
    lr, momentum, nesterov, rho, beta1, beta2, epsilon
        Settings of the optimiser.
    weight_decay : float
        What is added to the gradient, as a multiple of the parameter; with `decoupled` it is
        taken off the parameter instead, times lr (AdamW).
    decayed : sequence of str, optional
        The parameters that weight decay applies to; by default those with more than one axis, so
        not biases.
    frozen : sequence of str
        Parameters that the step must leave as they are.
    running : sequence of Running
        Running statistics and how they move.
    test : callable, optional
        test(params, x): the pass in testing mode, which must change nothing in params.
    steps : int
        How many steps are taken, all with this batch.
    seed : int
        Seed of the choice of entries: of a parameter with more than 300 entries 30 are checked.
    name : str
        What the report calls the step.

    Returns
    -------
    Report
        With the findings "loss" and "update" of the gradient's verdict, and "frozen parameters",
        "running statistics", "testing mode" and "arguments untouched" of the conduct's.

    Raises
    ------
    ValueError
        The optimiser or a name is not known.

    Examples
    --------
    >>> def mean_square(params, x, labels):
    ...     return np.mean((x @ params["w"] - labels) ** 2) / 2
    >>> def step(params, x, labels):
    ...     error = x @ params["w"] - labels
    ...     params["w"] -= 0.1 * x.T @ error  # the mean over the batch is forgotten
    ...     return np.mean(error**2) / 2
    >>> x = np.arange(12.0).reshape(4, 3) / 10
    >>> report = check_training_step(step, {"w": np.ones(3)}, x, x[:, 0], mean_square, lr=0.1)
    >>> print(report["update"].words.split(": ")[-1])
    the gradient of the sum instead of the mean over the batch
    """
    rule = Rule(optimizer, lr, momentum, nesterov, rho, beta1, beta2, epsilon, weight_decay,
                decoupled)
    params = {key: np.array(value, np.float64) for key, value in params.items()}
    _demand_names(params, optimizer, decayed, frozen, running)
    if decayed is None:
        decayed = [key for key, value in params.items() if value.ndim > 1]
    kept = {*frozen, *(key for one in running for key in (one.mean, one.variance))}
    learned = [key for key in params if key not in kept]
    taken = []
    try:
        for _ in range(steps):
            taken.append(taken_step(step, taken[-1].after if taken else params, x, labels, loss))
    except Exception as error:  # any error of the code under check becomes a finding
        words = f"the step or the loss raised {type(error).__name__}: {error}"
        return Report(name, [Finding("runs", FAILED, words, cause=error)])
    findings = [loss_claimed(taken, x, labels, loss),
                update(taken, learned, decayed, rule, loss, x, labels, seed)]
    touched = sorted({words for one in taken for words in one.touched})
    findings.append(conduct_of("arguments untouched", touched))
    if frozen:
        findings.append(conduct_of("frozen parameters", moved_though_frozen(taken, frozen)))
    if running:
        findings.append(conduct_of("running statistics", statistics(taken, running, x)))
    if test is not None:
        findings.append(conduct_of("testing mode", changed_by_testing(test, taken[-1].after, x)))
    return Report(name, findings)


def _demand_names(params, optimizer, decayed, frozen, running):
    """Raise ValueError if a name is not known."""
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"gradcheck: expected optimizer to be {', '.join(OPTIMIZERS)}, got "
                         f"{optimizer!r}")
    named = [*(decayed or ()), *frozen, *(key for one in running
                                          for key in (one.mean, one.variance))]
    unknown = [key for key in named if key not in params]
    if unknown:
        raise ValueError(f"gradcheck: {unknown} are not in params, which has {[*params]}")


def taken_step(step, before, x, labels, loss):
    """Take a step; returns Taken."""
    given, images, targets = _copy(before), np.array(x), np.array(labels)
    value = float(loss(_copy(before), np.array(x), np.array(labels)))
    returned = step(given, images, targets)
    if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], dict):
        returned, given = returned
    after = {key: np.array(given[key], np.float64) for key in before}
    touched = [f"the step changed {what}" for what, now, was in (
        ("x", images, np.asarray(x)), ("the labels", targets, np.asarray(labels)))
        if now.tobytes() != was.tobytes()]
    touched += [f"the step made {key} {np.asarray(given[key]).dtype} instead of float64"
                for key in before if np.asarray(given[key]).dtype != np.float64]
    return Taken(before, after, returned, value, touched)


def _copy(params):
    return {key: value.copy() for key, value in params.items()}


def conduct_of(kind, complaints):
    """A Finding of the conduct, which passes without complaints."""
    return Finding(kind, FAILED if complaints else PASSED, "; ".join(complaints), verdict=CONDUCT)


# ---- the loss


def loss_claimed(taken, x, labels, loss):
    """The step returns the loss at the parameters it was given."""
    worst = max((_loss_of(one, x, labels, loss) for one in taken), key=lambda found: found.error)
    return Finding("loss", PASSED if worst.error <= MOVES else FAILED, worst.words, worst.error,
                   MOVES, verdict=GRADIENT)


def _loss_of(one, x, labels, loss):
    """The comparison of the loss that one step returned."""
    if one.returned is None or np.size(one.returned) != 1:
        return compare.Worst(np.inf, "the step returned no number: expected its loss")
    got = float(np.reshape(one.returned, ()))
    found = compare.one("the loss of the step", got, one.loss, "the forward pass says",
                        1e-9 * max(abs(one.loss), 1e-3))
    if found.error <= MOVES:
        return found
    if np.isclose(got, one.loss * len(x), 1e-6, 0):
        return found._replace(wrong="it is the sum over the batch instead of the mean")
    if np.isclose(got, float(loss(_copy(one.after), x, labels)), 1e-9, 0):
        return found._replace(wrong="it is the loss after the update instead of before")
    return found


# ---- the update


class Track(NamedTuple):
    """Some entries of a parameter over the steps: its values, its moves and its gradients."""

    name: str
    places: list
    weights: list
    moves: list
    gradients: list


def update(taken, learned, decayed, rule, loss, x, labels, seed):
    """Every parameter moves as the rule says; if not, name a mistake that fits."""
    rng, kind = np.random.default_rng(seed), "update"
    tracks = [tracked(name, taken, rule, loss, x, labels, rng) for name in learned]
    rows = [(track, misfit(track, track.name in decayed, rule)) for track in tracks]
    if not any(track.places for track in tracks):
        return Finding(kind, FAILED, "nothing could be compared: no parameter has a gradient")
    wrong = [(track, found) for track, found in rows if not found.error <= MOVES]
    if not wrong:
        found = max((found for _, found in rows), key=lambda found: found.error)
        return Finding(kind, PASSED, found.numbers, found.error, MOVES)
    found = max((found for _, found in wrong), key=lambda found: found.error)
    names = ", ".join(track.name for track, _ in wrong)
    cause = named_mistake(tracks, [track for track, _ in wrong], decayed, rule, len(x))
    return Finding(kind, FAILED, f"{names} wrong; {found.words}" + (f": {cause}" if cause else ""),
                   found.error, MOVES)


def tracked(name, taken, rule, loss, x, labels, rng):
    """The Track of a parameter: all its entries, or some of a large one.  Entries at a kink are
    left out, and, where the move depends on the sign of the gradient, those that are nearly 0."""
    places = chosen_places(taken[0].before[name], rng)
    rows = [numerical(name, one.before, places, loss, x, labels) for one in taken]
    adaptive = rule.optimizer in ("rmsprop", "adam")
    sure = [all(not row[k].kink and (not adaptive or row[k].rounding <= SURE * abs(row[k].value)
                                     or row[k].value == row[k].rounding == 0)
                for row in rows) for k in range(len(places))]
    chosen = [k for k, good in enumerate(sure) if good]
    places = [places[k] for k in chosen]

    def entries(array):
        return np.array([array[place] for place in places])

    return Track(name, places, [entries(one.before[name]) for one in taken],
                 [entries(one.after[name] - one.before[name]) for one in taken],
                 [np.array([row[k].value for k in chosen]) for row in rows])


def numerical(name, params, places, loss, x, labels):
    """The Slope of the loss along each of some entries of a parameter."""
    subject = Subject(lambda array: np.asarray(loss(_copy(params) | {name: array}, x, labels),
                                               np.float64), None, {name: params[name]})
    y, dy, size = subject.value(subject.copies()), np.ones(()), slopes.size_of(params[name])
    return [slopes.central(subject.along(0, one_hot(params[name].shape, place)), y, dy, size,
                           CENTRAL, 1e-6 * abs(float(y)) / size) for place in places]


def misfit(track, decayed, rule, factor=1.0):
    """The worst comparison of a parameter's moves with those of a rule."""
    if not track.places:
        return compare.Worst(0.0, f"{track.name} has no gradient to compare with")
    gradients = [factor * g for g in track.gradients]
    with np.errstate(all="ignore"):
        expected = moves(rule, decayed, track.weights, gradients)
    found = []
    for t, (got, says, w) in enumerate(zip(track.moves, expected, track.weights, strict=True)):
        floor = 8 * slopes.EPS * np.abs(w).max() / MOVES
        error = compare.errors(got, says, 1e-2, floor)
        k = int(np.argmax(error))
        label = compare.place_name(track.name, track.places[k])
        found.append(compare.at_place(f"the move of {label} in step {t + 1}", got[k], says[k],
                                      "the formula says", error[k]))
    return max(found, key=lambda one: one.error)


def named_mistake(tracks, wrong, decayed, rule, images):
    """Words for a mistake that explains the moves of all parameters, or of the wrong ones."""
    if all(not np.any(move) for track in wrong for move in track.moves):
        return "it does not move at all"
    if rule.weight_decay and fits(tracks, [track.name for track in tracks], rule):
        return "the weight decay applies to all parameters, biases included"
    for among in (tracks, wrong):
        for words, other, factor in mistakes(rule, images):
            if fits(among, decayed, other, factor):
                return words
    return ""


def fits(tracks, decayed, rule, factor=1.0):
    """Whether a rule explains the moves of these parameters."""
    return all(misfit(track, track.name in decayed, rule, factor).error <= 10 * MOVES
               for track in tracks)


# ---- what moves otherwise, or not at all


def moved_though_frozen(taken, frozen):
    """A complaint for every frozen parameter that moved."""
    return [f"{key} is frozen, but a step moved it by up to "
            f"{np.abs(taken[-1].after[key] - taken[0].before[key]).max():.3g}"
            for key in frozen
            if taken[-1].after[key].tobytes() != taken[0].before[key].tobytes()]


def changed_by_testing(test, params, x):
    """A complaint for every array in params that a pass in testing mode changes."""
    given = _copy(params)
    test(given, np.array(x))
    return [f"testing changed {key}" for key, value in params.items()
            if np.asarray(given[key]).tobytes() != value.tobytes()]


def statistics(taken, running, x):
    """Complaints about running statistics that do not move by their momentum."""
    complaints = []
    for one in running:
        for step in taken:
            values = np.moveaxis(np.asarray(one.values(_copy(step.before), x)), one.axis, -1)
            values = values.reshape(-1, values.shape[-1])  # N, ..., C -> n, C
            complaints += [words for words in (
                misplaced(one.mean, step, values.mean(0), one.momentum, {}),
                misplaced(one.variance, step, values.var(0, ddof=int(one.unbiased)), one.momentum,
                          of_variance(values, one.unbiased))) if words]
            if complaints:
                return complaints
    return complaints


def of_variance(values, unbiased):
    """The variances that may be taken by mistake: {words: variance}."""
    biased, whole = values.var(0), values.var(0, ddof=1) if len(values) > 1 else values.var(0)
    words = "biased, divided by n" if unbiased else "unbiased, divided by n - 1"
    return {f"the batch's variance is {words}": biased if unbiased else whole,
            "it is the standard deviation": np.sqrt(biased)}


def misplaced(name, step, batch, momentum, others):
    """Words if a running statistic did not become what it should, with a mistake that fits."""
    old, new = step.before[name], step.after[name]

    def should(momentum, batch):
        return momentum * old.ravel() + (1 - momentum) * batch.ravel()

    found = compare.worst(name, new.ravel(), should(momentum, batch), "it should be")
    if found.error <= MOVES:
        return ""
    ways = {"it does not move": old.ravel(), "it is the batch's own": batch.ravel(),
            "momentum and 1 - momentum are exchanged": should(1 - momentum, batch),
            "it moves twice a step": momentum * should(momentum, batch) + (1 - momentum) * batch}
    ways |= {words: should(momentum, other) for words, other in others.items()}
    fitting = [words for words, value in ways.items()
               if compare.errors(new.ravel(), value).max(initial=0.0) <= MOVES]
    return found.words + (f": {fitting[0]}" if fitting else "")

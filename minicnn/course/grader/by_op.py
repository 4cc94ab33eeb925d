"""Questions of the kind "op": one part of an op, at the settings of its contract."""

import warnings
from itertools import combinations
from time import perf_counter

import numpy as np

from minicnn.course.assignments.trials import trials
from minicnn.course.grader.by_call import equal, placeless
from minicnn.course.grader.handed import Handed
from minicnn.course.grader.lines import shows
from minicnn.course.grader.local import Local
from minicnn.course.grader.outcome import Check
from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.judge.judge import DIED, RIGHT, Row, Verdict, run
from minicnn.gradcheck.judge.shrink import smallest
from minicnn.report.stepfigures.of_op import of_smallest

DTYPE = ", the dtype of x"
NEAR = {np.float64: 1e-9, np.float32: 1e-4}  # two answers with the same mistake
NOTHING = "no usual mistake explains the numbers"
KEYS = {"stride": "stride", "pad": "padding", "dilation": "dilation", "rounding": "rounding"}
SEARCH = 1.0  # seconds for the smallest input


def checks(question, walled, asked):
    """The Checks of a question, and what explains the first that is not right.

    Parameters
    ----------
    question : Question
    walled : Walled or Local
    asked : Asked
        Whose submission it is, and how long it may take.

    Returns
    -------
    checks : list of Check
    why : dict
        Of Outcome's fields `cause`, `key`, `smallest`, `shown`, `theirs`, `expected`; `ended` says
        that the process ended before all was tried.
    """
    contract, (part,) = question.contract, question.contract["parts"]
    form = Handed(walled, contract["op"], asked.prefix(question), part, asked.file, contract)
    found, rows, drawn = [], [], trials(question, asked.seed, asked.submission)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for trial in drawn:
            rows.append(_run(form, trial, asked.end))
            if rows[-1].status == DIED:
                break
        found = [Check(str(trial), row.status == RIGHT, row.words)
                 for trial, row in zip(drawn, rows, strict=False)]
        found += [Check(str(trial), False, "was not tried after the process had ended")
                  for trial in drawn[len(rows):]]
        why = _why(form, part, rows, question, asked)
        return found, why | {"ended": rows[-1].status == DIED}


def _run(form, trial, end):
    """A Row of the judge; its dtype counts, too."""
    if perf_counter() > end:
        return Row(trial.case, trial.dtype, DIED, "the time for this question was over")
    return _typed(form, trial.case, trial.dtype)


def _typed(form, case, dtype, dy=None):
    row = run(form, case, dtype, dy)
    got = row.got.get(form.part)
    if not {form.part, "raises"} & {*row.wrong} and row.status == "wrong":
        row = row._replace(status=RIGHT, wrong=(), words="")  # the other arrays are the page's
    if form.part == "y" and "y" in row.wrong:
        row = row._replace(words=row.words.partition("; dx ")[0])  # the others are the page's
    if row.status == RIGHT and got.ndim and got.dtype != dtype:  # a scalar has none
        return row._replace(status="wrong", wrong=(form.part,), words=(
            f"{form.part} is {got.dtype}, expected {np.dtype(dtype)}{DTYPE}"))
    return row


def _why(form, part, rows, question, asked):
    """What explains the wrong rows."""
    wrong = [row for row in rows if row.status != RIGHT]
    if not wrong or wrong[0].status == DIED:
        return {}
    why = {"theirs": wrong[0].got.get(part), "expected": wrong[0].expected.get(part)}
    if not asked.explain:
        return why
    verdict = Verdict(form.op, form.told, rows, {}, [])
    try:
        known = known_mistake(form, rows, question, asked)
        reason = known or (cause(form, verdict) if any(row.got for row in wrong) else None)
        only_dtype = all(DTYPE in row.words for row in wrong)
        left = min(SEARCH, max(0.1, asked.end - perf_counter()))
        shown = smallest(form, verdict, _typed if only_dtype else run, left)
    except ValueError:  # the process has ended meanwhile
        return why
    if known:
        why |= {"cause": known.words, "key": known.cause}
    elif only_dtype:
        why |= {"cause": "the results have another dtype than the arguments", "key": "dtype"}
    elif ignored := ignores(form, wrong):
        words = " and the ".join(KEYS[name] for name in ignored)
        why |= {"cause": f"the {words} {'is' if len(ignored) == 1 else 'are'} ignored",
                "key": KEYS[ignored[0]]}
    elif reason and reason.seen != NOTHING:
        why |= {"cause": reason.seen, "key": reason.name}
    return why | ({"smallest": _shown(shown, part), "shown": of_smallest(shown, part)}
                  if shown else {})


def _shown(shown, part):
    """The lines, whose last prints what tells the answer from the page's."""
    before, printed, _ = shown.code.rpartition(f"print({part})")
    got, expected = shown.row.got.get(part), shown.row.expected.get(part)
    if not printed or got is None:
        return shown.code
    return before + shows(part, got, expected.astype(shown.row.dtype))


def ignores(form, wrong):
    """The settings without which y would have the shapes that it has in all wrong rows."""
    shapes = [(row, row.got["y"].shape) for row in wrong
              if "y" in row.got and row.got["y"].shape != row.expected["y"].shape]
    if form.part != "y" or not shapes:
        return ()
    there = [name for name in KEYS if any(name in row.case.options for row, _ in shapes)]
    for count in range(1, len(there) + 1):
        for names in combinations(there, count):
            if all(_shape_without(form, row, names) == shape for row, shape in shapes):
                return names
    return ()


def _shape_without(form, row, names):
    """The shape of y if some settings had no effect; None if there were no y."""
    options = {name: value for name, value in row.case.options.items() if name not in names}
    if form.op == "pool" and "stride" in names:
        options["stride"] = 1
    try:
        return form.page.forward(*row.case.inputs.values(), **options)[0].shape
    except ValueError:
        return None


def known_mistake(form, rows, question, asked):
    """The planted mistake that answers as the submission does in every trial; None without one."""
    for mistake in asked.mistakes(question):
        other = Handed(Local(mistake.source), form.op, form.prefix, form.part, asked.file,
                       form.contract)
        if all(_alike(row, _typed(other, row.case, row.dtype), form.part) for row in rows):
            return mistake
    return None


def _alike(row, other, part):
    """Whether two rows hold the same answer, or the same error."""
    if row.status != other.status or row.wrong != other.wrong:
        return False
    if part not in row.got:
        return placeless(row.words) == placeless(other.words)
    return row.status == RIGHT or (row.got[part].dtype == other.got[part].dtype and equal(
        row.got[part], other.got[part], NEAR[row.dtype]))

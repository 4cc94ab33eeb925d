"""A verdict in words: a line of the table for each op, and below it what is wrong, and where.

`line` is one row of the table, below `headings`; `details` are the lines on one op, and
`conclusion` the last line of all.
"""

import textwrap
from collections import Counter
from itertools import combinations

import numpy as np

from minicnn.gradcheck.judge.features import FEATURES, VAGUE
from minicnn.gradcheck.judge.files import name_of
from minicnn.gradcheck.judge.judge import CANNOT, DIED, NOT_CLAIMED, RIGHT, SKIPPED, WRONG
from minicnn.gradcheck.mistakes import CAUSES
from minicnn.gradcheck.own.known import known

WIDTH = 79  # columns: a terminal has 80, and some wrap a line that fills it
MARGIN = 15  # columns in front of the details
ARRAYS = {"raises": "an error"}
LONGEST = 250  # letters of what is said of one result
EXAMPLES = 3  # settings that are named one by one
COLUMNS = (("right", 5), ("wrong", 5), ("cannot do", 6), ("not claimed", 7), ("skipped", 7),
           ("seconds", 7))


# ---- the table

def headings(names):
    """The two lines above the table of ops with these names."""
    words = [heading.partition(" ")[::2] for heading, _ in COLUMNS]
    first = [one if two else "" for one, two in words]
    second = [two or one for one, two in words]
    return [_row(names, "", "", "", first).rstrip(),
            _row(names, "op", "gradient", "conduct", second)]


def line(names, judged):
    """One op's line of the table."""
    if judged.verdict is None:
        numbers = [""] * (len(COLUMNS) - 1)
    else:
        counts = judged.counts
        numbers = [counts[RIGHT], counts[WRONG] + counts[DIED], counts[CANNOT],
                   counts[NOT_CLAIMED], counts[SKIPPED]]
    return _row(names, judged.name, *map(_shout, (judged.gradient, judged.conduct)),
                [*numbers, f"{judged.seconds:.1f}"])


def _row(names, name, gradient, conduct, numbers):
    width = max([len("op"), *map(len, names)])
    cells = [f"{cell!s:>{size}}" for cell, (_, size) in zip(numbers, COLUMNS, strict=True)]
    return f"{name:<{width}} {gradient:<9} {conduct:<9} {' '.join(cells)}"


def _shout(word):
    return word.upper() if word == WRONG else word


def taken(judged_or_found, width=WIDTH):
    """What was taken for an op, or why it cannot be judged, in one entry."""
    one = judged_or_found
    return wrapped(f"{name_of(one)}: ", "    ", one.told or one.error, width)


def left_out(found, width=WIDTH):
    """What is not judged because it is no known op."""
    return wrapped(f"left out: {name_of(found)}: ", "    ", found.error, width)


def conclusion(done, total, width=WIDTH):
    """The last line: how many ops are right; `total` are those that should have been judged."""
    right = sum(judged.ok for judged in done)
    words = f"{right} of {total} {'op is' if total == 1 else 'ops are'} right."
    for what in ("gradient", "conduct"):
        wrong = [judged.name for judged in done if getattr(judged, what) == WRONG]
        if wrong:
            words += f" {what.capitalize()} wrong: {', '.join(wrong)}."
    silent = [judged.name for judged in done if judged.gradient != WRONG and not judged.ok
              and judged.conduct != WRONG]
    if silent:
        words += f" No answer: {', '.join(silent)}."
    if len(done) < total:
        words += f" Not judged: {total - len(done)}."
    return "\n".join(textwrap.wrap(words, width))


def report(done, total):
    """The whole table, with what is wrong with each op below it, as one text."""
    names = [judged.name for judged in done]
    blocks = ["\n".join([*headings(names), *(line(names, judged) for judged in done)])]
    blocks += ["\n".join([*taken(judged), *details(judged)[1:]]) for judged in done
               if not judged.ok]
    return "\n\n".join([*blocks, conclusion(done, total)])


# ---- one op

def details(judged, width=WIDTH):
    """All that is to be said of one op, as lines; none if it is right and nothing was left out."""
    said = list(entries(judged))
    if not said:
        return []
    lines = [judged.name]
    for label, text in said:
        if label == "to paste":
            lines += ["", *textwrap.indent(text.rstrip(), "    ").splitlines(), ""]
        else:
            lines += wrapped(f"  {label:<{MARGIN - 2}}", " " * MARGIN, text, width)
    while not lines[-1]:
        lines.pop()
    return lines


def entries(judged):
    """(label, text) of each thing to be said."""
    verdict = judged.verdict
    if judged.error and judged.told:  # without, the error is what was told of it
        yield "no answer", judged.error
    if verdict is None:
        return
    if judged.wrong:
        yield "gradient", f"{judged.gradient} {where(judged.ran, judged.wrong)}"
        if known(judged.op):
            yield "", which(judged.ran, judged.wrong)
        yield "first", example(judged.wrong)
        right = [row for row in judged.ran if row.status == RIGHT]
        if right:
            yield "right", f"at {_named(right)}"
    elif judged.gradient != RIGHT:
        yield "no answer", no_answer(verdict)
    if verdict.cause is not None:
        yield "cause", f"{CAUSES.get(verdict.cause.name, verdict.cause.name)}"
        if verdict.cause.seen != CAUSES.get(verdict.cause.name):
            yield "seen", verdict.cause.seen
        if verdict.cause.nearest:
            yield "nearest", f"known mistake: {verdict.cause.nearest}"
    if verdict.smallest is not None:
        yield "smallest", verdict.smallest.words
        yield "to paste", verdict.smallest.code
    for kind, complaints in verdict.conduct.items():
        yield "conduct", f"{kind}: {_short('; '.join(complaints))}"
    for note in verdict.notes:
        yield "note", note
    if verdict.ran or not _stopped(verdict):
        yield from _left_out(verdict.rows)


def no_answer(verdict):
    """Why nothing wrong was found, and yet the gradient is not called right."""
    if not verdict.ran:
        stopped = _stopped(verdict)
        return _not_judged(stopped) if stopped else "no setting could be judged"
    ended = [row for row in verdict.rows if row.status == DIED]
    return (f"{ended[0].case.name}: {ended[0].words}" if ended else
            "the time was up before all small inputs had run; give it more with --seconds")


def _stopped(verdict):
    """The rows that the op could not do."""
    return [row for row in verdict.rows if row.status == CANNOT and not row.case.refuse]


def _not_judged(rows):
    """What stopped an op that gave no answer at any setting."""
    row = min(rows, key=lambda row: row.case.work)
    if row.words.endswith("returns nothing") or "NotImplementedError" in row.words:
        settings = {one.case.name for one in rows if "y" in one.got}
        return f"not written yet: {row.words.replace('raises', 'it raises', 1)}" + (
            f"; y is right at {len(settings)} settings" if settings else "")
    return f"it {row.words}, and was not judged" if row.words.startswith("raises") else (
        f"not judged: {row.words}")


def _left_out(rows):
    """What was not judged, and why; settings that the op has no parameter for are its own matter
    and are told in brief."""
    for status in (SKIPPED, CANNOT, NOT_CLAIMED):
        there = [row for row in rows if row.status == status]
        if not there:
            continue
        words = Counter(" ".join(row.words.split()) for row in there)
        if status == SKIPPED:
            yield status, f"the time was up: {_named(there)}"
            continue
        shown = 1 if status == NOT_CLAIMED else EXAMPLES
        told = [f"{reason} ({count})" for reason, count in words.most_common(shown)]
        more = len(words) - len(told)
        yield status, "; ".join(told) + (
            f"; and {more} other reason{'s' * (more > 1)}" if more > 0 else "")


def which(ran, wrong):
    """Which arrays are wrong in how many of all results; each setting is run in both dtypes."""
    names = Counter(name for row in wrong for name in row.wrong)
    names["no answer"] = sum(row.status == DIED for row in wrong)
    parts = [f"{ARRAYS.get(name, name)} in {count}" for name, count in names.items() if count]
    return f"{', '.join(parts)} of {len(ran)} {'result' if len(ran) == 1 else 'results'}"


def example(rows):
    """The smallest of some rows: its setting and what is wrong there."""
    row = min(rows, key=lambda row: row.case.work)
    return f"{row.case.name}, {np.dtype(row.dtype).name}: {_short(row.words)}"


def _short(words):
    """A long text cut after some lines; where, and how much, stand at its beginning."""
    return textwrap.shorten(words, LONGEST, placeholder=" ...")


# ---- at which settings

def where(ran, wrong):
    """Where some rows of all that ran are wrong: at how many settings, and what these share."""
    every, bad = _features(ran), _features(wrong)
    in_one = {np.dtype(row.dtype).name for row in wrong}
    dtype = ""
    if len(in_one) == 1 and len({row.dtype for row in ran}) > 1:
        (only,) = in_one
        dtype = f", in {only} only"
    count = f"at {len(bad)} of {len(every)} settings"
    if len(bad) == len(every):
        return f"{count}{dtype}"
    return f"{count}{dtype}{shared(every, bad)}"


def _features(rows):
    """{setting: its features}."""
    return {row.case.name: row.case.tags & set(FEATURES) for row in rows}


def shared(every, bad):
    """What the settings in `bad` have in common and the others have not, in words.

    The arguments are {setting: features}. The plainest description that fits is taken: exactly the
    settings with one feature, with one of two, or with both; or only settings with one.
    """
    features = sorted({tag for tags in every.values() for tag in tags}, key=_rank)
    having = {tag: {name for name, tags in every.items() if tag in tags} for tag in features}
    wrong = set(bad)
    pairs = list(combinations([tag for tag in features if tag not in VAGUE], 2))
    for tag in features:
        if having[tag] == wrong:
            return f": all {FEATURES[tag]}"
    for one, two in pairs:
        if having[one] | having[two] == wrong:
            return f": all {FEATURES[one]}, and all {FEATURES[two]}"
    for one, two in pairs:
        if having[one] & having[two] == wrong:
            return f": all {FEATURES[one]} and {FEATURES[two]}"
    within = [tag for tag in features if wrong <= having[tag] and len(having[tag]) < len(every)
              and tag not in VAGUE]
    if within:
        tag = min(within, key=lambda tag: len(having[tag]))
        return f": only {FEATURES[tag]}, {len(wrong)} of the {len(having[tag])} such"
    return ""


def _rank(tag):
    return tag in VAGUE, list(FEATURES).index(tag)


def _named(rows):
    """Some settings by their names, and how many more there are."""
    names = list(dict.fromkeys(row.case.name for row in rows))
    more = len(names) - EXAMPLES
    return "; ".join(names[:EXAMPLES]) + (f"; and {more} more" if more > 0 else "")


def wrapped(first, others, text, width=WIDTH):
    """A text as lines, with `first` before the first and `others` before all others; what a
    terminal would obey is left out."""
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    return textwrap.wrap(" ".join(plain.split()), width, initial_indent=first,
                         subsequent_indent=others, break_long_words=False,
                         break_on_hyphens=False) or [first.rstrip()]

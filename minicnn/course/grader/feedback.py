"""What a student reads: one submission's points, what is wrong, and what to do next.

`feedback` writes Markdown that also reads well as plain text; `results_json` what Gradescope shows.
"""

import re
import shlex

from minicnn.course.grader import plain
from minicnn.course.grader.lines import how, own_file
from minicnn.course.grader.outcome import (
    BY_HAND,
    NO_ANSWER,
    NOT_WRITTEN,
    PARTLY,
    RIGHT,
    WRONG,
)

SHOWN = 4  # wrong settings that are named
HINTED = (PARTLY, WRONG, NOT_WRITTEN)  # a file that cannot be run needs other help


def feedback(result, inputs=True):
    """The feedback on a submission.

    Parameters
    ----------
    result : Result
    inputs : bool
        Show the smallest input at which the answer is wrong.

    Returns
    -------
    str
        Markdown.
    """
    parts = [f"# {result.assignment.title}: {plain.line(result.student)}", summary(result)]
    if result.notes:
        parts.append("Please note:\n\n" + "\n".join(f"- {plain.line(one, 400)}"
                                                    for one in result.notes))
    for one in result.outcomes:
        text = said(result, one, inputs)
        parts.append(f"## {heading(one)}" + (f"\n\n{text}" if text else ""))
    return "\n\n".join(parts) + "\n"


def summary(result):
    """The points, and what a person still reads, in a sentence or two."""
    by_hand = [one.question for one in result.outcomes if one.status == BY_HAND]
    text = f"{amount(result.points)} of {amount(result.most)} points."
    if result.most and result.points == result.most:
        text += " What a program can judge is right." if by_hand else (
            " All of it is right: well done!")
    if by_hand:
        what = "Question" if len(by_hand) == 1 else "Questions"
        more = sum(one.points for one in by_hand)
        text += (f" {what} {_listed([*map(number, by_hand)])} will be read by your teacher: "
                 f"{amount(more)} more points, {amount(result.most + more)} in all.")
    return text


def heading(outcome):
    """ "2. Stride and padding: 5 of 10 points, partly"."""
    question = outcome.question
    text = f"{number(question)}. {question.title}"
    if outcome.status == BY_HAND:
        return f"{text}: {amount(question.points)} points, read by your teacher"
    return (f"{text}: {amount(outcome.points)} of {amount(question.points)} points, "
            f"{outcome.status}")


def said(result, outcome, inputs=True):
    """What there is to say to the answer to one question; Markdown."""
    parts = [words(result, outcome)]
    if outcome.cause:
        parts.append(f"Probably: {plain.line(outcome.cause, 600)}")
    if shows_settings(outcome):
        parts.append(settings(outcome))
    if outcome.smallest and inputs:
        parts.append(f"A small input that shows it; {how(result.file)}:\n\n"
                     + fenced(outcome.smallest))
    if outcome.question.hints and outcome.status in HINTED:
        parts.append(f"A hint: `{hint(result, outcome)}`")
    return "\n\n".join(filter(None, parts))


def words(result, outcome):
    """What was found, on one line; of a question where the same was found before, which one."""
    if outcome.status == BY_HAND:
        return ""
    if outcome.status not in HINTED:
        for one in result.outcomes:
            if one is outcome:
                break
            if (one.status, one.words) == (outcome.status, outcome.words) and one.words:
                return f"As in question {number(one.question)}."
    return plain.line(outcome.words, 600)


def shows_settings(outcome):
    """Whether there are settings to tell of: some wrong, and more than one."""
    return len(outcome.checks) > 1 and outcome.status in (PARTLY, WRONG, NO_ANSWER)


def settings(outcome):
    """ "Right at 3 of 5 settings; wrong at: stride 2, pad 1"."""
    if not any(one.right for one in outcome.checks):
        return f"Right at none of the {len(outcome.checks)} settings."
    wrong = list(dict.fromkeys(plain.line(one.name, 80) for one in outcome.checks
                               if not one.right))
    right = sum(one.right for one in outcome.checks)
    text = f"Right at {right} of {len(outcome.checks)} settings"
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        text += f"; wrong at: {'; '.join(wrong[:SHOWN])}{more}"
    return f"{text}."


def hint(result, outcome):
    """The command that shows the next hint."""
    file = own_file(result.file, result.assignment)
    file = shlex.quote(plain.line(file, 80))
    return f"minicnn course check {file} --hint {number(outcome.question)}"


def number(question):
    """The number of a question in its assignment: "2" of "convolution-2"."""
    return question.id.rpartition("-")[2]


def amount(points):
    """Points as short as they can be written.

    Examples
    --------
    >>> amount(7.5), amount(10.0), amount(3.333333)
    ('7.5', '10', '3.33')
    """
    return f"{points:.2f}".rstrip("0").rstrip(".")


def fenced(code):
    """A block of Python in Markdown, whatever is in it."""
    code = plain.block(code)
    fence = "`" * max([3, *(len(one) + 1 for one in re.findall("`+", code))])
    return f"{fence}python\n{code}\n{fence}"


def _listed(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# ---- Gradescope

def results_json(result, visibility="visible", inputs=True):
    """A Result as Gradescope's `results.json` has it: plain values for `json.dumps`.

    Parameters
    ----------
    result : Result
    visibility : {"visible", "hidden", "after_due_date", "after_published"}
        Of each question. What applies to the submission as a whole, its notes, is always visible.
    inputs : bool
        As in `feedback`.

    Returns
    -------
    dict
        Questions that are graded by hand are no tests of it: Gradescope has its own place for them.
    """
    notes = "\n".join(plain.line(one, 400) for one in result.notes)
    tests = [_test(result, one, visibility, inputs) for one in result.outcomes
             if one.status != BY_HAND]
    output = summary(result) if visibility == "visible" else ""
    return {"score": round(float(result.points), 2),
            "execution_time": round(float(sum(one.seconds for one in result.outcomes)), 2),
            "output": "\n\n".join(filter(None, [output, notes])),
            "visibility": "visible", "stdout_visibility": "hidden",
            "tests": tests}


def _test(result, outcome, visibility, inputs):
    right = outcome.status == RIGHT
    return {"score": float(outcome.points), "max_score": float(outcome.question.points),
            "status": "passed" if right else "failed",
            "name": plain.line(outcome.question.title), "number": number(outcome.question),
            "output": said(result, outcome, inputs),
            "visibility": visibility}

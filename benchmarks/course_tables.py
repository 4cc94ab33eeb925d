"""What a class got, against what it should get; as markdown."""

from collections import Counter
from statistics import median

from course_class import ANY, FULL, LESS, NONE, PLAN

HEAD = """# A graded class: {count} submissions of "{title}"

Made by `minicnn bench course`: a class is generated (seed {seed}), a course is made and the class
is graded by two commands, as a teacher would:

```
{commands}
```

What each submission should get is known beforehand: right ones all points, empty and broken ones
none, unfinished ones those of what is written; a mistake costs points on its questions and on no
other, and the feedback names it. Careless and hostile ones get what they would without their
tricks. Mistakes are those which the course plants to prove its questions, one to three in a
submission, in the page's own code, and by hand in other styles.

{date}, {processor}, {cores} cores, Python {python}, NumPy {numpy}, minicnn {minicnn}.
{walls}"""
COLUMNS = ("kind", "how many", "points of {most}", "as expected", "named in the feedback",
           "seconds, median", "longest")


def judged(member, got):
    """What is not as expected of a submission, a list of lines.

    Parameters
    ----------
    member : Member
    got : dict or None
        Its part of the file that ``--json`` writes.
    """
    if got is None:
        return ["it was not graded"]
    tests, name = {one["number"]: one for one in got["tests"]}, got["assignment"]
    wrong = []
    for question, expected in member.expected.items():
        test = tests.get(question.removeprefix(f"{name}-"))
        if test is None:
            wrong.append(f"{question} is not there")
        elif not _fits(expected, test["score"], test["max_score"]):
            wrong.append(f"{question} got {test['score']:g} of {test['max_score']:g}, expected "
                         f"{expected}")
    if any("the grader failed" in one for one in got["notes"]):
        wrong.append("the grader failed")
    return wrong


def _fits(expected, score, most):
    return {ANY: True, FULL: score == most, LESS: score < most, NONE: score == 0}[expected]


def unnamed(member, got):
    """What the feedback should say and does not."""
    text = "" if got is None else "\n".join([*got["notes"], *(one["output"]
                                                              for one in got["tests"])])
    return [one for one in member.says if one not in text]


def markdown(result):
    """The record as markdown."""
    about, members = result["about"], result["members"]
    commands = "\n".join(result["commands"])
    walls = "; ".join(result["walls"])
    head = HEAD.format(**about, commands=commands, title=result["title"], seed=result["seed"],
                       count=len(members), walls=f"Submissions ran behind: {walls}.")
    seconds = result["seconds"]
    told = (f"{len(members)} submissions graded in **{seconds['grade']:.0f} s**; the course was "
            f"made in {seconds['new']:.0f} s.")
    parts = [head, told, table(members, result["most"]), *_not_expected(members)]
    if result.get("gradescope"):
        parts.append(_gradescope(result["gradescope"]))
    return "\n\n".join([*parts, *_each(members)])


def table(members, most):
    """A row for each kind of submission."""
    rows = [[one.format(most=most) for one in COLUMNS], ["---"] * len(COLUMNS)]
    for kind in dict.fromkeys(name for name, _ in PLAN):
        some = [one for one in members if one["kind"] == kind]
        rows += [_row(kind, some)] if some else []
    rows.append(_row("**all**", members))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(kind, members):
    points = [one["points"] for one in members]
    seconds = [one["seconds"] for one in members]
    asked = [one for one in members if one["says"]]
    named = sum(not one["unnamed"] for one in asked)
    low, high = min(points), max(points)
    return [kind, str(len(members)), f"{low:g}" if low == high else f"{low:g} to {high:g}",
            f"{sum(not one['wrong'] for one in members)} of {len(members)}",
            f"{named} of {len(asked)}" if asked else "",
            f"{median(seconds):.1f}", f"{max(seconds):.1f}"]


def _not_expected(members):
    """Lines on what was not as expected."""
    lines = [f"- {one['kind']}, {one['what']}: {'; '.join(told)}" for one in members
             if (told := [*one["wrong"], *(f"the feedback does not say {text!r}"
                                           for text in one["unnamed"])])]
    return ["Not as expected:\n\n" + "\n".join(lines)] if lines else []


def _gradescope(found):
    return (f"The same through Gradescope's form (the zip's `run_autograder` in a folder like its "
            f"container, one at a time): {found['same']} of {found['count']} submissions with the "
            f"same points in every question, in {found['seconds']:.0f} s."
            + "".join(f"\n- {one}" for one in found["differ"]))


def _each(members):
    """A list of all submissions."""
    counts = Counter(one["kind"] for one in members)
    lines = [f"| {one['kind']} | {one['what']} | {one['points']:g} | {one['seconds']:.1f} |"
             for kind in counts for one in members if one["kind"] == kind]
    return ["## Each submission", "\n".join(["| kind | what | points | seconds |",
                                             "| --- | --- | --- | --- |", *lines])]

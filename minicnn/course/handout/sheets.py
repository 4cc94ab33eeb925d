"""What stands beside an assignment's code: questions, how to begin, rubric, points."""

import csv
import io
import textwrap

from minicnn.course.handout.asserts import HELPERS

RUN = """\
if __name__ == "__main__":
    for number in {numbers}:
        try:
            globals()[f"test_{{number}}"]()
            print(f"question {{number}}: passed")
        except NotImplementedError:
            print(f"question {{number}}: not written yet")
        except Exception as error:
            print(f"question {{number}}: {{type(error).__name__}}: {{error}}")"""
NBGRADER = """\
`solution.ipynb` is a source notebook of nbgrader: put it into `source/NN_name/` under the name of
the students' notebook. Its tests compare digests of rounded numbers and ask for the cache of the
page. nbgrader runs them in the students' own process, which a hostile notebook can deceive;
`minicnn course grade` cannot be deceived so."""


def questions(assignment):
    """The question sheet, with room for answers in words.

    Parameters
    ----------
    assignment : Assignment

    Returns
    -------
    str
        Markdown.
    """
    parts = [f"# Assignment {assignment.number}: {assignment.title}", assignment.intro,
             f"{assignment.points} points, about {assignment.minutes} minutes"
             f"{_before(assignment)}."]
    for number, one in enumerate(assignment.questions, 1):
        parts += [f"## {number}. {one.title}", about(one), one.text]
        if one.kind == "written":
            parts.append("**Your answer:**\n\n\n\n\n")
        elif one.kind == "network":
            parts.append(f"    minicnn course check {assignment.name}.py --question {number} "
                         "--picture mine.png")
        else:
            parts.append(f"    minicnn course check {assignment.name}.py --question {number}")
    return "\n\n".join(filter(None, parts)) + "\n"


def tests(assignment, asserts, seed):
    """The visible tests as a file to be run, alone or by pytest.

    Parameters
    ----------
    assignment : Assignment
    asserts : Asserts
    seed : int
        Of the visible tests.

    Returns
    -------
    str
    """
    parts = [f'"""Tests of {assignment.name}.py: python test_{assignment.name}.py, or pytest."""',
             f"from {assignment.name} import *", HELPERS.strip()]
    numbers = []
    for number, one in enumerate(assignment.questions, 1):
        if one.kind not in ("written", "network"):
            body = textwrap.indent(asserts.visible(one, seed), "    ")
            parts.append(f"def test_{number}():\n{body}")
            numbers.append(number)
    parts.append(RUN.format(numbers=numbers))
    return "\n\n\n".join(parts) + "\n"


def about(question):
    """ "`conv_forward`: 10 points, 20 minutes, usually 4 lines"."""
    words = [f"{question.points} points", f"{question.minutes} minutes"]
    words += [f"usually {question.lines} line{'s' * (question.lines != 1)}"] * bool(question.lines)
    where = f"`{question.function}`" if question.function else "In words"
    return f"{where}: {', '.join(words)}."


def _before(assignment):
    numbers = ", ".join(map(str, assignment.lessons))
    return f"; before it, lesson{'s' * (len(assignment.lessons) > 1)} {numbers}" if numbers else ""


def readme(assignment):
    """How a student begins."""
    name = assignment.name
    return f"""\
# {assignment.title}

Write the functions in `{name}.py`, or in the notebook `{name}.ipynb`, which has the same questions
with a test below each. Both need NumPy only. `questions.md` has the questions to read.

Hand in one of two things: `{name}.py` and `questions.md`, with your answers in words in it; or
`{name}.ipynb`, with these answers below their questions. With minicnn installed:

    minicnn course check {name}.py                    # what is right, and what is wrong and why
    minicnn course check {name}.py --question 2       # one question
    minicnn course check {name}.py --hint 2           # the next hint for it

Without minicnn, `python test_{name}.py` runs a test of each question. Check as often as you like.
When it is graded the numbers are others. "The page" means minicnn's own code for the same function,
with which yours is compared.
"""


def rubric(assignment):
    """What a teacher reads for: the rubric of every written question, and how the rest is graded.

    Returns
    -------
    str
        Markdown.
    """
    parts = [f"# {assignment.title}: rubric", NBGRADER]
    for number, one in enumerate(assignment.questions, 1):
        parts.append(f"## {number}. {one.title} ({one.points} points)")
        if one.kind == "written":
            parts.append(one.rubric)
        else:
            hints = "\n".join(f"- {hint}" for hint in one.hints)
            parts.append("By `minicnn course grade`, in proportion to the settings that are "
                         f"right. Hints that students can ask for:\n\n{hints}")
    return "\n\n".join(filter(None, parts)) + "\n"


def points(assignment):
    """The points as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["question", "title", "function", "kind", "points", "minutes", "lines"])
    rows.writerows([one.id, one.title, one.function, one.kind, one.points, one.minutes, one.lines]
                   for one in assignment.questions)
    return text.getvalue()

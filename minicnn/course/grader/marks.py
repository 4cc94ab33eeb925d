"""Points that a person gives, from a table: student, question, points, and a comment if you like.

    student,question,points,comment
    Ada Lovelace,10,7.5,you leave out the edges
"""

import csv
import io
from pathlib import Path

from minicnn.course.grader import plain
from minicnn.course.grader.feedback import amount, number
from minicnn.course.grader.outcome import BY_HAND, MARKED

HEADS = ("student", "question", "points")


def read(path, submissions, assignment):
    """The marks of a CSV file.

    Parameters
    ----------
    path : path
    submissions : list of Submission
        A row names a student as these do, or by the ID.
    assignment : Assignment
        A row names one of its written questions by number or id.

    Returns
    -------
    dict
        (student, question's id) -> (points, comment).

    Raises
    ------
    ValueError
        It cannot be read, or a row names nobody, no such question, or no such points.
    """
    found = {}
    for line, row in _rows(path):
        try:
            key, mark = _mark(row, submissions, assignment)
            if key in found:
                raise ValueError("a second mark for the same question")
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
        if mark is not None:
            found[key] = mark
    return found


def marked(result, marks):
    """A Result with the marks of its student."""
    outcomes = []
    for one in result.outcomes:
        mark = marks.get((result.student, one.question.id))
        if one.status == BY_HAND and mark is not None:
            one = one._replace(points=mark[0], status=MARKED, words=mark[1])
        outcomes.append(one)
    return result._replace(outcomes=outcomes)


def _rows(path):
    """(line, row) of the table."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    if missing := [one for one in HEADS if one not in (rows.fieldnames or ())]:
        raise ValueError(f"{path} has no column {', '.join(missing)}: its first line names "
                         "student, question, points")
    return [(rows.line_num, row) for row in rows]


def _mark(row, submissions, assignment):
    """((student, question), (points, comment)) of a row; None for the latter if it is empty."""
    student, question, points = ((row[one] or "").strip() for one in HEADS)
    names = [one.student for one in submissions
             if student in (one.student, f"'{one.student}", one.id)]
    if len(names) != 1:
        raise ValueError(f"{len(names) or 'no'} submissions of {plain.line(student)!r}")
    asked = [one for one in assignment.questions if question in (one.id, number(one))]
    if not asked or asked[0].kind != "written":
        raise ValueError(f"{plain.line(question)!r} is no question in words of {assignment.name}")
    key = names[0], asked[0].id
    if not points:
        return key, None
    return key, (_points(points, asked[0].points), plain.line(row.get("comment") or "", 600))


def _points(text, most):
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        raise ValueError(f"expected points from 0 to {amount(most)}, got {plain.line(text)!r}")
    return points

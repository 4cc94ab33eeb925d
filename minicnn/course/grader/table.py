"""The points of a class as a CSV file for spreadsheets."""

import csv
import io

from minicnn.course.grader import plain
from minicnn.course.grader.feedback import amount
from minicnn.course.grader.outcome import BY_HAND
from minicnn.images import write

FORMULA = "=+-@\t\r|%＝＋－＠"  # what spreadsheets may take for the beginning of a formula


def write_csv(results, path):
    """Write a row for each student: total, and points, most and status of each question.

    Parameters
    ----------
    results : sequence of Result
        Also of several assignments: a row is one Result.
    path : str or path
        The file begins with a byte order mark: Excel reads names with accents by it. Points of
        questions that are still to be read are left empty, and are not in the total. "id" is what
        the export's names had: Moodle's number of the participant, Canvas' of the student.
    """
    table = io.StringIO(newline="")
    csv.writer(table).writerows(rows(results))
    write(path, table.getvalue().encode("utf-8-sig"))


def rows(results):
    """The rows of the table, its heads first."""
    questions = list(dict.fromkeys(one.question.id for result in results
                                   for one in result.outcomes))
    heads = ["student", "id", "assignment", "points", "of"]
    heads += [f"{name} {what}" for name in questions for what in ("points", "of", "status")]
    yield [*heads, "notes"]
    for result in results:
        outcomes = {one.question.id: one for one in result.outcomes}
        cells = [harmless(result.student), harmless(result.id), result.assignment.name,
                 amount(result.points), amount(result.most)]
        for name in questions:
            cells += _cells(outcomes.get(name))
        yield [*cells, harmless(" | ".join(map(plain.line, result.notes)))]


def harmless(text):
    """Text that no spreadsheet runs: an apostrophe stands before what looks like a formula.

    Examples
    --------
    >>> harmless("=HYPERLINK(A1)"), harmless("Ada")
    ("'=HYPERLINK(A1)", 'Ada')
    """
    text = plain.line(text, 1000)
    return f"'{text}" if text[:1] in FORMULA and text else text


def _cells(outcome):
    if outcome is None:
        return ["", "", ""]
    points = "" if outcome.status == BY_HAND else amount(outcome.points)
    return [points, amount(outcome.question.points), outcome.status]

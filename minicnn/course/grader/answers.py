"""What a student has written in answer to questions in words: on the question sheet, or in a
notebook's cell of that name. A person reads it; nothing here judges it."""

import re

from minicnn.course.grader import archives, decoding, notebooks, plain
from minicnn.course.handout.notebook import WRITE_HERE

HEADING = re.compile(r"^## +(\d{1,3})\..*$", re.MULTILINE)
EMPTY = {"", WRITE_HERE, "*Your answer.*"}
MOST_TEXT = 10_000  # characters of an answer


def answers(entries, assignment, chosen=""):
    """The answers in words among a student's files.

    Parameters
    ----------
    entries : list of Entry
    assignment : Assignment
    chosen : str
        The name of the file that counts: its answers come before those of other notebooks.

    Returns
    -------
    dict
        A question's id -> the text; of those only that have one.
    """
    sheets = [one for one in entries if one.suffix in (".md", ".txt")
              and "question" in one.name.lower()]
    books = sorted((one for one in entries if one.suffix == ".ipynb"),
                   key=lambda one: one.name != chosen)
    asked = {one.id for one in assignment.questions if one.kind == "written"}
    found = {}
    for entry in [*sheets, *books]:
        read = _on_sheet if entry in sheets else _in_notebook
        for name, answer in read(text(entry), assignment):
            answer = plain.block(answer, MOST_TEXT).strip()
            if name in asked and answer not in EMPTY:
                found.setdefault(name, answer)
    return found


def text(entry):
    """The text of a file; "" if it cannot be read."""
    try:
        return decoding.text(entry.read())[0]
    except archives.ArchiveError:
        return ""


def _on_sheet(sheet, assignment):
    """(id, answer) of what stands below "Your answer:"."""
    parts = HEADING.split(sheet.replace("\r\n", "\n"))
    ids = {str(number): one.id for number, one in enumerate(assignment.questions, 1)}
    for number, section in zip(parts[1::2], parts[2::2], strict=True):
        _, mark, answer = section.partition("**Your answer:**")
        if mark and number in ids:
            yield ids[number], answer


def _in_notebook(book, assignment):
    """(id, answer) of the cells with the name of a question."""
    for cell in notebooks.cells(book):
        about = cell.get("metadata")
        about = about.get("nbgrader") if isinstance(about, dict) else None
        if isinstance(about, dict) and cell.get("cell_type") == "markdown":
            yield str(about.get("grade_id")), notebooks.written(cell)

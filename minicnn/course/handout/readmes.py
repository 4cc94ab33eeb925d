"""The first file to read in each of a course's two folders, as Markdown."""

import re

from minicnn.course import lessons
from minicnn.course.handout import wheel

SOURCE = re.compile(r"^source\((.*)\)", re.MULTILINE)  # how a lesson prints code
NAME = re.compile(r"\w+\.\w+")

STUDENT = """\
# A course on convolutional networks

You write the layers of a network yourself, in plain NumPy: there, and back. Then you check them,
and use them to see what a network sees. Every assignment stands in a folder of its own, whose
`README.md` says how to begin; in one of its questions your code works in a trained network.

## Before you begin

You need Python {python}. In this folder:

    python -m pip install {wheel}

That installs minicnn, and what it needs: NumPy, Pillow, h5py, matplotlib, tqdm and threadpoolctl.
`minicnn --help` tells that it is there; where `minicnn` is not found, `python -m minicnn` is the
same. To write an assignment and to run its `test_*.py` NumPy is enough.

A lesson is read in the terminal: `minicnn lesson {first}`.

## Assignments

{table}

## What to hand in

For each assignment either the `.py` or the `.ipynb`, under its own name. With the `.py` also
`questions.md`, with your answers in words; in the notebook they stand below their questions.
"""
TEACHER = """\
# For the teacher: keep this folder secret

| file | what it is for |
|---|---|
| `course.json` | the seed that all numbers of the grading are drawn from. Who has it can prepare \
for them: keep it secret, and keep it, for without it nobody can be graded again |
| `timetable.md` | weeks, with the lessons and assignments of each |
| `NN_name/solution.py` | the students' file, written |
| `NN_name/solution.ipynb` | a source notebook for nbgrader: put it into `source/NN_name/` as \
`name.ipynb` |
| `NN_name/otter/` | a source notebook for `otter assign` |
| `NN_name/hidden_tests.py` | the hidden tests of these notebooks, as a file to be read |
| `NN_name/gradescope.zip` | an autograder for Gradescope |
| `NN_name/points.csv` | questions, points, minutes and usual lines, for a spreadsheet |
| `NN_name/rubric.md` | what to read the answers in words for, and the hints that students can ask \
for |

`student` beside this folder goes to the students: fill in the dates in its `README.md` first.

## To grade

    minicnn course grade SUBMISSIONS --course COURSE --csv grades.csv --html pages

COURSE is this folder, or the one that it is in. SUBMISSIONS are files, zips or a folder, also an
export of Moodle, Canvas or Gradescope. The table has a row for each student. `pages/index.html` and
`pages/pairs` are yours: the class, what was hard, which code is alike. `pages/students` has a page
for each student: send each one theirs.

Answers in words ({words}) are read by a person, with `rubric.md`. Write their
points into a table with the columns student, question, points and, if you like, comment, and grade
again with `--marks FILE.csv`.

## Gradescope

Upload `gradescope.zip` as the autograder of a programming assignment, with a base image that has
Python {python}. What minicnn needs is loaded when the image is built; where that is
impossible, make the course with `--wheels FOLDER`. The autograder gives no points for answers in
words: add manual questions with their points, and let students hand in `questions.md`, too.

## What students can look up

The installed minicnn is the solution: `minicnn explain conv` prints the page that an assignment was
cut from, and some lessons print parts of it. The wheel in `student` is without the rubrics of the
answers in words and without the planted mistakes; a minicnn from elsewhere has both. So the marks
for code assume that looking there is like looking into a book. Where that matters, let answers in
words, or a talk about the student's own code, count for more, and give lessons that print what an
assignment asks for after it{telling}.
"""


def student(assignments):
    """What a student reads first.

    Parameters
    ----------
    assignments : sequence of Assignment

    Returns
    -------
    str
    """
    rows = ["| folder | assignment | points | minutes | lessons before | due |",
            "|---|---|---|---|---|---|"]
    rows += [f"| {one.number:02}_{one.name} | {one.title} | {one.points} | {one.minutes} | "
             f"{', '.join(map(str, one.lessons))} | |" for one in assignments]
    rows.append(f"| | all | {sum(one.points for one in assignments)} | "
                f"{sum(one.minutes for one in assignments)} | | |")
    first = next((number for one in assignments for number in one.lessons), 1)
    return STUDENT.format(python=wheel.python(), wheel=wheel.name(), first=first,
                          table="\n".join(rows))


def teacher(assignments):
    """What a teacher reads first.

    Parameters
    ----------
    assignments : sequence of Assignment

    Returns
    -------
    str
    """
    written = [one for each in assignments for one in each.questions if one.kind == "written"]
    words = f"{sum(one.points for one in written)} points of {len(written)} questions"
    numbers = ", ".join(str(one.number) for one in _lessons() if _printed(one, assignments))
    telling = f": {numbers}" if numbers else ""
    return TEACHER.format(words=words, python=wheel.python(), telling=telling)


def _lessons():
    """The lessons; none where they are not installed."""
    try:
        return lessons.lessons()
    except lessons.LessonError:
        return []


def _printed(lesson, assignments):
    """Whether a lesson prints a function that one of the assignments asks for."""
    shown = {name for cell in lesson.cells for line in SOURCE.findall(cell.content)
             for name in NAME.findall(line)}
    return any(f"{page.module.rpartition('.')[2]}.{name}" in shown
               for one in assignments for page in one.pages for name in page.cut)

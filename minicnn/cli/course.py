"""``minicnn course``: see `minicnn.course.handout.new`, `minicnn.course.checking` and
`minicnn.course.grading`."""

import argparse
import sys
from pathlib import Path

from minicnn import images, progress
from minicnn.cli import INTERRUPTED
from minicnn.cli.kinds import names, whole
from minicnn.course.assignments import assignment, assignments
from minicnn.course.rendering import painting
from minicnn.network.summary import lined_up
from minicnn.terminal import columns, tell

LOOKS = {"right": r"(?<= {2})right$", "wrong": r"(?<= {2})(?:wrong|partly|no answer)$",
         "bold": r"^ {6}Probably:", "code": r"^ {8}.*"}  # of a student's check
CHECK = """\
The numbers are drawn from the seed in the handout. Those of the grading are others, and differ for
every submission. The code runs in a process of its own, with limits on time and memory.

Exit status: 0 if all that you have written is right; 1 if something is wrong, or nothing is
written; 2 for wrong usage."""
GRADE = """\
SUBMISSIONS are files (.py, .ipynb), zips or folders, each of one student or of many, also an export
of Moodle, Canvas or Gradescope. They are never imported: each question runs in a process of its
own, behind a wall that keeps it from files, network and other processes.

Exit status: 0 if all submissions were graded, whatever their points; 1 for an error; 2 for wrong
usage; 130 after Ctrl-C, with what was graded until then."""


def add(parser):
    """The commands of the command."""
    commands = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    for name, (words, options, action, epilog) in WHAT.items():
        command = commands.add_parser(name, help=words, epilog=epilog,
                                      description=f"{words[0].upper()}{words[1:]}.",
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        options(command)
        command.set_defaults(act=action)


def run(options):
    """List, make, check or grade."""
    from minicnn.gradcheck.apart.walled import WallError

    try:
        return options.act(options)
    except WallError as error:
        raise ValueError(f"nothing of it is run here: {error}") from error


# ---- list

def _list_options(command):
    command.add_argument("assignment", nargs="?", type=_one, metavar="ASSIGNMENT",
                         help="its number or name: list its questions")


def _list(options):
    """Print the assignments, or the questions of one."""
    if options.assignment is not None:
        one = options.assignment
        rows = [(f"{number:2}", question.title, question.function or "in words",
                 f"{question.points:3} points", f"{question.minutes:3} min")
                for number, question in enumerate(one.questions, 1)]
        tell(one.title, "", *lined_up(rows))
        return
    rows = [(f"{one.number:2}", one.name, f"{one.points} points", f"{one.minutes:3} min",
             _lessons(one), one.title)
            for one in assignments()]
    tell(*lined_up(rows), "", "`minicnn course new FOLDER` makes a course of them; "
         "`minicnn course list 2` lists the questions.")


def _lessons(one):
    """ "lessons 2, 3"."""
    listed = ", ".join(map(str, one.lessons))
    return f"lesson{'s' * (len(one.lessons) > 1)} {listed}" if listed else ""


# ---- new

def _new_options(command):
    command.add_argument("folder", metavar="DIR", help="where the course goes: a folder that is "
                         "empty or not there yet")
    command.add_argument("--assignments", type=_several, metavar="1,2,...",
                         help="numbers or names (default: all)")
    command.add_argument("--seed", type=whole(0), metavar="N",
                         help="what all numbers are drawn from: at least 2**40, and kept secret; "
                              "it stands in the teacher's folder only (default: a random one)")
    command.add_argument("--derivation", choices=("keep", "short", "ask"), default="keep",
                         help="what stays of the derivations: all, the formulas, or a question "
                              "that asks for it (default: %(default)s)")
    command.add_argument("--wheels", metavar="FOLDER",
                         help="wheels of NumPy, Pillow, h5py, matplotlib, tqdm and threadpoolctl "
                              "for gradescope.zip (default: its image has them or loads them)")
    command.add_argument("--overwrite", action="store_true", help="replace a course in DIR")


def _new(options):
    """Write a course, and say what is where."""
    from minicnn.course.handout.new import new

    made = new(options.folder, options.assignments, options.seed, options.derivation,
               wheels=options.wheels, overwrite=options.overwrite,
               each=lambda chosen: progress.bar(chosen, "course", unit="assignment"))
    folder = Path(options.folder)
    points = sum(one.points for one in made.assignments)
    tell(f"{folder / 'student'}: {len(made.assignments)} "
         f"assignment{'s' * (len(made.assignments) > 1)}, {points} points, and minicnn's wheel: "
         "give this to students",
         f"{folder / 'teacher'}: solutions, rubric, hidden tests, autograders, and the seed: keep "
         "this; begin with its README.md",
         f"Then: minicnn course grade SUBMISSIONS --course {folder} --csv grades.csv")


# ---- check

def _check_options(command):
    command.add_argument("file", metavar="FILE", help="your .py or .ipynb")
    command.add_argument("--question", metavar="N", help="check this question only")
    command.add_argument("--hint", metavar="N", help="show the next hint for this question, and "
                         "check nothing")
    command.add_argument("--assignment", metavar="NAME", help="its name or number (default: that "
                         "which the file looks like)")
    command.add_argument("--picture", metavar="PATH.png", help="write what a question has made, or "
                         "yours, the expected and the difference side by side; with --question")
    command.add_argument("--figure", nargs="?", const="figure.html", metavar="FILE.html",
                         help="write a page to step through the small input of the first question "
                              "that is wrong and has one: what the right op does with it; without "
                              "a name: %(const)s")
    command.add_argument("--weights", metavar="NAME_OR_PATH", help="the network of the last "
                         "question (default: minivgg)")
    command.add_argument("--photo", metavar="FILE", help="the photo that it looks at (default: a "
                         "portrait that comes with matplotlib)")


def _check(options):
    """Check a student's file; returns the exit status."""
    from minicnn.course import attempts, checking

    if options.picture is not None:
        if options.question is None:
            options.wrong_usage("--picture without --question N")
        images.check_destination(options.picture)
    if options.figure is not None:
        images.check_destination(options.figure, {".html": "HTML", ".htm": "HTML"})
    given = checking.opened(options.file, options.assignment)
    if options.hint is not None:
        question = given.assignment.question(options.hint)
        count, text = attempts.next_hint(given.assignment, question)
        tell(f"{question.title}, hint {count} of {len(question.hints)}:", "",
             *checking.wrapped(text, "", columns(checking.WIDTH)))
        return 0
    chosen = None if options.question is None else [given.assignment.question(options.question).id]
    result, attempt = checking.checked(
        given, chosen, **_seen(options),
        each=lambda questions: progress.bar(questions, "check", unit="question"))
    lines = checking.lines(given, result, attempt, columns(checking.WIDTH))
    tell(*"\n".join(lines).split("\n"), paint=painting(sys.stdout, LOOKS))
    if options.picture is not None:
        _picture(options, checking.picture(result.outcomes[0]))
    if options.figure is not None:
        _figure(options, checking.figure(result))
    return 0 if checking.is_right(result) else 1


def _picture(options, picture):
    if picture is None:
        tell(f"{options.picture} is not written: there is nothing to be shown")
    else:
        images.save(options.picture, picture)
        tell(options.picture)


def _figure(options, found):
    from minicnn.course.grader.feedback import number

    if found is None:
        tell(f"{options.figure} is not written: no question that is wrong has a figure")
    else:
        found[1].save(options.figure)
        tell(f"{options.figure}: the small input of question {number(found[0].question)}")


def _seen(options):
    """The network and the photo, if they are given."""
    from minicnn.foreign.load import load

    return {"network": None if options.weights is None else load(options.weights),
            "photo": None if options.photo is None else images.load(options.photo)}


# ---- grade

def _grade_options(command):
    command.add_argument("submissions", nargs="+", metavar="SUBMISSIONS")
    command.add_argument("--course", required=True, metavar="DIR_OR_SEED",
                         help="the folder that `minicnn course new` made, or its seed")
    command.add_argument("--assignment", metavar="NAME",
                         help="its name or number (default: that of the course which the "
                              "submissions look like)")
    command.add_argument("--csv", metavar="FILE.csv", help="write a table, a row for each student")
    command.add_argument("--html", metavar="FOLDER", help="write pages: feedback for each student, "
                         "and the class")
    command.add_argument("--json", metavar="FILE.json", help="write the results for programs")
    command.add_argument("--marks", metavar="FILE.csv", help="add points given by hand to answers "
                         "in words: a table with the columns student, question, points, and "
                         "comment if you like")
    command.add_argument("--jobs", type=whole(1), default=2, metavar="N",
                         help="submissions at once (default: %(default)s)")
    command.add_argument("--weights", metavar="NAME_OR_PATH", help="the network of the last "
                         "question (default: minivgg)")
    command.add_argument("--photo", metavar="FILE", help="the photo that it looks at (default: a "
                         "portrait that comes with matplotlib)")
    command.add_argument("--allow-unwalled", action="store_true",
                         help="grade also where this system cannot keep a submission from your "
                              "files and the network")


def _grade(options):
    """Grade submissions; returns the exit status."""
    from minicnn.course import grading, reporting, which
    from minicnn.course.grader import marks, submissions

    reporting.check(options.csv, options.html, options.json)
    seed, chosen = which.of_course(options.course, options.assignment)
    if not options.allow_unwalled:
        _check_wall(grading)
    found, one = which.of_submissions(options.submissions, chosen)
    found = which.of_another(found, one, options.course)
    given = {} if options.marks is None else marks.read(options.marks, found, one)
    tell(f"{one.title}: {len(found)} submission{'s' * (len(found) != 1)}")
    if line := reporting.left_out(submissions.ignored(options.submissions, one)):
        tell(line)
    results, finished = [], True
    graded = grading.grade_all(found, one, seed, options.jobs, minimum=not options.allow_unwalled,
                               **_seen(options))
    with progress.bar(graded, "grade", total=len(found), unit="submission") as bar:
        try:
            for result in bar:
                result = marks.marked(result, given)
                results.append(result)
                with reporting.beside(bar):
                    tell(reporting.line(result))
        except KeyboardInterrupt:
            finished = False
            graded.close()
    order = {submission.student: index for index, submission in enumerate(found)}
    results.sort(key=lambda result: order[result.student])
    similar = _similarity(found, one) if results else None
    written = reporting.write(results, options.csv, options.html, options.json, similar)
    conclusion = reporting.conclusion(results, len(found), similar, options.html)
    tell("", *"\n".join(conclusion).split("\n"), *written)
    if not finished:
        print("minicnn: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _similarity(found, one):
    from minicnn.course.grader.similarity import compare
    from minicnn.course.handout import handout, solution

    return compare(found, handout(one), solution(one))


def _check_wall(grading):
    """ValueError if submissions cannot be kept apart."""
    from minicnn.gradcheck.apart.walled import WallError

    try:
        grading.check_wall()
    except WallError as error:
        raise ValueError(f"submissions are not graded here: {error}. --allow-unwalled grades them "
                         "all the same") from error


# ---- options

def _one(text):
    """An assignment, for argparse."""
    try:
        return assignment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _several(text):
    """Assignments, each once, in their order."""
    chosen = {one.number: one for one in map(_one, names(text))}
    if not chosen:
        raise argparse.ArgumentTypeError("it names no assignment")
    return [chosen[number] for number in sorted(chosen)]


WHAT = {  # name: (words, its options, what it does, epilog)
    "list": ("the assignments, with points, minutes and lessons", _list_options, _list, None),
    "new": ("a course as a folder: handouts for students, and what their teacher keeps",
            _new_options, _new, None),
    "check": ("a student's file: what is right, and what is wrong and why", _check_options, _check,
              CHECK),
    "grade": ("the submissions of a class: points, feedback, statistics", _grade_options, _grade,
              GRADE),
}

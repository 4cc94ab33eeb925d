"""What Gradescope runs: ``python -I -m minicnn.course.handout.autograder /autograder``.

    source/course.json            the seed and the assignment; the submission's process sees no file
    submission/                   what the student has handed in; read, never run here
    submission_metadata.json      the student's name
    results/results.json          written last, in one piece

The points are those of `minicnn course grade` with the same course.
"""

import json
import os
import secrets
import sys
from pathlib import Path

from minicnn.course.grader import submissions
from minicnn.course.grader.feedback import results_json
from minicnn.course.grading import graded, nothing
from minicnn.course.handout.new import read
from minicnn.gradcheck.apart.walled import WallError
from minicnn.images.writing import sync


def main(arguments=None):
    """Grade what is there; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    root = Path(next((one for one in given if not one.startswith("-")), "/autograder"))
    try:
        result = results(root, minimum="--allow-unwalled" not in given)
        write(root / "results", result)
    except (OSError, ValueError) as error:
        print(f"minicnn: {error}", file=sys.stderr)
        return 1
    print(f"minicnn: {result['score']:g} points")
    return 0


def results(root, minimum=True):
    """The dict of results.json.

    Parameters
    ----------
    root : path
        In place of /autograder.
    minimum : bool
        Grade nothing if this machine cannot keep a submission apart.
    """
    course = read(root / "source" / "course.json")
    (assignment,) = course.assignments
    found = submissions.single(root / "submission", assignment, student(root))
    try:
        result = graded(found, assignment, course.seed, minimum=minimum)
    except WallError as error:
        result = nothing(found, assignment, f"not graded, tell your teacher: {error}")
    return results_json(result)


def student(root):
    """The names that Gradescope knows the submission by."""
    try:
        about = json.loads((root / "submission_metadata.json").read_text(encoding="utf-8"))
        return ", ".join(str(one["name"]) for one in about["users"])
    except (OSError, ValueError, KeyError, TypeError):
        return "student"


def write(folder, result):
    """Write results.json in the place of whatever has this name."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".results-{secrets.token_hex(8)}"
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
        sync(temporary)
        os.replace(temporary, folder / "results.json")
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())

"""A class of 40 is generated, graded by two commands, and compared with what it should get.

    minicnn bench course, in a checkout, or
    python benchmarks/course.py [--assignment convolution] [--count 40] [--seed 1] [--gradescope]
                                [--keep FOLDER] [--out benchmarks/results/course]

The submissions are right in several styles, wrong in known ways, unfinished, broken, oddly stored,
careless and hostile (course_class.py). With --gradescope each is graded by the autograder's zip as
well, in a folder like Gradescope's container; the points must be the same. The exit status is 1 if
points are not as expected.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import nullcontext
from pathlib import Path

import course_class
import course_tables
import machine
import numpy as np
import program

import minicnn
from minicnn import images
from minicnn.course.assignments import assignment
from minicnn.progress import bar

OUT = Path(__file__).parent / "results" / "course"
SEED = 2026_1201_2026_1201  # of the course; that of the class is an option
NEW = "course new COURSE --seed SEED"
GRADE = "course grade SUBMISSIONS --course COURSE --csv grades.csv --html pages --json grades.json"
START = "import sys; from minicnn.cli import main; sys.exit(main())"


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("course", read, run, arguments)


def run(options):
    """Generate, grade, compare, write; returns 1 if points are not as expected."""
    out = Path(options.out)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})  # before the work
    one = assignment(options.assignment)
    with _folder(options.keep) as place:
        result = graded(one, Path(place), options)
    write(out, result)
    print(course_tables.markdown(result))
    wrong = [one for one in result["members"] if one["wrong"]]
    return int(bool(wrong or result["gradescope"] and result["gradescope"]["differ"]))


def _folder(keep):
    """A folder that goes away, or one that stays."""
    if keep is None:
        return tempfile.TemporaryDirectory()
    Path(keep).mkdir(parents=True)
    return nullcontext(keep)


# ---- the two commands

def graded(one, place, options):
    """The record of a class that is generated and graded in a folder."""
    (place / "submissions").mkdir()
    seconds = {"new": _timed(NEW, place)}
    made = place / "COURSE"
    members = course_class.draw(one, texts(made, one), options.count, options.seed)
    course_class.folder(members, place / "submissions")
    seconds["grade"] = _timed(GRADE, place)
    found = {got["student"]: got for got in json.loads(
        (place / "grades.json").read_text(encoding="utf-8"))}
    about = machine.about() | {"numpy": np.__version__, "minicnn": minicnn.__version__}
    through = by_gradescope(members, found, made, place, one) if options.gradescope else None
    return {"about": about, "assignment": one.name, "title": one.title, "seed": options.seed,
            "most": sum(q.points for q in one.questions if q.kind != "written"),
            "commands": [f"minicnn {NEW}", f"minicnn {GRADE}"], "seconds": seconds,
            "walls": sorted({", ".join(got["layers"]) for got in found.values() if got["layers"]}),
            "members": [row(member, found.get(member.student)) for member in members],
            "gradescope": through}


def texts(course, one):
    """What the class starts from: a course_class.Course."""
    name = f"{one.number:02}_{one.name}"
    paths = (course / "student" / name / f"{one.name}.py", course / "teacher" / name /
             "solution.py", course / "teacher" / name / "solution.ipynb")
    return course_class.Course(*(path.read_text(encoding="utf-8") for path in paths))


def row(member, got):
    """What is kept of a submission."""
    points, seconds = (got["points"], got["execution_time"]) if got else (0, 0)
    return {"kind": member.kind, "what": member.what, "expected": member.expected,
            "points": points, "seconds": seconds, "says": list(member.says),
            "wrong": course_tables.judged(member, got),
            "unnamed": course_tables.unnamed(member, got)}


def _timed(command, place):
    """Run a command of minicnn in a folder; returns its seconds."""
    words = [str(SEED) if word == "SEED" else word for word in command.split()]
    words = ["submissions" if word == "SUBMISSIONS" else word for word in words]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", START, *words], cwd=place, env=_here(),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"minicnn {' '.join(words)} ended with {done.returncode}: "
                         f"{done.stderr.strip()[-1000:]}")
    return round(time.perf_counter() - began, 1)


def _here():
    """The environment in which this checkout's minicnn is the one that is imported."""
    root = str(Path(minicnn.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


# ---- Gradescope

def by_gradescope(members, found, course, place, one):
    """How many submissions get the same points from the autograder's zip."""
    zipped = course / "teacher" / f"{one.number:02}_{one.name}" / "gradescope.zip"
    python = installed(zipped, place / "autograder")
    began, differ = time.perf_counter(), []
    with bar(members, "Gradescope", unit="submission") as each:
        for number, member in enumerate(each):
            root = place / "autograder" / f"{number:02}"
            result = autograded(member, zipped, root, python)
            if points(result) != points(found[member.student]):
                differ.append(f"{member.kind}, {member.what}: {points(result)}, not "
                              f"{points(found[member.student])}")
    return {"count": len(members), "same": len(members) - len(differ), "differ": differ,
            "seconds": round(time.perf_counter() - began, 1)}


def installed(zipped, root):
    """The Python of a new environment in which the zip's setup.sh has installed minicnn.

    Everything else is there already, as in an image that has NumPy: links to the packages of this
    environment.
    """
    environment = root / "image"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    (own,) = environment.glob("lib/python*/site-packages")
    for path in Path(np.__file__).parents[1].iterdir():
        if "minicnn" not in path.name and not (own / path.name).exists():
            (own / path.name).symlink_to(path)
    python = environment / "bin" / "python"
    _unpack(zipped, root / "source")
    _script("setup.sh", root, python)
    return python


def autograded(member, zipped, root, python):
    """The results.json of a submission."""
    _unpack(zipped, root / "source")
    (root / "submission").mkdir()
    (root / "submission" / member.name).write_bytes(member.data)
    (root / "submission_metadata.json").write_text(json.dumps({"users": [
        {"name": member.student}]}), encoding="utf-8")
    _script("run_autograder", root, python)
    return json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))


def _unpack(zipped, source):
    source.mkdir(parents=True)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(source)


def _script(name, root, python):
    """Run one of the zip's scripts as Gradescope does, with a folder in place of /autograder."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(["bash", str(root / "source" / name)], cwd=root, capture_output=True,
                          text=True, check=False, env=clean | {
                              "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": str(python)})
    if done.returncode:
        raise ValueError(f"{name} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")


def points(result):
    """{question's number: points} of a results.json."""
    return {one["number"]: one["score"] for one in result["tests"]}


# ---- the file

def write(out, result):
    """Write OUT.json and OUT.md."""
    members = ",\n  ".join(map(json.dumps, result["members"]))
    rest = json.dumps({key: value for key, value in result.items() if key != "members"}, indent=1)
    for suffix, text in ((".json", f'{rest[:-2]},\n "members": [\n  {members}\n ]\n}}'),
                         (".md", course_tables.markdown(result))):
        images.write(out.with_suffix(suffix), text + "\n")


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--assignment", default="convolution", metavar="NAME", help="(default: convolution)")
    add("--count", type=int, default=40, metavar="N", help="submissions (default: 40)")
    add("--seed", type=int, default=1, metavar="N", help="of the class (default: 1)")
    add("--gradescope", action="store_true", help="grade each by the autograder's zip, too")
    add("--keep", metavar="FOLDER", help="a new folder for course, submissions and pages, to look "
        "at (default: they go away)")
    add("--out", default=str(OUT),
        help="path of the results, without suffix (default: benchmarks/results/course)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

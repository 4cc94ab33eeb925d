"""What Gradescope runs, in a folder laid out like its own."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from minicnn.course import grading
from minicnn.course.assignments import assignment
from minicnn.course.grader.submissions import single
from minicnn.course.handout import autograder, handout, new, solution
from minicnn.gradcheck.apart.walled import WallError

GRAM, SEED = assignment("gram"), 20260801123456
SMALL = GRAM._replace(questions=(*GRAM.questions[:2], GRAM.questions[3]))
WRONG = solution(GRAM).replace(", f) / (h * w)", ", f)")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course."""
    folder = tmp_path_factory.mktemp("courses") / "autumn"
    new.new(folder, [GRAM], SEED)
    return folder


@pytest.fixture
def root(course, tmp_path, monkeypatch):
    """A folder in place of /autograder; the assignment is a short one."""
    with zipfile.ZipFile(course / "teacher/08_gram/gradescope.zip") as archive:
        archive.extractall(tmp_path / "auto/source")
    monkeypatch.setattr(autograder, "read", lambda path: new.read(path)._replace(
        assignments=(SMALL,)))
    (tmp_path / "auto/submission").mkdir()
    (tmp_path / "auto/submission_metadata.json").write_text(
        json.dumps({"users": [{"name": "Ada"}, {"name": "Ben"}]}))
    return tmp_path / "auto"


def told(root):
    """results.json."""
    return json.loads((root / "results/results.json").read_text())


def test_the_points_are_those_of_the_command_line(root, capsys):
    (root / "submission/gram.py").write_text(WRONG)
    assert autograder.main([str(root)]) == 0
    result = grading.graded(single(root / "submission", SMALL), SMALL, 5)
    found = told(root)
    assert found["score"] == result.points < result.most
    assert [one["score"] for one in found["tests"]] == [
        one.points for one in result.outcomes if one.question.kind != "written"]
    assert capsys.readouterr().out == f"minicnn: {result.points:g} points\n"
    assert [path.name for path in (root / "results").iterdir()] == ["results.json"]


def test_nothing_handed_in_and_nothing_written(root):
    assert autograder.main([str(root)]) == 0
    assert told(root)["score"] == 0
    (root / "submission/gram.py").write_text(handout(GRAM))
    assert autograder.main([str(root)]) == 0
    assert told(root)["score"] == 0


def test_results_of_the_submission_are_not_believed(root, tmp_path):
    """It brings its own results, and a link at their place."""
    (root / "submission/results.json").write_text('{"score": 100}')
    (root / "submission/gram.py").write_text(handout(GRAM))
    (root / "results").mkdir()
    (tmp_path / "elsewhere").write_text("mine")
    os.symlink(tmp_path / "elsewhere", root / "results/results.json")
    assert autograder.main([str(root)]) == 0
    assert told(root)["score"] == 0 and (tmp_path / "elsewhere").read_text() == "mine"
    assert not (root / "results/results.json").is_symlink()


def test_without_a_wall_nothing_is_graded(root, monkeypatch):
    def refused(*given, **options):
        raise WallError("this system cannot stop it")

    monkeypatch.setattr(autograder, "graded", refused)
    (root / "submission/gram.py").write_text(solution(GRAM))
    found = autograder.results(root)
    assert found["score"] == 0 and "tell your teacher" in json.dumps(found)


def test_no_course_is_an_error(tmp_path, capsys):
    assert autograder.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("minicnn: ")
    assert not (tmp_path / "results").exists()


def test_the_student_s_name(root):
    assert autograder.student(root) == "Ada, Ben"
    (root / "submission_metadata.json").write_text("[")
    assert autograder.student(root) == "student"


@pytest.mark.thorough
@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_run_autograder_itself(tmp_path):
    """A whole assignment, by the script in the zip."""
    one = assignment("lrn")
    new.new(tmp_path / "course", [one], SEED)
    with zipfile.ZipFile(tmp_path / "course/teacher/04_lrn/gradescope.zip") as archive:
        archive.extractall(tmp_path / "auto/source")
    (tmp_path / "auto/submission").mkdir()
    (tmp_path / "auto/submission/lrn.py").write_text(
        solution(one).replace("return g - 2 * a", "return g - a"))
    done = subprocess.run(["bash", tmp_path / "auto/source/run_autograder"], capture_output=True,
                          text=True, env=os.environ | {"AUTOGRADER_ROOT": str(tmp_path / "auto"),
                                                       "AUTOGRADER_PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    result = grading.graded(single(tmp_path / "auto/submission", one), one, 5)
    assert told(tmp_path / "auto")["score"] == result.points < 90

"""The command course: list, new, check, grade."""

import json

import pytest

from minicnn.cli import main
from minicnn.course import checking, grading, which
from minicnn.course.assignments import assignment
from minicnn.course.grader.submissions import find
from minicnn.course.handout import handout, new, solution
from minicnn.gradcheck.apart.walled import WallError

GRAM = assignment("gram")
SMALL = GRAM._replace(questions=(GRAM.questions[0], GRAM.questions[3]))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder, and that of the cache."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def submitted(folder, monkeypatch):
    """Three submissions of an assignment with one question, graded in this process."""
    monkeypatch.setattr(which, "of_course", lambda *given: (5, [SMALL]))
    for student, text in (("ada", solution(GRAM)), ("ben", handout(GRAM)), ("cas", "def (")):
        (folder / "subs" / student).mkdir(parents=True)
        (folder / "subs" / student / "gram.py").write_text(text)
    return folder / "subs"


# ---- list, new

def test_the_list(said):
    text = said("course", "list")
    assert "1  convolution  100 points" in text and "lessons 2, 3" in text
    text = said("course", "list", "gram")
    assert text.startswith("Gram matrices, texture and style\n") and "in words" in text


def test_new(said, complaint, folder):
    text = said("course", "new", "autumn", "--assignments", "8", "--seed", str(2**40))
    assert "1 assignment, 100 points, and minicnn's wheel" in text and "--course autumn" in text
    assert new.read(folder / "autumn").seed == 2**40
    assert "--overwrite" in complaint("course", "new", "autumn", "--assignments", "8")
    said("course", "new", "autumn", "--assignments", "gram,gram", "--overwrite")
    assert new.read(folder / "autumn").seed != 2**40


def test_new_counts_the_derivations_and_takes_no_short_seed(said, complaint):
    assert "105 points" in said("course", "new", "a", "--assignments", "4", "--derivation", "ask")
    assert "find it by trying" in complaint("course", "new", "b", "--seed", str(2**40 - 1))


@pytest.mark.parametrize("arguments, words", [
    (["new", "x", "--assignments", ""], "it names no assignment"),
    (["chek"], "did you mean check"), ([], "the following arguments are required: WHAT"),
    (["new"], "DIR"), (["new", "x", "--assignments", "9"], "no assignment '9'"),
    (["new", "x", "--seed", "-1"], "--seed"), (["check", "a.py", "--questin", "1"], "--question?"),
    (["check", "a.py", "--picture", "a.png"], "--picture without --question"),
    (["grade", "x"], "--course"), (["grade", "x", "--course", "1", "--jobs", "0"], "--jobs"),
    (["list", "gra"], "no assignment 'gra'")])
def test_wrong_usage(arguments, words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["course", *arguments])
    assert end.value.code == 2 and words in capsys.readouterr().err


# ---- check

def test_check(folder, capsys):
    (folder / "gram.py").write_text(solution(GRAM))
    assert main(["course", "check", "gram.py", "--question", "1", "--figure", "no.html"]) == 0
    out = capsys.readouterr().out
    assert "25 of 25  right" in out and "no.html is not written" in out
    (folder / "gram.py").write_text(solution(GRAM).replace(", f) / (h * w)", ", f)"))
    assert main(["course", "check", "gram.py", "--question", "1", "--picture", "one.png",
                 "--figure"]) == 1
    out, err = capsys.readouterr()
    assert "attempt 2" in out and "Probably" in out and err == ""
    assert out.endswith("one.png\nfigure.html: the small input of question 1\n")
    assert (folder / "one.png").stat().st_size > 100 and not (folder / "no.html").exists()
    assert "Your code gave <i>G</i>" in (folder / "figure.html").read_text()


def test_nothing_written_is_1_and_has_no_picture(folder, capsys):
    (folder / "gram.py").write_text(handout(GRAM))
    assert main(["course", "check", "gram.py", "--question", "1", "--picture", "one.png"]) == 1
    out = capsys.readouterr().out
    assert "not written" in out and "there is nothing to be shown" in out
    assert not (folder / "one.png").exists()


def test_hints(said, folder):
    (folder / "gram.py").write_text(handout(GRAM))
    for number in (1, 2):
        text = said("course", "check", "gram.py", "--hint", "1")
        assert text.startswith(f"Which channels are active together, hint {number} of 3:")
    assert max(map(len, text.splitlines())) < 100


def test_errors_of_check(complaint, folder):
    assert "no such file" in complaint("course", "check", "gone.py")
    (folder / "gram.py").write_text(handout(GRAM))
    assert "its questions are 1 to 8" in complaint("course", "check", "gram.py", "--question", "9")
    assert "no hints" in complaint("course", "check", "gram.py", "--hint", "4")
    assert "end the name in one of .html" in complaint("course", "check", "gram.py", "--figure",
                                                       "figure.png")


# ---- grade

def test_grade(said, submitted, folder):
    text = said("course", "grade", "subs", "--course", "5", "--csv", "grades.csv", "--html",
                "pages", "--json", "results.json", "--jobs", "1")
    assert "3 submissions" in text and "25 of 25" in text and "invalid syntax" in text
    assert text.endswith("grades.csv\nresults.json\npages/index.html\n")
    about = json.loads((folder / "results.json").read_text())
    assert [(one["student"], one["points"]) for one in about] == [
        ("ada", 25), ("ben", 0), ("cas", 0)]


@pytest.mark.thorough
def test_marks_by_hand(said, complaint, submitted, folder):
    (folder / "photo.jpg").write_text("")
    (submitted / "photo.jpg").write_text("")
    (folder / "marks.csv").write_text("student,question,points\nada,4,7.5\n")
    grade = ["course", "grade", "subs", "--course", "5", "--marks", "marks.csv"]
    text = said(*grade)
    assert "32.5 of 35  1 right, 1 marked" in text and "left out: photo.jpg" in text
    assert "1 of 3: the handout is of another course" not in text
    assert "2 of 3: the handout is of another course" in text  # made without a course
    (folder / "marks.csv").write_text("student,question,points\nnoone,4,7.5\n")
    assert "line 2: no submissions of 'noone'" in complaint(*grade)


def test_after_ctrl_c_what_is_graded_is_kept(submitted, folder, capsys, monkeypatch):
    def graded(found, one, *given, **options):
        yield grading.nothing(found[0], one, "graded")
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade_all", graded)
    assert main(["course", "grade", "subs", "--course", "5", "--csv", "grades.csv"]) == 130
    out, err = capsys.readouterr()
    assert "1 of 3 submissions were graded" in out and err == "minicnn: interrupted\n"
    assert (folder / "grades.csv").read_text(encoding="utf-8-sig").count("\n") == 2


def test_without_a_wall_it_says_so(submitted, complaint, said, monkeypatch):
    def refused():
        raise WallError("this system cannot stop it")

    monkeypatch.setattr(grading, "check_wall", refused)
    assert "--allow-unwalled" in complaint("course", "grade", "subs", "--course", "5")
    assert "25 of 25" in said("course", "grade", "subs", "--course", "5", "--allow-unwalled",
                              "--jobs", "1")


def test_a_system_that_runs_nothing(submitted, complaint, monkeypatch):
    def refused(*given, **options):
        raise WallError("no walled Python can start here")

    monkeypatch.setattr(checking, "graded", refused)
    assert "nothing of it is run here" in complaint("course", "check", "subs/ada/gram.py")


def test_errors_of_grade(complaint, folder):
    assert "is no course" in complaint("course", "grade", "subs", "--course", "autumn")
    assert "no such file" in complaint("course", "grade", "subs", "--course", "5",
                                       "--assignment", "gram")
    assert "create it first" in complaint("course", "grade", "subs", "--course", "5", "--csv",
                                          "gone/a.csv")


@pytest.mark.thorough
def test_two_commands_from_nothing(said, folder):
    said("course", "new", "autumn", "--assignments", "lrn")
    for student in ("ada", "ben", "cas"):
        (folder / "subs" / student).mkdir(parents=True)
        (folder / "subs" / student / "lrn.py").write_text(
            (folder / "autumn/teacher/04_lrn/solution.py").read_text())
    text = said("course", "grade", "subs", "--course", "autumn", "--csv", "grades.csv")
    assert text.count("90 of 90") == 3 and len(find(["subs"], assignment("lrn"))) == 3


@pytest.mark.parametrize("name, text", [
    ("layers.py", "def conv_forward_naive(x, w, b, conv_param):\n    pass\n"),
    ("layers.py", "def affine_forward(x, w, b):\n    pass\n"),
    ("convolution.py", "def conv_forward(x, w, b, conv_param):\n    pass\n")])
def test_a_file_for_minicnn_check_is_known(name, text, tmp_path, complaint):
    (tmp_path / name).write_text(text)
    said = complaint("course", "check", tmp_path / name)
    assert "this file is in the form that `minicnn check` takes" in said

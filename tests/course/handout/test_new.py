"""A course as a folder."""

import contextlib
import json
import os
import re

import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.handout import handout, new, solution, wheel
from minicnn.course.handout.heading import cut_from

SEED = 20260801123456
GRAM = [assignment("gram")]
STUDENT = ["README.md", "gram.ipynb", "gram.py", "questions.md", "test_gram.py"]
TEACHER = ["gradescope.zip", "hidden_tests.py", "otter/gram.ipynb", "points.csv", "rubric.md",
           "solution.ipynb", "solution.py"]


def files(folder):
    """{name: bytes} of all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def texts(folder):
    """All that students can read, as one text; the wheel has tests of its own."""
    return b"".join(data for name, data in files(folder / "student").items()
                    if not name.endswith(".whl")).decode()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course of one assignment."""
    folder = tmp_path_factory.mktemp("courses") / "autumn"
    new.new(folder, GRAM, SEED)
    return folder


def test_what_is_in_it(made):
    assert [*files(made / "student")] == [*(f"08_gram/{name}" for name in STUDENT), "README.md",
                                          wheel.name()]
    assert [*files(made / "teacher")] == [*(f"08_gram/{name}" for name in TEACHER), "README.md",
                                          "course.json", "timetable.md"]
    assert [path.name for path in made.parent.iterdir()] == ["autumn"]


def test_students_get_the_handout_and_not_the_seed(made):
    course, given = new.read(made), files(made / "student")
    assert given["08_gram/gram.py"].decode() == handout(GRAM[0], "keep", course.visible)
    assert files(made / "teacher")["08_gram/solution.py"].decode() == solution(
        GRAM[0], "keep", course.visible)
    assert cut_from(given["08_gram/gram.py"].decode())[2] == course.visible
    everything = texts(made)
    assert str(SEED) not in everything and str(course.visible) in everything
    assert GRAM[0].question(4).rubric[:40] not in everything


def test_hidden_tests_are_not_with_the_students(made):
    hidden = files(made / "teacher")["08_gram/hidden_tests.py"].decode()
    digests = re.findall(r"[0-9a-f]{16}", hidden)
    shown = texts(made)
    assert len(digests) >= 15 and not any(one in shown for one in digests)


def test_the_record(made):
    course = new.read(made)
    assert course.seed == SEED and [one.name for one in course.assignments] == ["gram"]
    assert new.read(made / "teacher") == course == new.read(made / "teacher" / "course.json")
    about = json.loads((made / "teacher" / "course.json").read_text())
    assert about["digest"] == new._digest(made / "student") and about["minicnn"]


@pytest.mark.skipif(os.name != "posix", reason="needs modes")
def test_nobody_else_reads_the_teachers_folder(made):
    inside = (made / "teacher").rglob("*")
    assert {path.stat().st_mode & 0o777 for path in inside if path.is_file()} == {0o600}
    assert (made / "teacher").stat().st_mode & 0o777 == 0o700


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(made, tmp_path):
    new.new(tmp_path / "again", GRAM, SEED)
    assert files(tmp_path / "again") == files(made)
    new.new(tmp_path / "other", GRAM)
    ours, others = files(made), files(tmp_path / "other")
    assert {name for name in ours if ours[name] == others[name]} == {
        "student/README.md", f"student/{wheel.name()}", "student/08_gram/README.md",
        "student/08_gram/questions.md", "teacher/08_gram/points.csv", "teacher/08_gram/rubric.md",
        "teacher/README.md", "teacher/timetable.md"}


def test_seeds_are_random_and_large(tmp_path):
    seeds = {new.visible_seed(seed) for seed in range(5)}
    assert len(seeds) == 5 and min(seeds) > 1000
    course = new.new(tmp_path / "one", GRAM)
    assert course.seed > 2**40
    with pytest.raises(ValueError, match="find it by trying"):
        new.new(tmp_path / "two", GRAM, 2**40 - 1)


def test_derivations_as_questions(tmp_path):
    course = new.new(tmp_path / "asked", [assignment("lrn")], SEED, "ask")
    (one,) = new.read(tmp_path / "asked").assignments
    assert course.assignments == (one,) and one.points == 105
    assert len(one.questions) == len(assignment("lrn").questions) + 1
    weeks = (tmp_path / "asked/teacher/timetable.md").read_text()
    assert "4 Local response normalisation: 105 points (170 min)" in weeks
    assert "| 105 | 170 |" in (tmp_path / "asked/student/README.md").read_text()
    assert "Derive it" in (tmp_path / "asked/student/04_lrn/questions.md").read_text()


# ---- where

def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other things than a course"):
        new.new(tmp_path, GRAM, SEED)
    with pytest.raises(ValueError, match="holds other things than a course"):
        new.new(tmp_path, GRAM, SEED, overwrite=True)
    with pytest.raises(ValueError, match="there is no folder"):
        new.new(tmp_path / "not" / "there", GRAM, SEED)
    with pytest.raises(ValueError, match="is no folder"):
        new.new(tmp_path / "notes.txt", GRAM, SEED)
    assert [*files(tmp_path)] == ["notes.txt"]


def test_an_empty_folder_and_a_course_can_be_written(tmp_path):
    (tmp_path / "one").mkdir()
    new.new(tmp_path / "one", GRAM, SEED)
    with pytest.raises(ValueError, match="--overwrite replaces it"):
        new.new(tmp_path / "one", GRAM, SEED + 1)
    assert new.read(tmp_path / "one").seed == SEED
    new.new(tmp_path / "one", GRAM, SEED + 1, overwrite=True)
    assert new.read(tmp_path / "one").seed == SEED + 1
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


class Killed(BaseException):
    """Ends the process as a kill does: nothing is cleared."""


@pytest.mark.skipif(os.name == "nt", reason="folders have no locks here")
@pytest.mark.parametrize("renames", range(6))
def test_a_kill_while_a_course_is_replaced_leaves_the_old_or_the_new(tmp_path, monkeypatch,
                                                                     renames):
    """And the next command puts what was half done in order."""
    new.new(tmp_path / "one", GRAM, SEED)
    before, rename, left = files(tmp_path / "one"), os.rename, [renames]

    def killed(*names):
        if not left[0]:
            raise Killed
        left[0] -= 1
        rename(*names)

    with monkeypatch.context() as context:
        context.setattr(os, "rename", killed)
        context.setattr(new, "_clear", lambda *folders: None)
        context.setattr(new.shutil, "rmtree", lambda *folders, **how: None)
        with contextlib.suppress(Killed):
            new.new(tmp_path / "one", GRAM, SEED + 1, overwrite=True)
    with pytest.raises(ValueError, match="--overwrite replaces it"):
        new.new(tmp_path / "one", GRAM, SEED + 2)
    assert new.read(tmp_path / "one").seed == (SEED if renames < 5 else SEED + 1)
    assert files(tmp_path / "one") == before or renames == 5
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_course_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "wheels").mkdir()
    with pytest.raises(ValueError, match="there is no .whl in it"):
        new.new(tmp_path / "one", GRAM, SEED, wheels=tmp_path / "wheels")
    assert [path.name for path in tmp_path.iterdir()] == ["wheels"]
    with pytest.raises(ValueError, match="derivation must be one of"):
        new.new(tmp_path / "one", GRAM, SEED, "gone")


@pytest.mark.parametrize("text, words", [
    ("{", "cannot be read as a course"), ("{}", "cannot be read as a course"),
    (None, "is no course")])
def test_no_course(tmp_path, text, words):
    if text is not None:
        (tmp_path / "course.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        new.read(tmp_path)


@pytest.mark.thorough
def test_all_eight(tmp_path):
    new.new(tmp_path / "all")
    for one in assignments():
        for where in ("student", "teacher"):
            assert (tmp_path / "all" / where / f"{one.number:02}_{one.name}").is_dir()

"""What a teacher gets from a class."""

import csv
import json

import pytest

from minicnn.course import reporting
from minicnn.course.assignments import assignment
from minicnn.course.grader.outcome import BY_HAND, RIGHT, WRONG, Outcome, Result
from minicnn.course.grader.similarity import Pair, Similarity
from minicnn.course.grader.submissions import Submission
from minicnn.progress import bar

GRAM = assignment("gram")


def result(student, status=RIGHT, notes=()):
    """A Result."""
    points = 25.0 if status == RIGHT else 0.0
    return Result(student, GRAM, [Outcome(GRAM.questions[0], points, status),
                                  Outcome(GRAM.questions[3], 0.0, BY_HAND)], [*notes], ("clock",))


CLASS = [result("Ada"), result("Ben", WRONG, ["a note"])]


def test_a_line_for_each():
    assert reporting.line(CLASS[0]).split() == [
        "Ada", "25", "of", "25", "1", "right,", "1", "by", "hand"]
    assert reporting.line(CLASS[1]).endswith("1 wrong, 1 by hand  a note")
    assert "\x1b" not in reporting.line(result("\x1b[2J" + "x" * 200))


def test_the_end():
    text = "\n".join(reporting.conclusion(CLASS, 3))
    assert "2 submissions" in text and "kept from nothing" in text and "2 of 3 submissions" in text
    assert reporting.conclusion([], 3) == ["0 of 3 submissions were graded"]


def test_notes_of_a_kind_and_answers_are_counted():
    notes = ["the handout is of another course: ...", "this looks like assignment 2 (pooling)"]
    text = "\n".join(reporting.conclusion([result("Ada", notes=notes), result("Ben")], 2))
    assert "1 of 2: the handout is of another course" in text
    assert "1 of 2: it looks like another assignment" in text
    assert "Questions in words without points: 2, of which 0 have an answer" in text


def test_what_is_nobody_s_is_one_line():
    assert reporting.left_out([]) == ""
    assert reporting.left_out([*"abcdefg"]) == "Nobody's, left out: a, b, c, d, e and 2 more"


def test_pairs_are_named():
    ada, ben = (Submission(one.student, "gram.py", "", []) for one in CLASS)
    found = Similarity([Pair(ada, ben, 0.91234, (), ("gram_loss",))], [0.9], [], [])
    text = "\n".join(reporting.conclusion(CLASS, 2, found, "pages"))
    assert "1 pair compared, 1 pair stands out: read them in pages/index.html" in text
    assert "--html FOLDER" in reporting.conclusion(CLASS, 2, found)[-1]
    assert reporting._alike("Ben", found) == [
        {"student": "Ada", "share": 0.912, "same": ["gram_loss"], "page": "pairs/001.html"}]


def test_files(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "pages", tmp_path / "a.json"]
    reporting.check(*paths)
    written = reporting.write(CLASS, *paths)
    assert written == [str(paths[0]), str(paths[2]), str(paths[1] / "index.html")]
    rows = list(csv.reader(paths[0].read_text(encoding="utf-8-sig").splitlines()))
    assert [row[0] for row in rows] == ["student", "Ada", "Ben"]
    about = json.loads(paths[2].read_text())
    assert [one["points"] for one in about] == [25, 0] and about[1]["notes"] == ["a note"]
    assert about[0]["score"] == 25 and about[0]["layers"] == ["clock"]
    assert reporting.write([], html=tmp_path / "none") == []


@pytest.mark.parametrize("given", [{"csv": "gone/a.csv"}, {"json": "a.txt"}, {"html": "file/x"},
                                   {"html": "file"}])
def test_what_cannot_be_written_is_said_before(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError):
        reporting.check(**given)


def test_lines_beside_a_bar(capsys):
    with bar([1]) as shown, reporting.beside(shown):
        print("a line")
    assert capsys.readouterr().out == "a line\n"

"""Question sheet, rubric, points."""

import csv
import io
import subprocess
import sys

from minicnn.course.assignments import assignment
from minicnn.course.handout import sheets
from minicnn.course.handout.asserts import Asserts
from minicnn.course.handout.cut import handout, solution


def test_the_question_sheet():
    one = assignment("gram")
    text = sheets.questions(one)
    for number, question in enumerate(one.questions, 1):
        assert f"## {number}. {question.title}\n" in text and question.text in text
        assert not question.rubric or question.rubric not in text
    assert "**Your answer:**" in text
    assert "minicnn course check gram.py --question 8 --picture" in text
    assert "`gram_matrix`: 25 points, 25 minutes, usually" in text


def test_the_tests_tell_what_is_right_wrong_and_not_written(tmp_path):
    one = assignment("gram")
    (tmp_path / "test_gram.py").write_text(sheets.tests(one, Asserts(one), 6), encoding="utf-8")
    right = solution(one)
    wrong = right.replace("/ (h * w)  # (N, C, M)", "/ (h + w)  # (N, C, M)")
    assert wrong != right
    for text, said in ((right, "question 1: passed"), (handout(one), "question 1: not written yet"),
                       (wrong, "question 1: AssertionError")):
        (tmp_path / "gram.py").write_text(text, encoding="utf-8")
        shown = subprocess.run([sys.executable, "test_gram.py"], cwd=tmp_path, capture_output=True,
                               text=True, check=True).stdout
        assert said in shown and shown.count("question") == 5


def test_how_to_begin():
    text = sheets.readme(assignment("gram"))
    assert "minicnn course check gram.py" in text and "`gram.py` and `questions.md`" in text


def test_the_rubric_and_the_points():
    one = assignment("gram")
    text = sheets.rubric(one)
    assert one.question(4).rubric in text and one.question(1).hints[2] in text
    rows = list(csv.DictReader(io.StringIO(sheets.points(one))))
    assert sum(int(row["points"]) for row in rows) == 100 and rows[0]["question"] == "gram-1"

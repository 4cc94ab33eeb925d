"""Points given by hand."""

import a_class
import pytest

from minicnn.course.grader import feedback, marks, table
from minicnn.course.grader.submissions import Submission

CLASS = [Submission("Ada", "a.py", "", [], "123"), Submission("Ben", "b.py", "", [], "124")]


def read(tmp_path, text):
    (tmp_path / "marks.csv").write_text(text, encoding="utf-8")
    return marks.read(tmp_path / "marks.csv", CLASS, a_class.CONVOLUTION)


@pytest.mark.parametrize("text", [
    "student,question,points,comment\nAda,4,3.5,so it is\nBen,4,,\n",
    "\ufeffstudent;question;points;comment\n123;convolution-4;3,5;so it is\n"])
def test_a_table(tmp_path, text):
    assert read(tmp_path, text) == {("Ada", "convolution-4"): (3.5, "so it is")}


@pytest.mark.parametrize("row, words", [
    ("Cleo,4,1", "line 2: no submissions of 'Cleo'"), ("Ada,1,1", "no question in words"),
    ("Ada,9,1", "no question in words"), ("Ada,4,6", "from 0 to 5, got '6'"),
    ("Ada,4,nan", "from 0 to 5"), ("Ada,4,x", "from 0 to 5"), ("Ada", "no question in words"),
    ("Ada,4,1\nAda,4,2", "line 3: a second mark")])
def test_what_is_wrong_is_said(tmp_path, row, words):
    with pytest.raises(ValueError, match=words):
        read(tmp_path, f"student,question,points\n{row}\n")


def test_no_table(tmp_path):
    with pytest.raises(ValueError, match="no column question, points"):
        read(tmp_path, "student\n")
    with pytest.raises(ValueError, match="cannot be read"):
        marks.read(tmp_path / "none.csv", CLASS, a_class.CONVOLUTION)


def test_they_are_points_like_others():
    one = marks.marked(a_class.result(), {("Ada", "convolution-4"): (3.5, "so it is")})
    assert (one.points, one.most) == (16, 30)
    text = feedback.feedback(one)
    assert "16 of 30 points." in text and "read by your teacher" not in text
    assert "4. Why?: 3.5 of 5 points, marked\n\nso it is" in text
    heads, row = table.rows([one])
    assert row[heads.index("convolution-4 points")] == "3.5"
    assert marks.marked(a_class.result("Ben"), {("Ada", "convolution-4"): (3, "")}).most == 25

"""What students and teachers read first."""

from minicnn.course.assignments import assignment, assignments
from minicnn.course.handout import readmes, wheel, with_derivations


def test_a_student_reads_how_to_install_and_what_to_hand_in():
    text = readmes.student(assignments())
    assert f"pip install {wheel.name()}" in text and "Python 3.11 or newer" in text
    assert "| 01_convolution | Convolution, there and back | 100 | 210 | 2, 3 | |" in text
    assert "| | all | 800 | " in text and "`questions.md`" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_derivation_counts():
    assert "| | all | 105 | 170 | | |" in readmes.student([with_derivations(assignment("lrn"))])


def test_a_teacher_reads_what_each_file_is_for():
    text = readmes.teacher(assignments())
    for name in ("course.json", "timetable.md", "solution.py", "solution.ipynb", "otter/",
                 "hidden_tests.py", "gradescope.zip", "points.csv", "rubric.md"):
        assert f"{name}` |" in text
    assert "90 points of 9 questions" in text and "manual questions" in text
    assert "--course COURSE" in text and "after it: 2, 3, 4, 5, 6, 7" in text


def test_without_lessons(monkeypatch):
    monkeypatch.setattr("minicnn.course.lessons._places", list)
    assert "asks for after it.\n" in readmes.teacher(assignments()).replace("assignment ", "")

"""Names that learning platforms give."""

import pytest

from minicnn.course.grader import exports

METADATA = """\
---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1'
    :email: ada@example.org
  - :name: "Charles \\u0042abbage"
    :email: cb@example.org
  :created_at: 2026-02-01 10:00:00 Z
  :results:
    tests:
    - :name: Not A Student
submission_12:
  :submitters:
  - :name: 'O''Hara: <b>'
    :sid:
"""


@pytest.mark.parametrize("path, name, rest, upload", [
    ("Ada Lovelace_123_assignsubmission_file_/conv.py", "Ada Lovelace", "conv.py", 0),
    ("Ada_B_123_assignsubmission_file/a/conv.py", "Ada_B", "a/conv.py", 0),
    ("Ada_123_assignsubmission_file_conv.py", "Ada", "conv.py", 0),
    ("Ada_123_assignsubmission_onlinetext_/onlinetext.html", "Ada", "onlinetext.html", 0),
    ("lovelaceada_123_456_convolution-1.py", "lovelaceada", "convolution-1.py", 456),
    ("lovelaceada_LATE_123_456_my_conv.py", "lovelaceada", "my_conv.py", 456),
    ("submission_11/conv.py", "Ada Lovelace", "conv.py", 0),
    ("ada/b/conv.py", "ada", "b/conv.py", 0),
    ("ada.conv.py", "ada.conv", "ada.conv.py", 0),
    ("ada_1_conv.py", "ada_1_conv", "ada_1_conv.py", 0)])
def test_owners(path, name, rest, upload):
    made = exports.owner(path, {"submission_11": "Ada Lovelace"})
    assert (made.name, made.rest, made.upload) == (name, rest, upload)


def test_late_is_said_and_files_of_one_student_have_one_key():
    late = exports.owner("ada_LATE_1_7_conv.py", {})
    assert late.notes == ("handed in late, says Canvas",)
    assert late.key == exports.owner("ada_1_3_notes.txt", {}).key
    assert late.key != exports.owner("ada_2_7_conv.py", {}).key


def test_students_of_gradescope():
    assert exports.gradescope(METADATA) == {
        "submission_11": "Ada Lovelace and Charles Babbage", "submission_12": "O'Hara: <b>"}


@pytest.mark.parametrize("text", ["", "x", "submission_1:", ":name: x", "- :name: x", "\0\n\n:"])
def test_metadata_without_students(text):
    assert exports.gradescope(text) == {}


@pytest.mark.parametrize("name, made", [("conv.py", ("conv", 0)), ("conv-1.py", ("conv", 1)),
                                        ("conv (2).ipynb", ("conv", 2)),
                                        ("conv(3).py", ("conv", 3)),
                                        ("conv", ("conv", 0)), ("conv-2026.py", ("conv-2026", 0))])
def test_counters(name, made):
    assert exports.stem(name) == made

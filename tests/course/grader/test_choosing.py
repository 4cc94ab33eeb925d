"""Which of a student's files counts."""

import a_class
import pytest

from minicnn.course.grader import archives, choosing


def choose(files):
    """Of {name: text}; each file is newer than the one before."""
    entries = [archives.Entry(name, number, lambda text=text: text.encode())
               for number, (name, text) in enumerate(files.items())]
    return choosing.choose(entries, a_class.CONVOLUTION)


HALF = a_class.RIGHT.partition("def conv_backward")[0]


@pytest.mark.parametrize("files, name", [
    ({"convolution.py": a_class.RIGHT, "a.py": a_class.RIGHT}, "convolution.py"),
    ({"convolution.py": HALF, "a.py": a_class.RIGHT}, "convolution.py"),
    ({"convolution.py": a_class.STUB, "a.py": HALF}, "a.py"),
    ({"convolution.py": a_class.STUB, "convolution.ipynb": a_class.notebook(HALF)},
     "convolution.ipynb"),
    ({"convolution.py": HALF, "convolution.ipynb": a_class.notebook(a_class.STUB)},
     "convolution.py"),
    ({"a.py": HALF, "b.py": a_class.RIGHT, "c.py": ""}, "b.py"),
    ({"convolution-2.py": HALF, "convolution-1.py": HALF, "convolution.py": HALF},
     "convolution-2.py"),
    ({"a.py": HALF, "b.py": HALF}, "b.py"),
    ({"Convolution.PY": HALF, "b.py": HALF}, "Convolution.PY"),
    ({"convolution.py": a_class.RIGHT, "convolution-1.py": "def f(:"}, "convolution-1.py"),
    ({"old/convolution-1.py": a_class.RIGHT, "convolution.py": HALF}, "convolution.py"),
    ({"convolution.py": "def f(:", "notes.py": "x = 1"}, "convolution.py")])
def test_which_counts(files, name):
    found, source, _ = choose(files)
    assert found == name and isinstance(source, str)


def test_what_else_there_was_is_said():
    _, source, notes = choose({"convolution.py": a_class.RIGHT, "old/convolution (1).py": HALF,
                               "helpers.py": "def pad(): pass", "notes.txt": ""})
    assert source == a_class.RIGHT
    assert notes == ["convolution.py counts; not graded: old/convolution (1).py",
                     "helper modules cannot be imported when grading, put everything into one "
                     "file: helpers.py"]


def test_nothing_to_grade():
    assert choose({"report.pdf": "", "b.docx": ""}) == (
        "", None, ["there is no .py or .ipynb file, only report.pdf, b.docx"])
    assert choose({}) == ("", None, ["there is no .py or .ipynb file"])


def test_a_file_that_cannot_be_read():
    def read():
        raise archives.ArchiveError("is larger than 32 MiB")

    entries = [archives.Entry("convolution.py", 0, read)]
    assert choosing.choose(entries, a_class.CONVOLUTION) == (
        "convolution.py", None, ["convolution.py is larger than 32 MiB"])


def test_a_source_too_long(monkeypatch):
    monkeypatch.setattr(choosing, "MOST_TEXT", 10)
    assert choose({"a.py": "x = 1 + 1 + 1"})[1:] == (
        None, ["a.py has more than 10 characters of code"])

"""Which assignment a file is of."""

import pytest

from minicnn.course import which
from minicnn.course.assignments import assignment, assignments
from minicnn.course.grader import names
from minicnn.course.grader.submissions import Submission
from minicnn.course.handout import handout, new
from minicnn.course.handout.heading import fingerprint


@pytest.mark.parametrize("name, text, found", [
    ("gram.py", "", "gram"), ("04_LRN (2).ipynb", "", "lrn"),
    ("mine.py", "def pool_unpool(", "pooling"), ("my-convolution-final.py", "", "convolution"),
    ("program.py", "def gram_loss(", "gram")])
def test_of_a_file(name, text, found):
    assert which.of_file(name, text).name == found


@pytest.mark.parametrize("text", ["", "".join(
    f"def {name}(x): ...\n" for one in ("gram", "lrn") for name in names.wanted(assignment(one)))])
def test_a_file_that_looks_like_none_or_two(text):
    with pytest.raises(ValueError, match="Say --assignment and one of convolution, pooling"):
        which.of_file("mine.py", text)


def test_of_submissions(tmp_path):
    for student, name in (("ada", "gram"), ("ben", "gram"), ("cas", "lrn")):
        (tmp_path / student).mkdir()
        (tmp_path / student / f"{name}.py").write_text(handout(assignment(name)))
    found, one = which.of_submissions([tmp_path], assignments())
    assert one.name == "gram" and len(found) == 3
    found, one = which.of_submissions([tmp_path], [assignment("lrn")])
    assert one.name == "lrn" and len(found) == 3


def test_a_handout_of_another_course_is_noted(tmp_path):
    gram = assignment("gram")
    course = new.new(tmp_path / "course", [gram], 77 + 2**40)
    ours, other = (1, fingerprint(gram), course.visible), (1, fingerprint(gram), 5)
    pages = ("0.9", "0123456789", course.visible)
    lrn = Submission("ada", "", "", [], stamp=("0.9", fingerprint(assignment("lrn")),
                                               course.visible))
    assert which.of_another([lrn], gram, str(course.seed)) == [lrn]  # its names tell that
    made = [Submission("ada", "", "", ["a note"], stamp=one) for one in (None, ours, other, pages)]
    for given in (str(tmp_path / "course"), str(course.seed)):
        found = [one.notes for one in which.of_another(made, gram, given)]
        assert found[0] == found[1] == ["a note"] == found[2][1:] == found[3][1:]
        assert found[2][0].startswith(f"{which.OTHER_COURSE}: its numbers are of seed 5")
        assert found[3][0].startswith(f"{which.OTHER_PAGES} (minicnn 0.9)")


def test_of_a_course(tmp_path):
    new.new(tmp_path / "course", [assignment("gram")], 77 + 2**40)
    seed, chosen = which.of_course(str(tmp_path / "course"))
    assert seed == 77 + 2**40 and [one.name for one in chosen] == ["gram"]
    assert which.of_course("12") == (12, [*assignments()])
    assert which.of_course("12", "2")[1] == [assignment("pooling")]
    with pytest.raises(ValueError, match="has no assignment 'lrn'; it has 8 gram"):
        which.of_course(str(tmp_path / "course"), "lrn")

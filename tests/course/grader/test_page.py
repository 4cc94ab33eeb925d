"""The pages of a class."""

import a_class
import pytest
from conv_solutions import COPIED, LOOPS, WINDOWS
from html_reader import Reader, check_harmless

from minicnn.course.grader.page import slug, write_html
from minicnn.course.grader.similarity import compare
from minicnn.course.grader.submissions import Submission

EVIL = ["<script>alert(1)</script>", '" onclick="alert(1)', "../../x", "=cmd", "a/b\\c", "\ud800"]


def test_an_index_and_a_page_for_each_student(tmp_path):
    results = [a_class.result("Ada", notes=["a note"]), a_class.result("Émilie du Châtelet")]
    path = write_html(results, tmp_path / "html")
    text = path.read_text(encoding="utf-8")
    words = check_harmless(text, scripts=1)
    for part in ("2 submissions", "average 50%", "kept from: nothing", "Layers: namespaces.", "Ada",
                 "missing: there is no function",
                 "2. Stride: 50% of the points", "the kernel is flipped", "4. Why?: read by you"):
        assert part in words
    links = [value for _, name, value in Reader(text).attributes if name == "href"]
    assert links == ["students/001-ada.html", "students/002-emilie-du-chatelet.html"]
    for link in links:
        check_harmless((path.parent / link).read_text(encoding="utf-8"))
    assert not (path.parent / "pairs").exists()


def test_every_cell_has_a_value_to_sort_by(tmp_path):
    text = write_html([a_class.result()], tmp_path).read_text(encoding="utf-8")
    values = [value for tag, name, value in Reader(text).attributes
              if (tag, name) == ("td", "data-value")]
    assert values == ["Ada", "12.5", "10", "2.5", "0", "0", "0"]


def test_names_are_text_and_no_paths(tmp_path):
    results = [a_class.result(name, notes=[name]) for name in EVIL]
    path = write_html(results, tmp_path / "html")
    check_harmless(path.read_text(encoding="utf-8"), scripts=1)
    assert len(list((tmp_path / "html" / "students").iterdir())) == len(EVIL)
    assert [one.name for one in tmp_path.iterdir()] == ["html"]


def test_no_page_of_an_earlier_run_stays(tmp_path):
    write_html([a_class.result("Ada"), a_class.result("Ben")], tmp_path)
    mine = tmp_path / "students" / "mine.html"
    mine.write_text("kept")
    write_html([a_class.result("Ben")], tmp_path)
    assert {one.name for one in (tmp_path / "students").iterdir()} == {"001-ben.html", "mine.html"}


def test_the_foremost_note_is_in_the_table(tmp_path):
    notes = ["left out (hidden): .x", "conv_backward is missing"]
    text = write_html([a_class.result(notes=notes)], tmp_path).read_text(encoding="utf-8")
    assert ">conv_backward is missing (+1)</span>" in text


def test_a_table_of_a_class_of_which_some_lack_questions(tmp_path):
    one = a_class.result()
    write_html([one, one._replace(outcomes=one.outcomes[:1], student="Ben")], tmp_path)


def test_similar_pairs_are_on_the_teacher_s_pages_alone(tmp_path):
    submissions = [Submission(EVIL[0], "a.py", LOOPS, []), Submission("Ben", "b.py", COPIED, []),
                   Submission("Cleo", "c.py", WINDOWS, []), Submission("Dan", "d.py", "", [])]
    results = [a_class.result(one.student) for one in submissions]
    path = write_html(results, tmp_path, compare(submissions))
    words = check_harmless(path.read_text(encoding="utf-8"), scripts=1)
    assert "3 pairs were compared" in words and "not readable: Dan." in words
    assert "pairs/001.html" in path.read_text(encoding="utf-8")
    for page in (tmp_path / "students").iterdir():
        assert "pairs" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name, made", [("Ada B", "ada-b"), ("..", "student"), ("猫", "student"),
                                        ("a/../b", "a-b"), ("x" * 99, "x" * 40)])
def test_names_of_files(name, made):
    assert slug(name) == made

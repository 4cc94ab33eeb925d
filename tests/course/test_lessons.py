"""Lessons: their cells, and how one is found."""

import pytest

from minicnn.course import lessons

TEXT = """# %% [markdown]
# # 07 · Sums
# What is a sum?
# Minutes: 5

# %%
a = 1
# a comment

# %% [markdown]
# More.
# %%  with a title

a += 1
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    (tmp_path / "07_sums.py").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(lessons, "folder", lambda: tmp_path)
    return tmp_path


def test_cells(written):
    one = lessons.lesson(7)
    assert (one.number, one.name, one.title, one.minutes) == (7, "sums", "07 · Sums", 5)
    assert [(cell.is_text, cell.line) for cell in one.cells] == [
        (True, 1), (False, 6), (True, 10), (False, 13)]
    assert one.cells[1].content == "a = 1\n# a comment" and one.cells[2].content == "More."
    assert lessons.run(one)["a"] == 2


@pytest.mark.parametrize("wanted", [7, "7", "07", "sums", "07_sums"])
def test_a_lesson_has_several_names(written, wanted):
    assert lessons.lesson(wanted).number == 7


def test_a_lesson_of_one_s_own(written, tmp_path):
    path = tmp_path / "mine" / "08_mine.py"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    assert (lessons.lesson(path).number, lessons.lesson(str(path)).name) == (8, "mine")
    with pytest.raises(lessons.LessonError, match="no lesson 'mine/09_none.py'"):
        lessons.lesson("mine/09_none.py")


def test_errors(written):
    with pytest.raises(lessons.LessonError, match="no lesson 8; there are 7 sums"):
        lessons.lesson(8)
    (written / "08_none.py").write_text("# %%\n1\n", encoding="utf-8")
    with pytest.raises(lessons.LessonError, match="08_none.py: the first cell must be text"):
        lessons.lessons()
    (written / "mine.py").write_text(TEXT, encoding="utf-8")
    with pytest.raises(lessons.LessonError, match="mine.py: a lesson's file is named NN_name.py"):
        lessons.read(written / "mine.py")


def test_an_error_carries_its_line(written):
    path = written / "07_sums.py"
    path.write_text(TEXT.replace("a += 1", "a += 1\nb"), encoding="utf-8")
    with pytest.raises(NameError) as caught:
        lessons.run(lessons.read(path))
    assert caught.traceback[-1].lineno + 1 == 15

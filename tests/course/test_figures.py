"""The step figures of the lessons: every one is written, and its lesson names the command."""

import pytest

from minicnn.course import figures, lessons

SHIPPED = {one.number: one for one in lessons.lessons()}
QUICK = [number for number in figures.FIGURES if number != 14]  # which runs a network


@pytest.mark.parametrize("number", QUICK)
def test_each_is_written_where_it_says(number, tmp_path):
    paths = figures.write(SHIPPED[number], tmp_path / "new")
    assert [path.suffix for path in paths] == [".html"] * len(figures.FIGURES[number])
    for path, make in zip(paths, figures.FIGURES[number], strict=True):
        page = path.read_text(encoding="utf-8")
        assert f"minicnn lesson {number}</code>" in page and page == make().html()


@pytest.mark.thorough
def test_the_way_down_of_the_shipped_network(tmp_path):
    (path,) = figures.write(SHIPPED[14], tmp_path)
    page = path.read_text(encoding="utf-8")
    assert "minicnn lesson 14</code>" in page and page.count("<h2>") == 12
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("number", figures.FIGURES)
def test_the_lesson_names_the_command(number):
    text = " ".join(cell.content for cell in SHIPPED[number].cells if cell.is_text)
    assert f"`minicnn lesson {number} --figure`" in text


def test_a_lesson_without_one(tmp_path):
    with pytest.raises(lessons.LessonError, match="lesson 7 softmax has no step figure; lessons 2"):
        figures.write(SHIPPED[7], tmp_path)
    own = SHIPPED[3]._replace(path=tmp_path / "03_mine.py")
    with pytest.raises(lessons.LessonError, match="has no step figure"):
        figures.write(own, tmp_path)

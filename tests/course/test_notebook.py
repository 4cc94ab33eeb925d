"""A lesson as a notebook, where the packages for it are installed."""

import json
import sys

import pytest

from minicnn.course import lessons, notebook, stage

for NAME in ("jupytext", "nbclient", "ipykernel"):
    pytest.importorskip(NAME, reason=f"{NAME} is not installed: pip install '.[lessons]'")


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def test_cells(lesson, tmp_path):
    path = tmp_path / "07.ipynb"
    notebook.write(lesson, path)
    written = cells(path)
    assert [cell["cell_type"] == "markdown" for cell in written] == [
        cell.is_text for cell in lesson.cells]
    assert source(written[0]).startswith("# 07 · Sums\n")
    assert source(written[3]) == lesson.cells[3].content  # a print gives no value
    assert source(written[4]).endswith("x += 1  # in place")
    hidden = [bool(cell["metadata"]) for cell in written]
    assert [k for k, one in enumerate(hidden) if one] == [3, 5]
    assert all("outputs" not in cell or cell["outputs"] == [] for cell in written)
    notebook.write(lesson, tmp_path / "again.ipynb")
    assert (tmp_path / "again.ipynb").read_bytes() == path.read_bytes()


@pytest.mark.thorough
def test_executed(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")  # is not for the notebook
    path = tmp_path / "07.ipynb"
    notebook.write(lesson, path, executed=True)
    written = cells(path)
    assert [list(out["data"]) for out in written[4]["outputs"]] == [["image/png", "text/plain"]]
    question, text = written[3]["outputs"]
    assert "<summary>Answer</summary>(3,)" in "".join(question["data"]["text/html"])
    assert "".join(text["text"]) == "total = [3. 5. 7.]\n"
    assert "".join(written[6]["outputs"][0]["text"]) == "x sums to 21.0\n"


def test_a_figure_is_shown_once(lesson, tmp_path):
    text = lesson.path.read_text(encoding="utf-8").replace("x += 1  # in place", "figure")
    lesson.path.write_text(text.replace("== 21", "== 15"), encoding="utf-8")
    path = tmp_path / "07.ipynb"
    notebook.write(lessons.read(lesson.path), path)
    assert source(cells(path)[4]).endswith("\nfigure;")


def test_another_photo(lesson, photo, tmp_path):
    path = tmp_path / "07.ipynb"
    with stage.chosen(photo=photo):
        notebook.write(lesson, path)
    assert f"'photo': '{photo}'" in source(cells(path)[1])
    assert len(cells(path)) == len(lesson.cells) + 1


@pytest.mark.thorough
def test_a_cell_that_fails(lesson, tmp_path):
    lesson.path.write_text(lesson.path.read_text(encoding="utf-8").replace("== 21", "== 22"),
                           encoding="utf-8")
    path = tmp_path / "07.ipynb"
    with pytest.raises(lessons.LessonError,
                       match="^lesson 7, 07_sums.py, as a notebook: AssertionError: the sum$"):
        notebook.write(lessons.read(lesson.path), path, executed=True)
    assert not path.exists()


def test_a_package_that_is_not_installed(lesson, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    with pytest.raises(ValueError, match="pip install jupytext nbclient ipykernel"):
        notebook.write(lesson, tmp_path / "07.ipynb")


@pytest.mark.lessons
def test_a_real_lesson_executed(tmp_path):
    notebook.write(lessons.lesson("relu"), tmp_path / "relu.ipynb", executed=True)
    kinds = [kind for cell in cells(tmp_path / "relu.ipynb") if "outputs" in cell
             for out in cell["outputs"] for kind in out.get("data", ())]
    assert kinds.count("image/png") >= 2 and kinds.count("text/html") >= 3

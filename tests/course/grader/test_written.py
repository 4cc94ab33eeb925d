"""The list of a folder's pages, and short words."""

import pytest

from minicnn.course.grader import written
from minicnn.gradcheck.apart import wall


def test_only_what_was_listed_and_is_ours_is_removed(tmp_path):
    folder, outside = tmp_path / "pages", tmp_path / "outside.html"
    (folder / "students").mkdir(parents=True)
    kept = [folder / "students" / "001-new.html", folder / "notes.html", outside]
    gone = folder / "students" / "001-ada.html"
    for one in (*kept, gone):
        one.write_text("")
    (folder / written.LIST).write_text("students/001-ada.html\nnotes.html\n../outside.html\n"
                                       "pairs/001.html\n\n")
    with written.listed(folder, ["index.html"]):
        assert gone.exists()  # until those that replace it are there
        assert (folder / written.LIST).read_text().startswith("index.html\nstudents/001-ada.html")
    assert all(one.exists() for one in kept) and not gone.exists()
    assert (folder / written.LIST).read_text() == "index.html\n"


@pytest.mark.parametrize("layers, words", [
    (wall.LAYERS, "your files, the network, other processes"), (["sealed"], "your files"),
    ([], "nothing")])
def test_what_is_kept(layers, words):
    assert written.kept_from(tuple(layers)) == words


def test_the_foremost_note():
    assert written.foremost([]) == ""
    assert written.foremost(["other", "left out (a link): x", "f is missing"]) == "f is missing"
    other = "this looks like assignment 2 (pooling)"
    assert written.foremost(["f is missing", other]) == other

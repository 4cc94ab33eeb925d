"""What a class has handed in, in all the forms it comes in."""

import a_class
import pytest

from minicnn.course.grader import submissions
from minicnn.course.grader.submissions import find, single

RIGHT, STUB = a_class.RIGHT, a_class.STUB
OTHER = RIGHT.replace("x.sum()", "x.mean()")


def students(*paths):
    return {one.student: one for one in find(paths, a_class.CONVOLUTION)}


def test_a_folder_of_files(tmp_path):
    a_class.write(tmp_path, {"ada.py": RIGHT, "ben.ipynb": a_class.notebook(OTHER), "marks.csv": "",
                             "cleo.zip": a_class.zip_of({"cleo/convolution.py": OTHER}),
                             "dan/conv.py": OTHER, "dan/helpers.py": "x = 1", "eve/report.pdf": ""})
    (tmp_path / "flo").mkdir()
    found = students(tmp_path)
    assert list(found) == ["ada", "ben", "cleo", "dan", "eve", "flo"]
    assert [one.name for one in found.values()] == ["ada.py", "ben.ipynb", "convolution.py",
                                                    "conv.py", "", ""]
    assert found["ada"][:4] == ("ada", "ada.py", RIGHT, []) and found["eve"].source is None
    assert "x.mean()" in found["ben"].source and found["dan"].source == OTHER
    assert found["flo"].notes == ["there is no .py or .ipynb file"]


def test_one_submission_by_its_file_folder_or_zip(tmp_path):
    a_class.write(tmp_path, {"ada/convolution.py": RIGHT, "ada/helpers.py": "x = 1",
                             "ada/convolution_old.py": OTHER, "ben.py": OTHER,
                             "cleo.zip": a_class.zip_of({"work/conv.py": RIGHT, "work/x.csv": ""}),
                             "dan.zip": b"no zip", "eve.txt": "", "flo.zip": a_class.zip_of({})})
    names = ["ada", "ada/convolution.py", "ben.py", "cleo.zip", "dan.zip", "eve.txt", "flo.zip"]
    found = find([tmp_path / name for name in names], a_class.CONVOLUTION)
    assert [one.student for one in found] == ["ada (1)", "ada (2)", "ben", "cleo", "dan", "eve",
                                              "flo"]
    assert [one.source for one in found] == [RIGHT, RIGHT, OTHER, RIGHT, None, None, None]
    assert "cannot be read" in " ".join(found[4].notes)
    assert found[0].notes[-1].startswith("2 submissions have the name ada")


def test_a_folder_with_one_student_s_folder_in_it(tmp_path):
    assert list(students(a_class.write(tmp_path, {"ada/convolution.py": RIGHT}))) == ["ada"]


def test_the_handout_among_submissions_is_one_more(tmp_path):
    a_class.write(tmp_path, {"convolution.py": STUB, "ada.py": RIGHT, "ben/convolution.py": RIGHT})
    assert list(students(tmp_path)) == ["ada", "ben", "convolution"]


def test_old_files_below_a_submission_are_not_students(tmp_path):
    a_class.write(tmp_path, {"ada/convolution.py": RIGHT, "ada/old/convolution.py": OTHER})
    (one,) = find([tmp_path / "ada"], a_class.CONVOLUTION)
    assert (one.student, one.source) == ("ada", RIGHT) and len(one.notes) == 1


MOODLE = {"Ada Lovelace_11_assignsubmission_file_/conv.py": RIGHT,
          "Ada Lovelace_12_assignsubmission_file_/conv.zip": a_class.zip_of(
              {"convolution.py": OTHER, "inner.zip": "", "__MACOSX/._convolution.py": "x"}),
          "Ben_13_assignsubmission_file_/a.ipynb": a_class.notebook(RIGHT),
          "Ben_13_assignsubmission_onlinetext_/onlinetext.html": "<b>",
          "Eve_14_assignsubmission_file_/../../x.py": RIGHT}
CANVAS = {"adal_101_900_convolution.py": STUB, "adal_101_901_convolution-1.py": RIGHT,
          "benb_LATE_102_700_my_conv.py": OTHER, "benb_LATE_102_701_helpers.py": "x = 1",
          "cleo_103_800_conv.zip": a_class.zip_of({"convolution.py": RIGHT})}
GRADESCOPE = {"assignment_1_export/submission_metadata.yml":
              "---\nsubmission_5:\n  :submitters:\n  - :name: Ada\n  - :name: Ben\n"
              "submission_6:\n  :submitters:\n  - :name: Cleo\n",
              "assignment_1_export/submission_5/convolution.py": RIGHT,
              "assignment_1_export/submission_6/a/conv.py": OTHER,
              "assignment_1_export/submission_7/conv.py": OTHER}


def export(files, form, folder):
    """An export as a zip or as a folder; no folder can hold a path that leads out of it."""
    if form == "zip":
        (folder / "export.zip").write_bytes(a_class.zip_of(files))
        return folder / "export.zip"
    return a_class.write(folder / "export",
                         {name: data for name, data in files.items() if ".." not in name})


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_moodle(tmp_path, form):
    found = students(export(MOODLE, form, tmp_path))
    names = ["Ada Lovelace (11)", "Ada Lovelace (12)", "Ben"] + ["Eve"] * (form == "zip")
    assert list(found) == names
    assert found[names[0]].source == RIGHT and found[names[1]].source == OTHER
    assert found[names[1]].notes == ["left out (a zip in a zip): inner.zip"]
    if form == "zip":
        assert found["Eve"].source is None and "a path out of the folder" in found["Eve"].notes[1]


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_canvas(tmp_path, form):
    found = students(export(CANVAS, form, tmp_path))
    assert [(one.student, one.name) for one in found.values()] == [
        ("adal", "convolution-1.py"), ("benb", "my_conv.py"), ("cleo", "convolution.py")]
    assert found["adal"].source == RIGHT and found["benb"].notes[0] == "handed in late, says Canvas"


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_gradescope(tmp_path, form):
    found = students(export(GRADESCOPE, form, tmp_path))
    assert {name: one.source for name, one in found.items()} == {
        "Ada and Ben": RIGHT, "Cleo": OTHER, "submission_7": OTHER}


def test_an_export_of_one_student(tmp_path):
    for number, files in enumerate([dict([next(iter(MOODLE.items()))]),
                                    dict([next(iter(CANVAS.items()))])]):
        (folder := tmp_path / str(number)).mkdir()
        assert set(students(export(files, "zip", folder))) <= {"Ada Lovelace", "adal"}


def test_windows_s_own_ways(tmp_path):
    data = b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode()
    assert students(*[a_class.write(tmp_path, {"ada.py": data})])["ada"].source == RIGHT


def test_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="no such file or folder"):
        find([tmp_path / "x.py"], a_class.CONVOLUTION)
    with pytest.raises(ValueError, match="no submission in it"):
        find([tmp_path], a_class.CONVOLUTION)


def test_names_of_students_are_harmless(tmp_path):
    name = "a\x1b[31m<b>\n\udce9_1_assignsubmission_file_"
    (one,) = find([a_class.write(tmp_path, {f"{name}/conv.py": RIGHT})], a_class.CONVOLUTION)
    assert one.student == "a<b>"


@pytest.mark.parametrize("files", [{"a.py": RIGHT}, {"x/a.py": RIGHT, "y/b.py": STUB},
                                   {"a.py": STUB, "b.py": RIGHT}])
def test_a_single_submission_whatever_its_files_are_called(tmp_path, files):
    made = single(a_class.write(tmp_path / "submission", files), a_class.CONVOLUTION, "Ada")
    assert (made.student, made.source) == ("Ada", RIGHT)
    assert single(tmp_path / "submission", a_class.CONVOLUTION).student == "submission"
    assert submissions.SUFFIXES == (".py", ".ipynb")


@pytest.mark.parametrize("seed, found", [("5", ("1", "0123456789", 5)), ("9" * 5000, None)])
def test_the_stamp_of_a_handout(tmp_path, seed, found):
    stamp = f"# Cut from minicnn 1, pages 0123456789, seed {seed}.\n"
    a_class.write(tmp_path, {"ada.py": stamp + RIGHT})
    assert students(tmp_path)["ada"].stamp == found


def test_what_is_nobody_s_is_named(tmp_path):
    a_class.write(tmp_path, {"ada.py": RIGHT, "ben.py": OTHER, "photo.jpg": "", "cleo/x.txt": ""})
    paths = [tmp_path, tmp_path / "ada.py"]
    assert submissions.ignored(paths, a_class.CONVOLUTION) == ["photo.jpg"]

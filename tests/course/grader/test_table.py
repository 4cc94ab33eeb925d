"""The points of a class as CSV."""

import csv

import a_class
import pytest

from minicnn.course.grader import table


def read(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_student(tmp_path):
    path = tmp_path / "grades.csv"
    table.write_csv([a_class.result("Ada"), a_class.result("Émilie, \"É\"", notes=["a", "b"])],
                    path)
    first, second = read(path)
    assert (first["student"], first["points"], first["of"]) == ("Ada", "12.5", "25")
    assert (first["convolution-2 points"], first["convolution-2 of"],
            first["convolution-2 status"]) == ("2.5", "5", "partly")
    assert (first["convolution-4 points"], first["convolution-4 status"]) == ("", "by hand")
    assert (second["student"], second["notes"]) == ('Émilie, "É"', "a | b")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "＝1", "|calc"])
def test_no_name_is_a_formula(tmp_path, name):
    path = tmp_path / "grades.csv"
    table.write_csv([a_class.result(name, notes=[name])], path)
    (row,) = read(path)
    assert row["student"] == "'" + name.strip() == row["notes"]


def test_the_platform_s_id_has_a_column(tmp_path):
    table.write_csv([a_class.result()._replace(id="12345")], tmp_path / "a.csv")
    assert read(tmp_path / "a.csv")[0]["id"] == "12345"


def test_names_that_no_file_can_hold(tmp_path):
    path = tmp_path / "grades.csv"
    table.write_csv([a_class.result("a\udce9\x00\x1b[31mb\nc")], path)
    assert read(path)[0]["student"] == "ab c"


def test_questions_that_a_result_lacks_are_empty(tmp_path):
    path, one = tmp_path / "grades.csv", a_class.result()
    table.write_csv([one, one._replace(outcomes=one.outcomes[:1])], path)
    assert read(path)[1]["convolution-2 status"] == ""

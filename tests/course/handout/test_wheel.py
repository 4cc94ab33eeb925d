"""The wheel that is packed from the running files."""

import base64
import csv
import hashlib
import io
import subprocess
import sys
import tomllib
import zipfile

import pytest

import minicnn
from minicnn.course.assignments import assignment, assignments
from minicnn.course.handout import solution, wheel


@pytest.fixture(scope="module")
def packed():
    """The wheel as a zip."""
    return zipfile.ZipFile(io.BytesIO(wheel.wheel()))


def test_it_holds_all_that_an_installed_minicnn_has(packed):
    names = {*packed.namelist()}
    for name in ("__init__.py", "course/assignments/01_convolution.toml", "weights/minivgg.h5",
                 "weights/minialex.h5",
                 "weights/manifest.json", "py.typed", "lessons/04_pooling.py"):
        assert f"minicnn/{name}" in names
    assert not any("__pycache__" in name or name.startswith("tests") for name in names)
    assert wheel.name() == f"minicnn-{minicnn.__version__}-py3-none-any.whl"


def test_the_record_is_true(packed):
    info = f"minicnn-{minicnn.__version__}.dist-info"
    rows = list(csv.reader(packed.read(f"{info}/RECORD").decode().splitlines()))
    assert {row[0] for row in rows} == {*packed.namelist()}
    name, digest, size = next(row for row in rows if row[0].endswith("cli/course.py"))
    data = packed.read(name)
    told = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    assert digest == f"sha256={told}" and int(size) == len(data)
    assert b"Name: minicnn" in packed.read(f"{info}/METADATA")


def test_the_same_bytes_each_time(packed):
    assert wheel.wheel.__wrapped__() == packed.fp.getvalue()


def test_students_get_no_rubrics_and_no_planted_mistakes(packed):
    given = zipfile.ZipFile(io.BytesIO(wheel.wheel(students=True)))
    folder = "minicnn/course/assignments/"
    left_out = {*packed.namelist()} - {*given.namelist()}
    assert left_out == {f"{folder}mistakes/{one.name}.toml" for one in assignments()}
    for one in assignments():
        name = f"{folder}{one.number:02}_{one.name}.toml"
        listed, whole = (tomllib.loads(each.read(name).decode()) for each in (given, packed))
        assert any("rubric" in question for question in whole["questions"])
        for question in whole["questions"]:
            question.pop("rubric", None)
        assert listed == whole


def test_the_python_it_needs():
    assert wheel.python() == "3.11 or newer"


@pytest.mark.thorough
def test_students_check_with_their_wheel(tmp_path):
    zipfile.ZipFile(io.BytesIO(wheel.wheel(students=True))).extractall(tmp_path / "site")
    text = solution(assignment("gram")).replace(", f) / (h * w)", ", f)")
    (tmp_path / "gram.py").write_text(text, encoding="utf-8")
    program = ("import sys; sys.path.insert(0, sys.argv[1])\n"
               "import minicnn.cli\n"
               "sys.exit(minicnn.cli.main(['course', 'check', 'gram.py', '--question', '1']))")
    done = subprocess.run([sys.executable, "-I", "-c", program, str(tmp_path / "site")],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "0 of 25  wrong" in done.stdout, done.stderr


@pytest.mark.thorough
def test_it_runs_from_the_wheel_alone(packed, tmp_path):
    packed.extractall(tmp_path / "site")
    program = ("import sys; sys.path.insert(0, sys.argv[1])\n"
               "import minicnn.cli\n"
               "assert minicnn.__file__.startswith(sys.argv[1])\n"
               "sys.exit(minicnn.cli.main(['course', 'new', 'made', '--assignments', 'gram'])\n"
               "         or minicnn.cli.main(['lesson']) or minicnn.cli.main(['summary']))")
    done = subprocess.run([sys.executable, "-I", "-c", program, str(tmp_path / "site")],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "teacher" / "08_gram" / "gradescope.zip").is_file()

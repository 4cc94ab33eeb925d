"""The autograder's zip."""

import os
import subprocess
import zipfile

import pytest

from minicnn.course.assignments import assignment
from minicnn.course.handout import gradescope, new, wheel

SEED = 20260801123456


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with a wheel more than minicnn's own."""
    folder = tmp_path_factory.mktemp("courses")
    (folder / "wheels").mkdir()
    (folder / "wheels" / "numpy-1-py3-none-any.whl").write_bytes(b"numpy")
    (folder / "wheels" / "minicnn-0-py3-none-any.whl").write_bytes(b"an old one")
    new.new(folder / "autumn", [assignment("gram"), assignment("lrn")], SEED,
            wheels=folder / "wheels")
    return folder / "autumn"


def test_what_is_in_it(course):
    with zipfile.ZipFile(course / "teacher/08_gram/gradescope.zip") as archive:
        assert archive.namelist() == ["setup.sh", "run_autograder", "course.json",
                                      f"wheels/{wheel.name()}", "wheels/numpy-1-py3-none-any.whl"]
        modes = {one.filename: one.external_attr >> 16 & 0o777 for one in archive.infolist()}
        assert modes["setup.sh"] == modes["run_autograder"] == 0o755
        assert modes["course.json"] == 0o600


def test_each_zip_is_of_its_own_assignment(course, tmp_path):
    for name in ("04_lrn", "08_gram"):
        with zipfile.ZipFile(course / "teacher" / name / "gradescope.zip") as archive:
            archive.extract("course.json", tmp_path)
        found = new.read(tmp_path / "course.json")
        assert [one.name for one in found.assignments] == [name[3:]] and found.seed == SEED


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
@pytest.mark.parametrize("text", [gradescope.SETUP, gradescope.RUN])
def test_the_scripts_can_be_read_by_bash(text):
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert text.startswith("#!/usr/bin/env bash\n") and "\r" not in text


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_an_image_without_a_new_python_is_told(tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("python3", "python3.11"):
        path = tmp_path / "bin" / name
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
    done = subprocess.run(["/bin/bash", "-c", gradescope.RUN], text=True, capture_output=True,
                          env={"PATH": str(tmp_path / "bin"), "AUTOGRADER_ROOT": str(tmp_path)})
    assert done.returncode == 1 and "needs Python 3.11" in done.stderr

"""The wheel and the source archive: what is in them, and that what is installed from them works.

Each is installed into an environment of its own, which finds NumPy and the rest where this Python
has them; nothing is downloaded. Commands run from an empty folder, so that a file of the checkout
cannot stand in for one that is missing.
"""

import io
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

import pytest

import minicnn
from minicnn import images
from minicnn.course.handout import wheel
from minicnn.report.drawn import ladybird

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "pillow", "h5py", "matplotlib", "tqdm", "threadpoolctl", "hatchling")
NAME = f"minicnn-{minicnn.__version__}"
# The two networks are 5.5 MB of the wheel and all code is 1.3: a third network, or pictures and
# data that nobody meant to send, would be more than this.
LARGEST = {"wheel": 10e6, "sdist": 15e6}
KINDS = {".py", ".toml", ".js", ".css", ".h5", ".json", ".typed"}  # of files in the package

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not a checkout"),
]


def done(*command, folder=None, environ=(), status=0):
    """What a program prints, or says if it shall fail, without our own places on Python's path."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(list(map(str, command)), cwd=folder, env=own | dict(environ), text=True,
                           capture_output=True, check=False)
    assert ended.returncode == status, f"{command}: {ended.stdout[-3000:]}{ended.stderr[-3000:]}"
    return ended.stderr if status else ended.stdout


def places():
    """The folders in which this Python has the packages that minicnn needs."""
    found = {name: str(metadata.distribution(name).locate_file("")) for name in PACKAGES}
    return list(dict.fromkeys(found.values()))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both archives, built from the checkout."""
    pytest.importorskip("hatchling", reason="pip install '.[test]' brings hatchling")
    pytest.importorskip("pip")
    folder = tmp_path_factory.mktemp("built")
    done(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT,
         environ={"PYTHONPATH": os.pathsep.join(places())})
    return {"wheel": folder / f"{NAME}-py3-none-any.whl", "sdist": folder / f"{NAME}.tar.gz"}


class Installed:
    """An environment with minicnn from one of the archives, and an empty folder to work in."""

    def __init__(self, archive, folder):
        builder = venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt")
        builder.create(folder / "env")
        about = builder.ensure_directories(folder / "env")
        self.python, self.programs = about.env_exe, Path(about.bin_path)
        self.folder, self.environ = folder / "empty", {"MINICNN_CACHE": str(folder / "cache")}
        self.folder.mkdir()
        site = Path(self.runs("-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
        (site / "others.pth").write_text("\n".join(places()), encoding="utf-8")
        done(sys.executable, "-m", "pip", "--python", self.python, "install", "--no-index",
             "--no-deps", "--no-build-isolation", "--no-compile", "--ignore-installed", "--quiet",
             archive)
        self.package = site / "minicnn"

    def runs(self, *arguments):
        return done(self.python, *arguments, folder=self.folder, environ=self.environ).strip()

    def minicnn(self, *arguments, status=0):
        """What the program `minicnn` prints."""
        return done(self.programs / "minicnn", *arguments, folder=self.folder,
                    environ=self.environ, status=status)


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(request, built, tmp_path_factory):
    return Installed(built[request.param], tmp_path_factory.mktemp(request.param))


# ---- what is in them

def test_the_wheel_has_the_package_the_lessons_the_networks_and_nothing_else(built):
    """The course packs the same files into the wheel that it hands out."""
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = {*archive.namelist()}
        about = archive.read(f"{NAME}.dist-info/METADATA").decode()
    package = {name for name in names if name.startswith("minicnn/")}
    assert {Path(name).suffix for name in package} == KINDS
    assert package == {*wheel._files(False)}
    assert len({name for name in package if name.startswith("minicnn/lessons/")}) == 20
    assert {name for name in package if name.startswith("minicnn/weights/")} == {
        f"minicnn/weights/{name}" for name in ("minialex.h5", "minivgg.h5", "manifest.json")}
    assert all(name.startswith(f"{NAME}.dist-info/") for name in names - package)
    assert "Description-Content-Type: text/markdown" in about and "\n# minicnn\n" in about


def test_both_wheels_have_the_same_programs_and_plugins(built):
    found = []
    for archive in (built["wheel"], wheel.wheel()):
        with zipfile.ZipFile(archive if isinstance(archive, Path) else io.BytesIO(archive)) as one:
            points = ConfigParser()
            points.read_string(one.read(f"{NAME}.dist-info/entry_points.txt").decode())
            found.append({name: dict(points[name]) for name in points.sections()})
    assert found[0] == found[1] and set(found[0]) == {"console_scripts", "pytest11"}


def test_the_source_archive_has_what_is_needed_to_test_and_to_build(built):
    with tarfile.open(built["sdist"]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/conftest.py", "benchmarks/speed.py",
            "lessons/book/conf.py", "weights/train_shipped.py"} <= inside
    assert {name.partition("/")[0] for name in inside} <= {
        "minicnn", "weights", "tests", "benchmarks", "lessons", "README.md", "LICENSE",
        "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert not [name for name in inside if "__pycache__" in name or name.endswith(".pyc")]


def test_their_size(built):
    assert [kind for kind, path in built.items() if path.stat().st_size > LARGEST[kind]] == []


# ---- what is installed

FOUND = ("import minicnn; from minicnn.course import lessons; from minicnn.foreign import load\n"
         "print(minicnn.__file__, load.find('minivgg'), load.find('minialex'), lessons.folder())")


def test_code_networks_and_lessons_are_the_installed_ones(installed):
    for path in installed.runs("-c", FOUND).split():
        assert Path(path).is_relative_to(installed.package)
    assert not (installed.package.parent / "tests").exists()


def test_the_commands_of_the_first_minutes(installed):
    assert installed.minicnn("--version") == f"minicnn {minicnn.__version__}\n"
    assert len(installed.minicnn("classes").splitlines()) >= 100
    listed = installed.minicnn("lesson")
    assert all(f"\n{number:2}  " in f"\n{listed}" for number in range(1, 21))
    assert "convolution" in installed.minicnn("course", "list")
    images.save(installed.folder / "photo.png", ladybird())
    for name in ("minivgg", "minialex"):
        assert "ladybug" in installed.minicnn("classify", "photo.png", "--weights", name)
    assert "lesson 03" in installed.minicnn("lesson", "3", "--figure")
    assert "def forward" in installed.minicnn("explain", "conv")


def test_a_course_is_made_of_what_is_installed(installed):
    installed.minicnn("course", "new", "autumn", "--assignments", "gram")
    (given,) = (installed.folder / "autumn" / "student").glob("*.whl")
    with zipfile.ZipFile(given) as archive:
        names = archive.namelist()
        about = archive.read(f"{NAME}.dist-info/METADATA").decode()
    assert "minicnn/weights/minivgg.h5" in names and "minicnn/lessons/04_pooling.py" in names
    assert "Requires-Dist: numpy" in about


def test_the_benchmarks_say_that_they_are_not_there(installed):
    assert "get its source" in installed.minicnn("bench", "speed", status=1)

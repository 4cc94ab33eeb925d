"""This minicnn as a wheel, packed from the files that are running: no network, no build.

The same files always give the same bytes. The wheel for students is without the rubrics of written
questions and without the planted mistakes.
"""

import base64
import hashlib
import io
import re
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

from minicnn import __version__

PACKAGE = Path(__file__).resolve().parents[2]
BESIDE = {"weights": ("*.h5", "manifest.json"), "lessons": ("[0-9][0-9]_*.py",)}
TEACHERS = "minicnn/course/assignments/mistakes/"  # a folder that students do not get
RUBRIC = re.compile(rb'^rubric = """.*?"""\n', re.DOTALL | re.MULTILINE)
WHEEL = "Wheel-Version: 1.0\nGenerator: minicnn\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
POINTS = ("[console_scripts]\nminicnn = minicnn.__main__:main\n\n"
          "[pytest11]\nminicnn = minicnn.gradcheck.judge.plugin\n")  # its fixture check_layer


def name():
    """The name of the wheel's file."""
    return f"minicnn-{__version__}-py3-none-any.whl"


def python():
    """ "3.11 or newer"."""
    found = re.search(rb"^Requires-Python: >=([\d.]+)", _about(), re.MULTILINE)
    return f"{found[1].decode() if found else '3.11'} or newer"


@cache
def wheel(students=False):
    """The wheel, as bytes; for students or whole."""
    info, packed, record = f"minicnn-{__version__}.dist-info", io.BytesIO(), []
    files = _files(students) | {
        f"{info}/METADATA": _about(), f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": POINTS.encode()}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            record.append(f"{path},sha256={digest},{len(data)}")
            add(archive, path, data)
        add(archive, f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]).encode())
    return packed.getvalue()


def add(archive, path, data, mode=0o644):
    """Add a file to a zip, without the time of day."""
    entry = zipfile.ZipInfo(path)
    entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _files(students):
    """{path in the wheel: bytes}; a checkout has weights and lessons beside the package."""
    found = {path.relative_to(PACKAGE.parent).as_posix(): path for path in PACKAGE.rglob("*")
             if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"}
    for folder, patterns in BESIDE.items():
        if not (PACKAGE / folder).is_dir():
            found |= {f"minicnn/{folder}/{path.name}": path for pattern in patterns
                      for path in (PACKAGE.parent / folder).glob(pattern)}
    files = {path: found[path].read_bytes() for path in sorted(found)}
    return {path: _without_rubrics(path, data) for path, data in files.items()
            if not path.startswith(TEACHERS)} if students else files


def _without_rubrics(path, data):
    """The bytes of a file as students get it."""
    return RUBRIC.sub(b"", data) if path.startswith("minicnn/course/assignments/") else data


def _about():
    """The metadata of the installed minicnn, which names what it needs."""
    try:
        return metadata.distribution("minicnn").read_text("METADATA").encode()
    except (metadata.PackageNotFoundError, AttributeError):  # it runs from a folder of sources
        return f"Metadata-Version: 2.1\nName: minicnn\nVersion: {__version__}\n".encode()

"""Folders and zips, honest and hostile."""

import io
import os
import struct
import zipfile

import a_class
import pytest

from minicnn.course.grader import archives


def test_a_folder(tmp_path):
    a_class.write(tmp_path, {"a.py": "x", "b/c.PY": "y", ".hidden/d.py": "z", "b/.e.py": "z",
                             "__MACOSX/._a.py": "z", ".DS_Store": "z"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.py")
    found = archives.folder(tmp_path)
    assert {one.path: one.read() for one in found.entries} == {"a.py": b"x", "b/c.PY": b"y"}
    assert [one.suffix for one in found.entries] == [".py", ".py"]
    assert found.folders == ["b", "empty"]
    assert archives.notes(found.left) == ["left out (hidden): .hidden, b/.e.py",
                                          "left out (a link or device): loop, link.py, pipe.py"]


def test_a_zip():
    data = a_class.zip_of({"a.py": "x", "b/c.py": "y", "b\\d.py": "w", "../e.py": "z", "/f.py": "z",
                           "C:\\g.py": "z", "b/../../h.py": "z", "__MACOSX/b/._c.py": "z",
                           "i/": "", ".git/j.py": "z"})
    found = archives.zipped(data)
    assert {one.path: one.read() for one in found.entries} == {
        "a.py": b"x", "b/c.py": b"y", "b/d.py": b"w"}
    assert found.folders == ["i"]
    assert archives.notes(found.left) == [
        "left out (a path out of the folder): ../e.py, /f.py, C:/g.py and 1 more"]


def test_links_and_files_of_the_same_name():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning):
        link = zipfile.ZipInfo("a.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b.py", "first")
        archive.writestr("b.py", "second")
    found = archives.zipped(file.getvalue())
    assert [(one.path, one.read()) for one in found.entries] == [("b.py", b"second")]
    assert len(archives.notes(found.left)) == 2


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"no zip", b"PK\x03\x04" * 100])
def test_what_is_no_zip(data):
    with pytest.raises(archives.ArchiveError, match="cannot be read"):
        archives.zipped(data)


def refused(data, most=archives.MOST_BYTES):
    (one,) = archives.zipped(data).entries
    with pytest.raises(archives.ArchiveError) as error:
        one.read(most)
    return str(error.value)


def test_a_bomb_is_not_unpacked():
    data = a_class.zip_of({"a.py": b"0" * (archives.SMALL + 1)})
    assert len(data) < 10_000 and "packed more tightly" in refused(data)


def test_a_file_too_large():
    assert "larger than" in refused(a_class.zip_of({"a.py": os.urandom(2000)}), 1000)


def test_what_is_damaged_or_encrypted():
    data = bytearray(a_class.zip_of({"a.py": b"abc" * 100}))
    broken = bytes(data[:40]) + b"\xff\xff\xff" + bytes(data[43:])
    assert "cannot be unpacked" in refused(broken)
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    struct.pack_into("<H", data, 6, 1)
    assert "cannot be unpacked" in refused(bytes(data))


def test_all_files_together_have_a_limit(monkeypatch):
    monkeypatch.setattr(archives, "MOST_TOTAL", 1500)
    first, second = archives.zipped(a_class.zip_of({"a": b"x" * 1000, "b": b"y" * 1000})).entries
    first.read()
    with pytest.raises(archives.ArchiveError):
        second.read()


def test_too_many_files(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(archives.ArchiveError, match="more than 1 files"):
        archives.zipped(a_class.zip_of({"a": "", "b": ""}))
    with pytest.raises(archives.ArchiveError, match="more than 1 files"):
        archives.folder(a_class.write(tmp_path, {"a": "", "b": ""}))

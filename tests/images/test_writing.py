"""Writing: whole or not at all, nothing in the place of an input, nothing left by killed processes.
"""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minicnn import images
from minicnn.images import writing

POSIX = pytest.mark.skipif(writing.fcntl is None, reason="folders have no locks here")


@pytest.fixture(autouse=True)
def nothing_cleared(monkeypatch):
    monkeypatch.setattr(writing, "_cleared", set())


# ---- atomic and write

@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_atomic_cleans_up_after_any_interruption(tmp_path, error):
    with pytest.raises(error), images.atomic(tmp_path / "w.h5") as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".h5"
        temporary.write_text("half")
        raise error
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", [str, lambda path: None])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_errors_name_the_users_file(tmp_path, name, number):
    path = tmp_path / "w.h5"
    with pytest.raises(OSError) as error, images.atomic(path) as temporary:
        raise OSError(number, os.strerror(number), name(temporary))
    assert (error.value.errno, error.value.filename) == (number, str(path))


def test_errors_about_another_file_stay(tmp_path):
    with pytest.raises(FileNotFoundError) as error, images.atomic(tmp_path / "w.h5"):
        (tmp_path / "other").read_text()
    assert error.value.filename == str(tmp_path / "other")


def test_atomic_follows_a_link_and_spares_devices(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with images.atomic(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    with pytest.raises(ValueError, match="not an ordinary file"), images.atomic(os.devnull):
        pass


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_after(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{file}") else "file"), sync(file)))
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("name"), replace(a, b)))
    images.write(tmp_path / "a.txt", "words")
    assert done[:2] == ["file", "name"] and done[2:] in (["folder"], ["file"], [])


def test_a_disk_that_cannot_keep_the_bytes(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")

    def fail(file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"a\.txt"):
        images.write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_disk_that_takes_a_part_and_says_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: write(path, data[:3]))
    with pytest.raises(OSError, match="did not take all bytes.*a.txt"):
        images.write(tmp_path / "a.txt", "longer")
    assert (tmp_path / "a.txt").read_text() == "old"


@POSIX
def test_permissions_are_kept_and_new_files_have_the_usual_ones(tmp_path):
    (tmp_path / "usual").touch()
    images.write(tmp_path / "a.txt", "é")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "a.txt").chmod(0o600)
    images.write(tmp_path / "a.txt", b"bytes")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o600


def test_a_write_protected_file_stays(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("mine")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # for root all may be written
    with pytest.raises(ValueError, match=r"a\.txt: is there already and write-protected"):
        images.write(tmp_path / "a.txt", "new")


# ---- what killed processes leave

KILLED = """
import os, signal, sys
from minicnn.images import writing
with writing.atomic(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("begun", flush=True)
    os.kill(os.getpid(), int(sys.argv[2])) if int(sys.argv[2]) else sys.stdin.read()
"""


def begun(path, number=0):
    """A process that writes: it ends by a signal, or waits until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(int(number))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    return process


@POSIX
def test_temporary_files_of_killed_processes_go_and_those_in_use_stay(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / ".minicnn-pages").write_text("no temporary file")
    with begun(tmp_path / "a.txt", signal.SIGKILL) as killed:
        killed.wait()
    assert len(os.listdir(tmp_path)) == 3 and (tmp_path / "a.txt").read_text() == "old"
    with begun(tmp_path / "b.txt") as alive:
        images.write(tmp_path / "c.txt", "c")
        assert sum(map(bool, map(writing.TEMPORARY.fullmatch, os.listdir(tmp_path)))) == 1
        alive.communicate(b"")
    assert sorted(os.listdir(tmp_path)) == [".minicnn-pages", "a.txt", "b.txt", "c.txt"]


@POSIX
def test_one_alone_clears_the_folder_once(tmp_path):
    left = tmp_path / ".minicnn-0123abcd.png"
    for still_there in (False, True):
        left.write_bytes(b"half")
        images.check_writable(tmp_path / "a.txt")
        assert left.exists() == still_there  # a folder may hold many files: it is listed once
        writing._cleared.discard("elsewhere")


@POSIX
def test_a_folder_that_is_held_is_not_abandoned(tmp_path):
    with writing.held(tmp_path):
        assert not writing.abandoned(tmp_path)
    assert writing.abandoned(tmp_path) and not writing.abandoned(tmp_path / "nowhere")


# ---- before the work

@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, number):
    def refuse(path, flags, *mode):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "open", refuse)
    for check in (images.check_writable, images.check_destination, images.check_folder):
        path = tmp_path / ("new" if check is images.check_folder else "a.png")
        with pytest.raises(OSError) as error:
            check(path)
        assert (error.value.errno, error.value.filename) == (number, str(path))


def test_looking_leaves_nothing(tmp_path):
    (tmp_path / "there.png").write_bytes(b"old")
    for path in (tmp_path / "there.png", tmp_path / "new.png"):
        assert images.check_destination(path) == "PNG"
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new" / "deeper"):
        images.check_folder(folder, ["there.png"])
    assert os.listdir(tmp_path) == ["there.png"]
    assert (tmp_path / "there.png").read_bytes() == b"old"


@pytest.mark.parametrize("name, words", [
    ("st.png", "a folder is made here, and .png is the end of a file's name"),
    ("st.h5", "and .h5 is the end"), ("file", "is no folder"), ("file/in", "file is no folder")])
def test_what_is_no_folder(tmp_path, name, words):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError) as error:
        images.check_folder(tmp_path / name)
    assert str(tmp_path / name) in str(error.value) and words in str(error.value)
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(ValueError, match="the name of the folder is empty"):
        images.check_folder("")
    (tmp_path / "old.png").mkdir()
    images.check_folder(tmp_path / "old.png")  # a folder that is there may be called as it likes


# ---- inputs

def links(folder):
    """A photo, and every other way to name it."""
    photo = folder / "photo.png"
    photo.write_bytes(b"the photo")
    (folder / "in").mkdir()
    (folder / "soft.png").symlink_to(photo)
    os.link(photo, folder / "hard.png")
    (folder / "way").symlink_to(folder)
    return photo, [photo, folder / "soft.png", folder / "hard.png", folder / "way" / "photo.png",
                   folder / "in" / ".." / "photo.png", Path(os.path.relpath(photo))]


def test_an_input_is_not_replaced_by_whatever_name(tmp_path):
    photo, names = links(tmp_path)
    for one in names:
        for other in names:
            with images.sparing(one):
                for check in (images.check_writable, lambda path: images.write(path, "new")):
                    with pytest.raises(ValueError, match="is an input of this command"):
                        check(other)
                with pytest.raises(ValueError, match="is an input"):
                    images.check_folder(other.parent, ["other.png", other.name])
                images.check_folder(other.parent, ["other.png"])
        images.check_writable(one)  # after the block it may be
    assert photo.read_bytes() == b"the photo"


def test_pictures_in_a_folder_that_is_read_are_inputs(tmp_path):
    folder = tmp_path / "photos"
    (folder / "in").mkdir(parents=True)
    for name in ("a.png", "in/b.jpg", "notes.txt"):
        (folder / name).write_bytes(b"old")
    with images.sparing(folder, tmp_path / "nowhere"):
        for name in ("a.png", "in/b.jpg"):
            with pytest.raises(ValueError, match=f"is one of the photos of {folder}"):
                images.write(folder / name, b"new")
        for name in ("notes.txt", "c.png", "in/d.png"):
            images.write(folder / name, b"new")
        images.write(tmp_path / "a.png", b"new")


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts")
def test_a_disk_that_is_read_only_or_full(tmp_path):
    """A real one: the error names the user's file, also where nothing can be removed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        images.write(tmp_path / "a.txt", "old")
        with pytest.raises(OSError) as error:
            images.write(tmp_path / "a.txt", "x" * 50_000)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(tmp_path / "a.txt"))
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        for check in (images.check_writable, lambda path: images.write(path, "new")):
            for name in ("a.txt", "b.txt"):
                with pytest.raises((OSError, ValueError), match=name):
                    check(tmp_path / name)
        with pytest.raises(OSError, match="Read-only.*new"):
            images.check_folder(tmp_path / "new")
        assert os.listdir(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)

"""Unfinished work: what is kept, for whom, and that it is never half there."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from minicnn import images
from minicnn.files.unfinished import Unfinished

ABOUT = {"layers": ["a", "b"], "count": 9}


def test_state_and_parts_are_found_again(tmp_path):
    work = Unfinished(tmp_path / "new", ABOUT)
    assert work.state() is None and work.part(3) is None
    work.save(values=np.arange(3), names=np.array(["ä", "b"]))
    work.save(values=np.arange(4), names=np.array(["ä", "b"]))
    work.save_part(3, pixels=np.ones((2, 2)))
    again = Unfinished(tmp_path / "new", dict(reversed(ABOUT.items())))
    state = again.state()
    assert state["values"].tolist() == [0, 1, 2, 3] and state["names"].tolist() == ["ä", "b"]
    assert again.part(0) is None
    np.testing.assert_array_equal(again.part(3)["pixels"], np.ones((2, 2)))


def test_work_that_depends_on_anything_else_begins_anew(tmp_path):
    Unfinished(tmp_path, ABOUT).save(values=np.arange(3))
    assert Unfinished(tmp_path, ABOUT | {"count": 8}).state() is None
    assert Unfinished(tmp_path, ABOUT).state() is not None


@pytest.mark.parametrize("fails, number", [("write", errno.ENOSPC), ("fsync", errno.EIO),
                                           ("open", errno.EROFS), ("open", errno.EACCES)])
def test_a_write_that_fails_leaves_the_state_before(tmp_path, monkeypatch, fails, number):
    work = Unfinished(tmp_path, ABOUT)
    work.save(values=np.arange(3))

    write = Path.write_bytes

    def fail(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as context:
        if fails == "write":
            context.setattr(Path, "write_bytes", lambda path, data: (write(path, b"half"), fail()))
        else:
            context.setattr(os, fails, fail)
        for save in (work.save, lambda **arrays: work.save_part(0, **arrays)):
            with pytest.raises(OSError) as error:
                save(values=np.arange(9))
            assert (error.value.errno, error.value.filename) == (number, str(tmp_path))
        if fails == "open":
            with pytest.raises(OSError, match=os.strerror(number)):
                Unfinished(tmp_path, ABOUT)  # before the work
    assert work.state()["values"].tolist() == [0, 1, 2] and work.part(0) is None
    assert [path.name for path in work.folder.iterdir()] == ["state.npz"]


def whole_file():
    file = io.BytesIO()
    np.savez(file, values=np.arange(1000))
    return file.getvalue()


def pickled():
    file = io.BytesIO()
    np.savez(file, values=np.array([{}], dtype=object))
    return file.getvalue()


@pytest.mark.parametrize("damaged", [
    b"", whole_file()[:700], whole_file()[:-1], bytes(len(whole_file())), bytes(10), b"no numbers",
    whole_file()[:2000] + bytes(100) + whole_file()[2100:], pickled()],
    ids=["empty", "cut", "a byte less", "zeros", "few zeros", "text", "a hole", "pickled"])
def test_a_damaged_file_is_set_aside_and_the_work_done_anew(tmp_path, damaged):
    work = Unfinished(tmp_path, ABOUT)
    for name, read in (("state.npz", work.state), ("part000002.npz", lambda: work.part(2))):
        (work.folder / name).write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{name}: damaged.*set aside as {name}.broken"):
            assert read() is None
        assert (work.folder / f"{name}.broken").read_bytes() == damaged
        assert read() is None  # and that is said once
    work.save(values=np.arange(3))
    assert work.state()["values"].tolist() == [0, 1, 2]


def test_at_the_end_this_work_goes_and_all_else_stays(tmp_path):
    other, work = Unfinished(tmp_path, {"other": 1}), Unfinished(tmp_path, ABOUT)
    images.save(tmp_path / "picture.png", np.zeros((2, 2), np.uint8))
    work.save(values=np.arange(3))
    work.remove()
    work.remove()
    assert sorted(tmp_path.iterdir()) == sorted([other.folder, tmp_path / "picture.png"])
